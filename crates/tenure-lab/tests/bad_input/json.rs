//! JSON bodies that are not what was asked for.

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tenure_lab::deployment::{CLIENT, EMAIL, PASSWORD};

use crate::bench::{Bench, FORM};

const LOGIN: &str = "/api/auth/login";
const REFRESH: &str = "/api/auth/refresh";

fn login() -> Value {
    json!({ "email": EMAIL, "password": PASSWORD, "client_id": CLIENT })
}

fn with(name: &str, value: impl Into<Value>) -> Vec<u8> {
    let mut changed = login();
    changed[name] = value.into();
    changed.to_string().into()
}

fn without(name: &str) -> Vec<u8> {
    let mut changed = login();
    changed.as_object_mut().unwrap().remove(name);
    changed.to_string().into()
}

fn post(bench: &Bench, kind: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
    bench
        .post(LOGIN)
        .header(CONTENT_TYPE, kind)
        .body(body.into())
}

#[tokio::test]
async fn json_that_is_not_what_was_asked_for_is_refused_by_field() {
    let mut bench = Bench::start().await;
    let deep = format!("{{\"email\":{}", "[".repeat(10_000));
    let bodies: [(Vec<u8>, &str); 14] = [
        (with("remember_me", true), "remember_me"),
        (with("email", 7), "invalid type"),
        (with("password", Value::Null), "invalid type"),
        (with("mode", "cookies"), "unknown variant"),
        (with("email", "x".repeat(300)), "longer than 254"),
        (without("email"), "missing field `email`"),
        (without("password"), "missing field `password`"),
        (without("client_id"), "missing field `client_id`"),
        (format!("{}x", login()).into(), "trailing characters"),
        (br#"{"email":"a","email":"b"}"#.to_vec(), "duplicate field"),
        (b"{\"email\":\"\xff\"}".to_vec(), "JSON"),
        (b"[]".to_vec(), "JSON"),
        (b"".to_vec(), "JSON"),
        (deep.into(), "JSON"),
    ];
    for (body, says) in bodies {
        let request = post(&bench, "application/json", body);
        bench.invalid(request, says).await;
    }
    for kind in ["text/json", FORM, ""] {
        let request = post(&bench, kind, login().to_string());
        let (error, says) = ("invalid_request", "application/json");
        bench.refused(request, 415, error, says).await;
    }
}

#[tokio::test]
async fn a_refresh_takes_a_token_and_nothing_unknown() {
    let mut bench = Bench::start().await;
    let body = json!({ "refresh_token": bench.token(), "scope": "openid" });
    let request = bench.post(REFRESH).json(&body);
    bench.invalid(request, "scope").await;
    let blank = [
        json!({}),
        json!({ "refresh_token": "" }),
        json!({ "refresh_token": " " }),
    ];
    for body in blank {
        let request = bench.post(REFRESH).json(&body);
        bench.invalid(request, "refresh_token is missing").await;
        // Not "signed out": nothing was.
        let request = bench.post("/api/auth/logout").json(&body);
        bench.refused(request, 401, "", "").await;
    }
    let request = bench.post(REFRESH).json(&json!({ "refresh_token": 1 }));
    bench.invalid(request, "invalid type").await;
}

#[tokio::test]
async fn wrong_credentials_are_told_alike() {
    let mut bench = Bench::start().await;
    let long = "x".repeat(60_000);
    for (email, password) in [
        (EMAIL, "wrong-password"),
        (EMAIL, ""),
        (EMAIL, &long),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
    ] {
        let body = json!({ "email": email, "password": password, "client_id": CLIENT });
        let request = bench.post(LOGIN).json(&body);
        let (error, says) = ("invalid_credentials", "wrong e-mail or password");
        bench.refused(request, 401, error, says).await;
    }
}
