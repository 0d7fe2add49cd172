//! Clients that do not prove who they are, or ask for too much.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use tenure_lab::actor::OAuthClient;
use tenure_lab::deployment::{API, API_SECRET, CLIENT, EMAIL, PASSWORD};

use crate::bench::{Bench, TOKEN};

/// The confidential client beside the app, with a token of its own.
async fn api(bench: &Bench) -> (OAuthClient, String) {
    let api = bench.deployment.api().unwrap();
    let tokens = api.sign_in(EMAIL, PASSWORD).await.unwrap();
    (api, tokens.refresh().unwrap().to_owned())
}

fn refresh(bench: &Bench, token: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let grant = [("grant_type", "refresh_token"), ("refresh_token", token)];
    bench.form(TOKEN, &[&grant, fields].concat())
}

#[tokio::test]
async fn clients_that_do_not_prove_who_they_are_consume_nothing() {
    let mut bench = Bench::start().await;
    let (api, own) = api(&bench).await;
    let wrong = ("client_secret", "wrong-secret");
    let right = ("client_secret", API_SECRET);
    let posted: [(&[(&str, &str)], &str); 5] = [
        (&[], "names no client"),
        (&[("client_id", "nobody")], "not registered"),
        (&[("client_id", API)], "must authenticate"),
        (&[("client_id", API), wrong], "secret is wrong"),
        (&[("client_id", CLIENT), right], "has no secret"),
    ];
    for (fields, says) in posted {
        let request = refresh(&bench, &own, fields);
        let refused = bench.no_client(request, says).await;
        assert_eq!(refused.challenge(), None, "nothing was tried in the header");
    }
    let basic = |text: &[u8]| format!("Basic {}", STANDARD.encode(text));
    for header in [
        "Basic !!!".to_owned(),
        "Basic".to_owned(),
        basic(b"demo-api:wrong-secret"),
        basic(b"demo-api"),
        basic(b"nobody:demo-secret"),
        basic(b"\xff\xfe:x"),
        format!("Bearer {}", bench.tokens.access_token),
    ] {
        let request = refresh(&bench, &own, &[]).header(AUTHORIZATION, header);
        let refused = bench.no_client(request, "").await;
        // RFC 6749, section 5.2: the scheme that the client tried.
        assert!(refused.challenge().unwrap().starts_with("Basic realm="));
    }
    let request = refresh(&bench, &own, &[right]).basic_auth(API, Some(API_SECRET));
    bench.invalid(request, "use one of them").await;
    let body = json!({ "refresh_token": own });
    let request = bench.post("/api/auth/refresh").json(&body);
    bench.no_client(request, "must authenticate").await;
    api.refresh(&own).await.granted().unwrap();
}

#[tokio::test]
async fn a_token_of_another_client_is_refused_and_kept() {
    let mut bench = Bench::start().await;
    let (api, own) = api(&bench).await;
    let request = refresh(&bench, &own, &[("client_id", CLIENT)]);
    let refused = bench.no_grant(request, "another client").await;
    assert_eq!(refused.body["tenure_reason"], Value::Null);
    let token = bench.token();
    let request = refresh(&bench, &token, &[]).basic_auth(API, Some(API_SECRET));
    bench.no_grant(request, "another client").await;
    // RFC 7009, section 2.1: nor can one client revoke what is another's.
    bench.app.revoke(&own).await.unwrap();
    api.revoke(&bench.token()).await.unwrap();
    bench.goes_on().await;
    api.refresh(&own).await.granted().unwrap();
}

#[tokio::test]
async fn more_than_was_granted_is_refused_and_less_is_not_for_ever() {
    let mut bench = Bench::start().await;
    for scope in [
        "openid offline_access email",
        "tenure:admin",
        "openid \u{e9}",
    ] {
        let request = bench.refresh_with(&[("scope", scope)]);
        bench
            .refused(request, 400, "invalid_scope", "was granted")
            .await;
    }
    for resource in ["https://api.example.com", "not a uri"] {
        let request = bench.refresh_with(&[("resource", resource)]);
        bench
            .refused(request, 400, "invalid_target", "resource")
            .await;
    }
    let token = bench.token();
    let fields = [
        ("grant_type", "refresh_token"),
        ("scope", "openid"),
        ("refresh_token", &token),
    ];
    let narrow = bench.app.token(&fields).await.granted().unwrap();
    assert_eq!(narrow.body["scope"], "openid");
    let wide = bench.app.refresh(narrow.refresh().unwrap()).await;
    assert_eq!(
        wide.granted().unwrap().body["scope"],
        "offline_access openid"
    );
}

#[tokio::test]
async fn introspection_and_revocation_take_no_strangers() {
    let mut bench = Bench::start().await;
    let token = bench.token();
    let token = ("token", token.as_str());
    let introspect = "/oauth2/introspect";
    let request = bench.form(introspect, &[token]);
    bench.no_client(request, "names no client").await;
    let request = bench.form(introspect, &[token, ("client_id", CLIENT)]);
    let says = "with a secret";
    bench.refused(request, 403, "access_denied", says).await;
    let request = bench
        .form(introspect, &[token])
        .basic_auth(API, Some("wrong"));
    let refused = bench.no_client(request, "secret is wrong").await;
    assert!(refused.challenge().unwrap().starts_with("Basic "));
    let request = bench
        .form(introspect, &[])
        .basic_auth(API, Some(API_SECRET));
    bench.invalid(request, "token is missing").await;
    let request = bench.form("/oauth2/revoke", &[token]);
    bench.no_client(request, "names no client").await;
    let request = bench.form("/oauth2/revoke", &[("client_id", CLIENT)]);
    bench.invalid(request, "token is missing").await;
}
