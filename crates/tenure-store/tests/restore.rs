//! The revocation log: what a restored backup must not forget.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

#[path = "support/home.rs"]
mod home;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use home::{back_up, home, open};
use tenure_core::id::Subject;
use tenure_core::lineage::{EndCause, Revocation};
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{
    ABSOLUTE, IDLE, START, create_all, cut, lineage, logout, row_of, session, session_of,
};
use tenure_store::{
    Entry, Loaded, Place, Purged, Record, Revoked, Sqlite, SqliteOptions, Store, restore_check,
};

const DAY: Duration = Duration::from_hours(24);

/// The store must be closed.
fn restore(dir: &Path, backup: &[u8]) {
    for beside in ["tenure.db-wal", "tenure.db-shm"] {
        assert!(!dir.join(beside).exists(), "the store is still open");
    }
    fs::write(dir.join("tenure.db"), backup).unwrap();
}

#[tokio::test]
async fn a_restored_backup_learns_every_end_it_lacks() {
    let home = home();
    let store = open(home.path());
    let (other, later) = (session_of("user-2", 3), session_of("user-4", 4));
    create_all(
        &store,
        &[session(1), session(2), other, session_of("user-3", 5)],
    )
    .await;
    let backup = back_up(home.path());
    store.create(&later).await.unwrap();
    store.revoke(lineage(1), logout()).await.unwrap();
    store.revoke(later.lineage, logout()).await.unwrap();
    let (user, at) = (Subject::new("user-2"), cut(START + DAY));
    store.revoke_subject(&user, at, None).await.unwrap();
    drop(store);
    restore(home.path(), &backup);

    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(1)).await.revoked, Some(logout()));
    assert_eq!(row_of(&store, lineage(2)).await, session(2));
    let ended = row_of(&store, lineage(3)).await.revoked;
    assert_eq!(
        ended.map(|end| end.cause),
        Some(EndCause::CredentialsChanged)
    );
    assert_eq!(row_of(&store, later.lineage).await.revoked, Some(logout()));
    assert_eq!(store.logged_end(later.lineage).await, Ok(Some(logout())));
    assert_eq!(store.logged_end(lineage(5)).await, Ok(None));
    create_all(&store, &[session_of("user-2", 9)]).await;
    assert_eq!(store.load(lineage(9)).await.unwrap().unwrap().cut, Some(at));
}

/// As they began; whoever went on since is ahead of the row, and is adopted.
#[tokio::test]
async fn a_restored_backup_gets_back_the_sessions_that_began_since() {
    let home = home();
    let store = open(home.path());
    let backup = back_up(home.path());
    let mut idle = session(2);
    idle.device.label = Some("Ana's phone".to_owned());
    idle.dpop_jkt = Some("thumbprint".to_owned());
    create_all(&store, &[session(1), idle.clone(), session(3)]).await;
    let mut server = Presenter::new(&store);
    let mut token = server.first_token(&session(1));
    for fresh in 0..5 {
        let heard = server.present(&token, 100 + fresh, START).await;
        token = heard.unwrap().token();
    }
    store.revoke(lineage(3), logout()).await.unwrap();
    drop((store, server));
    restore(home.path(), &backup);

    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(2)).await, idle);
    server = Presenter::new(&store);
    for fresh in 0..3 {
        let heard = server.present(&token, 200 + fresh, START).await;
        token = heard.unwrap().token();
    }
    let ended = server.first_token(&session(3));
    let heard = server.present(&ended, 9, START).await;
    assert_eq!(heard, Ok(Heard::Ended(EndCause::LoggedOut)));
    let listed = store.sessions_of(&Subject::new("user-1")).await.unwrap();
    assert_eq!(listed.len(), 3);
}

#[tokio::test]
async fn a_session_that_was_purged_before_the_restore_does_not_come_back_from_the_log() {
    let home = home();
    let store = open(home.path());
    let backup = back_up(home.path());
    create_all(&store, &[session(1)]).await;
    let late = START + ABSOLUTE + DAY;
    assert_eq!(store.purge(late, 10).await.unwrap().sessions, 1);
    drop(store);
    restore(home.path(), &backup);
    assert_eq!(open(home.path()).load(lineage(1)).await, Ok(None));
}

