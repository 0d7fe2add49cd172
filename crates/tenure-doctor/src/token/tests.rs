use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::keys;

const SECRET: &[u8] = b"a secret that is longer than thirty-two bytes";

fn signed(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(SECRET);
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn good() -> String {
    signed(
        &json!({"alg": "HS256", "typ": "JWT", "kid": "k1"}),
        &json!({"iss": "https://issuer.example/", "aud": "api", "sub": "user-1", "exp": 1_700_000_900}),
    )
}

fn presented(text: &str) -> Token {
    read(text, Role::Presented, Source::Token)
}

#[test]
fn a_token_is_taken_apart_without_its_secrets_and_personal_values() {
    let text = signed(
        &json!({"alg": "HS256", "typ": "at+jwt", "kid": "k1", "crit": ["exp"]}),
        &json!({
            "iss": "https://issuer.example/", "aud": ["a", "b"], "sub": "user-1", "azp": "app", "client_id": "app",
            "token_use": "access", "exp": 1_700_000_900, "nbf": 1_700_000_000.5, "iat": 1_700_000_000,
            "scope": "read write", "email": "jane.doe@mail.example", "name": "Jane Doe",
            "realm_access": {"roles": ["admin"]}, "cognito:groups": ["ops"], "cnf": {"jkt": "x"},
        }),
    );
    let token = presented(&text);
    assert_eq!(token.shape, Shape::Jws);
    assert_eq!(token.blemishes, []);
    assert_eq!(token.length, text.len() as u64);
    let header = token.header.clone().unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(header.crit, ["exp"]);
    let claims = token.claims.clone().unwrap();
    assert_eq!(claims.aud, ["a", "b"]);
    assert_eq!(claims.sub, Some(Fingerprint::of("user-1")));
    assert_eq!(claims.nbf, Some(Timestamp(1_700_000_000)));
    assert_eq!(claims.scope, ["read", "write"]);
    assert_eq!(claims.roles["realm_access.roles"], ["admin"]);
    assert_eq!(claims.roles["cognito:groups"], ["ops"]);
    assert_eq!(claims.cnf.as_deref(), Some("jkt"));
    assert!(claims.names.contains(&"email".to_owned()));
    let shown = serde_json::to_string(&token).unwrap() + &format!("{token:?}");
    for hidden in ["jane", "Jane", "user-1", text.as_str()] {
        assert!(!shown.contains(hidden), "{hidden}");
    }
}

#[test]
fn each_blemish_is_taken_off_and_named() {
    use Blemish::{
        Base64Encoded, Doubled, Foreign, InnerBlank, Json, OuterBlank, Padded, PercentEncoded,
        Quoted, Scheme,
    };
    let good = good();
    let (start, end) = good.split_at(40);
    let percent = good.replace('.', "%2E");
    let plain = presented(&good);
    for (found, blemishes) in [
        (format!(" {good}\n"), vec![OuterBlank]),
        (format!("\"{good}\""), vec![Quoted]),
        (format!("'{good}\\n'"), vec![Quoted, InnerBlank]),
        (format!("Bearer {good}"), vec![Scheme]),
        (
            format!("\"Bearer {good}\"\n"),
            vec![OuterBlank, Quoted, Scheme],
        ),
        (format!("Bearer%20{percent}"), vec![PercentEncoded, Scheme]),
        (format!("{start}\r\n  {end}"), vec![InnerBlank]),
        (STANDARD.encode(&good), vec![Base64Encoded]),
        (
            STANDARD.encode(format!("Bearer {good}")),
            vec![Base64Encoded, Scheme],
        ),
        (
            json!({"access_token": good, "token_type": "Bearer"}).to_string(),
            vec![Json],
        ),
        (
            json!({"AuthenticationResult": {"AccessToken": good}}).to_string(),
            vec![Json],
        ),
        (format!("{good}="), vec![Padded]),
        (format!("\u{feff}{good}\u{200b}"), vec![Foreign]),
        (format!("{good}{good}"), vec![Doubled]),
        (format!("{good}, {good}"), vec![Doubled]),
    ] {
        let token = presented(&found);
        assert_eq!(token.blemishes, blemishes, "{found}");
        assert_eq!(token.shape, Shape::Jws, "{found}");
        assert_eq!(token.fingerprint, plain.fingerprint, "{found}");
        assert_eq!(token.claims, plain.claims);
    }
}

#[test]
fn a_token_without_its_end_is_seen_to_be_cut() {
    let good = good();
    let dot = good.rfind('.').unwrap();
    for cut in [good.len() - 5, dot + 1, dot, dot - 3, 25, 12] {
        let token = presented(&good[..cut]);
        assert_eq!(token.blemishes, [Blemish::Truncated], "{cut}");
    }
    assert_eq!(presented(&good[..dot - 3]).shape, Shape::Broken);
    let unsigned = signed(&json!({"alg": "none"}), &json!({}));
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    assert_eq!(presented(unsigned).blemishes, []);
}

#[test]
fn other_things_are_told_by_their_shape() {
    for (found, shape) in [
        ("", Shape::Empty),
        (" \n", Shape::Empty),
        ("Bearer ", Shape::Empty),
        ("undefined", Shape::Word),
        ("Bearer null", Shape::Word),
        ("[object Object]", Shape::Word),
        ("${TOKEN}", Shape::Word),
        ("tnr1_0123456789abcdef", Shape::Opaque),
        ("ya29.a0AfH6SM", Shape::Opaque),
        ("a.b.c", Shape::Broken),
        (
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y2lwaGVy.dGFn",
            Shape::Jwe,
        ),
    ] {
        assert_eq!(presented(found).shape, shape, "{found:?}");
    }
}

#[test]
fn wrong_types_are_noted_with_what_was_found() {
    let claims = json!({
        "iss": 1, "aud": 5, "sub": ["x"], "exp": "soon", "nbf": "1700000000", "iat": 1_700_000_000_000_u64,
        "auth_time": -1,
    });
    let claims = presented(&signed(&json!({"alg": "HS256"}), &claims))
        .claims
        .unwrap();
    let found: Vec<_> = claims
        .mistyped
        .iter()
        .map(|(name, found)| format!("{name}: {found}"))
        .collect();
    assert_eq!(
        found,
        [
            "aud: a number",
            "auth_time: a negative number",
            "exp: a string",
            "iat: milliseconds",
            "iss: a number",
            "nbf: a string of digits",
            "sub: a list",
        ]
    );
    assert_eq!(claims.exp, None);
    assert_eq!(claims.nbf, Some(Timestamp(1_700_000_000)));
}

#[test]
fn a_secret_is_tried_in_every_form_that_it_may_have() {
    let good = good();
    let text = std::str::from_utf8(SECRET).unwrap();
    for (given, form) in [
        (text.to_owned(), "raw"),
        (format!("{text}\n"), "trimmed"),
        (format!("\"{text}\"\n"), "unquoted"),
        (STANDARD.encode(SECRET), "base64"),
        (URL_SAFE_NO_PAD.encode(SECRET), "base64"),
    ] {
        let mut token = presented(&good);
        check(&mut token, &good, &keys::read("it.secret", &given).unwrap());
        let found = &token.signatures[0];
        assert_eq!(found.verdict, Signature::Good, "{given}");
        assert_eq!(found.form.as_deref(), Some(form));
    }
    let mut token = presented(&good);
    check(
        &mut token,
        &good,
        &keys::read("it.secret", "another").unwrap(),
    );
    assert_eq!(token.signatures[0].verdict, Signature::Bad);
    assert_eq!(
        token.signatures[0].form.as_deref(),
        Some("raw, newline, base64")
    );
}

#[test]
fn a_public_key_verifies_from_a_set_a_key_and_a_certificate_whatever_its_id() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&pair).unwrap().pem();
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(json!({"alg": "ES256", "kid": "k2"}).to_string()),
        URL_SAFE_NO_PAD.encode("{}")
    );
    let key = EncodingKey::from_ec_der(&pair.serialize_der());
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::ES256).unwrap();
    let text = format!("{message}.{signature}");
    let raw = pair.public_key_raw();
    let coordinate = |from: usize| URL_SAFE_NO_PAD.encode(&raw[from..from + 32]);
    let jwk =
        json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": coordinate(1), "y": coordinate(33)});
    let odd = json!({"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": "x"});
    let set = json!({"keys": [odd, jwk]}).to_string();
    let by_id = json!({"k1": certificate}).to_string();
    let escaped = pair.public_key_pem().replace('\n', "\\n");
    for source in [&set, &by_id, &certificate, &pair.public_key_pem(), &escaped] {
        let mut token = presented(&text);
        let material = keys::read("keys", source).unwrap();
        check(&mut token, &text, &material);
        let good: Vec<_> = token
            .signatures
            .iter()
            .filter(|check| check.verdict == Signature::Good)
            .collect();
        assert_eq!(good.len(), 1, "{source}");
        assert_ne!(good[0].kid.as_deref(), Some("k2"));
    }
    let other = rcgen::KeyPair::generate().unwrap().public_key_pem();
    let mut token = presented(&text);
    check(&mut token, &text, &keys::read("keys", &other).unwrap());
    check(
        &mut token,
        &text,
        &keys::read("it.secret", "short").unwrap(),
    );
    let verdicts: Vec<_> = token.signatures.iter().map(|check| check.verdict).collect();
    assert_eq!(verdicts, [Signature::Bad, Signature::OtherAlgorithm]);
}

