//! Our encoder and verifier against themselves and against the crate `jsonwebtoken`.

use base64::Engine as _;
use jsonwebtoken::{
    Algorithm as Alg, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde_json::{Value, json};

use super::{BASE64, SigningKey, Typ};
use crate::config::Algorithm;

const ALL: [(Algorithm, Alg); 3] = [
    (Algorithm::ES256, Alg::ES256),
    (Algorithm::EdDSA, Alg::EdDSA),
    (Algorithm::RS256, Alg::RS256),
];

const CLAIMS: &str = r#"{"sub":"ana","name":"Åsa \"☂\"","n":[1,2.5,null]}"#;

/// RFC 5208 puts this many bytes before the `RSAPrivateKey` of RFC 8017, which `jsonwebtoken` takes.
const PKCS8_HEADER_OF_RSA_2048: usize = 26;

fn key(algorithm: Algorithm) -> (SigningKey, EncodingKey) {
    let pkcs8 = SigningKey::generate(algorithm).unwrap();
    let theirs = match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_der(&pkcs8),
        Algorithm::EdDSA => EncodingKey::from_ed_der(&pkcs8),
        Algorithm::RS256 => EncodingKey::from_rsa_der(&pkcs8[PKCS8_HEADER_OF_RSA_2048..]),
    };
    (SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap(), theirs)
}

fn header(alg: Alg, kid: &str) -> Header {
    let (typ, kid) = (Some("at+jwt".to_owned()), Some(kid.to_owned()));
    Header {
        typ,
        kid,
        ..Header::new(alg)
    }
}

fn claims() -> Value {
    serde_json::from_str(CLAIMS).unwrap()
}

#[test]
fn every_algorithm_signs_what_it_verifies_and_nothing_else() {
    for (algorithm, _) in ALL {
        let (key, _) = key(algorithm);
        let jwt = key.sign(Typ::Access, CLAIMS).unwrap();
        assert_eq!(key.verify(Typ::Access, &jwt), Some(claims()));
        assert_eq!(key.verify(Typ::Id, &jwt), None, "{algorithm:?}");
        let (other, _) = self::key(algorithm);
        assert_eq!(other.verify(Typ::Access, &jwt), None, "{algorithm:?}");
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let forged = format!("{signed}x.{signature}");
        assert_eq!(key.verify(Typ::Access, &forged), None, "{algorithm:?}");
    }
}

#[test]
fn jsonwebtoken_verifies_what_ours_signs_with_the_published_key() {
    for (algorithm, alg) in ALL {
        let (key, _) = key(algorithm);
        let jwk = serde_json::from_value(key.jwk().clone()).unwrap();
        let public = DecodingKey::from_jwk(&jwk).unwrap();
        let mut validation = Validation::new(alg);
        validation.set_required_spec_claims::<&str>(&[]);
        for (typ, name) in [(Typ::Access, "at+jwt"), (Typ::Id, "JWT")] {
            let jwt = key.sign(typ, CLAIMS).unwrap();
            let header = decode_header(&jwt).unwrap();
            assert_eq!(header.typ.as_deref(), Some(name));
            assert_eq!(header.kid.as_deref(), Some(key.kid()));
            let token = decode::<Value>(&jwt, &public, &validation).unwrap();
            assert_eq!(token.claims, claims(), "{algorithm:?}");
            let (signed, _) = jwt.rsplit_once('.').unwrap();
            let cut = format!("{signed}.AAAA");
            assert!(decode::<Value>(&cut, &public, &validation).is_err());
        }
    }
}

#[test]
fn ours_verifies_what_jsonwebtoken_signs() {
    for (algorithm, alg) in ALL {
        let (key, theirs) = key(algorithm);
        let jwt = encode(&header(alg, key.kid()), &claims(), &theirs).unwrap();
        assert_eq!(
            key.verify(Typ::Access, &jwt),
            Some(claims()),
            "{algorithm:?}"
        );
    }
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    for (algorithm, _) in ALL {
        let (key, _) = key(algorithm);
        let members = ["x", "y", "n"].map(|name| key.jwk().get(name).cloned());
        let raw = members.into_iter().flatten().flat_map(|member| {
            let member = member.as_str().unwrap();
            BASE64.decode(member).unwrap()
        });
        let secrets = [
            key.jwk().to_string().into_bytes(),
            key.kid().as_bytes().to_vec(),
            raw.collect(),
            Vec::new(),
        ];
        for secret in secrets {
            let secret = EncodingKey::from_secret(&secret);
            for alg in [Alg::HS256, Alg::HS384, Alg::HS512] {
                let jwt = encode(&header(alg, key.kid()), &claims(), &secret).unwrap();
                assert_eq!(key.verify(Typ::Access, &jwt), None, "{algorithm:?} {alg:?}");
                let relabelled = relabel(&jwt, algorithm.as_str());
                assert_eq!(key.verify(Typ::Access, &relabelled), None, "{algorithm:?}");
            }
        }
    }
}

#[test]
fn no_other_algorithm_stands_in_for_the_keys_own() {
    for (algorithm, _) in ALL {
        let (key, _) = key(algorithm);
        for (foreign, alg) in ALL {
            let (_, theirs) = self::key(foreign);
            let jwt = encode(&header(alg, key.kid()), &claims(), &theirs).unwrap();
            assert_eq!(
                key.verify(Typ::Access, &jwt),
                None,
                "{foreign:?} as {algorithm:?}"
            );
            let relabelled = relabel(&jwt, algorithm.as_str());
            assert_eq!(key.verify(Typ::Access, &relabelled), None, "{foreign:?}");
        }
        let good = key.sign(Typ::Access, CLAIMS).unwrap();
        for name in ["none", "None", "", "HS256", "PS256", "ES384"] {
            let relabelled = relabel(&good, name);
            let (signed, _) = relabelled.rsplit_once('.').unwrap();
            let unsigned = format!("{signed}.");
            for jwt in [&relabelled, &unsigned, &signed.to_owned()] {
                assert_eq!(key.verify(Typ::Access, jwt), None, "{name:?}");
            }
        }
    }
}

/// The same token under a header that names another algorithm.
fn relabel(jwt: &str, alg: &str) -> String {
    let (header, rest) = jwt.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap();
    header["alg"] = json!(alg);
    format!("{}.{rest}", BASE64.encode(header.to_string()))
}
