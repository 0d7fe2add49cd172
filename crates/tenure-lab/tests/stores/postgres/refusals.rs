//! What cannot be used is refused in one line with the fix.

use tenure_core::secret::Secret;
use tenure_lab::postgres::{Options, Postgres as Server};
use tenure_store::{OpenError, Postgres, PostgresOptions};

use super::{fresh, open, server};

/// The one line that is said.
pub(super) fn said(refused: Result<Postgres, OpenError>) -> String {
    let line = refused.unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

async fn is_refused(server: &Server, url: String, problem: &str, fix: &str) {
    let options = PostgresOptions::new(Secret::new(url));
    let line = said(Postgres::open(&options).await);
    assert!(line.starts_with("postgres://"), "{line}");
    assert!(line.contains(problem) && line.contains(fix), "{line}");
    assert!(!line.contains(server.password()), "{line}");
}

/// An empty database after the superuser has done something to it.
async fn altered(server: &Server, statements: &str) -> String {
    let database = server.fresh_database().await.unwrap();
    server.rows(&database, statements).await.unwrap();
    server.url(&database)
}

#[tokio::test]
async fn an_address_that_leads_to_no_database() {
    let Some(server) = server() else { return };
    let good = server.url("postgres");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let nobody = listener.local_addr().unwrap().port();
    drop(listener);
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
            good.replace(&format!(":{}@", server.password()), "@"),
            "password missing",
            "add the password to the URL",
        ),
        (
            server.url("nowhere"),
            "there is no database nowhere",
            "CREATE DATABASE nowhere OWNER tenure ENCODING 'UTF8'",
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
    ] {
        is_refused(server, url, problem, fix).await;
    }
}

#[tokio::test]
async fn a_database_that_is_not_made_for_it() {
    let Some(server) = server() else { return };
    let latin = "CREATE DATABASE latin OWNER tenure TEMPLATE template0 ENCODING 'LATIN1' \
        LC_COLLATE 'C' LC_CTYPE 'C'";
    server.rows("postgres", latin).await.unwrap();
    let no_rights = "ALTER SCHEMA public OWNER TO postgres; GRANT USAGE ON SCHEMA public TO PUBLIC";
    let no_schema =
        "ALTER SCHEMA public OWNER TO postgres; REVOKE ALL ON SCHEMA public FROM PUBLIC";
    let read_only = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I \
        SET default_transaction_read_only = on', current_database()); END $$";
    for (url, problem, fix) in [
        (
            server.url("latin"),
            "the encoding of the database is LATIN1",
            "ENCODING 'UTF8'",
        ),
        (
            altered(server, no_rights).await,
            "tenure may not create tables",
            "GRANT CREATE ON SCHEMA public TO tenure",
        ),
        (
            altered(server, no_schema).await,
            "may use none of the schemas",
            "GRANT USAGE, CREATE ON SCHEMA public TO tenure",
        ),
        (
            altered(server, read_only).await,
            "read-only by default",
            "SET default_transaction_read_only = off",
        ),
    ] {
        is_refused(server, url, problem, fix).await;
    }
}

#[tokio::test]
async fn a_role_that_may_only_read() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    drop(store);
    let server = server().unwrap();
    let reader = "CREATE ROLE reader LOGIN PASSWORD 'reads'; \
        GRANT USAGE ON SCHEMA public TO reader; \
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader";
    server.rows(&database, reader).await.unwrap();
    let port = server.port();
    let url = format!("postgres://reader:reads@127.0.0.1:{port}/{database}");
    is_refused(server, url, "permission denied", "own its tables").await;
}

#[tokio::test]
async fn a_log_in_the_database_of_the_sessions() {
    let Some(server) = server() else { return };
    let url = Secret::new(server.url(&server.fresh_database().await.unwrap()));
    let options = PostgresOptions {
        log: Some(url.clone()),
        ..PostgresOptions::new(url)
    };
    let line = said(Postgres::open(&options).await);
    assert!(line.contains("would fall back with it"), "{line}");
}

#[tokio::test]
async fn a_replica() {
    if server().is_none() {
        return;
    }
    let primary = Server::start(&Options::default()).unwrap();
    let database = primary.fresh_database().await.unwrap();
    drop(open(&primary, &database).await.unwrap());
    let replica = primary.replica("standby", &Options::default()).unwrap();
    let line = said(open(&replica, &database).await);
    assert!(line.contains("read-only replica"), "{line}");
    assert!(line.contains("name the primary"), "{line}");
}