/// Their lines tell that a session began, and no more.
#[tokio::test]
async fn sessions_in_the_log_of_an_older_program_stay_lost_and_their_ends_known() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    let backup = back_up(home.path());
    create_all(&store, &[session(1), session(2)]).await;
    store.revoke(lineage(1), logout()).await.unwrap();
    drop(store);
    restore(home.path(), &backup);
    let older: String = fs::read_to_string(&log)
        .unwrap()
        .lines()
        .map(older)
        .collect();
    fs::write(&log, older).unwrap();
    let store = open(home.path());
    for n in [1, 2] {
        assert_eq!(store.load(lineage(n)).await, Ok(None));
    }
    assert_eq!(store.logged_end(lineage(1)).await, Ok(Some(logout())));
    assert_eq!(store.logged_end(lineage(2)).await, Ok(None));
}

/// Of sixteen mebibytes about sessions that are over, a few lines about living ones are left; and
/// they are enough for a backup from before.
#[tokio::test]
async fn a_large_log_is_compacted_by_the_sweep_and_serves_older_backups() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    create_all(&store, &[session(1), session(2), session(3), session(4)]).await;
    let backup = back_up(home.path());
    store.revoke(lineage(1), logout()).await.unwrap();
    let (user, at) = (Subject::new("user-2"), cut(START + DAY));
    store.revoke_subject(&user, at, None).await.unwrap();
    create_all(&store, &[session(5)]).await;
    let running = open(home.path());
    grow(&log);
    drop(store);

    let large = fs::metadata(&log).unwrap().len();
    // As every command does, which must not hold up the service for that long.
    let store = open(home.path());
    assert_eq!(fs::metadata(&log).unwrap().len(), large);
    assert_eq!(store.purge(START, 10).await, Ok(Purged::default()));
    let lines = fs::read_to_string(&log).unwrap();
    assert!(lines.len() < 8192, "{} bytes are left", lines.len());
    assert!(lines.starts_with(r#"{"log":{"generation":"#), "{lines}");
    // A process that had the old file open goes on in the new one.
    running.revoke(lineage(2), logout()).await.unwrap();
    assert_eq!(store.revoke(lineage(4), logout()).await, Ok(Revoked::Now));
    drop((store, running));
    assert_eq!(
        fs::read_to_string(&log).unwrap().lines().count(),
        lines.lines().count() + 2
    );
    let place = Place::Sqlite(SqliteOptions::new(home.path()));
    assert!(restore_check(&place).await.unwrap().is_complete());

    restore(home.path(), &backup);
    let report = restore_check(&place).await.unwrap();
    assert_eq!(
        (
            report.sessions_missing,
            report.ends_missing,
            report.cuts_missing
        ),
        (1, 3, 1)
    );
    let store = open(home.path());
    for n in [1, 2, 4] {
        assert_eq!(row_of(&store, lineage(n)).await.revoked, Some(logout()));
    }
    for n in [3, 5] {
        assert_eq!(row_of(&store, lineage(n)).await, session(n));
    }
    create_all(&store, &[session_of("user-2", 9)]).await;
    assert_eq!(store.load(lineage(9)).await.unwrap().unwrap().cut, Some(at));
}

/// The sweep reads the log while the writer goes on.
#[tokio::test]
async fn what_is_written_while_the_log_is_compacted_is_in_it() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    let backup = back_up(home.path());
    create_all(&store, &[session(1)]).await;
    drop(store);
    grow(&log);
    let store = open(home.path());
    let writing = async {
        for n in 2..40 {
            create_all(&store, &[session(n)]).await;
            store.revoke(lineage(n), logout()).await.unwrap();
        }
    };
    let (purged, ()) = tokio::join!(store.purge(START, 10), writing);
    assert_eq!(purged, Ok(Purged::default()));
    assert!(fs::metadata(&log).unwrap().len() < 1 << 16);
    drop(store);
    restore(home.path(), &backup);

    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(1)).await, session(1));
    for n in 2..40 {
        assert_eq!(row_of(&store, lineage(n)).await.revoked, Some(logout()));
    }
}

