//! What another token, a kept key, a setting or a mounted file tells of the one that is refused.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Facts, NOW, confirms, facts, leaves_open, verdict};

const SECRET: &str = "YS1zaGFyZWQtc2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXM=";
const BAD_SIGNATURE: &str = "Signature verification failed";

fn signed(secret: &str, more: &Value) -> String {
    let mut claims = json!({"iss": "https://issuer.example", "aud": "api", "sub": "u1", "iat": NOW - 60, "exp": NOW + 600});
    let (all, more) = (claims.as_object_mut().unwrap(), more.as_object().unwrap());
    all.extend(more.clone());
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

fn refused(facts: Facts, reason: &str) -> Facts {
    facts
        .answers(&["client", "altered"], 401, &[], reason)
        .answer("bare", 401, &[], "no token")
}

#[test]
fn two_contents_with_one_signature_are_an_edited_token() {
    let (user, admin) = (json!({"role": "user"}), json!({"role": "admin"}));
    let (whole, other) = (signed(SECRET, &user), signed(SECRET, &admin));
    let signature = whole.rsplit_once('.').unwrap().1;
    let edited = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    let with = |token: &str| {
        refused(facts().token(token).old_token(&whole), BAD_SIGNATURE).answer("old", 200, &[], "ok")
    };
    confirms(&with(&edited), "TN0425");
    leaves_open(&with(&other), "TN0425");
}

#[test]
fn a_setting_that_decodes_the_secret_of_which_the_text_was_used() {
    let with = |setting: &str| {
        let file = format!("jwt-secret = \"{SECRET}\"\njwt-secret-is-base64 = {setting}\n");
        let facts = facts().token(&signed(SECRET, &json!({})));
        let facts = facts.file("service.conf", &file).keys("jwt.secret", SECRET);
        refused(facts, "JWSError JWSInvalidSignature")
    };
    confirms(&with("true"), "TN0408");
    leaves_open(&with("false"), "TN0408");
}

#[test]
fn a_mounted_secret_ends_with_a_line() {
    let with = |mounted: &str| {
        let facts = facts().token(&signed(SECRET, &json!({})));
        let facts = facts.keys("login.secret", SECRET);
        refused(facts.file("secrets/jwt", mounted), BAD_SIGNATURE)
    };
    confirms(&with(&format!("{SECRET}\n")), "TN0408");
    leaves_open(&with("another-word-for-the-database\n"), "TN0408");
    leaves_open(&with("another-word-for-the-database\n"), "TN0407");
}

#[test]
fn a_token_issued_in_the_future_of_both_sides() {
    let with = |iat: u64, reason: &str| {
        let facts = facts().token(&signed(SECRET, &json!({"iat": iat})));
        refused(facts, reason)
    };
    confirms(&with(NOW + 50, "Invalid iat"), "TN0416");
    leaves_open(&with(NOW - 50, "Invalid iat"), "TN0416");
}

#[test]
fn a_wrong_date_is_not_to_blame_where_a_token_of_the_same_time_is_accepted() {
    let date = [("date", "Mon, 21 Sep 2026 13:13:20 GMT")];
    let with = |status: u16| {
        let facts = facts()
            .token(&signed(SECRET, &json!({})))
            .old_token(&signed("another-secret-of-thirty-two-bytes", &json!({})))
            .answers(&["client", "altered"], 401, &date, BAD_SIGNATURE)
            .answer("bare", 401, &date, "no token");
        facts.answer("old", status, &date, "")
    };
    let ruled_out = Some(tenure_doctor::Verdict::RuledOut);
    assert_eq!(verdict(&with(200), "TN0416"), ruled_out);
    assert_ne!(verdict(&with(401), "TN0416"), ruled_out);
}

#[test]
fn graphql_refuses_in_a_body_of_success() {
    let body = |data: &str| {
        format!(
            r#"{{{data}"errors":[{{"extensions":{{"code":"invalid-jwt"}},"message":"Could not verify JWT: JWTExpired"}}]}}"#
        )
    };
    let with = |data: &str| {
        let expired = json!({"iat": NOW - 5_000, "exp": NOW - 4_000});
        let facts = facts().token(&signed(SECRET, &expired));
        facts.answer("client", 200, &[], &body(data))
    };
    confirms(&with(""), "TN0415");
    leaves_open(&with(r#""data":{"orders":[]},"#), "TN0415");
}
