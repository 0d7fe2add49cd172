//! Who gets the token, and who does not.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Uri};
use tenure_client::{AccessToken, Error, Session};

use crate::bench::Bench;
use crate::service::{Plan, Service};

pub(crate) async fn call(session: &Session, service: &Service) -> u16 {
    let request = Request::get(format!("{}/api/thing", service.url));
    let request = request.body(Bytes::new()).expect("a request");
    session
        .call(request)
        .await
        .expect("answered")
        .status()
        .as_u16()
}

#[tokio::test]
async fn the_token_goes_to_listed_origins_only() {
    let (bench, session) = Bench::signed_in().await;
    let other = Service::start().await;
    assert_eq!(call(&session, &bench.service).await, 200);
    assert_eq!(bench.service.calls(), ["Bearer access-1"]);
    assert_eq!(call(&session, &other).await, 200);
    assert_eq!(other.calls(), ["none"]);

    let config = bench.config().allow(&other.url).expect("loopback");
    let session = Session::open(config).await.expect("opened");
    assert_eq!(call(&session, &other).await, 200);
    assert_eq!(other.calls(), ["none", "Bearer access-1"]);
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
async fn a_request_that_others_send_is_given_the_token_in_the_same_way() {
    let (bench, session) = Bench::signed_in().await;
    let request = |url: &str| Request::get(url).body("body").expect("a request");
    let ours = session.authorized(request(&bench.service.url)).await;
    let ours = ours.expect("authorized");
    let bearer = ours.headers().get(AUTHORIZATION).expect("a token");
    assert_eq!(bearer, "Bearer access-1");
    assert!(bearer.is_sensitive());
    assert!(!format!("{ours:?}").contains("access-1"), "{ours:?}");
    let token = ours.extensions().get::<AccessToken>().expect("the token");
    assert_eq!(token.token.expose(), "access-1");

    let stranger = session
        .authorized(request("https://api.example.com/"))
        .await;
    let stranger = stranger.expect("as it is");
    assert!(stranger.headers().is_empty());
    assert!(stranger.extensions().get::<AccessToken>().is_none());
}

#[tokio::test]
async fn without_a_session_no_request_to_a_listed_origin_goes_out() {
    let bench = Bench::new().await;
    let session = bench.open().await;
    let request = Request::get(format!("{}/api/thing", bench.service.url));
    let request = request.body(Bytes::new()).expect("a request");
    let told = session
        .call(request)
        .await
        .expect_err("nobody is signed in");
    assert!(matches!(told, Error::SignInRequired { .. }), "{told:?}");
    assert!(bench.service.calls().is_empty());
}
