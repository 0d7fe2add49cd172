//! Who gets the token, and what happens when it is refused.

use bytes::Bytes;
use http::{Request, Uri};
use tenure_client::Session;

use crate::bench::Bench;
use crate::service::{Plan, Service};

async fn call(session: &Session, service: &Service) -> u16 {
    let request = Request::get(format!("{}/api/thing", service.url));
    let request = request.body(Bytes::new()).expect("a request");
    session
        .call(request)
        .await
        .expect("answered")
        .status()
        .as_u16()
}

fn calls(service: &Service) -> Vec<String> {
    let none = || "none".to_owned();
    let calls = service.books().calls.clone().into_iter();
    calls.map(|call| call.unwrap_or_else(none)).collect()
}

#[tokio::test]
async fn the_token_goes_to_listed_origins_only() {
    let (bench, session) = Bench::signed_in().await;
    let other = Service::start().await;
    assert_eq!(call(&session, &bench.service).await, 200);
    assert_eq!(calls(&bench.service), ["Bearer access-1"]);
    assert_eq!(call(&session, &other).await, 200);
    assert_eq!(calls(&other), ["none"]);

    let config = bench.config().allow(&other.url).expect("loopback");
    let session = Session::open(config).await.expect("opened");
    assert_eq!(call(&session, &other).await, 200);
    assert_eq!(calls(&other), ["none", "Bearer access-1"]);
}

#[tokio::test]
async fn look_alike_origins_are_not_listed() {
    let bench = Bench::new().await;
    let config = bench
        .config()
        .allow("https://api.example.com/v1")
        .expect("https");
    let session = Session::open(config).await.expect("opened");
    let allows = |uri: &str| session.allows(&uri.parse::<Uri>().expect(uri));
    assert!(allows("https://api.example.com/v2?x=y"));
    assert!(allows("https://API.example.com:443/"));
    for stranger in [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.org/",
        "https://evil.org/api.example.com",
        "https://api.example.com@evil.org/",
        "/api",
    ] {
        assert!(!allows(stranger), "{stranger}");
    }
    let plain = bench.config().allow("http://api.example.com");
    assert!(plain.is_err(), "plain http beyond loopback");
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let (bench, session) = Bench::signed_in().await;
    bench
        .service
        .plan([Plan::Instead(302, "Location: /api/thing", "")]);
    assert_eq!(call(&session, &bench.service).await, 302);
    assert_eq!(bench.service.books().calls.len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_refreshed_and_the_call_repeated_once() {
    let (bench, session) = Bench::signed_in().await;
    bench.clock.pass(60);
    bench.service.plan([Plan::Instead(401, "X: y", "")]);
    assert_eq!(call(&session, &bench.service).await, 200);
    assert_eq!(
        calls(&bench.service),
        ["Bearer access-1", "Bearer access-2"]
    );

    bench.clock.pass(60);
    let named = "WWW-Authenticate: Bearer error=\"invalid_token\"";
    bench.service.plan([Plan::Instead(403, named, "")]);
    assert_eq!(call(&session, &bench.service).await, 200);
    assert_eq!(bench.service.books().refreshes.len(), 2);
}

#[tokio::test]
async fn an_api_that_refuses_fresh_tokens_causes_no_storm() {
    let (bench, session) = Bench::signed_in().await;
    bench.clock.pass(60);
    let refusal = || Plan::Instead(401, "X: y", "");
    // The first call, the refresh, its repetition; then four calls with the fresh token.
    bench.service.plan([refusal(), Plan::Obey, refusal()]);
    bench
        .service
        .plan([refusal(), refusal(), refusal(), refusal()]);
    for _ in 0..5 {
        assert_eq!(call(&session, &bench.service).await, 401);
    }
    assert_eq!(bench.service.books().refreshes.len(), 1);
    assert_eq!(bench.service.books().calls.len(), 6);
}

#[tokio::test]
async fn a_plain_403_is_the_user_s_and_not_the_token_s() {
    let (bench, session) = Bench::signed_in().await;
    bench.clock.pass(60);
    let scope = "WWW-Authenticate: Bearer error=\"insufficient_scope\"";
    bench.service.plan([
        Plan::Instead(403, "X: y", ""),
        Plan::Instead(403, scope, ""),
    ]);
    assert_eq!(call(&session, &bench.service).await, 403);
    assert_eq!(call(&session, &bench.service).await, 403);
    assert!(bench.service.books().refreshes.is_empty());
    assert_eq!(bench.service.books().calls.len(), 2);
}
