//! The files of the embedded store: made, refused, shared, and of constant size.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

#[path = "support/home.rs"]
mod home;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use home::{back_up, home, open};
use tenure_core::id::Subject;
use tenure_store::conformance::presenter::Presenter;
use tenure_store::conformance::{START, create_all, lineage, logout, row_of, session};
use tenure_store::{
    OpenError, Sqlite, SqliteOptions, Store, StoreError, Synchronous, User, Written,
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    let home = home();
    let dir = home.path().join("a/b");
    let store = open(&dir);
    store.create(&session(1)).await.unwrap();
    assert_eq!(mode(&dir), 0o700);
    for file in [
        "tenure.db",
        "tenure.db-wal",
        "tenure.db-shm",
        "revocations.log",
    ] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let home = home();
    let store = open(home.path());
    create_all(&store, &[session(1), session(2)]).await;
    store.revoke(lineage(1), logout()).await.unwrap();
    let version = store.version().await.unwrap();
    drop(store);
    let store = open(home.path());
    assert_eq!(row_of(&store, lineage(1)).await.revoked, Some(logout()));
    assert_eq!(row_of(&store, lineage(2)).await, session(2));
    assert_eq!(store.version().await, Ok(version));
    assert!(store.describe().durable);
}

#[tokio::test]
async fn a_database_that_was_deleted_or_replaced_fails_the_check() {
    let home = home();
    let store = open(home.path());
    let file = home.path().join("tenure.db");
    assert_eq!(store.check().await, Ok(()));
    fs::rename(&file, home.path().join("moved.db")).unwrap();
    assert!(matches!(
        store.check().await,
        Err(StoreError::Unavailable(_))
    ));
    fs::write(&file, "").unwrap();
    assert!(matches!(
        store.check().await,
        Err(StoreError::Unavailable(_))
    ));
}

#[test]
fn a_file_from_a_newer_program_is_refused() {
    let home = home();
    drop(open(home.path()));
    let database = rusqlite::Connection::open(home.path().join("tenure.db")).unwrap();
    let set = |name: &str, value: u32| {
        database
            .execute("UPDATE meta SET value = ?2 WHERE name = ?1", (name, value))
            .unwrap();
    };
    set("schema", 9);
    drop(open(home.path()));
    set("min_reader", 8);
    let refused = Sqlite::open(&SqliteOptions::new(home.path())).unwrap_err();
    assert!(
        matches!(
            refused,
            OpenError::TooNew {
                needed: 8,
                have: 3,
                ..
            }
        ),
        "{refused}"
    );
    assert!(refused.to_string().contains("upgrade tenure"), "{refused}");
}

#[tokio::test]
async fn a_file_of_the_first_schema_gets_what_it_lacks_and_keeps_what_it_has() {
    let home = home();
    let row = session(1);
    open(home.path()).create(&row).await.unwrap();
    let database = rusqlite::Connection::open(home.path().join("tenure.db")).unwrap();
    database
        .execute_batch(
            "DROP TABLE devices; DROP TABLE session_log; DROP TABLE log_heads; \
             DELETE FROM meta WHERE name IN ('log_id', 'log_generation', 'log_kept'); \
             UPDATE meta SET value = 1 WHERE name = 'schema'",
        )
        .unwrap();
    drop(database);
    let store = open(home.path());
    assert_eq!(store.device([0; 32], START).await, Ok(None));
    let loaded = store.load(row.lineage).await.unwrap();
    assert_eq!(loaded.map(|loaded| loaded.row), Some(row));
}

