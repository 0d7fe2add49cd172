//! The primary dies while its replica lags, and Sentinel promotes the replica.

use tenure_lab::redis::{Engine, Options, Sentinels};

use crate::bench::{adopted, engines, serve};
use crate::crowd::Crowd;
use crate::raw::lacking;

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_to_a_replica_that_lagged_costs_nobody_a_session() {
    for engine in engines(Engine::Redis7) {
        let mut group = Sentinels::start(engine, Options::default(), 1).unwrap();
        let servers = serve(&group.url()).await;
        let mut crowd = Crowd::at(&servers, 12).await;
        group.primary().wait_for_replicas(1).unwrap();
        group.hold_replicas_back().unwrap();
        crowd.busy(async |progress| progress.more(100).await).await;
        crowd.burst().await;

        // While it is suspended it cannot mend what the control looks at.
        servers.each[0].suspend().unwrap();
        group.fail_over().unwrap();
        let missing = lacking(&[group.primary()], &crowd);
        println!("{engine:?}: the promoted replica alone lacks {missing:?}");
        assert!(missing.sessions > 0 && missing.revocations > 0 && missing.rotations > 0);
        servers.each[0].resume().unwrap();

        crowd.goes_on(&format!("{engine:?} failed over")).await;
        let adopted = adopted(&servers).await;
        println!("{adopted} sessions were adopted by line 7");
        assert!(adopted > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_under_load_costs_nobody_a_session() {
    for engine in engines(Engine::Valkey8) {
        let mut group = Sentinels::start(engine, Options::default(), 2).unwrap();
        let servers = serve(&group.url()).await;
        let mut crowd = Crowd::at(&servers, 12).await;
        crowd
            .busy(async |progress| {
                progress.more(60).await;
                group.fail_over().unwrap();
                progress.more(30).await;
            })
            .await;
        crowd
            .goes_on(&format!("{engine:?} failed over under load"))
            .await;
    }
}
