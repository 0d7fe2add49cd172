//! A server that forgets, and a log that was put back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::Subject;
use tenure_core::lineage::{EndCause, Row};
use tenure_core::time::Timestamp;
use tenure_lab::redis::{Append, Engine, Options, Redis as Server};
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{ABSOLUTE, IDLE, START, cut, lineage, logout, session};
use tenure_store::{Entry, SessionLog as _, Shard, Sqlite, SqliteOptions, Store};

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

/// What replays a shard may be the end of another subject's sessions, before any load.
#[tokio::test]
async fn sessions_of_a_shard_that_an_end_replayed_are_not_swept() {
    let Some(server) = forgetful() else { return };
    let side = Side::new();
    let store = open(&side, &server, "p").await;
    let nobody = Subject::new("nobody");
    let shard = Shard::of_subject(&nobody);
    let beside = (1..=u64::from(Shard::COUNT)).find(|n| Shard::of(lineage(*n)) == shard);
    let beside = beside.unwrap();
    store.create(&session(beside)).await.unwrap();
    server.command::<String>(&["FLUSHALL"]).unwrap();
    store
        .revoke_subject(&nobody, cut(START), None)
        .await
        .unwrap();
    let over = START + IDLE + IDLE + Duration::from_secs(1);
    assert_eq!(store.purge(over, 10).await.unwrap().sessions, 0);
    assert!(store.load(lineage(beside)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_session_whose_key_alone_vanished_is_made_again() {
    let Some(server) = forgetful() else { return };
    let side = Side::new();
    let store = open(&side, &server, "p").await;
    let presenter = Presenter::new(&store);
    for n in [1, 2] {
        store.create(&session(n)).await.unwrap();
    }
    let first = presenter.first_token(&session(1));
    let token = presenter.present(&first, 10, START).await.unwrap().token();
    store.revoke(lineage(2), logout()).await.unwrap();
    for n in [1, 2] {
        let deleted: u32 = server.command(&["DEL", &key_of(n)]).unwrap();
        assert_eq!(deleted, 1);
    }
    // Not even the sweep takes it for one that went by itself.
    assert_eq!(store.purge(START, 10).await.unwrap().sessions, 0);
    let heard = presenter.present(&token, 11, START).await.unwrap();
    presenter
        .present(&heard.token(), 12, START)
        .await
        .unwrap()
        .token();
    assert_eq!(store.load(lineage(2)).await, Ok(None));
}

/// The cut that spared it is in the log with it, and so is one that did not.
#[tokio::test]
async fn a_session_that_is_made_again_is_spared_by_what_spared_it() {
    let Some(server) = forgetful() else { return };
    let side = Side::new();
    let store = open(&side, &server, "p").await;
    store.create(&session(1)).await.unwrap();
    let subject = session(1).grant.subject;
    let keep = Some(lineage(1));
    let ended = store.revoke_subject(&subject, cut(START), keep).await;
    assert_eq!(ended, Ok(Vec::new()));
    server.command::<u32>(&["DEL", &key_of(1)]).unwrap();
    let again = store.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!((again.row.revoked, again.cut), (None, None));
}

#[tokio::test]
async fn what_another_process_is_about_to_carry_out_marks_nothing() {
    let Some(server) = forgetful() else { return };
    let side = Side::new();
    let store = open(&side, &server, "p").await;
    let now = store.clock().await.unwrap().unwrap();
    let ago = |age: Duration| now.minus(age);
    for (n, begun, marked) in [(1, now, 0), (2, ago(Duration::from_mins(5)), 1)] {
        let row = session_at(n, begun);
        let shard = Shard::of(row.lineage);
        let entry = Entry::created(&row);
        side.sqlite.append(&[(shard, entry)]).await.unwrap();
        // Whoever writes after it carries it out first.
        let next = session_at(n + u64::from(Shard::COUNT), now);
        store.create(&next).await.unwrap();
        assert!(store.load(row.lineage).await.unwrap().is_some());
        let mark = format!("{{p:{}}}:replayed", shard.0);
        let exists: u32 = server.command(&["EXISTS", &mark]).unwrap();
        assert_eq!(exists, marked, "{n}");
    }
}

/// A server that came back older than it was may lack rotations and no entry.
#[tokio::test]
async fn after_a_restart_the_sweep_waits_in_every_shard() {
    let Some(mut server) = forgetful() else {
        return;
    };
    let side = Side::new();
    let store = open(&side, &server, "p").await;
    store.create(&session(1)).await.unwrap();
    drop(store);
    let untouched = "{p:77}:replayed";
    let marked = |server: &Server| server.command::<u32>(&["EXISTS", untouched]).unwrap();
    drop(open(&side, &server, "p").await);
    assert_eq!(marked(&server), 0);
    server.wipe().unwrap();
    drop(open(&side, &server, "p").await);
    assert_eq!(marked(&server), 1);
    server
        .command::<u32>(&["DEL", untouched, "p:runs"])
        .unwrap();
    let store = open(&side, &server, "p").await;
    assert!(store.load(lineage(1)).await.unwrap().is_some());
    drop(store);
    server
        .command::<String>(&["SET", "p:runs", "another server"])
        .unwrap();
    server.command::<u32>(&["DEL", untouched]).unwrap();
    drop(open(&side, &server, "p").await);
    assert_eq!(marked(&server), 1);
}

fn key_of(n: u64) -> String {
    let (shard, id) = (Shard::of(lineage(n)).0, lineage(n).0.simple());
    format!("{{p:{shard}}}:s:{id}")
}

fn session_at(n: u64, begun: Timestamp) -> Row {
    let row = session(n);
    let (secret, first) = (row.secret.clone(), row.head.id);
    Row::new(
        row.lineage,
        secret,
        first,
        row.grant,
        (IDLE, ABSOLUTE),
        begun,
    )
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
