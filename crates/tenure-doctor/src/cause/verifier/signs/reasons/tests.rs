use super::*;
use crate::exchange::Answer;

fn answered(body: &str) -> Evidence {
    let answer = Answer {
        status: 401,
        headers: Vec::new(),
        body: body.to_owned(),
        body_bytes: 0,
    };
    let exchange = crate::exchange::Exchange {
        probe: Probe::Client,
        request: crate::exchange::Sent {
            method: "GET".to_owned(),
            url: "https://api.example/".to_owned(),
            headers: Vec::new(),
            body_bytes: 0,
        },
        result: Ok(answer),
        at: tenure_core::time::Timestamp(0),
        took_ms: 0,
        address: None,
    };
    Evidence {
        exchanges: vec![exchange],
        ..Evidence::default()
    }
}

#[test]
fn sentences_of_verifiers_are_understood() {
    let table: [(&str, &Sign); 16] = [
        ("Jwt verification fails", &SIGNATURE),
        ("the signature is invalid", &SIGNATURE),
        ("Signature verification failed", &SIGNATURE),
        ("no applicable key found in the JSON Web Key Set", &KID),
        ("Jwks remote fetch is failed", &FETCH),
        ("Couldn't retrieve remote JWK set", &FETCH),
        ("The JWK Set did not contain any usable keys", &BAD_SET),
        ("Unsupported JWT signing algorithm", &ALGORITHM),
        ("Jwt issuer is not configured", &ISSUER),
        ("No credentials found for given 'iss'", &ISSUER),
        ("Audiences in Jwt are not allowed", &AUDIENCE),
        ("the token does not have a valid audience", &AUDIENCE),
        (r#"{"e":"\"exp\" claim timestamp check failed"}"#, &EXPIRED),
        ("Jwt is expired", &EXPIRED),
        ("Token used too early, 1 < 2", &EARLY),
        ("Client ID not allowed: a. Expected: b", &CLIENT),
    ];
    for (text, sign) in table {
        assert_eq!((sign.find)(&answered(text)).len(), 1, "{text}: {sign:?}");
    }
}

#[test]
fn a_list_of_possible_reasons_is_no_reason() {
    for text in [
        "invalid or expired token",
        "The token is expired, revoked, or malformed",
        "Unauthorized",
    ] {
        assert_eq!((NO_REASON.find)(&answered(text)).len(), 1, "{text}");
    }
    assert!((NO_REASON.find)(&answered("token has expired")).is_empty());
}
