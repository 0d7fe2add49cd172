//! The doctor's table of verifiers against the verifiers: PyJWT, jose, aws-jwt-verify and jsonwebtoken.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, crypto};
use serde_json::{Value, json};
use tenure_core::time::Timestamp;
use tenure_doctor::Source;
use tenure_doctor::token::{Expected, Opinion, Role, opinions, read};
use tenure_lab::skip;

const POOL: &str = "eu-west-1_aB3dE5fGh";
const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aB3dE5fGh";

struct Signer {
    pair: rcgen::KeyPair,
}

impl Signer {
    fn jwks(&self) -> Value {
        let raw = self.pair.public_key_raw();
        let coordinate = |from: usize| URL_SAFE_NO_PAD.encode(&raw[from..from + 32]);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig",
            "x": coordinate(1), "y": coordinate(33),
        }]})
    }

    fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": "k1", "typ": "JWT"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let key = EncodingKey::from_ec_der(&self.pair.serialize_der());
        let signature = crypto::sign(message.as_bytes(), &key, Algorithm::ES256).unwrap();
        format!("{message}.{signature}")
    }
}

/// Claims that differ in one member each from a good token's, at the edges.
fn variations(now: u64) -> Vec<Value> {
    let good = json!({
        "iss": ISSUER, "aud": "app", "client_id": "app", "token_use": "access", "sub": "s",
        "exp": now + 600, "iat": now - 10,
    });
    let at = |offset: i64| json!(now.saturating_add_signed(offset));
    let edges = [
        -1001, -1000, -999, -61, -60, -59, -5, -1, 0, 1, 59, 60, 61, 300, 301,
    ];
    let dates = edges
        .into_iter()
        .flat_map(|edge| ["exp", "nbf", "iat"].map(|name| (name, at(edge))));
    let typed = ["exp", "nbf", "iat"].into_iter().flat_map(|name| {
        let digits = (now + 10 * u64::from(name == "exp")).to_string();
        [json!(digits), json!("soon"), json!(true), json!(now * 1000)].map(|value| (name, value))
    });
    let others = [
        ("aud", json!("other")),
        ("aud", json!(["other", "app"])),
        ("aud", json!(["other"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", Value::Null),
        ("exp", Value::Null),
        ("token_use", json!("id")),
        ("token_use", Value::Null),
        ("client_id", json!("other")),
        ("client_id", Value::Null),
    ];
    let changed = dates.chain(typed).chain(others).map(|(name, value)| {
        let mut claims = good.clone();
        let members = claims.as_object_mut().unwrap();
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.to_owned(), value),
        };
        claims
    });
    std::iter::once(good.clone()).chain(changed).collect()
}

fn expected(audience: Option<&str>, now: u64) -> Expected {
    Expected {
        issuer: Some(ISSUER.to_owned()),
        audience: audience.map(str::to_owned),
        client_id: Some("app".to_owned()),
        now: Timestamp(now),
    }
}

fn opinion(token: &str, expected: &Expected, id: &str) -> Opinion {
    let token = read(token, Role::Presented, Source::Token);
    let all = opinions(&token, expected);
    all.into_iter().find(|opinion| opinion.id == id).unwrap()
}

/// The opinion is the verifier's: both accept, or both refuse, and with one failing check in its words.
fn assert_same(opinion: &Opinion, said: Option<&str>, claims: &Value) {
    let id = opinion.id;
    assert_eq!(
        opinion.refusals.is_empty(),
        said.is_none(),
        "{id}: {claims}\n{said:?}\n{:?}",
        opinion.refusals
    );
    if let ([refusal], Some(said)) = (opinion.refusals.as_slice(), said) {
        let words = refusal
            .says
            .split('…')
            .max_by_key(|part| part.len())
            .unwrap();
        let other = absence(said);
        assert!(
            other || said.contains(words),
            "{id}: {claims}\n{said}\n{words}"
        );
    }
}

/// An absent claim, and an audience where none is expected, have words of their own, which the table leaves out.
fn absence(said: &str) -> bool {
    [
        "missing",
        "Missing",
        "issing required",
        "must be",
        "not a number",
        "required",
        "Invalid audience",
    ]
    .iter()
    .any(|word| said.contains(word))
}

fn run(program: &Path, script: &str, job: &Value) -> BTreeMap<String, Vec<Option<String>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign");
    let mut child = Command::new(program)
        .arg(folder.join(script))
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(job.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn against(program: &Path, needs: &str, script: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign");
    if !folder.join(needs).exists() {
        skip(&format!(
            "foreign/{needs} is missing; run cargo xtask setup"
        ))
        .unwrap();
        return;
    }
    let now = 1_700_000_000;
    let signer = Signer {
        pair: rcgen::KeyPair::generate().unwrap(),
    };
    let claims = variations(now);
    let tokens: Vec<_> = claims.iter().map(|claims| signer.token(claims)).collect();
    for audience in [Some("app"), None] {
        let job = json!({
            "now": now, "jwks": signer.jwks(), "pem": signer.pair.public_key_pem(), "issuer": ISSUER,
            "audience": audience, "clientId": "app", "pool": POOL, "tokens": tokens,
        });
        let expected = expected(audience, now);
        for (id, said) in run(program, script, &job) {
            assert_eq!(said.len(), tokens.len());
            for ((token, said), claims) in tokens.iter().zip(&said).zip(&claims) {
                assert_same(&opinion(token, &expected, &id), said.as_deref(), claims);
            }
        }
    }
}

#[test]
fn jose_and_aws_jwt_verify_say_what_the_table_says() {
    against(
        Path::new("node"),
        "node_modules/aws-jwt-verify",
        "verifiers.mjs",
    );
}

#[test]
fn pyjwt_says_what_the_table_says() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/.venv/bin/python");
    against(&python, ".venv/complete", "verifiers.py");
}

/// jsonwebtoken asks the machine's clock, so a token is left out whose answer changes within seconds.
#[test]
fn jsonwebtoken_says_what_the_table_says() {
    let now = jsonwebtoken::get_current_timestamp();
    let signer = Signer {
        pair: rcgen::KeyPair::generate().unwrap(),
    };
    let key = DecodingKey::from_ec_der(signer.pair.public_key_raw());
    let mut compared = 0;
    for audience in [Some("app"), None] {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[ISSUER]);
        validation.aud = audience.map(|audience| [audience.to_owned()].into());
        for claims in variations(now) {
            let token = signer.token(&claims);
            let of = |now| opinion(&token, &expected(audience, now), "jsonwebtoken-rust");
            let opinion = of(now);
            if of(now + 20).refusals != opinion.refusals {
                continue;
            }
            let said = jsonwebtoken::decode::<Value>(&token, &key, &validation).err();
            let said = said.map(|error| format!("{:?}", error.kind()));
            assert_same(&opinion, said.as_deref(), &claims);
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}
