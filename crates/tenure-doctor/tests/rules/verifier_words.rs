//! Reasons in the words of libraries, and what tokens and programs show by themselves.

use serde_json::{Value, json};

use crate::support::{Facts, NOW, confirms, facts, jwt_of, leads, leaves_open};

fn token(more: &Value) -> String {
    let mut claims = json!({"iss": "https://issuer.example", "aud": "api", "sub": "u1", "iat": NOW - 300, "exp": NOW + 600});
    let (all, more) = (claims.as_object_mut().unwrap(), more.as_object().unwrap());
    all.extend(more.clone());
    jwt_of(&json!({"alg": "HS256", "typ": "JWT"}), &claims)
}

fn refused(facts: Facts, status: u16, reason: &str) -> Facts {
    facts
        .answer("client", status, &[], reason)
        .answer("bare", 401, &[], "no token")
        .answer("altered", 401, &[], "Signature verification failed")
}

#[test]
fn a_reason_confirms_whatever_the_library() {
    for reason in [
        "IDX10214: Audience validation failed.",
        "JWT: aud claim check failed",
        "The token is not allowed to be used by this audience",
        "The aud claim value is not allowed.",
        "JWTNotInAudience",
    ] {
        let facts = facts().token(&token(&json!({})));
        confirms(&refused(facts, 401, reason), "TN0412");
    }
}

#[test]
fn a_verifier_that_nobody_handles_answers_500_for_the_same_reason() {
    let reason = "The aud claim value is not allowed.";
    let with = |reason| refused(facts().token(&token(&json!({}))), 500, reason);
    confirms(&with(reason), "TN0412");
    leaves_open(&with("Internal Server Error"), "TN0412");
}

#[test]
fn milliseconds_are_no_wrong_clock() {
    let early = token(&json!({"iat": NOW * 1_000, "nbf": NOW * 1_000, "exp": (NOW + 600) * 1_000}));
    let facts = refused(
        facts().token(&early),
        401,
        "The token is not yet valid (iat)",
    );
    confirms(&facts, "TN0419");
}

#[test]
fn a_token_without_its_end_was_cut() {
    let whole = token(&json!({}));
    let cut = whole.get(..whole.len() - 5).unwrap();
    let with = |text: &str| refused(facts().token(text), 401, "malformed");
    confirms(&with(cut), "TN0425");
    leaves_open(&with(&whole), "TN0425");
}

#[test]
fn a_line_among_many_good_ones_is_somebodys() {
    let good = "{\"status\":200,\"msg\":\"request completed\"}\n".repeat(40);
    let bad = "{\"level\":\"warn\",\"msg\":\"token refused: invalid signature\"}\n";
    let log = |count: usize| facts().log("api.log", &format!("{good}{}", bad.repeat(count)));
    leaves_open(&log(1), "TN0409");
}

#[test]
fn a_refresh_token_is_the_other_kind() {
    let refresh = token(&json!({"token_type": "refresh"}));
    let facts = refused(facts().token(&refresh), 401, "Token has wrong type");
    leads(&facts, "TN0413");
}
