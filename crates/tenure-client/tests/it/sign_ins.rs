//! Signing in, by password and through the browser.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use tenure_client::{
    CodeSignIn, Config, Error, MemoryVault, OAuth2, Secret, Session, State, Transport, Trouble,
};
use url::Url;

use crate::bench::{Bench, token};
use crate::service::password;

#[tokio::test]
async fn a_wrong_password_is_refused_and_changes_nothing() {
    let (bench, session) = Bench::signed_in().await;
    let refused = session.sign_in_password("demo@example.com", Secret::new("wrong"));
    assert_eq!(
        refused.await,
        Err(Error::SignInRefused {
            code: "invalid_credentials".into(),
            description: Some("wrong password".into()),
        })
    );
    assert_eq!(bench.kept(), "refresh-1");
}

#[tokio::test]
async fn a_second_sign_in_revokes_the_session_it_replaces() {
    let (bench, session) = Bench::signed_in().await;
    let again = session.sign_in_password("demo@example.com", password());
    again.await.expect("signed in");
    session.settled().await;
    assert_eq!(token(&session).await, "access-2");
    assert_eq!(bench.service.books().revoked, ["refresh-1"]);
    assert!(bench.record().outbox.is_empty());
}

#[tokio::test]
async fn metadata_of_another_issuer_are_not_believed() {
    let bench = Bench::new().await;
    bench.service.books().issuer = Some("https://evil.example.com".into());
    let session = bench.open().await;
    let refused = session.sign_in_password("demo@example.com", password());
    assert!(matches!(refused.await, Err(Error::Misconfigured(_))));
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_issuer_is_no_difference() {
    let bench = Bench::new().await;
    let with_slash = format!("{}/", bench.service.url);
    let config = Config::new(&with_slash, "app", MemoryVault::new()).expect("good");
    let session = Session::open(config).await.expect("opened");
    let signed_in = session.sign_in_password("demo@example.com", password());
    signed_in.await.expect("signed in");
}

/// Goes to the sign-in page as a browser does; returns the redirect URI and the state.
async fn browse(sign_in: &CodeSignIn) -> (String, String) {
    let page = reqwest::get(sign_in.url().clone()).await.expect("a page");
    assert_eq!(page.status(), 204);
    let value = |name: &str| {
        let mut pairs = sign_in.url().query_pairs();
        let pair = pairs.find(|(key, _)| key == name).expect(name);
        pair.1.into_owned()
    };
    (value("redirect_uri"), value("state"))
}

async fn visit(redirect_uri: &str, query: &[(&str, &str)]) -> u16 {
    let url = Url::parse_with_params(redirect_uri, query).expect("a URL");
    reqwest::get(url).await.expect("a page").status().as_u16()
}

#[tokio::test]
async fn the_browser_brings_the_code() {
    let bench = Bench::new().await;
    let session = bench.open().await;
    let sign_in = session.sign_in_code().await.expect("begun");
    let (redirect_uri, state) = browse(&sign_in).await;
    assert!(!format!("{sign_in:?}").contains(&state), "it is a secret");
    let finish = tokio::spawn(sign_in.finish());

    let stranger = [("code", "another"), ("state", "guessed")];
    assert_eq!(visit(&redirect_uri, &stranger).await, 400);
    assert_eq!(visit(&redirect_uri, &[("code", "another")]).await, 400);
    let issuer = bench.service.url.as_str();
    let browser = [("code", "the-code"), ("state", &state), ("iss", issuer)];
    assert_eq!(visit(&redirect_uri, &browser).await, 200);

    finish.await.expect("no panic").expect("signed in");
    assert!(matches!(session.state(), State::Active { .. }));
    assert_eq!(token(&session).await, "access-1");
    assert_eq!(bench.kept(), "refresh-1");
}

#[tokio::test]
async fn a_refusal_in_the_browser_is_told() {
    let bench = Bench::new().await;
    let session = bench.open().await;
    let sign_in = session.sign_in_code().await.expect("begun");
    let (redirect_uri, state) = browse(&sign_in).await;
    let finish = tokio::spawn(sign_in.finish());
    let issuer = bench.service.url.as_str();
    let browser = [
        ("error", "access_denied"),
        ("state", &state),
        ("iss", issuer),
    ];
    assert_eq!(visit(&redirect_uri, &browser).await, 200);
    let refused = finish.await.expect("no panic").expect_err("refused");
    assert!(matches!(refused, Error::SignInRefused { code, .. } if code == "access_denied"));
}

#[tokio::test]
async fn an_answer_of_another_issuer_ends_the_sign_in() {
    for issuer in [Some("https://evil.example.com"), None] {
        let bench = Bench::new().await;
        let session = bench.open().await;
        let sign_in = session.sign_in_code().await.expect("begun");
        let (redirect_uri, state) = browse(&sign_in).await;
        assert_eq!(sign_in.redirect_uri(), redirect_uri);
        let finish = tokio::spawn(sign_in.finish());
        let mut browser = vec![("code", "the-code"), ("state", &*state)];
        browser.extend(issuer.map(|issuer| ("iss", issuer)));
        assert_eq!(visit(&redirect_uri, &browser).await, 200);
        let refused = finish.await.expect("no panic").expect_err("refused");
        assert!(
            matches!(&refused, Error::SignInRefused { code, .. } if code == "wrong_issuer"),
            "{refused}"
        );
        assert!(bench.service.books().revoked.is_empty());
    }
}

#[tokio::test]
async fn a_silent_visitor_does_not_keep_the_browser_waiting() {
    let bench = Bench::new().await;
    let session = bench.open().await;
    let sign_in = session.sign_in_code().await.expect("begun");
    let (redirect_uri, state) = browse(&sign_in).await;
    let port = Url::parse(&redirect_uri)
        .expect("a URL")
        .port()
        .expect("one");
    let _silent = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    let finish = tokio::spawn(sign_in.finish());
    let issuer = bench.service.url.as_str();
    let browser = [("code", "the-code"), ("state", &state), ("iss", issuer)];
    assert_eq!(visit(&redirect_uri, &browser).await, 200);
    finish.await.expect("no panic").expect("signed in");
}

/// A service whose metadata spell its token endpoint in their own way.
#[derive(Clone, Debug, Default)]
struct Sprawling {
    /// `Authorization` of what came to the token endpoint.
    proofs: Arc<Mutex<Vec<String>>>,
}

const METADATA: &str = r#"{"issuer":"https://id.example.com",
    "authorization_endpoint":"https://id.example.com/authorize",
    "token_endpoint":"https://ID.example.com:443/token"}"#;
