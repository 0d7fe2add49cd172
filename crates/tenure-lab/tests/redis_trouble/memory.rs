//! Redis is full and may evict nothing.

use tenure_lab::actor::TokenAnswer;
use tenure_lab::crowd::User;
use tenure_lab::redis::{Engine, Options, Redis};

use crate::bench::{engines, serve};
use crate::crowd::Crowd;
use crate::raw::rows;

fn limit(redis: &Redis, bytes: &str) {
    let set = ["CONFIG", "SET", "maxmemory", bytes];
    redis.command::<String>(&set).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_is_503_evicts_nothing_and_recovers() {
    for engine in engines(Engine::Valkey8) {
        let redis = Redis::start(engine, Options::default()).unwrap();
        let servers = serve(&redis.url()).await;
        let mut crowd = Crowd::at(&servers, 6).await;
        crowd.burst().await;
        let before = rows(&[&redis]).len();
        // Less than it has: every write is refused.
        limit(&redis, "1mb");
        for user in &mut crowd.here {
            // The step to their newest token is a write, which is refused.
            match crowd.app.refresh(&user.token).await {
                TokenAnswer::Refused(refusal) => {
                    assert_eq!(refusal.status, 503, "{refusal:?}");
                    assert!(refusal.retry_after.is_some());
                }
                other => panic!("{other:?}"),
            }
        }
        let newcomer = User::sign_in(&crowd.at).await;
        assert!(newcomer.is_err(), "a sign-in was acknowledged");
        assert_eq!(rows(&[&redis]).len(), before, "something was evicted");
        println!(
            "{engine:?}: 503 for {} sessions, {before} rows stay",
            crowd.here.len()
        );

        limit(&redis, "0");
        crowd.goes_on(&format!("{engine:?} full")).await;
        User::sign_in(&crowd.at).await.unwrap();
    }
}
