//! Tables of several versions.

use tenure_store::Store as _;
use tenure_store::conformance::{lineage, session};
use tokio::task::JoinSet;

use super::refusals::said;
use super::{fresh, open, server};

#[tokio::test]
async fn four_servers_that_start_at_once_migrate_once() {
    let Some(server) = server() else { return };
    let database = server.fresh_database().await.unwrap();
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let database = database.clone();
        starting.spawn(async move { open(server, &database).await.unwrap() });
    }
    let stores = starting.join_all().await;
    for (n, store) in (0..).zip(&stores) {
        store.create(&session(n)).await.unwrap();
    }
    for n in 0..4 {
        assert!(stores[0].load(lineage(n)).await.unwrap().is_some());
    }
    let schema = "SELECT value FROM meta WHERE name = 'schema'";
    assert_eq!(server.value(&database, schema).await.unwrap(), "1");
}

#[tokio::test]
async fn an_opened_database_is_opened_again_with_what_is_in_it() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    store.create(&session(1)).await.unwrap();
    drop(store);
    let store = open(server().unwrap(), &database).await.unwrap();
    assert!(store.load(lineage(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_newer_program_that_asks_for_nothing_leaves_this_one_working() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    let server = server().unwrap();
    let newer = "ALTER TABLE sessions ADD COLUMN later text; \
        CREATE TABLE later (id int); UPDATE meta SET value = 9 WHERE name = 'schema'; SELECT 1";
    server.value(&database, newer).await.unwrap();
    store.create(&session(1)).await.unwrap();
    let again = open(server, &database).await.unwrap();
    assert!(again.load(lineage(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_schema_from_the_future_is_refused() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    drop(store);
    let server = server().unwrap();
    let future = "UPDATE meta SET value = 9 WHERE name = 'min_reader' RETURNING value";
    server.value(&database, future).await.unwrap();
    let line = said(open(server, &database).await);
    let expected = "needs a program of schema 9 or newer, this one has 1; upgrade tenure";
    assert!(line.contains(expected), "{line}");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let Some(server) = server() else { return };
    let database = server.fresh_database().await.unwrap();
    let theirs = "CREATE TABLE meta (name text, value bigint); \
        GRANT ALL ON meta TO tenure; SELECT 1";
    server.value(&database, theirs).await.unwrap();
    let line = said(open(server, &database).await);
    assert!(line.contains("the table meta is not Tenure's"), "{line}");
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'sessions'";
    assert_eq!(server.value(&database, tables).await.unwrap(), "0");
}