/// A kind of entry, and a reason to end a session, that a later program may have.
fn lines_of_a_newer_program() -> [String; 2] {
    let suspended = serde_json::json!({ "suspended": { "lineage": lineage(1), "at": START } });
    let revoked = serde_json::json!({ "revoked": {
        "lineage": lineage(1), "at": START, "cause": "for_a_new_reason",
    }});
    [suspended, revoked].map(|line| format!("{line}\n"))
}

#[tokio::test]
async fn a_line_of_a_newer_program_is_refused_until_that_is_back() {
    for unknown in lines_of_a_newer_program() {
        let home = home();
        let log = home.path().join("revocations.log");
        let store = open(home.path());
        create_all(&store, &[session(1), session(2)]).await;
        let lines = fs::read_to_string(&log).unwrap();
        fs::write(&log, lines.clone() + &unknown).unwrap();
        let refused = store.revoke(lineage(2), logout()).await.unwrap_err();
        assert!(refused.to_string().contains("upgrade tenure"), "{refused}");
        drop(store);
        let options = SqliteOptions::new(home.path());
        for _ in 0..2 {
            let refused = Sqlite::open(&options).unwrap_err().to_string();
            assert!(refused.contains("upgrade tenure"), "{refused}");
        }
        let refused = restore_check(&Place::Sqlite(options)).await.unwrap_err();
        assert!(refused.to_string().contains("upgrade tenure"), "{refused}");
        assert_eq!(fs::read_to_string(&log).unwrap(), lines.clone() + &unknown);

        fs::write(&log, lines).unwrap();
        let store = open(home.path());
        assert_eq!(row_of(&store, lineage(2)).await, session(2));
    }
}

/// The newer program has written the database too.
#[tokio::test]
async fn a_log_with_a_line_of_a_newer_program_is_not_compacted() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    create_all(&store, &[session(1)]).await;
    drop(store);
    grow(&log);
    let mut file = fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(lines_of_a_newer_program().concat().as_bytes())
        .unwrap();
    let length = fs::metadata(&log).unwrap().len();
    rusqlite::Connection::open(home.path().join("tenure.db"))
        .unwrap()
        .execute(
            "UPDATE meta SET value = ?1 WHERE name = 'log_end'",
            [length.cast_signed()],
        )
        .unwrap();
    let store = open(home.path());
    assert_eq!(store.purge(START, 10).await, Ok(Purged::default()));
    assert_eq!(fs::metadata(&log).unwrap().len(), length);
}

#[tokio::test]
async fn imported_cuts_and_whom_they_spared_outlive_a_restore() {
    let home = home();
    let store = open(home.path());
    let backup = back_up(home.path());
    let (user, at) = (Subject::new("user-1"), cut(START + DAY));
    let moved = |n, cut| {
        let row = session(n);
        Record::Session(Box::new(Loaded { row, cut }))
    };
    let records = [
        Record::Cut(user, at),
        moved(1, None),
        moved(2, Some(at)),
        Record::Cut(Subject::new("user-2"), at),
    ];
    assert_eq!(store.import(&records).await, Ok(4));
    assert_eq!(store.import(&records).await, Ok(0));
    drop(store);
    restore(home.path(), &backup);

    let store = open(home.path());
    create_all(&store, &[session_of("user-2", 3)]).await;
    for (n, cut) in [(1, None), (2, Some(at)), (3, Some(at))] {
        let loaded = store.load(lineage(n)).await.unwrap().unwrap();
        assert_eq!(loaded.cut, cut, "session {n}");
    }
}

/// Sessions that began, ended and were deleted years ago.
fn grow(log: &Path) {
    let mut log = fs::OpenOptions::new().append(true).open(log).unwrap();
    let years = START.minus(DAY * 3000);
    for n in 0..5000 {
        let mut row = session(1_000_000 + n);
        row.created_at = years;
        row.expires_absolute = years + ABSOLUTE;
        row.device.user_agent = Some("x".repeat(4000));
        let lineages = vec![row.lineage];
        let until = Some(row.expires_absolute);
        for entry in [Entry::created(&row), Entry::Deleted { lineages, until }] {
            let line = serde_json::to_string(&entry).unwrap();
            writeln!(log, "{line}").unwrap();
        }
    }
}

