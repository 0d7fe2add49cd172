//! The doctor's table of verifiers against the verifiers: PyJWT, jose, aws-jwt-verify and jsonwebtoken.

use std::collections::BTreeMap;
use std::path::Path;

use jsonwebtoken::{Algorithm, Validation};
use serde_json::{Value, json};
use tenure_core::time::Timestamp;
use tenure_doctor::Source;
use tenure_doctor::token::{Expected, Opinion, Role, opinions, read};
use tenure_lab::process::Ended;
use tenure_lab::skip;
use tokio::process::Command;

use crate::mint::{Mint, now};

const POOL: &str = "eu-west-1_aB3dE5fGh";
const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aB3dE5fGh";

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

async fn run(program: &Path, script: &str, job: &Value) -> BTreeMap<String, Vec<Option<String>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign");
    let mut command = Command::new(program);
    command.arg(folder.join(script)).current_dir(&folder);
    let ended = Ended::of(&mut command, &job.to_string()).await.unwrap();
    assert_eq!(ended.code, 0, "{script}: {ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

async fn against(program: &Path, needs: &str, script: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign");
    if !folder.join(needs).exists() {
        skip(&format!(
            "foreign/{needs} is missing; run cargo xtask setup"
        ))
        .unwrap();
        return;
    }
    let now = 1_700_000_000;
    let mint = Mint::pair("k1");
    let claims = variations(now);
    let tokens: Vec<_> = claims.iter().map(|claims| mint.token(claims)).collect();
    for audience in [Some("app"), None] {
        let job = json!({
            "now": now, "jwks": mint.jwks(), "pem": mint.pem(), "issuer": ISSUER,
            "audience": audience, "clientId": "app", "pool": POOL, "tokens": tokens,
        });
        let expected = expected(audience, now);
        for (id, said) in run(program, script, &job).await {
            assert_eq!(said.len(), tokens.len());
            for ((token, said), claims) in tokens.iter().zip(&said).zip(&claims) {
                assert_same(&opinion(token, &expected, &id), said.as_deref(), claims);
            }
        }
    }
}

#[tokio::test]
async fn jose_and_aws_jwt_verify_say_what_the_table_says() {
    against(
        Path::new("node"),
        "node_modules/aws-jwt-verify",
        "verifiers.mjs",
    )
    .await;
}

#[tokio::test]
async fn pyjwt_says_what_the_table_says() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/.venv/bin/python");
    against(&python, ".venv/complete", "verifiers.py").await;
}

/// jsonwebtoken asks the machine's clock, so a token is left out whose answer changes within seconds.
#[test]
fn jsonwebtoken_says_what_the_table_says() {
    let now = now();
    let mint = Mint::pair("k1");
    let mut compared = 0;
    for audience in [Some("app"), None] {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[ISSUER]);
        validation.aud = audience.map(|audience| [audience.to_owned()].into());
        for claims in variations(now) {
            let token = mint.token(&claims);
            let of = |now| opinion(&token, &expected(audience, now), "jsonwebtoken-rust");
            let opinion = of(now);
            if of(now + 20).refusals != opinion.refusals {
                continue;
            }
            let said = jsonwebtoken::decode::<Value>(&token, mint.verifier(), &validation).err();
            let said = said.map(|error| format!("{:?}", error.kind()));
            assert_same(&opinion, said.as_deref(), &claims);
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}
