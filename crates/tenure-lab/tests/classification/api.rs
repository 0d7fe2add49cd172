//! Every answer of the table to a call of an API, sent over a real socket to a session.

use bytes::Bytes;
use http::Request;
use tenure_client::{HttpTransport, State};

use crate::certificates::Authority;
use crate::fixture::{Api, Verdict, apis};
use crate::profile::{Endpoint, Holding, Profile};
use crate::service::{Act, Seen, Service, answer};
use crate::wire::{Wire, Wires};

const TOKENS: &str = r#"{"access_token":"access-2","refresh_token":"refresh-2","expires_in":900}"#;

/// The names of the cases that did not go as the table says, with what happened instead.
async fn failures(mistake: fn(HttpTransport) -> Wire) -> Vec<(String, String)> {
    let wires = Wires::new(&Authority::new().pem);
    let mut failures = Vec::new();
    for case in apis() {
        if let Err(what) = check(&case, mistake(wires.patient.clone())).await {
            failures.push((case.name, what));
        }
    }
    failures
}

async fn check(case: &Api, wire: Wire) -> Result<(), String> {
    let first = Act::Answer(answer(case.status, &case.headers, &case.body));
    let refreshed = Act::Answer(answer(200, &[], TOKENS));
    let second = Act::Answer(answer(200, &[], "{}"));
    let service = Service::start([first, refreshed, second]).await;
    let issuer = format!("http://127.0.0.1:{}", service.port);
    let profile = Profile::active(&issuer, Endpoint::Oauth2);
    let session = profile.open(wire).await;

    let call = Request::get(format!("{issuer}/api/thing")).body(Bytes::new());
    let got = session.call(call.expect("a request")).await;
    let refused = case.expect == Verdict::TokenRefused;
    let status = got.as_ref().map(|answer| answer.status().as_u16());
    if status != Ok(if refused { 200 } else { case.status }) {
        return Err(format!("got {got:?}"));
    }
    let expected: &[_] = if refused {
        &["GET /api/thing 1", "POST /oauth/token", "GET /api/thing 2"]
    } else {
        &["GET /api/thing 1"]
    };
    let seen: Vec<_> = service.seen().iter().map(told).collect();
    if seen != expected {
        return Err(format!("seen {seen:?}"));
    }
    if !matches!(session.state(), State::Active { .. }) {
        return Err(format!("state {:?}", session.state()));
    }
    let holding = if refused {
        Holding::Rotated
    } else {
        Holding::Kept
    };
    if profile.holding() != Some(holding) {
        return Err(format!("vault {:?}", profile.holding()));
    }
    Ok(())
}

/// The request and the number of its access token.
fn told(seen: &Seen) -> String {
    let Some(bearer) = &seen.bearer else {
        return seen.line.clone();
    };
    let number = bearer.strip_prefix("Bearer access-").unwrap_or(bearer);
    format!("{} {number}", seen.line)
}

#[tokio::test]
async fn every_answer_of_an_api_is_taken_as_the_table_says() {
    let failures: Vec<_> = failures(Wire::Real)
        .await
        .into_iter()
        .map(|(name, what)| format!("{name}: {what}"))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn a_client_that_refreshes_at_any_403_fails_just_where_that_is_in_vain() {
    let failures = failures(Wire::ForbiddenIsUnauthorized).await;
    let failed: Vec<_> = failures.into_iter().map(|(name, _)| name).collect();
    let in_vain: Vec<_> = apis()
        .into_iter()
        .filter(|case| case.status == 403 && case.expect == Verdict::Forbidden)
        .map(|case| case.name)
        .collect();
    assert!(in_vain.len() > 8, "{}", in_vain.len());
    assert_eq!(failed, in_vain);
}
