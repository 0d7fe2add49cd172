//! Access tokens that are none, or not enough.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tenure_lab::actor::Tokens;

use crate::bench::{Bench, flipped};

const PATHS: [&str; 2] = ["/oauth2/userinfo", "/api/auth/me"];

/// What a forger makes of an access token that is still valid.
fn forged(access: &str) -> Vec<String> {
    let parts: Vec<_> = access.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("an access token has {} parts", parts.len());
    };
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    let other_key = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"at+jwt","kid":"../../x"}"#);
    let decoded = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let mut other: Value = serde_json::from_slice(&decoded).unwrap();
    other["sub"] = "somebody-else".into();
    let other = URL_SAFE_NO_PAD.encode(other.to_string());
    vec![
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{other_key}.{claims}.{signature}"),
        format!("{header}.{other}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{access}A"),
        flipped(access, header.len() + 5),
        flipped(access, access.len() - 20),
    ]
}

fn useless(tokens: Tokens) -> Vec<String> {
    let mut useless = forged(&tokens.access_token);
    useless.extend(tokens.refresh_token);
    useless.extend(tokens.id_token);
    useless.push("garbage".to_owned());
    useless
}

#[tokio::test]
async fn who_sends_no_token_is_told_no_error() {
    let mut bench = Bench::start().await;
    for path in PATHS {
        // A token in the URL is none (RFC 6750, section 3.1; OAuth 2.1, section 5.1).
        let access = &bench.tokens.access_token;
        let queried = format!("{path}?access_token={access}");
        for url in [bench.url(path), bench.url(&queried)] {
            let request = bench.http.get(url);
            let refused = bench.refused(request, 401, "", "").await;
            assert_eq!(refused.challenge(), Some("Bearer realm=\"tenure\""));
        }
    }
}

#[tokio::test]
async fn who_sends_a_bad_token_is_told_why() {
    let mut bench = Bench::start().await;
    let expired = bench.tokens.access_token.clone();
    bench.deployment.server.advance_clock(901).await.unwrap();
    bench.goes_on().await;
    for path in PATHS {
        let get = bench.http.get(bench.url(path));
        let with = |token: &str| get.try_clone().unwrap().bearer_auth(token);
        let error = "invalid_token";
        bench.refused(with(&expired), 401, error, "expired").await;
        for number in 0..useless(bench.tokens.clone()).len() {
            let good = with(&bench.tokens.access_token).send().await.unwrap();
            assert_eq!(good.status(), 200);
            let bad = &useless(bench.tokens.clone())[number];
            let says = "not an access token";
            let refused = bench.refused(with(bad), 401, error, says).await;
            let challenge = refused.challenge().unwrap();
            let expected = "Bearer realm=\"tenure\", error=\"invalid_token\", error_description=";
            assert!(challenge.starts_with(expected), "{challenge}");
            assert!(challenge.contains(says), "{challenge}");
        }
    }
}

#[tokio::test]
async fn who_may_not_is_told_what_is_missing() {
    let mut bench = Bench::start().await;
    let url = bench.url("/admin/audit");
    let request = bench.http.get(url).bearer_auth(&bench.tokens.access_token);
    let error = "insufficient_scope";
    let refused = bench.refused(request, 403, error, "scope").await;
    let challenge = refused.challenge().unwrap();
    assert!(challenge.contains("scope=\"tenure:admin\""), "{challenge}");
    let request = bench.http.get(bench.url("/no/such/path"));
    bench
        .refused(request, 404, "not_found", "no such path")
        .await;
}
