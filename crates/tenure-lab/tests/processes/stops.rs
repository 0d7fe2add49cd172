//! The owner of the lock is suspended in the middle of a refresh. The processes' clocks move by
//! order, so ten seconds take no time.

use std::time::Duration;

use tempfile::TempDir;
use tenure_client::{Policy, Vault as _};
use tenure_lab::proxy::{Fault, Hold};

use crate::child::Child;
use crate::fleet::Fleet;
use crate::service::{self, TOKEN};
use crate::strict::Strict;

const PROCESSES: usize = 8;
/// Not yet the longest wait for the lock, and a bit more than what is missing; in milliseconds.
const ALMOST: u64 = 9_900;
const THE_REST: u64 = 200;

/// The first process of `fleet` is suspended while it owns the lock and waits for the service.
async fn owner_stopped(fleet: &mut Fleet, asked: impl Future<Output = ()>) -> Child {
    let mut owner = fleet.children.remove(0);
    owner.ask(1).await;
    asked.await;
    owner.stop();
    assert!(owns_the_lock(fleet));
    owner
}

/// Whether the suspended process still does.
fn owns_the_lock(fleet: &Fleet) -> bool {
    fleet.vault().try_lock().unwrap().is_none()
}

/// All but the owner ask and find the lock taken.
async fn all_wait(fleet: &mut Fleet) {
    fleet.ask(1).await;
    assert_eq!(fleet.busy().await, fleet.children.len());
}

/// The owner wakes up, gets its token, and the time that it missed passes for it, too.
async fn owner_back(fleet: &mut Fleet, mut owner: Child, missed: u64) {
    owner.answer().await.unwrap();
    owner.order(&format!("advance {missed}")).await;
    owner.says("advanced").await;
    fleet.children.push(owner);
}

#[test]
fn the_longest_wait_for_the_lock_is_ten_seconds() {
    let patience = Policy::default().lock_patience;
    assert_eq!(patience, Duration::from_secs(10));
    assert!((ALMOST..ALMOST + THE_REST).contains(&10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_suspended_owner_the_others_refresh_after_ten_seconds_at_tenure_serve() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&deployment.issuer(), directory.path(), PROCESSES).await;
    service::expire(&deployment, &mut fleet).await;
    let hold = Hold::default();
    let fault = Fault::HoldAnswer(hold.clone());
    deployment.proxy.next(TOKEN, fault, 1);
    let owner = owner_stopped(&mut fleet, hold.arrived(1)).await;
    all_wait(&mut fleet).await;
    fleet.pass(ALMOST).await;
    let asked = service::refreshes(&deployment);
    assert_eq!(asked, 0, "but the owner, whose answer is on its way");
    fleet.pass(THE_REST).await;
    for child in &mut fleet.children {
        child.answer().await.unwrap();
    }
    assert!(owns_the_lock(&fleet));

    owner.go_on();
    hold.release();
    owner_back(&mut fleet, owner, ALMOST + THE_REST).await;
    let asked = service::refreshes(&deployment);
    service::expire(&deployment, &mut fleet).await;
    fleet.ask(1).await;
    fleet.one_token().await;
    assert_eq!(service::refreshes(&deployment), asked + 1);
    let kept = fleet.kept().unwrap();
    assert!(deployment.is_active(&kept).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_suspended_owner_the_others_are_told_to_try_again_where_a_used_token_is_theft() {
    let (strict, directory) = (Strict::start().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&strict.url, directory.path(), PROCESSES).await;
    fleet.expire().await;
    strict.hold_answers();
    let owner = owner_stopped(&mut fleet, strict.seen(1)).await;
    all_wait(&mut fleet).await;
    fleet.pass(ALMOST + THE_REST).await;
    for child in &mut fleet.children {
        let failed = child.answer().await.unwrap_err();
        assert_eq!(failed["failed"], "transient", "{failed}");
    }
    // They try again by themselves, and go on trying.
    fleet.pass(60_000).await;
    fleet.pass(60_000).await;
    assert!(owns_the_lock(&fleet));
    assert_eq!(strict.refreshes(), 1, "the owner's");

    owner.go_on();
    strict.release();
    owner_back(&mut fleet, owner, ALMOST + THE_REST + 120_000).await;
    fleet.ask(1).await;
    for number in 0..fleet.children.len() {
        let mut tries = 1;
        while let Err(failed) = fleet.children[number].answer().await {
            fleet.try_again(number, &failed).await;
            tries += 1;
            assert!(tries < 10, "{failed}");
        }
    }
    assert!(!strict.saw_theft());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_suspended_owner_a_token_that_has_time_left_is_handed_out_at_once() {
    let (strict, directory) = (Strict::start().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&strict.url, directory.path(), PROCESSES).await;
    strict.hold_answers();
    // Only the owner is in a hurry.
    let owner = &mut fleet.children[0];
    owner.order("advance 45000").await;
    owner.says("advanced").await;
    let owner = owner_stopped(&mut fleet, strict.seen(1)).await;
    fleet.ask(1).await;
    fleet.one_token().await;
    drop(owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_suspended_owner_a_token_that_is_about_to_end_is_handed_out_after_ten_seconds() {
    let (strict, directory) = (Strict::start().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&strict.url, directory.path(), PROCESSES).await;
    fleet.pass(45_000).await;
    strict.hold_answers();
    let owner = owner_stopped(&mut fleet, strict.seen(1)).await;
    all_wait(&mut fleet).await;
    fleet.pass(ALMOST + THE_REST).await;
    fleet.one_token().await;
    assert_eq!(strict.refreshes(), 1, "the owner's");
    drop(owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_an_owner_suspended_in_the_middle_of_a_write_nobody_waits_for_ever() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&deployment.issuer(), directory.path(), 3).await;
    service::expire(&deployment, &mut fleet).await;
    let mut owner = fleet.children.remove(0);
    owner.order("hold begin.mid_write").await;
    owner.ask(1).await;
    owner.says("held").await;
    owner.stop();
    all_wait(&mut fleet).await;
    fleet.pass(ALMOST + THE_REST).await;
    // Five seconds of real time: the wait for a file lock follows no other clock.
    for child in &mut fleet.children {
        let failed = child.answer().await.unwrap_err();
        assert_eq!(failed["failed"], "storage_unavailable", "{failed}");
    }
    assert_eq!(service::refreshes(&deployment), 0);

    owner.kill().await;
    service::expire(&deployment, &mut fleet).await;
    fleet.ask(1).await;
    for child in &mut fleet.children {
        child.answer().await.unwrap();
    }
}
