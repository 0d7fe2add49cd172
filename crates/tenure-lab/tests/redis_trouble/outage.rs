//! Redis is away for ten minutes, while access tokens expire.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tenure_lab::actor::TokenAnswer;
use tenure_lab::redis::{Engine, Options, Redis};
use tenure_lab::servers::Servers;

use crate::bench::{engines, serve};
use crate::crowd::Crowd;

const MINUTE: u64 = 60;

fn json_of(base64: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(base64).unwrap()).unwrap()
}

async fn published(servers: &Servers) -> Vec<Value> {
    let url = format!("{}/oauth2/jwks", servers.issuer());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let set: Value = client.get(url).send().await.unwrap().json().await.unwrap();
    set["keys"].as_array().unwrap().clone()
}

/// The seconds for which a gate that has the published keys lets this token pass after its issue, if
/// the signature is good.
fn verified(token: &str, keys: &[Value]) -> Option<u64> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let kid = &json_of(header)["kid"];
    let key = keys.iter().find(|key| key["kid"] == *kid)?;
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], part("x"), part("y")].concat();
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &signature).ok()?;
    let claims = json_of(claims);
    Some(claims["exp"].as_u64()? - claims["iat"].as_u64()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_without_redis_are_503_and_then_everyone_goes_on() {
    for engine in engines(Engine::Redis7) {
        let mut redis = Redis::start(engine, Options::default()).unwrap();
        let servers = serve(&redis.url()).await;
        let mut crowd = Crowd::at(&servers, 4).await;
        assert!(crowd.signed_out(2).await.is_empty());

        servers.advance_clock(13 * MINUTE).await.unwrap();
        redis.kill9().unwrap();
        let mut refused = 0;
        for minute in 13..=23 {
            let keys = published(&servers).await;
            for user in &crowd.here {
                let lifetime = verified(&user.access_token, &keys).unwrap();
                assert_eq!(lifetime, 15 * MINUTE, "valid for two minutes of the ten");
                match crowd.app.refresh(&user.token).await {
                    TokenAnswer::Refused(refusal) => {
                        assert_eq!(
                            (refusal.status, refusal.error.as_deref()),
                            (503, Some("temporarily_unavailable")),
                            "minute {minute}: {refusal:?}"
                        );
                        assert!(refusal.retry_after.is_some());
                        refused += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
            servers.advance_clock(MINUTE).await.unwrap();
        }
        println!("{engine:?}: {refused} presentations were answered 503");
        redis.restart().unwrap();
        crowd
            .goes_on(&format!("{engine:?} away for ten minutes"))
            .await;
    }
}
