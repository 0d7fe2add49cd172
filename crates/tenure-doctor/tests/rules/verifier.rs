//! Keys, issuer, claims and clock.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Facts, NOW, confirms, facts, jwt, leads, leaves_open};

const SECRET: &str = "a-shared-secret-of-thirty-two-bytes";

/// A challenge of RFC 6750 with this description.
fn described(text: &str) -> String {
    json!({"error": "invalid_token", "error_description": text}).to_string()
}

/// Refused with this reason; without a token, and with an altered one, for others.
fn refused(facts: Facts, reason: &str) -> Facts {
    facts
        .answer("client", 401, &[], &described(reason))
        .answer("bare", 401, &[], &described("no token"))
        .answer("altered", 401, &[], &described("the signature is invalid"))
}

/// Refused like an altered token, without a reason.
fn refused_dumbly(facts: Facts) -> Facts {
    facts
        .answers(
            &["client", "altered"],
            401,
            &[],
            "{\"error\":\"Unauthorized\"}",
        )
        .answer("bare", 401, &[], "{\"error\":\"missing token\"}")
}

fn claims(more: &Value) -> Value {
    let mut claims = json!({"iss": "https://issuer.example", "aud": "api", "sub": "u1", "iat": NOW - 300, "exp": NOW + 600});
    let (all, more) = (claims.as_object_mut().unwrap(), more.as_object().unwrap());
    all.extend(more.clone());
    claims
}

/// Signed with a shared secret.
fn shared(secret: &[u8], more: &Value) -> String {
    encode(
        &Header::new(Algorithm::HS256),
        &claims(more),
        &EncodingKey::from_secret(secret),
    )
    .unwrap()
}

/// A key pair of its own, and what it signs.
struct Pair {
    kid: &'static str,
    key: rcgen::KeyPair,
}

impl Pair {
    fn new(kid: &'static str) -> Self {
        Self {
            kid,
            key: rcgen::KeyPair::generate().unwrap(),
        }
    }

    fn token(&self, more: &Value) -> String {
        let header = Header {
            kid: Some(self.kid.to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        let key = EncodingKey::from_ec_der(&self.key.serialize_der());
        encode(&header, &claims(more), &key).unwrap()
    }

    fn jwk(&self) -> Value {
        use base64::Engine as _;
        let part = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let point = self.key.public_key_raw();
        json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid,
            "x": part(&point[1..33]), "y": part(&point[33..])})
    }
}

fn set(keys: &[Value]) -> String {
    json!({"keys": keys}).to_string()
}

/// The issuer's metadata and keys, answered by itself.
fn published(facts: Facts, issuer: &str, keys: &[Value]) -> Facts {
    let metadata = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")});
    facts
        .answer("discovery", 200, &[], &metadata.to_string())
        .requested(
            "GET",
            &format!("{issuer}/.well-known/openid-configuration"),
            &[],
        )
        .answer("jwks", 200, &[], &set(keys))
        .requested("GET", &format!("{issuer}/jwks"), &[])
}

const ISSUER: &str = "https://issuer.example";

/// A token of a new key is refused, one of the old key is not.
fn rotated(old: &Pair, new: &Pair, more_keys: &[Value]) -> Facts {
    let mut keys = vec![new.jwk(), old.jwk()];
    keys.extend(more_keys.iter().cloned());
    let facts = facts()
        .token(&new.token(&json!({})))
        .old_token(&old.token(&json!({"iat": NOW - 400})));
    published(
        refused_dumbly(facts).answer("old", 200, &[], "{}"),
        ISSUER,
        &keys,
    )
}

#[test]
fn a_rotated_key_is_known_by_the_older_token_that_still_works() {
    let (old, new) = (Pair::new("k1"), Pair::new("k2"));
    confirms(&rotated(&old, &new, &[]), "TN0401");
}

#[test]
fn a_set_with_a_key_that_cannot_be_read_may_be_the_reason_as_well() {
    let (old, new) = (Pair::new("k1"), Pair::new("k2"));
    let broken = json!({"kty": "XYZ", "kid": "k3"});
    leaves_open(&rotated(&old, &new, &[broken]), "TN0401");
}

#[test]
fn an_older_token_of_the_same_key_says_nothing_of_a_rotation() {
    let (old, new) = (Pair::new("k1"), Pair::new("k1"));
    leaves_open(&rotated(&old, &new, &[]), "TN0401");
}

#[test]
fn one_kid_with_two_keys_is_confirmed_by_the_verifiers_own_set() {
    let (old, new) = (Pair::new("k1"), Pair::new("k1"));
    let facts = refused_dumbly(
        facts()
            .token(&new.token(&json!({})))
            .keys("verifier.json", &set(&[old.jwk()])),
    );
    confirms(&published(facts, ISSUER, &[new.jwk()]), "TN0402");
    let same = refused_dumbly(
        crate::support::facts()
            .token(&new.token(&json!({})))
            .keys("verifier.json", &set(&[new.jwk()])),
    );
    leaves_open(&published(same, ISSUER, &[new.jwk()]), "TN0402");
}