fn older(line: &str) -> String {
    let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
    if let Some(created) = line.get_mut("created") {
        created.as_object_mut().unwrap().remove("begun").unwrap();
    }
    format!("{line}\n")
}

#[tokio::test]
async fn a_kept_session_stays_kept_over_a_restore() {
    let home = home();
    let store = open(home.path());
    create_all(&store, &[session(1), session(2)]).await;
    let backup = back_up(home.path());
    let (user, at) = (Subject::new("user-1"), cut(START + DAY));
    store
        .revoke_subject(&user, at, Some(lineage(1)))
        .await
        .unwrap();
    drop(store);
    restore(home.path(), &backup);
    let store = open(home.path());
    let kept = store.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!((kept.row.revoked, kept.cut), (None, None));
    assert!(row_of(&store, lineage(2)).await.revoked.is_some());
}

/// The client holds a token that is ahead of the restored row: it stays signed in, unless its
/// session ended meanwhile.
#[tokio::test]
async fn a_client_ahead_of_a_restored_backup_goes_on() {
    let home = home();
    let store = open(home.path());
    create_all(&store, &[session(1), session_of("user-2", 2)]).await;
    let backup = back_up(home.path());
    let mut server = Presenter::new(&store);
    let mut tokens = [1, 2].map(|n| server.first_token(&session(n)));
    let mut now = START;
    for fresh in 0..4 {
        now = now + Duration::from_hours(1);
        for token in &mut tokens {
            *token = server
                .present(token, 100 + fresh, now)
                .await
                .unwrap()
                .token();
        }
    }
    store.revoke(lineage(2), logout()).await.unwrap();
    drop((store, server));
    restore(home.path(), &backup);

    let store = open(home.path());
    server = Presenter::new(&store);
    let [mut going, ended] = tokens;
    for fresh in 0..3 {
        now = now + Duration::from_hours(1);
        going = server
            .present(&going, 200 + fresh, now)
            .await
            .unwrap()
            .token();
    }
    let heard = server.present(&ended, 9, now).await;
    assert_eq!(heard, Ok(Heard::Ended(EndCause::LoggedOut)));
}

#[tokio::test]
async fn a_restored_store_deletes_nothing_for_an_idle_period() {
    let home = home();
    let store = open(home.path());
    create_all(&store, &[session(1), session(2)]).await;
    let backup = back_up(home.path());
    store.revoke(lineage(2), logout()).await.unwrap();
    drop(store);
    restore(home.path(), &backup);
    let store = open(home.path());
    let late = START + ABSOLUTE + ABSOLUTE;
    assert_eq!(store.purge(late, 10).await, Ok(Purged::default()));
    drop(store);
    let store = open(home.path());
    assert_eq!(store.purge(late + IDLE, 10).await, Ok(Purged::default()));
    let swept = store
        .purge(late + IDLE + Duration::from_secs(1), 10)
        .await
        .unwrap();
    assert_eq!(swept.sessions, 2);
}

#[tokio::test]
async fn a_purged_session_does_not_come_back_with_a_backup() {
    let home = home();
    let store = open(home.path());
    create_all(&store, &[session(1)]).await;
    let backup = back_up(home.path());
    assert_eq!(
        store
            .purge(START + ABSOLUTE + DAY, 10)
            .await
            .unwrap()
            .sessions,
        1
    );
    drop(store);
    restore(home.path(), &backup);
    assert_eq!(open(home.path()).load(lineage(1)).await, Ok(None));
}

#[tokio::test]
async fn a_torn_last_line_of_the_log_is_skipped() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    create_all(&store, &[session(1), session(2), session(3)]).await;
    let backup = back_up(home.path());
    store.revoke(lineage(1), logout()).await.unwrap();
    drop(store);
    restore(home.path(), &backup);
    let mut torn = fs::OpenOptions::new().append(true).open(&log).unwrap();
    torn.write_all(br#"{"revoked":{"lineage":"01900"#).unwrap();
    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(1)).await.revoked, Some(logout()));
    store.revoke(lineage(2), logout()).await.unwrap();
    drop(store);
    restore(home.path(), &backup);
    let store = open(home.path());
    for n in [1, 2] {
        assert_eq!(row_of(&store, lineage(n)).await.revoked, Some(logout()));
    }
    assert_eq!(row_of(&store, lineage(3)).await.revoked, None);
}

