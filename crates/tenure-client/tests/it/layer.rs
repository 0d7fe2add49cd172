//! The tower layer around a client of hyper's, over real sockets.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tenure_client::{Error, Session, SessionLayer};
use tower::{Layer as _, ServiceExt as _};

use crate::bench::Bench;
use crate::service::{Plan, Service};

type Sent = Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>>;

async fn send(layer: SessionLayer<Full<Bytes>>, url: &str, body: &'static str) -> Sent {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(url).body(Full::from(body))?;
    let (parts, body) = layer.layer(client).oneshot(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

async fn post(session: &Session, url: &str, body: &'static str) -> Response<Bytes> {
    let layer = SessionLayer::new(session.clone());
    send(layer, url, body).await.expect("answered")
}

fn thing(service: &Service) -> String {
    format!("{}/api/thing", service.url)
}

#[tokio::test]
async fn the_token_goes_to_listed_origins_only() {
    let (bench, session) = Bench::signed_in().await;
    let other = Service::start().await;
    for service in [&bench.service, &other] {
        assert_eq!(post(&session, &thing(service), "").await.body(), "thing");
    }
    assert_eq!(bench.service.calls(), ["Bearer access-1"]);
    assert_eq!(other.calls(), ["none"]);
}

#[tokio::test]
async fn a_refused_request_is_repeated_once_with_a_new_token_and_the_same_body() {
    let (bench, session) = Bench::signed_in().await;
    let named = "WWW-Authenticate: Bearer error=\"invalid_token\"";
    for (plan, refreshes) in [
        (Plan::Instead(401, "X: y", ""), 1),
        (Plan::Instead(403, named, "refused"), 2),
    ] {
        bench.service.plan([plan]);
        let answer = post(&session, &thing(&bench.service), "hello").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(bench.service.books().refreshes.len(), refreshes);
        bench.clock.pass(60);
    }
    assert_eq!(bench.service.books().bodies, ["hello"; 4]);
}

#[tokio::test]
async fn a_body_without_a_second_copy_is_sent_once() {
    let (bench, session) = Bench::signed_in().await;
    bench.service.plan([Plan::Instead(401, "X: y", "refused")]);
    let layer = SessionLayer::replaying(session.clone(), |_| None);
    let answer = send(layer, &thing(&bench.service), "once").await;
    let answer = answer.expect("answered");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.body(), "refused");
    assert_eq!(bench.service.books().bodies, ["once"]);
    assert!(bench.service.books().refreshes.is_empty());
    let newer = session.access_token().await.expect("a token");
    assert_eq!(
        newer.token.expose(),
        "access-2",
        "the next caller refreshes"
    );
}

#[tokio::test]
async fn a_long_403_is_handed_on_whole() {
    let (bench, session) = Bench::signed_in().await;
    let long: &str = String::leak("no ".repeat(100_000));
    bench.service.plan([Plan::Instead(403, "X: y", long)]);
    let answer = post(&session, &thing(&bench.service), "").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.body(), long);
    assert!(bench.service.books().refreshes.is_empty());
}

#[tokio::test]
async fn each_hop_of_a_redirect_is_judged_by_its_own_address() {
    let (bench, session) = Bench::signed_in().await;
    let other = Service::start().await;
    let header = format!("Location: {}", thing(&other));
    bench
        .service
        .plan([Plan::Instead(307, String::leak(header), "")]);
    let answer = post(&session, &thing(&bench.service), "").await;
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    let next = answer.headers()["location"].to_str().expect("text");
    assert_eq!(post(&session, next, "").await.status(), StatusCode::OK);
    assert_eq!(bench.service.calls(), ["Bearer access-1"]);
    assert_eq!(other.calls(), ["none"]);
}

#[tokio::test]
async fn an_error_of_the_session_says_what_to_do() {
    let bench = Bench::new().await;
    let session = bench.open().await;
    let layer = SessionLayer::new(session);
    let told = send(layer, &thing(&bench.service), "").await;
    let told = told.expect_err("nobody is signed in");
    let told = told.downcast_ref::<Error>();
    assert!(matches!(told, Some(Error::SignInRequired { .. })));
    assert!(bench.service.calls().is_empty());
}
