//! Issuer, addresses and what a proxy makes of them.

use url::Url;

use super::{View, check, judge};
use crate::deployment::ask::Route;
use crate::deployment::documents::{Metadata, read};
use crate::deployment::{Check, CheckResult};
use crate::exchange::Answer;

pub(super) fn checks(view: &View<'_>, discovery: &Answer) -> Vec<Check> {
    let route = Route::Discovery;
    if (300..400).contains(&discovery.status) {
        let to = crate::redact::url(discovery.header("location").unwrap_or_default());
        let says = format!(
            "answers {} to {to}; clients take the issuer's metadata from its own address",
            discovery.status
        );
        return vec![check("discovery", CheckResult::Bad, says, route)];
    }
    let Some(metadata) = read::<Metadata>(discovery).filter(|metadata| !metadata.issuer.is_empty())
    else {
        let says = format!("answers {} without issuer metadata", discovery.status);
        return vec![check("discovery", CheckResult::Bad, says, route)];
    };
    let mut checks = vec![check(
        "discovery",
        CheckResult::Good,
        "issuer metadata is served",
        route,
    )];
    if metadata.tenure_rotation.is_none() {
        checks.push(check(
            "tenure",
            CheckResult::Unknown,
            "the metadata is not of a Tenure service; only what any issuer has is checked",
            route,
        ));
    }
    checks.push(issuer(view, &metadata));
    checks.push(https(view));
    checks.push(endpoints(&metadata));
    checks.extend(forwarded(view, &metadata));
    checks
}

/// RFC 8414 section 3.3: byte by byte.
fn issuer(view: &View<'_>, metadata: &Metadata) -> Check {
    let asked = &view.looked.base;
    let says = if metadata.issuer == *asked {
        format!("the issuer is {asked}, as asked")
    } else {
        format!(
            "the issuer says that it is {}, and was asked as {asked}: verifiers that know it by the one name refuse tokens of the other",
            metadata.issuer
        )
    };
    check(
        "issuer-equal",
        judge(metadata.issuer == *asked, CheckResult::Bad),
        says,
        Route::Discovery,
    )
}

fn https(view: &View<'_>) -> Check {
    let says = match () {
        () if view.looked.base.starts_with("https://") => "served over TLS",
        () if view.is_loopback() => "plain HTTP, on this machine only",
        () => {
            "plain HTTP: tokens can be read on the way, and browsers keep the secure cookies back"
        }
    };
    let is_good = view.looked.base.starts_with("https://") || view.is_loopback();
    check(
        "https",
        judge(is_good, CheckResult::Bad),
        says,
        Route::Discovery,
    )
}

fn endpoints(metadata: &Metadata) -> Check {
    let origin = |url: &str| {
        Url::parse(url)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default()
    };
    let own = origin(&metadata.issuer);
    let all = [
        &metadata.jwks_uri,
        &metadata.token_endpoint,
        &metadata.authorization_endpoint,
    ];
    let foreign: Vec<_> = all
        .iter()
        .filter(|url| origin(url) != own)
        .map(|url| url.as_str())
        .collect();
    let says = match foreign.as_slice() {
        [] => "all endpoints are at the issuer's origin".to_owned(),
        foreign => format!("not at the issuer's origin: {}", foreign.join(", ")),
    };
    check(
        "endpoints-of-issuer",
        judge(foreign.is_empty(), CheckResult::Warning),
        says,
        Route::Discovery,
    )
}

/// The issuer is a configured value: a header must not move it.
fn forwarded(view: &View<'_>, metadata: &Metadata) -> Option<Check> {
    let answer = view.answer(Route::Forwarded)?;
    let issuer = read::<Metadata>(answer).unwrap_or_default().issuer;
    let redirected = (300..400).contains(&answer.status);
    let says = match () {
        () if redirected => format!("with X-Forwarded-Proto: http the answer is {}: the proxy in front redirects by a header that clients can set", answer.status),
        () if issuer == metadata.issuer => "X-Forwarded headers of a client do not move the issuer".to_owned(),
        () => "X-Forwarded headers of a client change the issuer: tokens and metadata depend on who asks".to_owned(),
    };
    Some(check(
        "forwarded-headers",
        judge(issuer == metadata.issuer, CheckResult::Bad),
        says,
        Route::Forwarded,
    ))
}