/// Torn by another process while this one runs, and a hole where pages of the log were lost.
#[tokio::test]
async fn foreign_leftovers_in_the_log_are_replayed_before_the_next_append() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    create_all(&store, &[session(1), session(2)]).await;
    let line = serde_json::json!({ "revoked": {
        "lineage": lineage(1), "at": START, "cause": "logged_out",
    }});
    let mut leftover = fs::OpenOptions::new().append(true).open(&log).unwrap();
    leftover.write_all(&[0; 64]).unwrap();
    write!(leftover, "\n{line}\n{{\"crea").unwrap();
    assert_eq!(store.logged_end(lineage(1)).await, Ok(Some(logout())));
    assert_eq!(
        store.revoke(lineage(1), logout()).await,
        Ok(Revoked::Before(logout()))
    );
    assert_eq!(store.revoke(lineage(2), logout()).await, Ok(Revoked::Now));
    drop(store);
    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(2)).await.revoked, Some(logout()));
}

#[tokio::test]
async fn a_log_that_is_lost_or_replaced_begins_anew() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    create_all(&store, &[session(1), session(2), session(3)]).await;
    fs::remove_file(&log).unwrap();
    store.revoke(lineage(1), logout()).await.unwrap();
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 1);
    let backup = back_up(home.path());
    store.revoke(lineage(2), logout()).await.unwrap();
    drop(store);
    restore(home.path(), &backup);
    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(2)).await.revoked, Some(logout()));
    drop(store);

    fs::write(&log, "").unwrap();
    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(3)).await.revoked, None);
    assert_eq!(store.revoke(lineage(3), logout()).await, Ok(Revoked::Now));
    assert_eq!(store.describe().revoke_durability, "separate-log");
}

/// As log rotation does, with and without a new file in its place.
#[tokio::test]
async fn a_log_that_was_moved_away_begins_anew() {
    let home = home();
    let log = home.path().join("revocations.log");
    let store = open(home.path());
    create_all(&store, &[session(1), session(2)]).await;
    for n in [1, 2] {
        fs::rename(&log, home.path().join(format!("revocations.log.{n}"))).unwrap();
        if n == 2 {
            fs::write(&log, "").unwrap();
        }
        store.revoke(lineage(n), logout()).await.unwrap();
        let lines = fs::read_to_string(&log).unwrap();
        assert_eq!(lines.lines().count(), 1, "{lines}");
    }
}

#[tokio::test]
async fn the_log_tells_creates_ends_cuts_and_deletions() {
    let home = home();
    let mut options = SqliteOptions::new(home.path().join("data"));
    let log = home.path().join("elsewhere.log");
    options.journal = Some(log.clone());
    let store = Sqlite::open(&options).unwrap();
    let why = Revocation {
        at: START,
        cause: EndCause::RevokedByAdmin,
    };
    store.create(&session(1)).await.unwrap();
    store.revoke(lineage(1), why).await.unwrap();
    store.revoke(lineage(1), why).await.unwrap();
    store
        .revoke_subject(&Subject::new("user-1"), cut(START), Some(lineage(1)))
        .await
        .unwrap();
    store.purge(START + ABSOLUTE + DAY, 10).await.unwrap();
    let id = lineage(1);
    let begun = serde_json::json!({
        "secret": "00000000000000010707070707070707",
        "first": 1_u64 | 1 << 63,
        "grant": session(1).grant,
        "idle": IDLE.as_secs(),
        "expires_absolute": START + ABSOLUTE,
        "device": session(1).device,
        "dpop_jkt": null,
    });
    let expected = [
        serde_json::json!({ "created": { "lineage": id, "at": START, "begun": begun } }),
        serde_json::json!({ "revoked": { "lineage": id, "at": START, "cause": "revoked_by_admin" } }),
        serde_json::json!({ "cut": {
            "subject": "user-1", "before": START, "cause": "credentials_changed", "keep": id,
        }}),
        serde_json::json!({ "deleted": { "lineages": [id], "until": START + ABSOLUTE } }),
    ];
    let lines = fs::read_to_string(log).unwrap();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, expected);
}
