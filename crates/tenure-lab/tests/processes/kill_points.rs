//! The owner of the lock is killed at each step of a refresh; the others stay signed in.

use tempfile::TempDir;
use tenure_lab::proxy::{Fault, Hold};

use crate::fleet::Fleet;
use crate::service::{self, TOKEN};
use crate::strict::Strict;

/// Where the owner is killed, and how often the service is asked for a refresh in all.
const PLACES: [(&str, usize); 9] = [
    ("begin.mid_write", 1),
    ("begin.before_fsync", 1),
    ("begin.after_fsync", 1),
    ("begin.before_send", 1),
    ("begin.after_send", 2),
    ("begin.after_receive", 2),
    ("keep.mid_write", 2),
    // What was written outlives the process that wrote it; only a power cut would lose it.
    ("keep.before_fsync", 1),
    ("keep.after_fsync", 1),
];

const PROCESSES: usize = 8;

/// The first process takes the lock and is killed at `place` while the others wait for it.
async fn owner_killed_at(fleet: &mut Fleet, place: &str) {
    let mut owner = fleet.children.remove(0);
    owner.order(&format!("hold {place}")).await;
    owner.ask(1).await;
    assert_eq!(owner.says("lock").await, "held");
    assert_eq!(owner.says("held").await, place);
    fleet.ask(1).await;
    assert_eq!(fleet.busy().await, fleet.children.len(), "{place}");
    owner.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_killed_at_any_step_leaves_all_signed_in_at_tenure_serve() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&deployment.issuer(), directory.path(), PROCESSES).await;
    let mut asked = 0;
    for (place, times) in PLACES {
        service::expire(&deployment, &mut fleet).await;
        owner_killed_at(&mut fleet, place).await;
        fleet.one_token().await;
        asked += times;
        assert_eq!(service::refreshes(&deployment), asked, "{place}");

        fleet.join().await;
        service::expire(&deployment, &mut fleet).await;
        fleet.ask(1).await;
        fleet.one_token().await;
        asked += 1;
        assert_eq!(service::refreshes(&deployment), asked, "after {place}");
        let kept = fleet.kept().unwrap();
        assert!(deployment.is_active(&kept).await.unwrap(), "{place}");
    }
    let used_in_parallel = [("verdict", "parallel_use")];
    let refreshes = deployment.count("tenure_refreshes_total", &used_in_parallel);
    assert_eq!(refreshes.await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_killed_while_the_service_works_leaves_all_signed_in() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&deployment.issuer(), directory.path(), PROCESSES).await;
    let faults: [fn(Hold) -> Fault; 2] = [Fault::HoldRequest, Fault::HoldAnswer];
    for fault in faults {
        service::expire(&deployment, &mut fleet).await;
        let hold = Hold::default();
        deployment.proxy.next(TOKEN, fault(hold.clone()), 1);
        let mut owner = fleet.children.remove(0);
        owner.ask(1).await;
        hold.arrived(1).await;
        fleet.ask(1).await;
        assert_eq!(fleet.busy().await, fleet.children.len());
        owner.kill().await;
        // The survivors' request overtakes the one that is held, which arrives as a late duplicate.
        fleet.one_token().await;
        hold.release();
        fleet.join().await;
        service::expire(&deployment, &mut fleet).await;
        fleet.ask(1).await;
        fleet.one_token().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_killed_at_any_step_leaves_all_signed_in_where_a_used_token_is_theft() {
    let (strict, directory) = (Strict::start().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&strict.url, directory.path(), PROCESSES).await;
    let mut asked = 0;
    for (place, times) in PLACES {
        fleet.expire().await;
        owner_killed_at(&mut fleet, place).await;
        fleet.one_token().await;
        asked += times;
        assert_eq!(strict.refreshes(), asked, "{place}");
        fleet.join().await;
    }
    assert!(!strict.saw_theft());
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_intent_record_the_same_kill_ends_the_session() {
    let (strict, directory) = (Strict::start().await, TempDir::new().unwrap());
    let without = Some("without-intent");
    let mut fleet = Fleet::without(&strict.url, directory.path(), 2, without).await;
    fleet.expire().await;
    owner_killed_at(&mut fleet, "begin.after_receive").await;
    let failed = fleet.children[0].answer().await.unwrap_err();
    assert_eq!(failed["failed"], "sign_in_required", "{failed}");
    assert!(strict.saw_theft());
}
