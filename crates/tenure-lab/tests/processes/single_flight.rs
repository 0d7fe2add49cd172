//! Eight processes with eight tasks each make one refresh.

use tempfile::TempDir;
use tenure_lab::proxy::{Fault, Hold};

use crate::fleet::Fleet;
use crate::service::{self, TOKEN};
use crate::strict::Strict;

const PROCESSES: usize = 8;
const TASKS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_with_eight_tasks_refresh_once_at_tenure_serve() {
    let (deployment, directory) = (service::serve().await, TempDir::new().unwrap());
    let vault = directory.path().join("vault");
    let mut fleet = Fleet::signed_in(&deployment.issuer(), &vault, PROCESSES).await;
    let mut before = None;
    for expiry in 1..=3 {
        service::expire(&deployment, &mut fleet).await;
        let hold = Hold::default();
        deployment
            .proxy
            .next(TOKEN, Fault::HoldAnswer(hold.clone()), 1);
        fleet.ask(TASKS).await;
        hold.arrived(1).await;
        assert_eq!(fleet.busy().await, PROCESSES - 1, "all at the same time");
        hold.release();
        let token = Some(fleet.one_token().await);
        assert_ne!(token, before, "a new token");
        before = token;
        assert_eq!(service::refreshes(&deployment), expiry);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_with_eight_tasks_refresh_once_where_a_second_refresh_is_theft() {
    let (strict, directory) = (Strict::start().await, TempDir::new().unwrap());
    let mut fleet = Fleet::signed_in(&strict.url, directory.path(), PROCESSES).await;
    for expiry in 1..=3 {
        fleet.expire().await;
        strict.hold_answers();
        fleet.ask(TASKS).await;
        strict.seen(expiry).await;
        assert_eq!(fleet.busy().await, PROCESSES - 1, "all at the same time");
        strict.release();
        fleet.one_token().await;
        assert_eq!(strict.refreshes(), expiry);
    }
    assert!(!strict.saw_theft());
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_lock_eight_processes_refresh_eight_times() {
    let (strict, directory) = (Strict::start().await, TempDir::new().unwrap());
    let vault = directory.path();
    let mut fleet = Fleet::without(&strict.url, vault, PROCESSES, Some("without-lock")).await;
    fleet.expire().await;
    strict.hold_answers();
    fleet.ask(TASKS).await;
    strict.seen(PROCESSES).await;
    strict.release();
    for child in &mut fleet.children {
        child.answer().await.unwrap();
    }
    assert_eq!(strict.refreshes(), PROCESSES);
}
