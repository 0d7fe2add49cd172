//! A server that forgets, and a log that was put back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::lineage::EndCause;
use tenure_core::time::Timestamp;
use tenure_lab::redis::{Append, Engine, Options, Redis as Server};
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{IDLE, START, lineage, logout, session};
use tenure_store::{Sqlite, SqliteOptions, Store};

use super::{Side, is_here, options};

/// A server of its own that keeps nothing on a disk.
fn forgetful() -> Option<Server> {
    let engine = is_here(Engine::Redis7)?;
    let memory_only = Options {
        append: Append::Off,
        ..Options::default()
    };
    Some(Server::start(engine, memory_only).unwrap())
}

async fn open(side: &Side, server: &Server, prefix: &str) -> Arc<dyn Store> {
    let mut options = options(&server.url());
    prefix.clone_into(&mut options.prefix);
    Arc::new(side.open(&options).await.unwrap())
}

#[tokio::test]
async fn after_a_flush_sessions_come_back_and_ends_stay() {
    let Some(server) = forgetful() else { return };
    let side = Side::new();
    let store = open(&side, &server, "one").await;
    let presenter = Presenter::new(&store);
    let mut tokens = Vec::new();
    for n in 1..4 {
        let row = session(n);
        store.create(&row).await.unwrap();
        let mut token = presenter.first_token(&row);
        for fresh in 10..13 {
            token = presenter
                .present(&token, fresh * n, START)
                .await
                .unwrap()
                .token();
        }
        tokens.push(token);
    }
    store.revoke(lineage(2), logout()).await.unwrap();
    server.command::<String>(&["FLUSHALL"]).unwrap();
    let late = START + Duration::from_mins(10);
    let mut heard = Vec::new();
    for (fresh, token) in (100..).zip(&tokens) {
        heard.push(presenter.present(token, fresh, late).await.unwrap());
    }
    let over = Heard::Ended(EndCause::LoggedOut);
    assert!(matches!(
        heard.as_slice(),
        [Heard::Token(_), ended, Heard::Token(_)] if *ended == over
    ));
    // They go on from there.
    for heard in heard.into_iter().filter(|heard| *heard != over) {
        let next = presenter.present(&heard.token(), 200, late).await;
        next.unwrap().token();
    }
}

#[tokio::test]
async fn an_end_by_another_process_survives_a_server_that_forgets() {
    let Some(mut server) = forgetful() else {
        return;
    };
    let side = Side::new();
    let (one, other) = (
        open(&side, &server, "p").await,
        open(&side, &server, "p").await,
    );
    one.create(&session(1)).await.unwrap();
    assert!(other.load(lineage(1)).await.unwrap().is_some());
    one.revoke(lineage(1), logout()).await.unwrap();
    server.wipe().unwrap();
    let loaded = other.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!(loaded.row.revoked, Some(logout()));
    assert_eq!(one.load(lineage(1)).await.unwrap(), Some(loaded));
}

/// Its holder may be ahead of what came back, and has one idle period to show.
#[tokio::test]
async fn a_session_that_came_back_is_not_swept_for_one_idle_period() {
    let Some(server) = forgetful() else { return };
    let side = Side::new();
    let store = open(&side, &server, "p").await;
    store.create(&session(1)).await.unwrap();
    server.command::<String>(&["FLUSHALL"]).unwrap();
    assert!(store.load(lineage(1)).await.unwrap().is_some());
    let second = Duration::from_secs(1);
    let over = START + IDLE + IDLE + second;
    let swept = |now: Timestamp| {
        let store = Arc::clone(&store);
        async move { store.purge(now, 10).await.unwrap().sessions }
    };
    assert_eq!(swept(over).await, 0);
    assert_eq!(swept(over + IDLE).await, 0);
    assert_eq!(swept(over + IDLE + second).await, 1);
    assert_eq!(store.load(lineage(1)).await, Ok(None));
}

/// Redis is ahead of a log that a backup replaced: its numbers are given out again.
#[tokio::test]
async fn a_log_that_was_put_back_goes_on_with_what_redis_has() {
    let Some(server) = forgetful() else { return };
    let mut side = Side::new();
    let store = open(&side, &server, "p").await;
    store.create(&session(1)).await.unwrap();
    let backup = tempfile::tempdir().unwrap();
    copy(side.dir.path(), backup.path());
    for n in [1, 2, 3] {
        store.create(&session(n + 1024)).await.unwrap();
    }
    drop(store);
    side.sqlite = Arc::new(Sqlite::open(&SqliteOptions::new(backup.path())).unwrap());
    let store = open(&side, &server, "p").await;
    for n in [1, 2, 3] {
        store.create(&session(n + 2048)).await.unwrap();
        store.revoke(lineage(n + 2048), logout()).await.unwrap();
        for known in [n + 1024, n + 2048] {
            assert!(
                store.load(lineage(known)).await.unwrap().is_some(),
                "{known}"
            );
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
