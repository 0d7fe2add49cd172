//! The session log in SQLite.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

#[path = "support/home.rs"]
#[expect(dead_code, reason = "a log is opened as what it is, not as a store")]
mod home;

use std::fs;

use home::{back_up, home};
use tempfile::TempDir;
use tenure_core::id::Subject;
use tenure_store::conformance::session_log::LogFixture;
use tenure_store::conformance::{START, cut, lineage, logout, session};
use tenure_store::{
    Entry, Position, SessionLog, Shard, Sqlite, SqliteOptions, cut_entries, session_log_conformance,
};

fn opened(home: &TempDir, name: &str) -> Sqlite {
    Sqlite::open(&SqliteOptions::new(home.path().join(name))).unwrap()
}

fn fixture() -> LogFixture {
    let home = home();
    let [log, other, apart] = ["data", "data", "apart"].map(|name| opened(&home, name));
    LogFixture::new(log, other, apart, home)
}

session_log_conformance!(fixture());

/// Its entries are in the revocation log too, with their positions.
#[tokio::test]
async fn a_restored_older_database_has_all_entries_and_gives_no_position_out_twice() {
    let home = home();
    let log = opened(&home, "data");
    let created = |n| (Shard::of(lineage(n)), Entry::created(&session(n)));
    log.append(&[created(1), created(2)]).await.unwrap();
    let data = home.path().join("data");
    let backup = back_up(&data);
    let end = Entry::Revoked {
        lineage: lineage(1),
        why: logout(),
    };
    log.append(&[(Shard::of(lineage(1)), end), created(3)])
        .await
        .unwrap();
    let (user, at) = (Subject::new("user-1"), cut(START));
    log.set_cut(&user, at).await.unwrap();
    let entries = cut_entries(&user, at, None, &[lineage(2)]);
    log.append(&entries).await.unwrap();
    let expected = everything(&log).await;
    drop(log);
    fs::write(data.join("tenure.db"), backup).unwrap();

    let log = opened(&home, "data");
    assert_eq!(everything(&log).await, expected);
    assert_eq!(log.end_of(lineage(1)).await, Ok(Some(logout())));
    assert_eq!(log.cut_of(&user).await, Ok(Some(at)));
    let next = log.append(&[created(1)]).await.unwrap();
    assert_eq!(next[0].at, 3);
    // They are another store's: none of them is a session here.
    let none = tenure_store::Store::load(&log, lineage(3)).await;
    assert_eq!(none, Ok(None));
}

async fn everything(log: &Sqlite) -> Vec<(Position, Entry)> {
    let mut heads = log.heads().await.unwrap();
    heads.sort();
    let mut entries = Vec::new();
    for head in heads {
        let from = Position { at: 0, ..head };
        entries.extend(log.after(from, 100).await.unwrap());
    }
    entries
}
