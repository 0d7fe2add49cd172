//! How it says no, and to whom.

use super::{View, check, judge};
use crate::deployment::ask::{Route, STRANGER};
use crate::deployment::{Check, CheckResult};
use crate::exchange::Answer;

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(view.answer(Route::Bare).map(unauthorized));
    checks.extend(view.answer(Route::Garbage).map(with_a_reason));
    checks.extend(view.answer(Route::Bare).map(not_cached));
    checks.extend(view.answer(Route::Nowhere).map(nowhere));
    checks.extend(view.answer(Route::Stranger).map(stranger));
    checks.extend(own_origin(view));
    checks.extend(come_back(view));
    checks.extend(cookies(view));
    checks
}

/// RFC 9110 section 11.6.1.
fn unauthorized(answer: &Answer) -> Check {
    let challenge = answer
        .header("www-authenticate")
        .is_some_and(|field| field.starts_with("Bearer"));
    let is_good = answer.status == 401 && challenge;
    let says = match () {
        () if is_good => "without a token: 401 with a Bearer challenge".to_owned(),
        () if answer.status == 401 => "without a token: 401 without a Bearer challenge; something in between took it away, or answers itself".to_owned(),
        () => format!("without a token: {}, where 401 is due; clients that refresh on 401 never do", answer.status),
    };
    check(
        "unauthorized",
        judge(is_good, CheckResult::Bad),
        says,
        Route::Bare,
    )
}

/// RFC 6750 section 3.1.
fn with_a_reason(answer: &Answer) -> Check {
    let reason = answer
        .header("www-authenticate")
        .is_some_and(|field| field.contains("error=\"invalid_token\""));
    let says = if reason {
        "with a token that is none: 401, and the reason".to_owned()
    } else {
        format!(
            "with a token that is none: {} without error=\"invalid_token\": clients cannot tell a bad token from a missing right",
            answer.status
        )
    };
    check(
        "unauthorized-reason",
        judge(reason && answer.status == 401, CheckResult::Bad),
        says,
        Route::Garbage,
    )
}

fn not_cached(answer: &Answer) -> Check {
    let aged = answer.header("age").is_some_and(|age| age != "0");
    let kept_out = answer
        .header("cache-control")
        .is_some_and(|field| field.contains("no-store") || field.contains("private"));
    let (result, says) = match () {
        () if aged => (
            CheckResult::Bad,
            "a refusal comes from a cache (Age): signed-in users may get it too",
        ),
        () if kept_out => (CheckResult::Good, "refusals are kept out of caches"),
        () => (
            CheckResult::Warning,
            "refusals do not say that caches must not keep them",
        ),
    };
    check("refusal-not-cached", result, says, Route::Bare)
}

/// A single-page app's fallback in front answers 200 to everything.
fn nowhere(answer: &Answer) -> Check {
    let is_good = answer.status == 404;
    let says = if is_good {
        "a path that does not exist: 404".to_owned()
    } else {
        format!(
            "a path that does not exist: {}; something in front answers for the service",
            answer.status
        )
    };
    check(
        "unknown-path",
        judge(is_good, CheckResult::Warning),
        says,
        Route::Nowhere,
    )
}

fn stranger(answer: &Answer) -> Check {
    let allowed = answer
        .header("access-control-allow-origin")
        .unwrap_or_default();
    let (result, says) = match allowed {
        STRANGER => (
            CheckResult::Bad,
            "pages of any origin may read the answers of the token endpoint: the origin is repeated unread",
        ),
        "*" => (
            CheckResult::Warning,
            "pages of any origin may read the answers of the token endpoint",
        ),
        _ => (
            CheckResult::Good,
            "pages of unknown origins may not read the answers of the token endpoint",
        ),
    };
    check("cors-stranger", result, says, Route::Stranger)
}

fn own_origin(view: &View<'_>) -> Option<Check> {
    let answer = view.answer(Route::Origin)?;
    let origin = view.looked.origin.as_deref()?;
    let is_allowed = answer
        .header("access-control-allow-origin")
        .is_some_and(|allowed| allowed == origin || allowed == "*");
    let says = if is_allowed && answer.status < 300 {
        format!("pages of {origin} may ask")
    } else {
        format!(
            "pages of {origin} may not ask (status {}): give the client this origin in allowed_origins",
            answer.status
        )
    };
    Some(check(
        "cors-origin",
        judge(is_allowed && answer.status < 300, CheckResult::Bad),
        says,
        Route::Origin,
    ))
}

/// RFC 9110 section 10.2.3: a client that is not told comes back at once, or never.
fn come_back(view: &View<'_>) -> Option<Check> {
    let mut unavailable = view.looked.answers.iter().filter_map(|(route, exchange)| {
        let answer = exchange
            .result
            .as_ref()
            .ok()
            .filter(|answer| answer.status == 503)?;
        // Monitoring reads the status.
        (*route != Route::Ready).then_some((*route, answer))
    });
    let (route, answer) = unavailable.next()?;
    let told = answer.header("retry-after").is_some();
    let says = if told {
        "503, with the time to come back"
    } else {
        "503 without Retry-After: it is of something in front, or clients take it for the end"
    };
    Some(check(
        "unavailable-retry-after",
        judge(told, CheckResult::Bad),
        says,
        route,
    ))
}

/// The flags of every cookie that was set.
fn cookies(view: &View<'_>) -> Vec<Check> {
    let https = view.looked.base.starts_with("https://");
    let mut checks = Vec::new();
    for (route, exchange) in &view.looked.answers {
        let Ok(answer) = &exchange.result else {
            continue;
        };
        for (_, cookie) in answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            let name = cookie.split('=').next().unwrap_or_default();
            let attributes: Vec<_> = cookie
                .split(';')
                .skip(1)
                .map(|part| part.trim().to_ascii_lowercase())
                .collect();
            let has = |wanted: &str| attributes.iter().any(|part| part.starts_with(wanted));
            let needed = [("httponly", true), ("samesite", true), ("secure", https)];
            let missing: Vec<_> = needed
                .iter()
                .filter(|(flag, due)| *due && !has(flag))
                .map(|(flag, _)| *flag)
                .collect();
            let says = match missing.as_slice() {
                [] => format!("cookie {name} has its flags"),
                missing => format!("cookie {name} lacks {}", missing.join(", ")),
            };
            checks.push(check(
                "cookie-flags",
                judge(missing.is_empty(), CheckResult::Warning),
                says,
                *route,
            ));
        }
    }
    checks
}
