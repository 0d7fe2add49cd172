//! What the runbook calls patterns: what users see.

use serde_json::json;

use super::{fine, guard, invalid, look, open_to_all};
use crate::api::{Api, lead, say};
use crate::mint::{Mint, claims, now};
use crate::place::Place;

const ISSUER: &str = "https://auth.example.com";

/// A service that compares the issuer byte by byte, as RFC 7519 wants it.
async fn strict_about(issuer: &'static str, mint: &Mint) -> Api {
    let mint = mint.clone();
    Api::start(move |asked| match guard(&mint, asked) {
        Ok(claims) if claims["iss"] == issuer => fine(),
        Ok(_) => invalid(&format!("jwt issuer invalid. expected: {issuer}")),
        Err(no) => no,
    })
    .await
}

#[tokio::test]
async fn a_401_on_every_request_is_the_slash_that_the_verifier_adds_to_the_issuer() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    place.write("token.txt", mint.token(&claims(&json!({"iss": ISSUER}))));
    place.write("api/.env", format!("JWT_ISSUER={ISSUER}/\n"));
    let api = strict_about("https://auth.example.com/", &mint).await;
    let seen = look(&place, &api.at("/items"), &["--files", "api/.env"]).await;
    seen.found("TN0411", "gateway-verifier");

    place.write("api/.env", format!("JWT_ISSUER={ISSUER}\n"));
    let api = strict_about(ISSUER, &mint).await;
    let seen = look(&place, &api.at("/items"), &["--files", "api/.env"]).await;
    seen.healthy();
}

#[tokio::test]
async fn a_401_only_after_some_time_is_the_token_that_has_expired() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    let old = claims(&json!({"iat": now() - 1_200, "exp": now() - 300}));
    place.write("token.txt", mint.token(&old));
    place.write("fresh.txt", mint.token(&claims(&json!({}))));
    let api = open_to_all(&mint).await;
    let more = ["--other-token-file", "fresh.txt"];
    let seen = look(&place, &api.at("/items"), &more).await;
    seen.found("TN0415", "client");

    place.write("token.txt", place.read("fresh.txt"));
    look(&place, &api.at("/items"), &[]).await.healthy();
}

/// A service of which one endpoint is for administrators.
async fn with_an_office(mint: &Mint) -> Api {
    let mint = mint.clone();
    Api::start(move |asked| match guard(&mint, asked) {
        Ok(claims) if asked.path() == "/admin" && claims["scope"] != "read admin" => {
            let challenge = r#"Bearer error="insufficient_scope", scope="admin""#;
            let body = r#"{"error":"insufficient_scope"}"#;
            say(403, &[("www-authenticate", challenge)], body)
        }
        Ok(_) => fine(),
        Err(no) => no,
    })
    .await
}

#[tokio::test]
async fn a_403_on_specific_endpoints_is_the_scope_that_the_token_lacks() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    let api = with_an_office(&mint).await;
    let (admin, me) = (api.at("/admin"), api.at("/me"));
    place.write("token.txt", mint.token(&claims(&json!({"scope": "read"}))));
    let seen = look(&place, &admin, &["--other-endpoint", &me]).await;
    seen.found("TN0513", "application");
    look(&place, &me, &[]).await.healthy();

    let may = claims(&json!({"scope": "read admin"}));
    place.write("token.txt", mint.token(&may));
    look(&place, &admin, &["--other-endpoint", &me])
        .await
        .healthy();
}

/// A service with the metadata and keys of its issuer, which is on the same host here.
async fn with_its_issuer(mint: &Mint) -> Api {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let mint = mint.clone();
    Api::on(listener, move |asked| match asked.path() {
        "/.well-known/openid-configuration" => {
            let document = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")});
            say(200, &[], &document.to_string())
        }
        "/jwks" => say(200, &[], &mint.jwks().to_string()),
        _ => guard(&mint, asked).map_or_else(|no| no, |_| fine()),
    })
}

#[tokio::test]
async fn a_401_in_production_but_not_locally_is_the_token_of_the_other_issuer() {
    let (local, production) = (Mint::pair("local-1"), Mint::pair("production-7"));
    let here = with_its_issuer(&local).await;
    let there = with_its_issuer(&production).await;
    let place = Place::new();
    let mine = claims(&json!({"iss": here.at("")}));
    place.write("token.txt", local.token(&mine));
    look(&place, &here.at("/items"), &["--issuer", &here.at("")])
        .await
        .healthy();
    let of_production = ["--issuer", &there.at("")];
    let seen = look(&place, &there.at("/items"), &of_production).await;
    seen.found("TN0403", "client");

    let theirs = claims(&json!({"iss": there.at("")}));
    place.write("token.txt", production.token(&theirs));
    look(&place, &there.at("/items"), &of_production)
        .await
        .healthy();
}

/// A web app with a session cookie and an authorization endpoint; `forgets` its state between the two.
async fn web_app(forgets: bool) -> Api {
    Api::start(move |asked| {
        let cookie = asked.header("cookie").unwrap_or_default();
        match asked.path() {
            "/app" if cookie.contains("session=good-session-of-ann") => fine(),
            "/app" => lead(
                "/authorize?response_type=code&client_id=web&redirect_uri=%2Fcallback&state=0f3a91",
                &[(
                    "set-cookie",
                    "oauth_state=0f3a91; Path=/callback; Secure; HttpOnly",
                )],
            ),
            "/authorize" => lead("/callback?code=9c1d&state=0f3a91", &[]),
            "/callback" if forgets => lead("/app?error=state_mismatch", &[]),
            "/callback" => lead("/welcome", &[("set-cookie", "session=good-session-of-ann")]),
            "/welcome" => fine(),
            _ => say(404, &[], "{}"),
        }
    })
    .await
}

#[tokio::test]
async fn an_oauth_redirect_loop_is_the_state_that_does_not_come_back() {
    let place = Place::new();
    let app = web_app(true).await;
    let seen = place.diagnose(&["probe", &app.at("/app")]).await;
    seen.found("TN0612", "client");
    // Probes keep no cookies, so that a sound app whose issuer asks nothing would look alike.
    assert_eq!(seen.confirmed(), [""; 0], "{}", seen.seen());
    assert!(seen.ended.stderr.contains("in a circle"), "{}", seen.seen());

    place.write("cookie.txt", "Cookie: session=good-session-of-ann\n");
    let app = web_app(false).await;
    let args = ["probe", &app.at("/app"), "--header-file", "cookie.txt"];
    place.diagnose(&args).await.healthy();
}