const TOKENS: &str = r#"{"access_token":"a","refresh_token":"r","expires_in":900}"#;

#[async_trait]
impl Transport for Sprawling {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>, Trouble> {
        if request.method() == Method::GET {
            return Ok(Response::new(METADATA.into()));
        }
        let proof = request.headers().get("authorization");
        let proof = proof.map_or("none", |proof| proof.to_str().expect("text"));
        self.proofs.lock().expect("whole").push(proof.to_owned());
        Ok(Response::new(TOKENS.into()))
    }
}

#[tokio::test]
async fn a_confidential_client_proves_itself_however_the_endpoint_is_spelled() {
    let service = Sprawling::default();
    let config = Config::new("https://id.example.com", "app", MemoryVault::new());
    let client = OAuth2::new().secret(Secret::new("s"));
    let config = config.expect("good").endpoint(client);
    let session = Session::open(config.transport(service.clone())).await;
    let session = session.expect("opened");
    let sign_in = session.sign_in_code().await.expect("begun");
    let redirect_uri = sign_in.redirect_uri().to_owned();
    let state = sign_in
        .url()
        .query_pairs()
        .find(|(name, _)| name == "state");
    let state = state.expect("one").1.into_owned();
    let finish = tokio::spawn(sign_in.finish());
    let browser = [("code", "the-code"), ("state", &*state)];
    assert_eq!(visit(&redirect_uri, &browser).await, 200);
    finish.await.expect("no panic").expect("signed in");
    // app:s
    assert_eq!(*service.proofs.lock().expect("whole"), ["Basic YXBwOnM="]);
}
