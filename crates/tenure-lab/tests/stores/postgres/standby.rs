//! A synchronous standby: acknowledged means that it has it.

use std::sync::Arc;

use tenure_lab::postgres::{Options, Postgres as Server};
use tenure_store::conformance::{lineage, logout, session};
use tenure_store::{Revoked, Store as _, StoreError};

use super::statements::wait_for;
use super::{open, server};

#[tokio::test]
async fn a_wait_for_the_standby_that_is_cancelled_acknowledges_nothing() {
    if server().is_none() {
        return;
    }
    let primary = Server::start(&Options::default()).unwrap();
    let mut standby = primary.replica("standby", &Options::default()).unwrap();
    primary.wait_for_replica(Some("standby")).await.unwrap();
    let database = primary.fresh_database().await.unwrap();
    let store = Arc::new(open(&primary, &database).await.unwrap());
    store.check().await.unwrap();
    assert_eq!(store.describe().revoke_durability, "synchronous-standby");
    store.create(&session(0)).await.unwrap();

    standby.suspend_walreceiver().await.unwrap();
    let creating = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.create(&session(1)).await })
    };
    // PostgreSQL reports such a commit as done, with a warning.
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
        WHERE wait_event = 'SyncRep'";
    wait_for(&primary, "postgres", cancel, "1").await;
    let error = creating.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("standby"), "{error}");

    // An end that the standby never confirmed is in the row all the same: whoever asks again waits too.
    for _ in 0..2 {
        let ending = {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.revoke(lineage(0), logout()).await })
        };
        wait_for(&primary, "postgres", cancel, "1").await;
        let error = ending.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("standby"), "{error}");
    }

    standby.resume_walreceiver().unwrap();
    let ended = store.revoke(lineage(0), logout()).await;
    assert_eq!(ended, Ok(Revoked::Before(logout())));
    store.create(&session(2)).await.unwrap();
    assert!(store.load(lineage(2)).await.unwrap().is_some());
}
