//! Opening: tables of several versions, rights, and everything that is refused with a fix.

use tenure_core::secret::Secret;
use tenure_lab::postgres::{Options, Postgres as Server};
use tenure_store::conformance::{lineage, session};
use tenure_store::{OpenError, Postgres, PostgresOptions, Store as _};
use tokio::task::JoinSet;

use super::{fresh, open, server};

/// The one line that is said, without the place.
fn said(refused: Result<Postgres, OpenError>) -> String {
    let line = refused.unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

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

#[tokio::test]
async fn what_cannot_be_used_is_refused_in_one_line_with_the_fix() {
    let Some(server) = server() else { return };
    let database = server.fresh_database().await.unwrap();
    server
        .rows(
            "postgres",
            "CREATE DATABASE latin OWNER tenure TEMPLATE template0 \
            ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        )
        .await
        .unwrap();
    let no_rights = server.fresh_database().await.unwrap();
    let take = "ALTER SCHEMA public OWNER TO postgres; GRANT USAGE ON SCHEMA public TO PUBLIC; \
        SELECT 1";
    server.value(&no_rights, take).await.unwrap();
    let no_schema = server.fresh_database().await.unwrap();
    let take = "ALTER SCHEMA public OWNER TO postgres; REVOKE ALL ON SCHEMA public FROM PUBLIC; \
        SELECT 1";
    server.value(&no_schema, take).await.unwrap();
    let read_only = server.fresh_database().await.unwrap();
    let make =
        format!("ALTER DATABASE {read_only} SET default_transaction_read_only = on; SELECT 1");
    server.value("postgres", &make).await.unwrap();

    let good = server.url(&database);
    let nobody = unused_port();
    for (url, problem, fix) in [
        (
            good.replace(server.password(), "wrong"),
            "the password of tenure is not accepted",
            "correct it in the URL",
        ),
        (
            good.replace("tenure:", "somebody:"),
            "the password of somebody is not accepted",
            "correct it in the URL",
        ),
        (
            server.url("nowhere"),
            "there is no database nowhere",
            "CREATE DATABASE nowhere OWNER tenure ENCODING 'UTF8'",
        ),
        (
            server.url("latin"),
            "the encoding of the database is LATIN1",
            "ENCODING 'UTF8'",
        ),
        (
            server.url(&no_rights),
            "tenure may not create tables",
            "GRANT CREATE ON SCHEMA public TO tenure",
        ),
        (
            server.url(&no_schema),
            "may use none of the schemas",
            "GRANT USAGE, CREATE ON SCHEMA public TO tenure",
        ),
        (
            server.url(&read_only),
            "read-only by default",
            "SET default_transaction_read_only = off",
        ),
        (
            format!("postgres://tenure:pw@127.0.0.1:{nobody}/t"),
            "no server answers there",
            "start PostgreSQL, or correct host and port",
        ),
        (
            format!("{good}?sslmode=require"),
            "server does not support TLS",
            "set ssl = on at the server",
        ),
        (
            good.replace(&format!(":{}@", server.password()), "@"),
            "password missing",
            "add the password to the URL",
        ),
    ] {
        let options = PostgresOptions::new(Secret::new(url));
        let line = said(Postgres::open(&options).await);
        assert!(line.starts_with("postgres://"), "{line}");
        assert!(line.contains(problem) && line.contains(fix), "{line}");
        assert!(!line.contains(server.password()), "{line}");
    }
}

/// Of a listener that is gone.
fn unused_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_role_without_the_right_to_write_is_told_which() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    drop(store);
    let server = server().unwrap();
    let take = "CREATE ROLE reader LOGIN PASSWORD 'reads'; \
        GRANT USAGE ON SCHEMA public TO reader; \
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; SELECT 1";
    server.value(&database, take).await.unwrap();
    let url = format!(
        "postgres://reader:reads@127.0.0.1:{}/{database}",
        server.port()
    );
    let line = said(Postgres::open(&PostgresOptions::new(Secret::new(url))).await);
    assert!(line.contains("permission denied"), "{line}");
    assert!(line.contains("own its tables"), "{line}");
}

#[tokio::test]
async fn a_replica_is_refused() {
    let Some(_) = server() else { return };
    let primary = Server::start(&Options::default()).unwrap();
    let database = primary.fresh_database().await.unwrap();
    drop(open(&primary, &database).await.unwrap());
    let replica = primary.replica("standby", &Options::default()).unwrap();
    let line = said(open(&replica, &database).await);
    assert!(line.contains("read-only replica"), "{line}");
    assert!(line.contains("name the primary"), "{line}");
}
