//! The middleware for reqwest, over real sockets.

use bytes::Bytes;
use http_body_util::Full;
use reqwest::{Body, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tenure_client::{Error, Session, SessionMiddleware};

use crate::bench::Bench;
use crate::service::{Plan, Service};

/// Follows redirects, as reqwest does where nobody says otherwise.
fn client(session: &Session) -> ClientWithMiddleware {
    let client = reqwest::Client::builder().no_proxy().build();
    ClientBuilder::new(client.expect("a client"))
        .with(SessionMiddleware::new(session.clone()))
        .build()
}

fn thing(service: &Service) -> String {
    format!("{}/api/thing", service.url)
}

fn refusal() -> Plan {
    Plan::Instead(401, "X: y", "refused")
}

/// A redirect to the same path elsewhere.
fn redirect(to: &Service) -> Plan {
    let header = format!("Location: {}/api/thing", to.url);
    Plan::Instead(307, String::leak(header), "")
}

#[tokio::test]
async fn the_token_goes_to_listed_origins_only() {
    let (bench, session) = Bench::signed_in().await;
    let other = Service::start().await;
    let client = client(&session);
    for service in [&bench.service, &other] {
        let answer = client.get(thing(service)).send().await.expect("answered");
        assert_eq!(answer.text().await.expect("text"), "thing");
    }
    assert_eq!(bench.service.calls(), ["Bearer access-1"]);
    assert_eq!(other.calls(), ["none"]);
}

#[tokio::test]
async fn a_refused_request_is_repeated_once_with_a_new_token_and_the_same_body() {
    let (bench, session) = Bench::signed_in().await;
    bench.service.plan([refusal()]);
    let request = client(&session).post(thing(&bench.service)).body("hello");
    let answer = request.send().await.expect("answered");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        bench.service.calls(),
        ["Bearer access-1", "Bearer access-2"]
    );
    assert_eq!(bench.service.books().bodies, ["hello", "hello"]);
}

#[tokio::test]
async fn a_body_that_is_read_once_is_sent_once_and_the_next_request_has_a_new_token() {
    let (bench, session) = Bench::signed_in().await;
    let client = client(&session);
    bench.service.plan([refusal()]);
    let stream = Body::wrap(Full::new(Bytes::from("once")));
    let request = client.post(thing(&bench.service)).body(stream);
    let answer = request.send().await.expect("answered");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.text().await.expect("text"), "refused");
    assert_eq!(bench.service.books().bodies, ["once"]);
    assert!(bench.service.books().refreshes.is_empty());

    let request = client.get(thing(&bench.service));
    let answer = request.send().await.expect("answered");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        bench.service.calls(),
        ["Bearer access-1", "Bearer access-2"]
    );
}

#[tokio::test]
async fn the_token_follows_no_redirect_to_another_origin() {
    let (bench, session) = Bench::signed_in().await;
    let other = Service::start().await;
    other.plan([refusal()]);
    bench.service.plan([redirect(&other)]);
    let answer = client(&session).get(thing(&bench.service)).send().await;
    assert_eq!(answer.expect("answered").status(), StatusCode::UNAUTHORIZED);
    assert_eq!(bench.service.calls(), ["Bearer access-1"]);
    assert_eq!(other.calls(), ["none"]);
    assert!(
        bench.service.books().refreshes.is_empty(),
        "who never saw the token cannot refuse it"
    );
}

/// The control: this service and this client do carry the header along where they may.
#[tokio::test]
async fn the_token_follows_a_redirect_within_its_origin() {
    let (bench, session) = Bench::signed_in().await;
    bench.service.plan([redirect(&bench.service)]);
    let answer = client(&session).get(thing(&bench.service)).send().await;
    assert_eq!(answer.expect("answered").status(), StatusCode::OK);
    assert_eq!(
        bench.service.calls(),
        ["Bearer access-1", "Bearer access-1"]
    );
}

#[tokio::test]
async fn a_403_is_judged_by_its_body_and_handed_on_whole() {
    let (bench, session) = Bench::signed_in().await;
    let client = client(&session);
    let ended = r#"{"code":403,"error_code":"bad_jwt","msg":"token is expired"}"#;
    let forbidden = "for administrators";
    bench.service.plan([
        Plan::Instead(403, "X: y", ended),
        Plan::Obey,
        Plan::Obey,
        Plan::Instead(403, "X-Who: nobody", forbidden),
    ]);
    let answer = client.get(thing(&bench.service)).send().await;
    assert_eq!(answer.expect("answered").status(), StatusCode::OK);

    let answer = client.get(thing(&bench.service)).send().await;
    let answer = answer.expect("answered");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.url().as_str(), thing(&bench.service));
    assert_eq!(answer.headers()["x-who"], "nobody");
    assert_eq!(answer.text().await.expect("text"), forbidden);
    assert_eq!(bench.service.books().refreshes.len(), 1);
}

#[tokio::test]
async fn an_error_of_the_session_says_what_to_do() {
    let bench = Bench::new().await;
    let session = bench.open().await;
    let answer = client(&session).get(thing(&bench.service)).send().await;
    let told = answer.expect_err("nobody is signed in");
    let reqwest_middleware::Error::Middleware(told) = told else {
        panic!("{told:?}");
    };
    let told = told.downcast_ref::<Error>();
    assert!(matches!(told, Some(Error::SignInRequired { .. })));
    assert!(bench.service.calls().is_empty());
}