#[test]
fn a_foreign_token_names_a_key_that_is_not_published() {
    let (theirs, ours) = (Pair::new("k1"), Pair::new("k2"));
    let facts = facts().token(&theirs.token(&json!({"iss": "https://staging.example"})));
    let body = described("no key k1");
    let facts = facts
        .answers(&["client", "altered"], 401, &[], &body)
        .answer("bare", 401, &[], "");
    confirms(&published(facts, ISSUER, &[ours.jwk()]), "TN0403");
    let known = crate::support::facts().token(&theirs.token(&json!({})));
    let known = known
        .answers(&["client", "altered"], 401, &[], &body)
        .answer("bare", 401, &[], "");
    leaves_open(&published(known, ISSUER, &[theirs.jwk()]), "TN0403");
}

#[test]
fn keys_out_of_reach_are_said_to_be() {
    confirms(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, &[], "Jwks remote fetch is failed"),
        "TN0404",
    );
    leaves_open(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, &[], "Jwt verification fails"),
        "TN0404",
    );
}

#[test]
fn made_up_keys_need_both_the_limit_and_the_flood() {
    let lines: Vec<_> = (0..30)
        .map(|n| format!("2026-09-21T10:00:00Z WARN refused: unknown kid a{n:05}\n"))
        .collect();
    let flood = lines.concat();
    let limit = "2026-09-21T10:01:00Z WARN jwks refetch throttled\n";
    confirms(
        &facts().log("api.log", &format!("{flood}{limit}")),
        "TN0405",
    );
    leaves_open(&facts().log("api.log", limit), "TN0405");
    let same = "2026-09-21T10:00:00Z WARN refused: unknown kid a00001\n".repeat(30);
    leaves_open(&facts().log("api.log", &format!("{same}{limit}")), "TN0405");
}

#[test]
fn a_set_that_cannot_be_read_is_said_to_be() {
    let malformed = described("The JWK Set did not contain any usable keys");
    confirms(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, &[], &malformed),
        "TN0406",
    );
    let unknown = described("no key for this token");
    leaves_open(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, &[], &unknown),
        "TN0406",
    );
}

#[test]
fn two_secrets_of_which_one_verifies_are_different() {
    let token = shared(SECRET.as_bytes(), &json!({}));
    let given = || facts().token(&token).keys("auth.secret", SECRET);
    let other = given().keys("api.secret", "another-secret-of-thirty-two-bytes");
    confirms(&refused_dumbly(other), "TN0407");
    leaves_open(
        &refused_dumbly(given().keys("api.secret", SECRET)),
        "TN0407",
    );
}

#[test]
fn one_secret_with_a_newline_is_another_form_and_no_other_secret() {
    let token = shared(SECRET.as_bytes(), &json!({}));
    let facts = facts()
        .token(&token)
        .keys("auth.secret", SECRET)
        .keys("api.secret", &format!("{SECRET}\n"));
    let facts = refused(facts, "Signature verification failed");
    confirms(&facts, "TN0408");
    leaves_open(&facts, "TN0407");
}

#[test]
fn a_secret_that_verifies_only_decoded_is_another_form() {
    let text = "c2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXMhISEhISE=";
    let token = shared(b"secret of thirty-two bytes!!!!!!", &json!({}));
    let facts = refused_dumbly(facts().token(&token).keys("api.secret", text));
    confirms(&facts, "TN0408");
}

#[test]
fn a_secret_made_up_at_the_start_is_in_the_log() {
    let start = "2026-09-21T10:00:00Z WARN JWT_SECRET is not set, using a random secret\n";
    let refusal = "2026-09-21T10:00:05Z WARN token refused: invalid signature\n";
    confirms(
        &facts().log("api.log", &format!("{start}{refusal}")),
        "TN0409",
    );
    leaves_open(&facts().log("api.log", refusal), "TN0409");
}

#[test]
fn an_algorithm_that_is_not_allowed_is_said_to_be() {
    let token = jwt(&json!({}));
    confirms(
        &refused(
            facts().token(&token),
            "The specified alg value is not allowed",
        ),
        "TN0410",
    );
    leaves_open(
        &refused(facts().token(&token), "the audience is not accepted"),
        "TN0410",
    );
}

#[test]
fn an_issuer_is_refused_by_name_once_the_signature_has_passed() {
    let token = jwt(&json!({}));
    confirms(
        &refused(facts().token(&token), "the issuer is not accepted"),
        "TN0411",
    );
    // Verifiers that look at the issuer first say the same of another environment's token.
    let first = facts().token(&token).answers(
        &["client", "altered"],
        401,
        &[],
        "Jwt issuer is not configured",
    );
    leaves_open(&first.answer("bare", 401, &[], "Jwt is missing"), "TN0411");
}