#[test]
fn a_signature_under_another_algorithm_than_the_header_says_is_found() {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(json!({"alg": "HS512"})), part(json!({})));
    let key = EncodingKey::from_secret(SECRET);
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    let text = format!("{message}.{signature}");
    let mut token = presented(&text);
    let secret = std::str::from_utf8(SECRET).unwrap();
    check(&mut token, &text, &keys::read("it.secret", secret).unwrap());
    assert_eq!(token.signatures[0].verdict, Signature::OtherAlgorithm);
    assert_eq!(token.signatures[0].alg.as_deref(), Some("HS256"));
}

#[test]
fn huge_and_nested_input_is_read_to_the_end() {
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    // Unoptimised, ten megabytes of each take a second.
    let full = std::env::var_os("TENURE_FULL").is_some();
    let bytes = if full { 10_000_000 } else { 1_000_000 };
    for unit in [
        ".", "%25", "\\n", "\"", "Bearer ", "{\"a\":", "a", "eyJ", " ", "é", "=", "[", "\u{200b}",
    ] {
        presented(&unit.repeat(bytes / unit.len()));
    }
    presented(&format!("{header}.{}.x", URL_SAFE_NO_PAD.encode(&deep)));
    presented(&deep);
    presented(&format!(
        "{header}.{}.x",
        URL_SAFE_NO_PAD.encode([b'{', b'"', 0xff, b'"', b':', b'1', b'}'])
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_reading_fail(text in any::<String>(), header in any::<String>(), payload in any::<String>()) {
        presented(&text);
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        presented(&format!("{}.{}.{text}", part(&header), part(&payload)));
        let payload = format!(r#"{{"exp":{payload},"aud":"{text}"}}"#);
        presented(&format!("{}.{}.{text}", part(r#"{"alg":"RS256"}"#), part(&payload)));
        let _ = keys::read("keys.json", &text);
        let _ = keys::read("it.secret", &text);
    }
}
