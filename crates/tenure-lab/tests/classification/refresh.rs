//! Every answer of the table to a refresh, sent over a real socket to a session.

use bytes::Bytes;
use http::Request;
use tenure_client::{Error, Policy, Session, State, Transport as _};

use crate::certificates::Authority;
use crate::fixture::{Expected, Refresh, refreshes};
use crate::profile::{Endpoint, Holding, Profile};
use crate::scene::Scene;
use crate::wire::{Wire, Wires};

/// The cases that did not go as the table says, with what happened instead.
async fn failures(mistake: fn(tenure_client::HttpTransport) -> Wire) -> Vec<(Refresh, String)> {
    let authority = Authority::new();
    let wires = Wires::new(&authority.pem);
    let mut failures = Vec::new();
    for case in refreshes() {
        let scene = Scene::of(&case, &authority).await;
        let transport = if scene.impatient {
            &wires.impatient
        } else {
            &wires.patient
        };
        if scene.warm {
            let warm = Request::get(format!("{}/warm", scene.issuer)).body(Bytes::new());
            let answer = transport.send(warm.expect("a request"), 4096).await;
            assert_eq!(answer.expect("an answer").status(), 200, "{}", case.name);
        }
        let wire = mistake(transport.clone());
        if let Err(what) = check(&case, &scene, &authority, wire).await {
            failures.push((case, what));
        }
    }
    failures
}

async fn check(
    case: &Refresh,
    scene: &Scene,
    authority: &Authority,
    wire: Wire,
) -> Result<(), String> {
    let mut profile = Profile::expired(&scene.issuer, case.endpoint);
    if case.retry_after.is_some() {
        profile.policy = Policy::default();
    }
    let session = profile.open(wire).await;
    let got = session.access_token().await;
    let told = match &got {
        Ok(token) => (token.token.expose() == "access-2").then_some(Expected::Granted),
        Err(error) => told(case, error),
    };
    if told != Some(case.expect) {
        return Err(format!("told {got:?}"));
    }
    if !stands(case, &session.state()) {
        return Err(format!("state {:?}", session.state()));
    }
    if profile.holding() != Some(case.vault) {
        return Err(format!("vault {:?}", profile.holding()));
    }
    let seen = scene.service.seen();
    let presented = seen.len() - usize::from(scene.warm);
    if presented != case.sent {
        return Err(format!("sent {presented} times: {seen:?}"));
    }
    if case.vault == Holding::Kept && scene.reachable {
        return survives(case, scene, authority, &profile, &session).await;
    }
    Ok(())
}

/// What the error tells its caller; `None` where a detail is not as the table says.
fn told(case: &Refresh, error: &Error) -> Option<Expected> {
    let says = case.says.as_deref()?;
    match error {
        Error::Transient { cause, retry_after } => {
            let asked = case
                .retry_after
                .is_none_or(|asked| retry_after.as_secs() == asked);
            (asked && cause.to_string() == says).then_some(Expected::Transient)
        }
        Error::SignInRequired { reason } => (reason.to_string() == says).then_some(Expected::Ended),
        Error::Misconfigured(text) => text.contains(says).then_some(Expected::Misconfigured),
        _ => None,
    }
}

fn stands(case: &Refresh, state: &State) -> bool {
    match (case.expect, state) {
        (Expected::Granted, State::Active { .. }) | (Expected::Ended, State::SignedOut { .. }) => {
            true
        }
        (Expected::Transient | Expected::Misconfigured, State::Degraded { cause, .. }) => {
            let says = case.says.as_deref().unwrap_or_default();
            cause.to_string().contains(says)
        }
        _ => false,
    }
}

/// A session that was kept works again as soon as the service does, and the refresh that may have
/// been lost is repeated as the same one.
async fn survives(
    case: &Refresh,
    scene: &Scene,
    authority: &Authority,
    profile: &Profile,
    session: &Session,
) -> Result<(), String> {
    let before = scene.service.seen().len();
    scene.recovers(authority);
    profile.wait();
    let again = session.access_token().await;
    if again.as_ref().map(|token| token.token.expose()) != Ok("access-2") {
        return Err(format!("afterwards {again:?}"));
    }
    if profile.holding() != Some(Holding::Rotated) {
        return Err(format!("vault afterwards {:?}", profile.holding()));
    }
    let seen = scene.service.seen();
    let over_http1 = |line: &str| !line.is_empty();
    let keys: Vec<_> = seen
        .iter()
        .filter(|seen| over_http1(&seen.line) && !seen.line.ends_with("/warm"))
        .map(|seen| seen.key.clone())
        .collect();
    let same = keys.windows(2).all(|pair| pair[0] == pair[1]);
    let keyed = case.endpoint == Endpoint::Cognito || keys.iter().all(Option::is_some);
    if !(same && keyed && seen.len() > before) {
        return Err(format!("keys {keys:?}"));
    }
    Ok(())
}

#[tokio::test]
async fn every_answer_has_the_outcome_and_the_effect_that_the_table_says() {
    let failures = failures(Wire::Real).await;
    let failures: Vec<_> = failures
        .iter()
        .map(|(case, what)| format!("{}: {what}", case.name))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn a_client_that_takes_any_4xx_for_the_end_fails_just_where_it_signs_people_out() {
    let failed: Vec<_> = failures(Wire::AnyRefusalIsFinal)
        .await
        .into_iter()
        .map(|(case, _)| case.name)
        .collect();
    let signed_out: Vec<_> = refreshes()
        .into_iter()
        .filter(|case| matches!(case.status, Some(400..=499)) && case.vault == Holding::Kept)
        .map(|case| case.name)
        .collect();
    // Its one word for all ends loses Tenure's reason, too.
    let failed: Vec<_> = failed
        .into_iter()
        .filter(|name| name != "Tenure says why")
        .collect();
    assert!(signed_out.len() > 30, "{}", signed_out.len());
    assert_eq!(failed, signed_out);
}
