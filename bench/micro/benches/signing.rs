//! An access token from claims to text: the service's encoder next to the crate `jsonwebtoken`, both
//! over aws-lc-rs. Prints the ratio; every sample ends with a verification of its last token.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench fails like a test, and prints its figures"
)]

use std::time::{Duration, Instant};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use tenure_core::time::Timestamp;
use tenure_server::config::{Algorithm, Flags, Inputs, Purpose, load};
use tenure_server::keys::{KeyRing, Master, rotate};
use tenure_store::Memory;

/// RFC 5208 puts this many bytes before the `RSAPrivateKey` of RFC 8017, which `jsonwebtoken` takes.
const PKCS8_HEADER_OF_RSA_2048: usize = 26;

/// What an access token for one audience says (RFC 9068).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    scope: String,
    iat: u64,
    exp: u64,
    jti: String,
    sid: String,
    auth_time: u64,
}

impl Claims {
    fn sample() -> Self {
        let iat = jsonwebtoken::get_current_timestamp();
        Self {
            iss: "https://login.example.com".to_owned(),
            sub: "0199a3c4-7d10-7aa1-9d2b-3f6c51a8e0b7".to_owned(),
            aud: "https://api.example.com".to_owned(),
            client_id: "demo".to_owned(),
            scope: "openid profile email offline_access".to_owned(),
            iat,
            exp: iat + 3600,
            jti: "hL3fSxZ2vCqUOa0kN7T1Bw".to_owned(),
            sid: "pZ5r8mYcDkWe2QvJ4s9HtA".to_owned(),
            auth_time: iat,
        }
    }
}

fn signing(bench: &mut Criterion) {
    let algorithms = [
        (Algorithm::ES256, jsonwebtoken::Algorithm::ES256),
        (Algorithm::EdDSA, jsonwebtoken::Algorithm::EdDSA),
        (Algorithm::RS256, jsonwebtoken::Algorithm::RS256),
    ];
    let mut lines = Vec::new();
    for (ours, theirs) in algorithms {
        let claims = Claims::sample();
        let (ring, public) = our_keys(ours);
        let name = format!("signing/{}", ours.as_str());
        let tenure = contend(bench, &format!("{name}/tenure"), (theirs, &public), || {
            let text = serde_json::to_string(&claims).unwrap();
            ring.sign_access(&text).unwrap()
        });
        let (private, public) = their_keys(ours);
        let mut header = Header::new(theirs);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(ring.signing_kid().to_owned());
        let name = format!("{name}/jsonwebtoken");
        let other = contend(bench, &name, (theirs, &public), || {
            encode(&header, &claims, &private).unwrap()
        });
        lines.push((ours.as_str(), tenure, other));
    }
    println!("\nµs per access token    tenure  jsonwebtoken  ratio");
    for (name, tenure, other) in lines {
        let ratio = tenure / other;
        println!("{name:<20} {tenure:>8.2} {other:>13.2} {ratio:>5.2}x");
    }
}

/// Measures one encoder; the mean over all samples in microseconds.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn contend(
    bench: &mut Criterion,
    name: &str,
    (algorithm, public): (jsonwebtoken::Algorithm, &DecodingKey),
    sign: impl Fn() -> String,
) -> f64 {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&["https://api.example.com"]);
    let (mut tokens, mut spent) = (0_u64, Duration::ZERO);
    bench.bench_function(name, |bench| {
        bench.iter_custom(|iterations| {
            let start = Instant::now();
            let mut last = String::new();
            for _ in 0..iterations {
                last = std::hint::black_box(sign());
            }
            let elapsed = start.elapsed();
            let verified = decode::<Claims>(&last, public, &validation).unwrap();
            assert_eq!(verified.claims.sub, Claims::sample().sub);
            assert_eq!(verified.header.typ.as_deref(), Some("at+jwt"));
            (tokens, spent) = (tokens + iterations, spent + elapsed);
            elapsed
        });
    });
    #[expect(clippy::cast_precision_loss, reason = "printed with two digits")]
    let tokens = tokens as f64;
    spent.as_secs_f64() * 1e6 / tokens
}

/// A ring as a server has it, and the public key that it publishes.
fn our_keys(algorithm: Algorithm) -> (KeyRing, DecodingKey) {
    let data = tempfile::tempdir().unwrap();
    let flags = Flags {
        dev: true,
        data: Some(data.path().to_owned()),
        ..Flags::default()
    };
    let inputs = Inputs {
        flags,
        purpose: Purpose::Serve,
        ..Inputs::default()
    };
    let mut config = load(&inputs).unwrap().config;
    config.keys.algorithm = algorithm;
    let (store, master) = (Memory::new(), Master::new(&config.master_secret).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ring = runtime.block_on(async {
        let now = Timestamp(jsonwebtoken::get_current_timestamp());
        rotate(&store, &master, &config, false, now).await.unwrap();
        KeyRing::load(&store, &master).await.unwrap()
    });
    let jwk = serde_json::from_value(ring.jwks()["keys"][0].clone()).unwrap();
    (ring, DecodingKey::from_jwk(&jwk).unwrap())
}

fn their_keys(algorithm: Algorithm) -> (EncodingKey, DecodingKey) {
    match algorithm {
        Algorithm::ES256 => {
            let random = SystemRandom::new();
            let pkcs8 =
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let pair =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
            let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
            (EncodingKey::from_ec_der(pkcs8.as_ref()), public)
        }
        Algorithm::EdDSA => {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
            let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
            (EncodingKey::from_ed_der(pkcs8.as_ref()), public)
        }
        Algorithm::RS256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let pkcs8 = pair.as_der().unwrap();
            let private = EncodingKey::from_rsa_der(&pkcs8.as_ref()[PKCS8_HEADER_OF_RSA_2048..]);
            let public = pair.public_key();
            let modulus = public.modulus().big_endian_without_leading_zero();
            let exponent = public.exponent().big_endian_without_leading_zero();
            (
                private,
                DecodingKey::from_rsa_raw_components(modulus, exponent),
            )
        }
    }
}

criterion_group!(benches, signing);
criterion_main!(benches);
