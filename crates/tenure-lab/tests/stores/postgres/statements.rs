//! What the statements do to the database, and what is left when one is stopped in the middle.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::Subject;
use tenure_core::lineage::Row;
use tenure_lab::postgres::{Options, Postgres as Server};
use tenure_store::conformance::presenter::Presenter;
use tenure_store::conformance::{START, create_all, cut, lineage, logout, row_of, session};
use tenure_store::{Revoked, Store, StoreError, User};
use tokio::time::timeout;
use tokio_postgres::Client;

use super::{fresh, open, server};

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// A store with some sessions, its server, and the name of its database.
async fn with_sessions(count: u64) -> Option<(Arc<dyn Store>, &'static Server, String)> {
    let (store, database) = fresh().await?;
    let store: Arc<dyn Store> = Arc::new(store);
    let rows: Vec<Row> = (0..count).map(session).collect();
    create_all(&store, &rows).await;
    Some((store, server()?, database))
}

/// Asks until the answer is this one.
pub(super) async fn wait_for(server: &Server, database: &str, query: &str, answer: &str) {
    let asked = async { while server.value(database, query).await.unwrap() != answer {} };
    timeout(SOON, asked).await.unwrap();
}

/// Holds the row of session `n` until the client commits.
async fn hold(server: &Server, database: &str, n: u64) -> Client {
    let client = server.connect(database).await.unwrap();
    client.batch_execute("BEGIN").await.unwrap();
    client
        .execute(
            "SELECT FROM sessions WHERE lineage = $1 FOR UPDATE",
            &[&lineage(n).0],
        )
        .await
        .unwrap();
    client
}

/// Does it to the one backend that waits for a lock.
async fn strike_the_waiting(server: &Server, database: &str, blow: &str) {
    let strike = format!(
        "SELECT count({blow}(pid)) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'"
    );
    wait_for(server, database, &strike, "1").await;
}

#[tokio::test]
async fn a_refresh_touches_no_index() {
    const SESSIONS: u64 = 50;
    const ROUNDS: u64 = 20;
    if server().is_none() {
        return;
    }
    // One of its own: a transaction that takes long in any database of a server keeps old versions of
    // rows in all of them.
    let server = Server::start(&Options::default()).unwrap();
    let database = server.fresh_database().await.unwrap();
    let store: Arc<dyn Store> = Arc::new(open(&server, &database).await.unwrap());
    let rows: Vec<Row> = (0..SESSIONS).map(session).collect();
    create_all(&store, &rows).await;
    let presenter = Presenter::new(&store);
    for n in 0..SESSIONS {
        let mut token = presenter.first_token(&session(n));
        let mut now = START;
        for round in 0..=ROUNDS {
            now = now + Duration::from_mins(10);
            token = presenter.present(&token, round, now).await.unwrap().token();
        }
    }
    drop((presenter, store));
    // A backend counts when it ends.
    let refreshes = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'sessions'";
    wait_for(
        &server,
        &database,
        refreshes,
        &(SESSIONS * ROUNDS).to_string(),
    )
    .await;
    let hot = "SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'sessions'";
    let hot: u64 = server.value(&database, hot).await.unwrap().parse().unwrap();
    println!("{hot} of {} updates were HOT", SESSIONS * ROUNDS);
    assert!(hot * 100 >= SESSIONS * ROUNDS * 95, "{hot}");
}

#[tokio::test]
async fn a_statement_that_is_cancelled_leaves_nothing_behind() {
    let Some((store, server, database)) = with_sessions(3).await else {
        return;
    };
    for (blow, busy) in [("pg_cancel_backend", true), ("pg_terminate_backend", false)] {
        let holder = hold(server, &database, 1).await;
        let subject = Subject::new("user-1");
        let ending = {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.revoke_subject(&subject, cut(START), None).await })
        };
        strike_the_waiting(server, &database, blow).await;
        let error = ending.await.unwrap().unwrap_err();
        assert_eq!(matches!(error, StoreError::Busy(_)), busy, "{error}");
        holder.batch_execute("COMMIT").await.unwrap();
        for n in 0..3 {
            let loaded = store.load(lineage(n)).await.unwrap().unwrap();
            assert_eq!((loaded.row.revoked, loaded.cut), (None, None));
        }
    }
    let subject = Subject::new("user-1");
    let ended = store.revoke_subject(&subject, cut(START), None).await;
    assert_eq!(ended.unwrap().len(), 3);
}

#[tokio::test]
async fn a_caller_that_hangs_up_in_the_middle_of_a_transaction_leaves_nothing_behind() {
    let Some((store, server, database)) = with_sessions(2).await else {
        return;
    };
    let holder = hold(server, &database, 1).await;
    let subject = Subject::new("user-1");
    let ending = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.revoke_subject(&subject, cut(START), None).await })
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_for(server, &database, waiting, "1").await;
    ending.abort();
    assert!(ending.await.unwrap_err().is_cancelled());
    holder.batch_execute("COMMIT").await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'tenure' AND xact_start IS NOT NULL";
    wait_for(server, &database, open, "0").await;
    for n in 0..2 {
        let loaded = store.load(lineage(n)).await.unwrap().unwrap();
        assert_eq!((loaded.row.revoked, loaded.cut), (None, None));
    }
}

