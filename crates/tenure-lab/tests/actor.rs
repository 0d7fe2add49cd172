//! The actors against a stub that behaves as the documented endpoints do.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod support;

use std::collections::HashMap;
use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response};
use serde_json::{Value, json};
use support::Reply;
use tenure_lab::actor::{Browser, FirstParty, OAuthClient};

const USER: (&str, &str) = ("demo@example.com", "demo-password");

type Fields = HashMap<String, String>;

fn fields(encoded: &[u8]) -> Fields {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

fn header(request: &Request<Bytes>, name: &str) -> String {
    request
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
        .to_owned()
}

fn answer(request: &Request<Bytes>) -> Reply {
    match request.uri().path() {
        "/oauth2/authorize" | "/sign-in" | "/consent" => sign_in_pages(request),
        "/oauth2/token" => token(&fields(request.body()), &header(request, "idempotency-key")),
        path if path.starts_with("/api/auth/") && request.method() == Method::POST => {
            first_party(request)
        }
        path => by_token(
            path,
            &fields(request.body()),
            &header(request, "authorization"),
        ),
    }
}

/// Sign-in page with a hidden field and a cookie, then consent, then the redirect; the code is
/// the PKCE challenge, so that the token endpoint can check the verifier without memory.
fn sign_in_pages(request: &Request<Bytes>) -> Reply {
    let query_text = request.uri().query().unwrap_or_default();
    let (form, query) = (fields(request.body()), fields(query_text.as_bytes()));
    match request.uri().path() {
        "/oauth2/authorize" if header(request, "cookie").contains("sid=1") => {
            page(&format!("/consent?{query_text}"), "")
        }
        "/oauth2/authorize" => {
            let inputs = "<input type=hidden name=csrf value='&lt;1&gt;'>\
                          <input type=email name=email><input type=password name=password>";
            page(&format!("/sign-in?{query_text}"), inputs)
        }
        "/sign-in" if (form["email"].as_str(), form["password"].as_str()) == USER => {
            assert_eq!(form["csrf"], "<1>");
            redirect(&format!("/oauth2/authorize?{query_text}"))
                .header("set-cookie", "__Host-sid=1; Secure; HttpOnly; Path=/")
                .body(Full::default())
                .unwrap()
        }
        "/sign-in" => page("/sign-in", "<input type=password name=password>"),
        _ => {
            assert_eq!(form["decision"], "allow");
            let iss = format!("http://{}", header(request, "host"));
            let (code, state) = (&query["code_challenge"], &query["state"]);
            let back = [("code", code), ("state", state), ("iss", &iss)];
            let back = url::Url::parse_with_params(&query["redirect_uri"], back).unwrap();
            redirect(back.as_str()).body(Full::default()).unwrap()
        }
    }
}

fn first_party(request: &Request<Bytes>) -> Reply {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let login = json!({ "email": USER.0, "password": USER.1, "client_id": "demo" });
    if body == login || body == json!({ "refresh_token": "r1" }) {
        return tokens("r1");
    }
    json_answer(
        400,
        &json!({ "error": "invalid_grant", "tenure_reason": "logged_out" }),
    )
}

fn by_token(path: &str, form: &Fields, authorization: &str) -> Reply {
    match (path, authorization) {
        ("/oauth2/revoke", "") if form["token"] == "r1" && form["client_id"] == "demo" => {
            json_answer(200, &json!({}))
        }
        ("/oauth2/introspect", "Basic ZGVtby1hcGk6ZGVtby1zZWNyZXQ=") => {
            json_answer(200, &json!({ "active": form["token"] == "r1" }))
        }
        ("/oauth2/userinfo" | "/api/auth/me", "Bearer a1") => {
            json_answer(200, &json!({ "sub": "u1" }))
        }
        _ => Response::builder()
            .status(401)
            .header("www-authenticate", "Bearer error=\"invalid_token\"")
            .body(Full::default())
            .unwrap(),
    }
}

fn token(form: &Fields, key: &str) -> Reply {
    match form["grant_type"].as_str() {
        "authorization_code" => {
            let hash = digest(&SHA256, form["code_verifier"].as_bytes());
            assert_eq!(form["code"], URL_SAFE_NO_PAD.encode(hash));
            assert_eq!(form["client_id"], "demo");
            tokens("r1")
        }
        "refresh_token" => match form["refresh_token"].as_str() {
            "r1" if key.is_empty() => tokens("r2"),
            "r1" => tokens(&format!("{key} {}", form["tenure_claims"])),
            "busy" => Response::builder()
                .status(503)
                .header("retry-after", "7")
                .body(Full::from("<html>"))
                .unwrap(),
            "empty" => json_answer(200, &json!({ "token_type": "Bearer" })),
            _ => json_answer(
                400,
                &json!({ "error": "invalid_grant", "error_description": "d", "tenure_reason": "theft_detected" }),
            ),
        },
        other => panic!("grant type {other}"),
    }
}

fn tokens(refresh_token: &str) -> Reply {
    let body = json!({
        "access_token": "a1", "token_type": "Bearer", "expires_in": 900,
        "refresh_token": refresh_token, "refresh_expires_in": 86400,
    });
    json_answer(200, &body)
}

fn json_answer(status: u16, body: &Value) -> Reply {
    Response::builder()
        .status(status)
        .body(Full::from(body.to_string()))
        .unwrap()
}

fn page(action: &str, inputs: &str) -> Reply {
    let action = action.replace('&', "&amp;");
    let buttons = "<button name=decision value=deny>No</button>\
                   <button name=decision value=allow>Yes</button>";
    let html = format!("<form method=post action=\"{action}\">{inputs}{buttons}</form>");
    Response::new(Full::from(html))
}

fn redirect(to: &str) -> http::response::Builder {
    Response::builder().status(303).header("location", to)
}

async fn stub() -> String {
    let answer = |request| async move { answer(&request) };
    let (address, _): (SocketAddr, _) = support::serve("127.0.0.1:0", answer).await;
    format!("http://{address}")
}

#[tokio::test]
async fn a_user_signs_in_through_the_page_and_a_second_time_without_a_password() {
    let client = OAuthClient::new(stub().await, "demo").unwrap();
    let tokens = client.sign_in(USER.0, USER.1).await.unwrap();
    assert_eq!(
        (tokens.refresh().unwrap(), tokens.expires_in),
        ("r1", Some(900))
    );
    assert!(!format!("{tokens:?}").contains("r1"));

    let browser = Browser::new().unwrap();
    client
        .authorize(&browser, USER.0, USER.1, &[])
        .await
        .unwrap();
    assert_eq!(browser.cookies(), ["__Host-sid"]);
    let again = client
        .authorize(&browser, "", "", &[("prompt", "consent")])
        .await
        .unwrap();
    assert!(client.redeem(&again).await.granted().is_ok());
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_issuer_are_noticed() {
    let mut client = OAuthClient::new(stub().await, "demo").unwrap();
    let error = client
        .sign_in(USER.0, "wrong")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("came again"), "{error}");
    client.issuer = client.issuer.replace("127.0.0.1", "localhost");
    client.issuer.push('/');
    assert!(client.sign_in(USER.0, USER.1).await.is_err());
}

#[tokio::test]
async fn a_refresh_tells_tokens_refusals_and_losses_apart() {
    let issuer = stub().await;
    let client = OAuthClient::new(&*issuer, "demo").unwrap();
    assert_eq!(
        client
            .refresh("r1")
            .await
            .granted()
            .unwrap()
            .refresh()
            .unwrap(),
        "r2"
    );
    let keyed = client
        .refresh_with_key("r1", "key", "claims")
        .await
        .granted()
        .unwrap();
    assert_eq!(keyed.refresh().unwrap(), "key claims");

    let refusal = client.refresh("stolen").await.refused().unwrap();
    assert_eq!(refusal.status, 400);
    assert_eq!(refusal.error.as_deref(), Some("invalid_grant"));
    assert_eq!(refusal.tenure_reason.as_deref(), Some("theft_detected"));
    let busy = client.refresh("busy").await.refused().unwrap();
    assert_eq!(
        (busy.status, busy.retry_after, busy.error),
        (503, Some(7), None)
    );
    assert_eq!(client.refresh("empty").await.refused().unwrap().status, 200);
    let nobody = OAuthClient::new("http://127.0.0.1:1", "demo").unwrap();
    assert!(nobody.refresh("r1").await.is_lost());
}

#[tokio::test]
async fn tokens_are_revoked_introspected_and_used() {
    let issuer = stub().await;
    let client = OAuthClient::new(&*issuer, "demo").unwrap();
    let api = OAuthClient::new(&*issuer, "demo-api")
        .unwrap()
        .with_secret("demo-secret");
    client.revoke("r1").await.unwrap();
    assert!(client.revoke("r9").await.is_err());
    assert_eq!(api.introspect("r1").await.unwrap()["active"], true);
    assert_eq!(api.introspect("r9").await.unwrap()["active"], false);
    assert!(client.introspect("r1").await.is_err());
    assert_eq!(client.userinfo("a1").await.unwrap().unwrap()["sub"], "u1");
    let refusal = client.userinfo("a9").await.unwrap().unwrap_err();
    assert_eq!(
        refusal.www_authenticate.unwrap(),
        "Bearer error=\"invalid_token\""
    );
}

#[tokio::test]
async fn a_first_party_app_logs_in_refreshes_and_logs_out() {
    let app = FirstParty::new(stub().await, "demo").unwrap();
    let tokens = app.login(USER.0, USER.1).await.granted().unwrap();
    assert_eq!(tokens.body["refresh_expires_in"], 86400);
    assert!(app.login(USER.0, "wrong").await.refused().is_ok());
    assert!(app.refresh("r1").await.granted().is_ok());
    let refusal = app.refresh("r9").await.refused().unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("logged_out"));
    app.logout("r1").await.unwrap();
    assert_eq!(app.me("a1").await.unwrap().unwrap()["sub"], "u1");
    assert_eq!(app.me("a9").await.unwrap().unwrap_err().status, 401);
}
