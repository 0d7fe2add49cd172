//! Metadata that are elsewhere, and metadata that must not be believed.

use std::collections::HashMap;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde_json::{Value, json};
use tenure_client::{Error, Granted, OAuth2, Secret};

use crate::bench::Device;
use crate::support::serve;

/// Answers these paths with these documents, in which `{origin}` is its own; others with 404.
async fn documents(documents: &[(&str, Value)]) -> String {
    let documents: HashMap<String, String> = documents
        .iter()
        .map(|(path, document)| ((*path).to_owned(), document.to_string()))
        .collect();
    let answer = move |request: Request<Bytes>| {
        let host = request.headers()["host"].to_str().unwrap();
        let origin = format!("http://{host}");
        let found = documents.get(request.uri().path());
        let found = found.map(|document| document.replace("{origin}", &origin));
        let answer = Response::builder().status(if found.is_some() { 200 } else { 404 });
        let body = Full::new(Bytes::from(found.unwrap_or_default()));
        std::future::ready(answer.body(body).unwrap())
    };
    let (address, _serving) = serve("127.0.0.1:0", answer).await;
    format!("http://{address}")
}

/// Signs in with tokens at hand, which needs the metadata.
async fn adopt(issuer: &str, endpoint: OAuth2) -> Result<(), Error> {
    let session = Device::new().open(issuer, "app", endpoint).await;
    let granted = Granted {
        access_token: Secret::new("a"),
        refresh_token: Some(Secret::new("r")),
        expires_in: None,
    };
    session.adopt(granted).await
}

fn misconfigured(outcome: Result<(), Error>) -> String {
    match outcome {
        Err(Error::Misconfigured(why)) => why,
        other => panic!("{other:?}"),
    }
}

const OPENID: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn metadata_are_found_in_both_places() {
    let document = json!({ "issuer": "{origin}/tenant", "token_endpoint": "{origin}/token" });
    for path in [
        "/tenant/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenant",
    ] {
        let origin = documents(&[(path, document.clone())]).await;
        let issuer = format!("{origin}/tenant");
        assert_eq!(adopt(&issuer, OAuth2::new()).await, Ok(()), "{path}");
        let slash = format!("{issuer}/");
        assert_eq!(adopt(&slash, OAuth2::new()).await, Ok(()), "{path}");
    }
    let nowhere = documents(&[]).await;
    let outcome = adopt(&nowhere, OAuth2::new()).await;
    assert!(
        matches!(outcome, Err(Error::Transient { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn another_issuer_is_not_believed() {
    let document = json!({ "issuer": "https://evil.example", "token_endpoint": "{origin}/token" });
    let origin = documents(&[(OPENID, document)]).await;
    let why = misconfigured(adopt(&origin, OAuth2::new()).await);
    assert!(why.contains("https://evil.example"), "{why}");
}

#[tokio::test]
async fn an_endpoint_at_another_origin_needs_a_word_of_the_program() {
    let elsewhere = "https://tokens.example.com/token";
    let fields = [
        "token_endpoint",
        "authorization_endpoint",
        "revocation_endpoint",
    ];
    for field in fields {
        let mut document = json!({ "issuer": "{origin}", "token_endpoint": "{origin}/token" });
        document[field] = elsewhere.into();
        let origin = documents(&[(OPENID, document)]).await;
        let why = misconfigured(adopt(&origin, OAuth2::new()).await);
        assert!(why.contains(elsewhere), "{why}");
        let other_port = OAuth2::new()
            .trust("https://tokens.example.com:444")
            .unwrap();
        misconfigured(adopt(&origin, other_port).await);
        let trusting = OAuth2::new().trust("https://tokens.example.com").unwrap();
        assert_eq!(adopt(&origin, trusting).await, Ok(()), "{field}");
    }
}

#[tokio::test]
async fn plain_http_is_not_trusted_and_a_blank_is_absent() {
    let plain = OAuth2::new().trust("http://tokens.example.com");
    assert!(matches!(plain, Err(Error::Misconfigured(_))));
    let mut document =
        json!({ "issuer": "{origin}", "token_endpoint": "http://example.com/token" });
    let origin = documents(&[(OPENID, document.clone())]).await;
    let why = misconfigured(adopt(&origin, OAuth2::new()).await);
    assert!(why.contains("needs https"), "{why}");

    document["token_endpoint"] = "{origin}/token".into();
    document["revocation_endpoint"] = "".into();
    let origin = documents(&[(OPENID, document.clone())]).await;
    assert_eq!(adopt(&origin, OAuth2::new()).await, Ok(()));
    document["token_endpoint"] = Value::Null;
    let origin = documents(&[(OPENID, document)]).await;
    misconfigured(adopt(&origin, OAuth2::new()).await);
}
