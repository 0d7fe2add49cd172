use serde_json::json;

use super::*;

#[test]
fn each_key_of_a_set_says_why_it_cannot_verify() {
    let n = "u1W_VcD4KaRcTWcBGR8_0wvKnz1gwBTpqfCSvFRyn6cqd6bq0H9vz4IlgMxUs8P6";
    let set = json!({"keys": [
        {"kty": "RSA", "kid": "enc", "use": "enc", "n": n, "e": "AQAB"},
        {"kty": "RSA", "kid": "small", "n": n, "e": "AQAB"},
        {"kty": "RSA", "kid": "small", "n": n, "e": "AQAB"},
        {"kty": "RSA", "kid": "private", "n": n, "e": "AQAB", "d": n},
        {"kty": "RSA", "kid": "oaep", "alg": "RSA-OAEP", "n": n, "e": "AQAB"},
        {"kty": "RSA", "kid": "cut", "e": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "x": n},
        {"kty": "AKP"},
        "not a key",
        {"kty": "oct", "kid": "shared", "k": "c2hvcnQ"},
    ]});
    let material = read("jwks.json", &set.to_string()).unwrap();
    let problems: Vec<_> = material
        .set
        .keys
        .iter()
        .map(|key| key.problem.clone().unwrap())
        .collect();
    assert_eq!(
        problems,
        [
            "it is for encryption (`use`)",
            "384 bits; verifiers ask for 2048",
            "384 bits; verifiers ask for 2048",
            "it is published with its private part",
            "common verifiers do not know its algorithm `RSA-OAEP`",
            "its member `n` is missing",
            "common verifiers do not know its curve `X25519`",
            "its type `AKP` is unknown",
            "it is no JSON object",
            "it has 5 bytes; HS256 asks for 32",
        ]
    );
    let usable = material
        .usable()
        .filter(|key| !matches!(key, Usable::Not))
        .count();
    assert_eq!(usable, 4);
}

/// The example of RFC 7638, section 3.1.
#[test]
fn the_thumbprint_is_the_standard_s() {
    let key = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    });
    let material = read("key.json", &key.to_string()).unwrap();
    assert_eq!(
        material.set.keys[0].thumbprint,
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(material.set.keys[0].problem, None);
}

#[test]
fn issuer_metadata_is_told_from_keys() {
    let text = r#"{"issuer":"https://a.example","jwks_uri":"https://a.example/keys","token_endpoint":"x"}"#;
    let set = read("https://a.example/.well-known/openid-configuration", text)
        .unwrap()
        .set;
    assert_eq!(set.kind, Some(Kind::Discovery));
    assert_eq!(set.issuer.as_deref(), Some("https://a.example"));
    assert_eq!(set.jwks_uri.as_deref(), Some("https://a.example/keys"));
}

#[test]
fn what_is_no_key_is_refused_with_the_reason() {
    for (name, text, why) in [
        ("jwks.json", "<html>", "it is a web page, not keys"),
        (
            "jwks.json",
            "{}",
            "the JSON holds neither keys nor issuer metadata",
        ),
        (
            "jwks.json",
            "{\"keys\":",
            "neither JSON (it ends too early, line 1) nor PEM; a shared secret is read from a file *.secret",
        ),
        ("it.secret", " \n", "the secret is empty"),
        (
            "it.pem",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "it holds a private key; a verifier needs the public one",
        ),
        (
            "it.pem",
            "-----BEGIN PUBLIC KEY-----\nAAAA",
            "a PEM block is damaged",
        ),
    ] {
        assert_eq!(read(name, text).unwrap_err(), why, "{text}");
    }
}

#[test]
fn nothing_shows_a_secret() {
    let material = read("it.secret", "hunter2hunter2").unwrap();
    let shown = format!("{material:?}") + &serde_json::to_string(&material.set).unwrap();
    assert!(!shown.contains("hunter2"));
}
