//! What the runbook ranks as causes.

use http::HeaderValue;
use serde_json::json;

use super::{fine, guard, look, open_to_all};
use crate::api::{Api, say};
use crate::mint::{Mint, claims, now};
use crate::place::Place;

const ORIGIN: &str = "https://app.example.com";

/// What a service logs of four users who sign in and come back after the token's 15 minutes;
/// where they `refresh`, the client does so before that.
fn log(refresh: bool) -> String {
    let mut lines = Vec::new();
    for user in 0..4 {
        let login = now() - 4_000 + user * 60;
        let mut line = |after: u64, method: &str, url: &str, status: u64| {
            let event = json!({
                "level": 30, "time": (login + after) * 1000, "pid": 7, "hostname": "api", "userId": format!("u{user}"),
                "req": {"method": method, "url": url}, "res": {"statusCode": status}, "msg": "request completed",
            });
            lines.push((login + after, event.to_string()));
        };
        line(0, "POST", "/login", 200);
        line(5, "GET", "/items", 200);
        if refresh {
            line(860, "POST", "/auth/refresh", 200);
        }
        line(901 + user, "GET", "/items", if refresh { 200 } else { 401 });
    }
    lines.sort();
    let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
    lines.join("\n") + "\n"
}

#[tokio::test]
async fn expired_without_refresh_shows_in_the_log_beside_the_expired_token() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    let api = open_to_all(&mint).await;
    let old = claims(&json!({"iat": now() - 1_200, "exp": now() - 300}));
    place.write("token.txt", mint.token(&old));
    place.write("api.log", log(false));
    let seen = look(&place, &api.at("/items"), &["--logs", "api.log"]).await;
    seen.found("TN0415", "client");
    assert_eq!(seen.confirmed(), ["TN0415", "TN0601"], "{}", seen.seen());

    place.write("token.txt", mint.token(&claims(&json!({}))));
    place.write("api.log", log(true));
    look(&place, &api.at("/items"), &["--logs", "api.log"])
        .await
        .healthy();
}

#[tokio::test]
async fn two_services_that_read_two_secrets_are_told_apart_by_fingerprints() {
    const AUTH: &str = "the-secret-of-the-auth-service-0001";
    const API: &str = "the-secret-of-the-api-0002-is-older";
    let issuer = Mint::shared(AUTH);
    let place = Place::new();
    place.write("token.txt", issuer.token(&claims(&json!({}))));
    place.write("auth/.env", format!("JWT_SECRET={AUTH}\n"));
    place.write("api/.env", format!("JWT_SIGNING_KEY={API}\n"));
    let files = ["--files", "auth/.env", "api/.env"];
    let api = open_to_all(&Mint::shared(API)).await;
    let seen = look(&place, &api.at("/items"), &files).await;
    seen.found("TN0407", "framework");
    assert!(!seen.ended.stdout.contains(AUTH) && !seen.ended.stdout.contains(API));

    place.write("api/.env", format!("JWT_SIGNING_KEY={AUTH}\n"));
    let api = open_to_all(&issuer).await;
    look(&place, &api.at("/items"), &files).await.healthy();
}

#[tokio::test]
async fn a_missing_token_arrives_as_the_word_undefined() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    let api = open_to_all(&mint).await;
    place.write("token.txt", "undefined");
    let seen = look(&place, &api.at("/items"), &[]).await;
    seen.found("TN0102", "client");

    place.write("token.txt", mint.token(&claims(&json!({}))));
    look(&place, &api.at("/items"), &[]).await.healthy();
}

#[tokio::test]
async fn a_token_that_is_encoded_twice_or_quoted_is_accepted_once_it_is_not() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let mint = Mint::pair("k1");
    let place = Place::new();
    let api = open_to_all(&mint).await;
    let good = mint.token(&claims(&json!({})));
    for bad in [STANDARD.encode(&good), format!("\"{good}\"")] {
        place.write("token.txt", bad);
        let seen = look(&place, &api.at("/items"), &[]).await;
        seen.found("TN0105", "client");
    }
    // The newline at a file's end is the file's, not the token's.
    place.write("token.txt", format!("{good}\n"));
    look(&place, &api.at("/items"), &[]).await.healthy();
}

