//! A node of a Cluster dies while its replica lags.

use tenure_lab::actor::TokenAnswer;
use tenure_lab::redis::{Cluster, Engine, Options};

use crate::bench::{engines, serve};
use crate::crowd::Crowd;
use crate::raw::{has, lacking, rows};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_node_is_503_for_its_sessions_until_its_replica_is_promoted() {
    for engine in engines(Engine::Valkey8) {
        let mut cluster = Cluster::start(engine, &Options::default(), true).unwrap();
        let servers = serve(&cluster.url()).await;
        let mut crowd = Crowd::at(&servers, 12).await;
        let doomed = &cluster.primaries()[0];
        doomed.wait_for_replicas(1).unwrap();
        cluster.replicas()[0].hold_back(doomed).unwrap();
        crowd.busy(async |progress| progress.more(100).await).await;

        let on_it = rows(&[doomed]);
        cluster.kill9(0).unwrap();
        let (mut refused, mut went_on) = (0, 0);
        for user in &mut crowd.here {
            match (crowd.app.refresh(&user.token).await, has(&on_it, user)) {
                (TokenAnswer::Refused(refusal), true) => {
                    assert_eq!(refusal.status, 503, "{refusal:?}");
                    assert!(refusal.retry_after.is_some());
                    refused += 1;
                }
                (TokenAnswer::Granted(tokens), false) => {
                    tokens.refresh().unwrap().clone_into(&mut user.token);
                    went_on += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        println!("{engine:?}: 503 for {refused} sessions, {went_on} went on");
        assert!(refused > 0 && went_on > 0);

        servers.each[0].suspend().unwrap();
        cluster.wait_for_promotion(0).unwrap();
        let (old, new) = (cluster.primaries(), cluster.replicas());
        let missing = lacking(&[&new[0], &old[1], &old[2]], &crowd);
        println!("{engine:?}: the Cluster alone lacks {missing:?}");
        assert!(missing.rotations > 0);
        servers.each[0].resume().unwrap();
        crowd.goes_on(&format!("{engine:?} Cluster")).await;
    }
}
