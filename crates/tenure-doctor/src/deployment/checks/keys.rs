//! The published keys, and whether all addresses publish the same.

use std::collections::BTreeSet;

use super::{View, check, judge};
use crate::deployment::ask::Route;
use crate::deployment::documents::{Health, Key, KeySet, Metadata, read};
use crate::deployment::{Check, CheckResult};

/// Two hours: as long as the slowest verifiers in wide use keep keys (Amazon API Gateway's HTTP APIs).
const LONGEST_MAX_AGE: u64 = 7_200;

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    let Some(answer) = view.answer(Route::Jwks) else {
        return vec![check("jwks", CheckResult::Bad, "no answer", Route::Jwks)];
    };
    let keys = read::<KeySet>(answer).unwrap_or_default().keys;
    let says = match keys.len() {
        0 => format!(
            "answers {} without a key: no verifier can check a token",
            answer.status
        ),
        1 => "one key; the next one is announced before it signs".to_owned(),
        many => format!(
            "{many} keys: a rotation is on its way, or tokens of the last key are still good"
        ),
    };
    checks.push(check(
        "jwks",
        judge(!keys.is_empty(), CheckResult::Bad),
        says,
        Route::Jwks,
    ));
    checks.extend(signing(view, &keys));
    checks.push(cache(answer.header("cache-control")));
    checks.extend(agree(view));
    checks
}

/// The key that signs has to be published.
fn signing(view: &View<'_>, keys: &[Key]) -> Option<Check> {
    let health: Health = read(view.answer(Route::Ready)?)?;
    let is_known = keys.iter().any(|key| key.kid == health.keys.signing);
    let says = if is_known {
        "the key that signs is published"
    } else {
        "the key that signs is not among the published ones: fresh tokens are refused everywhere"
    };
    (!health.keys.signing.is_empty()).then(|| {
        check(
            "signing-key-published",
            judge(is_known, CheckResult::Bad),
            says,
            Route::Jwks,
        )
    })
}

fn cache(control: Option<&str>) -> Check {
    let max_age = control.and_then(|control| {
        let directives = control.split(',').map(str::trim);
        directives
            .filter_map(|directive| directive.strip_prefix("max-age="))
            .find_map(|age| age.parse::<u64>().ok())
    });
    let (result, says) = match max_age {
        Some(age) if age > LONGEST_MAX_AGE => (
            CheckResult::Warning,
            format!(
                "may be cached for {age} s: a new key is unknown that long to whoever asked before"
            ),
        ),
        Some(age) => (CheckResult::Good, format!("may be cached for {age} s")),
        None => (
            CheckResult::Warning,
            "does not say how long it may be cached; what is in between decides".to_owned(),
        ),
    };
    check("jwks-cacheable", result, says, Route::Jwks)
}

/// Whether each address has the same issuer and keys.
fn agree(view: &View<'_>) -> Option<Check> {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    let mut silent = 0;
    for (route, exchange) in &view.looked.answers {
        let answer = exchange.result.as_ref().ok();
        let said = match route {
            Route::DiscoveryAt(_) => answer
                .and_then(read::<Metadata>)
                .map(|metadata| metadata.issuer),
            Route::JwksAt(_) => answer.and_then(read::<KeySet>).map(|set| {
                let kids: BTreeSet<_> = set.keys.into_iter().map(|key| key.kid).collect();
                kids.into_iter().collect::<Vec<_>>().join(" ")
            }),
            _ => continue,
        };
        count += 1;
        silent += u64::from(said.is_none());
        let kind = matches!(route, Route::JwksAt(_));
        seen.extend(said.map(|said| (kind, said)));
    }
    let (result, says) = match seen.len() {
        _ if silent > 0 => (
            CheckResult::Bad,
            format!("{silent} of {count} questions to single addresses had no usable answer"),
        ),
        0..=2 => (
            CheckResult::Good,
            "every address has the same issuer and keys".to_owned(),
        ),
        _ => (
            CheckResult::Bad,
            "the addresses of this name do not agree on issuer or keys".to_owned(),
        ),
    };
    (count > 0).then(|| check("addresses-agree", result, says, Route::Jwks))
}
