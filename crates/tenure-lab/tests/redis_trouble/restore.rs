//! Redis comes back empty, or as it was yesterday.

use tenure_lab::redis::{Append, Engine, Options, Redis};

use crate::bench::{adopted, engines, serve};
use crate::crowd::Crowd;
use crate::raw::{lacking, rows};

const DAY: u64 = 24 * 3600;

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_redis_costs_nobody_a_session() {
    for engine in engines(Engine::Redis7) {
        let redis = Redis::start(engine, Options::default()).unwrap();
        let servers = serve(&redis.url()).await;
        let mut crowd = Crowd::at(&servers, 6).await;
        crowd.busy(async |progress| progress.more(60).await).await;
        servers.each[0].suspend().unwrap();
        redis.command::<String>(&["FLUSHALL"]).unwrap();
        println!(
            "{engine:?}: Redis alone lacks {:?}",
            lacking(&[&redis], &crowd)
        );
        assert!(rows(&[&redis]).is_empty());
        servers.each[0].resume().unwrap();
        crowd.goes_on(&format!("{engine:?} flushed")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_starts_empty_costs_nobody_a_session() {
    for engine in engines(Engine::Valkey8) {
        let options = Options {
            append: Append::Off,
            ..Options::default()
        };
        let mut redis = Redis::start(engine, options).unwrap();
        let mut servers = serve(&redis.url()).await;
        let mut crowd = Crowd::at(&servers, 6).await;
        for (with_service, after) in [(false, "empty Redis"), (true, "both restarted")] {
            crowd.busy(async |progress| progress.more(60).await).await;
            let before = rows(&[&redis]).len();
            if with_service {
                servers.each[0].kill9().unwrap();
            }
            redis.restart().unwrap();
            if with_service {
                assert!(before > 6 && rows(&[&redis]).is_empty());
                servers.each[0].restart().unwrap();
            }
            crowd.goes_on(after).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn yesterdays_redis_costs_nobody_a_session() {
    for engine in engines(Engine::Redis7) {
        let mut redis = Redis::start(engine, Options::default()).unwrap();
        let servers = serve(&redis.url()).await;
        let mut crowd = Crowd::at(&servers, 8).await;
        crowd.busy(async |progress| progress.more(60).await).await;
        let yesterday = redis.back_up().unwrap();
        servers.advance_clock(DAY).await.unwrap();
        crowd.busy(async |progress| progress.more(60).await).await;
        crowd.burst().await;

        // While it is suspended it cannot mend what the control looks at.
        servers.each[0].suspend().unwrap();
        redis.restore(&yesterday).unwrap();
        let missing = lacking(&[&redis], &crowd);
        println!("{engine:?}: yesterday's Redis alone lacks {missing:?}");
        assert!(missing.sessions > 0 && missing.revocations > 1 && missing.rotations > 0);
        servers.each[0].resume().unwrap();
        crowd.goes_on(&format!("{engine:?} of yesterday")).await;
        println!("{} adopted", adopted(&servers).await);
    }
}