#[test]
fn an_audience_is_refused_by_name() {
    let token = jwt(&json!({}));
    confirms(
        &refused(facts().token(&token), "Invalid JWT audience"),
        "TN0412",
    );
    leaves_open(&refused_dumbly(facts().token(&token)), "TN0412");
}

#[test]
fn a_client_is_refused_by_name() {
    let token = jwt(&json!({"aud": null, "client_id": "app"}));
    confirms(
        &refused(
            facts().token(&token),
            "Client ID not allowed: app. Expected: web",
        ),
        "TN0413",
    );
    leaves_open(&refused_dumbly(facts().token(&token)), "TN0413");
}

#[test]
fn a_type_is_refused_unless_it_is_the_right_one() {
    confirms(
        &refused(facts().token(&jwt(&json!({}))), "unexpected 'typ' value"),
        "TN0414",
    );
    let right = crate::support::jwt_of(
        &json!({"alg": "RS256", "typ": "at+jwt"}),
        &claims(&json!({})),
    );
    leaves_open(
        &refused(facts().token(&right), "unexpected 'typ' value"),
        "TN0414",
    );
}

#[test]
fn an_expired_token_is_confirmed_by_words_and_by_every_clock() {
    let expired = jwt(&json!({"iat": NOW - 4_000, "exp": NOW - 3_000}));
    confirms(
        &refused(facts().token(&expired), "the token has expired"),
        "TN0415",
    );
    let fresh = refused(facts().token(&jwt(&json!({}))), "the token has expired");
    leaves_open(&fresh, "TN0415");
    leads(&fresh, "TN0416");
    let other_words = refused(facts().token(&expired), "the audience is not accepted");
    leaves_open(&other_words, "TN0415");
}

/// `Date` of so many seconds after [`NOW`].
fn date(seconds: i64) -> String {
    let at =
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(NOW.saturating_add_signed(seconds));
    httpdate::fmt_http_date(at)
}

#[test]
fn a_token_of_the_servers_future_is_too_early() {
    let token = jwt(&json!({"iat": NOW - 5}));
    let early = |seconds: i64| {
        let body = described("The token is not yet valid (iat)");
        facts()
            .token(&token)
            .answer("client", 401, &[("date", &date(seconds))], &body)
    };
    confirms(&early(-300), "TN0416");
    leaves_open(&early(0), "TN0416");
}

#[test]
fn of_three_clocks_the_one_that_differs_is_wrong() {
    let expired_there = |api: i64, issuer: i64| {
        let body = described("the token has expired");
        let facts =
            facts()
                .token(&jwt(&json!({})))
                .answer("client", 401, &[("date", &date(api))], &body);
        facts
            .answer("discovery", 200, &[("date", &date(issuer))], "{}")
            .requested("GET", "https://issuer.example/x", &[])
    };
    confirms(&expired_there(1_200, 0), "TN0416");
    confirms(&expired_there(1_200, 1_200), "TN0417");
    leaves_open(&expired_there(1_200, 0), "TN0417");
    leaves_open(&expired_there(1_200, 1_200), "TN0416");
}

#[test]
fn firebase_says_what_it_expected() {
    let body = "Firebase ID token has incorrect \"aud\" (audience) claim. Expected \"shop\" but got \"other\".";
    confirms(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, &[], body),
        "TN0421",
    );
    leaves_open(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, &[], "invalid audience"),
        "TN0421",
    );
}

#[test]
fn a_proof_is_asked_for_by_name() {
    let challenge: &[(&str, &str)] = &[("www-authenticate", "DPoP error=\"use_dpop_nonce\"")];
    confirms(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, challenge, ""),
        "TN0422",
    );
    let bearer: &[(&str, &str)] = &[("www-authenticate", "Bearer error=\"invalid_token\"")];
    leaves_open(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, bearer, ""),
        "TN0422",
    );
}

#[test]
fn a_stronger_sign_in_is_asked_for_by_name() {
    let challenge: &[(&str, &str)] = &[(
        "www-authenticate",
        "Bearer error=\"insufficient_user_authentication\", max_age=\"60\"",
    )];
    confirms(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, challenge, ""),
        "TN0423",
    );
    let scope: &[(&str, &str)] = &[("www-authenticate", "Bearer error=\"insufficient_scope\"")];
    leaves_open(
        &facts()
            .token(&jwt(&json!({})))
            .answer("client", 403, scope, ""),
        "TN0423",
    );
}

#[test]
fn replicas_with_secrets_of_their_own_are_told_from_two_sides_that_disagree() {
    let token = shared(b"secret of thirty-two bytes!!!!!!", &json!({}));
    let replicas = || {
        facts()
            .token(&token)
            .keys("api-1.secret", "secret of thirty-two bytes!!!!!!")
            .keys("api-2.secret", "another one of thirty-two bytes!")
            .answers(&["client", "bare", "altered", "again-2"], 401, &[], "no")
    };
    leads(&replicas().answer("again-1", 200, &[], "{}"), "TN0409");
    leads(&replicas().answer("again-1", 401, &[], "no"), "TN0407");
}