#[test]
fn what_is_not_a_store_is_refused() {
    let home = home();
    let file = home.path().join("tenure.db");
    fs::write(
        &file,
        "not a database, but a text of more than a hundred characters ".repeat(99),
    )
    .unwrap();
    let refused = Sqlite::open(&SqliteOptions::new(home.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Unusable { .. }), "{refused}");

    fs::remove_file(&file).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other
        .execute("CREATE TABLE bookmarks (url TEXT)", ())
        .unwrap();
    let refused = Sqlite::open(&SqliteOptions::new(home.path())).unwrap_err();
    assert!(refused.to_string().contains("another program"), "{refused}");
    let tables: u32 = other
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_directory_that_cannot_be_made_or_written_is_said() {
    let home = home();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    for dir in [file.clone(), file.join("below"), "/proc/tenure".into()] {
        let refused = Sqlite::open(&SqliteOptions::new(&dir)).unwrap_err();
        assert!(matches!(refused, OpenError::Directory { .. }), "{refused}");
        assert!(refused.to_string().contains("--data"), "{refused}");
    }
    let mut options = SqliteOptions::new(home.path().join("data"));
    options.journal = Some(file.join("log"));
    let refused = Sqlite::open(&options).unwrap_err();
    assert!(matches!(refused, OpenError::Directory { .. }), "{refused}");
}

/// The service and the command line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_one_store() {
    let home = home();
    let stores = [open(home.path()), open(home.path())];
    let mut tasks = tokio::task::JoinSet::new();
    for (which, store) in (0u64..).zip(&stores) {
        for task in 0..8 {
            let store = Arc::clone(store);
            tasks.spawn(async move {
                for n in 0..20 {
                    let n = (which << 16) | (task << 8) | n;
                    store.create(&session(n)).await.unwrap();
                    store.revoke(lineage(n), logout()).await.unwrap();
                }
            });
        }
    }
    tasks.join_all().await;
    let log = fs::read_to_string(home.path().join("revocations.log")).unwrap();
    assert_eq!(log.lines().count(), 2 * 8 * 20 * 2);

    let [service, command_line] = &stores;
    let before = service.version().await.unwrap();
    let user = User {
        subject: Subject::new("user-1"),
        email: "ana@example.com".to_owned(),
        password: None,
        disabled: false,
        created_at: START,
    };
    assert_eq!(command_line.add_user(&user).await, Ok(Written::Now));
    assert_ne!(service.version().await, Ok(before));
    assert_eq!(service.user(&user.subject).await, Ok(Some(user)));
    command_line.create(&session(1 << 20)).await.unwrap();
    service.revoke(lineage(1 << 20), logout()).await.unwrap();
    let seen = row_of(command_line, lineage(1 << 20)).await;
    assert_eq!(seen.revoked, Some(logout()));
}

/// One row per session, and a file that does not grow with rotations.
#[tokio::test]
async fn ten_thousand_rotations_leave_one_row_and_a_file_of_the_same_size() {
    let home = home();
    let mut options = SqliteOptions::new(home.path());
    // The statements are the same; ten thousand waits for the disk would prove nothing more.
    options.synchronous = Synchronous::DangerousOff;
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&options).unwrap());
    store.create(&session(1)).await.unwrap();
    let server = Presenter::new(&store);
    let mut token = server.first_token(&session(1));
    let mut now = START;
    let mut size = 0;
    for rotation in 0..10_000u64 {
        now = now + Duration::from_secs(61);
        token = server.present(&token, rotation, now).await.unwrap().token();
        if rotation == 100 {
            size = back_up(home.path()).len();
        }
    }
    assert_eq!(row_of(&store, lineage(1)).await.head.generation, 9_999);
    let grown = back_up(home.path()).len();
    assert_eq!(grown, size, "the compacted database has grown");
    drop(store);

    let database = rusqlite::Connection::open(home.path().join("tenure.db")).unwrap();
    let count = |sql: &str| {
        database
            .query_row(sql, (), |row| row.get::<_, u32>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM sessions"), 1);
    let tables = [
        "cuts",
        "lost_ends",
        "tickets",
        "users",
        "consents",
        "keys",
        "audit",
    ];
    for table in tables {
        assert_eq!(
            count(&format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
    let slack = 4096 * 2;
    let file = fs::metadata(home.path().join("tenure.db")).unwrap().len();
    assert!(
        file <= size as u64 + slack,
        "{file} bytes, {size} after 100 rotations"
    );
    let log = fs::metadata(home.path().join("revocations.log"))
        .unwrap()
        .len();
    assert!(log < 1000, "the log has {log} bytes");
}
