//! Redis is killed under load, with its append-only file synced once a second.

use tenure_lab::redis::{Engine, Options, Redis};

use crate::bench::{engines, serve, times};
use crate::crowd::Crowd;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redis_costs_nobody_a_session() {
    for engine in engines(Engine::Redis7) {
        let mut redis = Redis::start(engine, Options::default()).unwrap();
        let servers = serve(&redis.url()).await;
        let mut crowd = Crowd::at(&servers, 12).await;
        for _ in 0..times(2, 20) {
            crowd
                .busy(async |progress| {
                    progress.more(80).await;
                    redis.kill9().unwrap();
                    redis.restart().unwrap();
                    progress.more(30).await;
                })
                .await;
            crowd.goes_on(&format!("{engine:?} killed")).await;
        }
    }
}