#[tokio::test]
async fn a_session_that_somebody_holds_is_busy_and_the_others_go_on() {
    let Some((store, server, database)) = with_sessions(2).await else {
        return;
    };
    let presenter = Presenter::new(&store);
    let mut next = Vec::new();
    for n in 0..2 {
        let first = presenter.first_token(&session(n));
        next.push(presenter.present(&first, n, START).await.unwrap().token());
    }
    let holder = hold(server, &database, 0).await;
    let (held, free) = tokio::join!(
        presenter.present(&next[0], 10, START),
        presenter.present(&next[1], 11, START),
    );
    assert!(matches!(held, Err(StoreError::Busy(_))), "{held:?}");
    free.unwrap().token();
    holder.batch_execute("COMMIT").await.unwrap();
    presenter
        .present(&next[0], 12, START)
        .await
        .unwrap()
        .token();
}

#[tokio::test]
async fn a_sweep_waits_for_nobody() {
    let Some((store, server, database)) = with_sessions(10).await else {
        return;
    };
    let holder = hold(server, &database, 4).await;
    let end_of_all = START + Duration::from_hours(10_000);
    assert_eq!(store.purge(end_of_all, 100).await.unwrap().sessions, 9);
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(store.purge(end_of_all, 100).await.unwrap().sessions, 1);
}

#[tokio::test]
async fn a_judge_that_panics_again_and_again_leaves_the_store_usable() {
    let Some((store, ..)) = with_sessions(1).await else {
        return;
    };
    for _ in 0..40 {
        let there = Arc::clone(&store);
        let bug = Arc::new(|_| panic!("a bug of the judge"));
        let presented = tokio::spawn(async move { there.present(lineage(0), bug).await }).await;
        assert!(!matches!(presented, Ok(Ok(_))), "{presented:?}");
    }
    let presenter = Presenter::new(&store);
    let first = presenter.first_token(&session(0));
    let heard = timeout(SOON, presenter.present(&first, 9, START)).await;
    heard.unwrap().unwrap().token();
}

#[tokio::test]
async fn a_change_is_heard_by_other_servers_also_after_a_cut_connection() {
    let Some((store, server, database)) = with_sessions(1).await else {
        return;
    };
    let other = open(server, &database).await.unwrap();
    let user = |n: u64| User {
        subject: Subject::new(format!("user-{n}")),
        email: format!("{n}@example.com"),
        password: None,
        disabled: false,
        created_at: START,
    };
    for n in 0..3 {
        let before = other.version().await.unwrap();
        store.add_user(&user(n)).await.unwrap();
        let heard = async {
            while other.version().await.unwrap() == before {
                other.changed().await;
            }
        };
        timeout(SOON, heard).await.unwrap();
        // What was heard on connecting must not be what the next round hears.
        let cut = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity \
            WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        wait_for(server, &database, cut, "t").await;
    }
    timeout(SOON, other.changed()).await.unwrap();
}

#[tokio::test]
async fn text_of_a_request_may_hold_anything() {
    let Some((store, ..)) = with_sessions(0).await else {
        return;
    };
    let texts = [
        "\0",
        "a\0b",
        "\\",
        "\\0",
        "\u{feff}\u{202e}'; DROP TABLE users; --",
    ];
    for (n, text) in (0..).zip(texts) {
        assert_eq!(store.user_by_email(text).await, Ok(None));
        let mut row = session(n);
        row.device.label = Some(text.to_owned());
        store.create(&row).await.unwrap();
        assert_eq!(row_of(&store, row.lineage).await, row);
    }
}

#[tokio::test]
async fn an_error_quotes_no_value() {
    let Some((store, ..)) = with_sessions(1).await else {
        return;
    };
    let error = store.create(&session(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    let lineage = lineage(0).0.to_string();
    for value in ["user-1", &lineage, "0707"] {
        assert!(!error.to_string().contains(value), "{error}");
    }
}

#[tokio::test]
async fn the_description_tells_what_an_operator_should_know_and_no_password() {
    let Some((store, server, _)) = with_sessions(1).await else {
        return;
    };
    store.check().await.unwrap();
    let description = store.describe();
    let text = format!("{description:?} {store:?}");
    assert!(!text.contains(server.password()), "{text}");
    assert_eq!(description.kind, "postgres");
    assert_eq!(description.revoke_durability, "primary-only");
    let fact = |name| {
        let fact = description.facts.iter().find(|(known, _)| *known == name);
        fact.map(|(_, value)| value.as_str())
    };
    assert!(fact("server_version").unwrap().starts_with("15"));
    assert_eq!(fact("sslmode"), Some("disable"));
    assert_eq!(fact("synchronous_commit"), Some("on"));
    assert_eq!(fact("synchronous_standby_names"), Some(""));
    assert_eq!(store.revoke(lineage(0), logout()).await, Ok(Revoked::Now));
}