#[tokio::test]
async fn a_token_without_its_prefix_is_accepted_with_it() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    let api = open_to_all(&mint).await;
    place.write("token.txt", mint.token(&claims(&json!({}))));
    for prefix in ["--token-prefix=", "--token-prefix=Token "] {
        let seen = look(&place, &api.at("/items"), &[prefix]).await;
        seen.found("TN0103", "client");
    }
    look(&place, &api.at("/items"), &["--token-prefix=bearer "])
        .await
        .healthy();
}

#[tokio::test]
async fn a_prefix_in_small_letters_is_the_services_fault() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    let strict = {
        let mint = mint.clone();
        Api::start(move |asked| {
            let field = asked.header("authorization").unwrap_or_default();
            match field.strip_prefix("Bearer ") {
                Some(_) => guard(&mint, asked).map_or_else(|no| no, |_| fine()),
                None => say(
                    401,
                    &[],
                    r#"{"message":"No authorization token was found"}"#,
                ),
            }
        })
        .await
    };
    place.write("token.txt", mint.token(&claims(&json!({}))));
    let seen = look(&place, &strict.at("/items"), &["--token-prefix=bearer "]).await;
    seen.found("TN0104", "framework");
    look(&place, &strict.at("/items"), &[]).await.healthy();
}

/// A service for pages of another origin; where it is `guarded` too early, a preflight needs a token.
async fn for_pages(mint: &Mint, guarded: bool) -> Api {
    let mint = mint.clone();
    Api::start(move |asked| {
        let allowed = [
            ("access-control-allow-origin", ORIGIN),
            ("access-control-allow-headers", "authorization"),
            ("access-control-allow-methods", "GET"),
        ];
        if asked.method == "OPTIONS" && !guarded {
            return say(204, &allowed, "");
        }
        let mut answer = guard(&mint, asked).map_or_else(|no| no, |_| fine());
        for (name, value) in &allowed[..1] {
            let value = HeaderValue::from_static(value);
            answer.headers_mut().insert(*name, value);
        }
        answer
    })
    .await
}

#[tokio::test]
async fn a_preflight_that_needs_a_token_blocks_the_page_before_its_request() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    place.write("token.txt", mint.token(&claims(&json!({}))));
    let api = for_pages(&mint, true).await;
    let seen = look(&place, &api.at("/items"), &["--origin", ORIGIN]).await;
    seen.found("TN0110", "transport");

    let api = for_pages(&mint, false).await;
    look(&place, &api.at("/items"), &["--origin", ORIGIN])
        .await
        .healthy();
}

/// A service for those who have the role `editor` in this claim.
async fn for_editors(mint: &Mint, claim: &'static str) -> Api {
    let mint = mint.clone();
    Api::start(move |asked| match guard(&mint, asked) {
        Ok(claims) => match claims.pointer(claim) {
            Some(roles) if roles == &json!(["editor"]) => fine(),
            _ => say(
                403,
                &[],
                r#"{"error":"forbidden","message":"role editor is required"}"#,
            ),
        },
        Err(no) => no,
    })
    .await
}

#[tokio::test]
async fn a_role_that_stands_in_another_claim_than_the_one_that_is_read() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    let nested = claims(&json!({"realm_access": {"roles": ["editor"]}}));
    place.write("token.txt", mint.token(&nested));
    let flat = claims(&json!({"roles": ["editor"]}));
    place.write("other.txt", mint.token(&flat));
    let api = for_editors(&mint, "/roles").await;
    let more = ["--other-token-file", "other.txt"];
    let seen = look(&place, &api.at("/items"), &more).await;
    seen.found("TN0515", "application");

    let api = for_editors(&mint, "/realm_access/roles").await;
    look(&place, &api.at("/items"), &[]).await.healthy();
}
