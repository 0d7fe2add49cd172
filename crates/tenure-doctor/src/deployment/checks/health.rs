//! What the service says of its store and its clock.

use tenure_core::outcome;

use super::{View, check, judge};
use crate::deployment::ask::Route;
use crate::deployment::documents::{Health, read};
use crate::deployment::{Check, CheckResult};

/// Verifiers that allow no difference at all are in wide use (aws-jwt-verify, josekit).
const CLOCK: u64 = 5;

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let mut checks: Vec<_> = date(view).into_iter().collect();
    let Some(answer) = view.answer(Route::Ready) else {
        checks.push(check(
            "ready",
            CheckResult::Unknown,
            "no answer",
            Route::Ready,
        ));
        return checks;
    };
    let Some(health) = read::<Health>(answer).filter(|health| !health.store.kind.is_empty()) else {
        let says = format!(
            "answers {}; where monitoring has a listener of its own (monitor_listen), give its address",
            answer.status
        );
        checks.push(check("ready", CheckResult::Unknown, says, Route::Ready));
        return checks;
    };
    checks.push(ready(&health));
    checks.extend(store(&health));
    checks.push(clock(&health));
    checks
}

fn ready(health: &Health) -> Check {
    let says = match (&health.store.error, health.ready) {
        (_, true) => format!("ready, on {}", health.store.kind),
        (Some(error), false) => format!("not ready: {}", crate::redact::text(error)),
        (None, false) => "not ready".to_owned(),
    };
    check(
        "ready",
        judge(health.ready, CheckResult::Bad),
        says,
        Route::Ready,
    )
}

fn store(health: &Health) -> Vec<Check> {
    let store = &health.store;
    let durable = match (store.durable, store.kind.as_str()) {
        (true, kind) => format!("{kind}: an acknowledged sign-in or sign-out survives a power cut"),
        (false, "memory") => "memory: a restart ends every session".to_owned(),
        (false, kind) => format!(
            "{kind} is not durable: a power cut can lose acknowledged sign-ins and sign-outs"
        ),
    };
    let revocations = match store.revoke_durability.as_str() {
        "primary-only" => {
            "primary-only: a failover, or a restored backup, can bring a signed-out session back"
                .to_owned()
        }
        other => format!("revocations: {other}"),
    };
    let is_lost = store.kind == "memory";
    let otherwise = if is_lost {
        CheckResult::Bad
    } else {
        CheckResult::Warning
    };
    let kept = store.revoke_durability != "primary-only";
    let mut checks = vec![
        check(
            "store-durable",
            judge(store.durable, otherwise),
            durable,
            Route::Ready,
        ),
        check(
            "revocation-durable",
            judge(kept, CheckResult::Warning),
            revocations,
            Route::Ready,
        ),
    ];
    // The two above say it already.
    let others = store
        .warnings
        .iter()
        .filter(|warning| !warning.contains("acknowledged"));
    checks.extend(others.map(|warning| {
        check(
            "store-warning",
            CheckResult::Warning,
            crate::redact::text(warning),
            Route::Ready,
        )
    }));
    checks
}

fn clock(health: &Health) -> Check {
    let clock = &health.clock;
    let apart = clock.store_ahead_seconds.unwrap_or_default();
    let (result, says) = match () {
        () if !clock.trusted => (
            CheckResult::Bad,
            format!(
                "the service does not believe its clock: {}",
                clock.doubt.as_deref().unwrap_or("no reason given")
            ),
        ),
        () if clock.offset_seconds != 0 => (
            CheckResult::Warning,
            format!(
                "the clock is shifted by {} s ({})",
                clock.offset_seconds, clock.source
            ),
        ),
        () if apart.unsigned_abs() > CLOCK => (
            CheckResult::Warning,
            format!("the store's clock is {apart} s ahead of the service's"),
        ),
        () => (
            CheckResult::Good,
            "the service believes its clock".to_owned(),
        ),
    };
    check("clock-trusted", result, says, Route::Ready)
}

/// The `Date` of the answer against the doctor's clock.
fn date(view: &View<'_>) -> Option<Check> {
    let date = view.answer(Route::Discovery)?.header("date")?;
    let theirs = outcome::date(date)?.0;
    let apart = theirs.abs_diff(view.now.0);
    let direction = if theirs > view.now.0 {
        "ahead of"
    } else {
        "behind"
    };
    let (result, says) = match apart {
        0..=CLOCK => (
            CheckResult::Good,
            "the service and this machine agree on the time".to_owned(),
        ),
        apart => (
            CheckResult::Warning,
            format!(
                "the service's clock is {apart} s {direction} this machine's: one of the two is wrong"
            ),
        ),
    };
    Some(check("clock-equal", result, says, Route::Discovery))
}
