//! What PostgreSQL can be that no service is run on.

use tenure_lab::postgres::{self, Options, Postgres, ROLE};
use tenure_lab::process::Port;

use crate::bench::{Bench, disguise};

fn url(server: &Postgres, user: &str, password: &str, database: &str) -> String {
    format!(
        "postgres://{user}:{password}@127.0.0.1:{}/{database}",
        server.port()
    )
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_before_anything_is_asked() {
    for (url, wanted) in [
        (
            "mysql://tenure:canary-password@127.0.0.1/tenure",
            "TENURE_STORE_URL: store.url: has the scheme \"mysql\", which is no store; write",
        ),
        (
            "tenure:canary-password@127.0.0.1",
            "TENURE_STORE_URL: store.url: is no URL of a store; write",
        ),
        (
            "postgres://tenure:canary/password@127.0.0.1/tenure",
            "TENURE_STORE_URL: store.url: has a host or a port that cannot be read; write",
        ),
        (
            "postgres://tenure:canary-password@127.0.0.1/tenure?sslmode=sometimes",
            "sslmode is not known; use disable, prefer, require or verify-full",
        ),
        (
            "postgres://tenure:canary-password@127.0.0.1/tenure?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
            "/nowhere/ca.pem",
        ),
    ] {
        Bench::store(url).is_refused_with(&[wanted]).await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let port = Port::reserve().unwrap().address().port();
    let url = format!("postgres://tenure:canary-password@127.0.0.1:{port}/tenure");
    let place = format!("postgres://tenure@127.0.0.1:{port}/tenure: ");
    Bench::store(&url).is_refused_with(&[&place]).await;
}

#[tokio::test]
async fn credentials_rights_and_databases_are_told_apart() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let guest = "CREATE ROLE guest LOGIN PASSWORD 'canary-of-guest'";
    server
        .connect("postgres")
        .await
        .unwrap()
        .batch_execute(guest)
        .await
        .unwrap();
    let right = server.password();
    for (user, password, database, wanted) in [
        (
            ROLE,
            "canary-password",
            &*database,
            "the password of tenure is not accepted; correct it",
        ),
        (
            ROLE,
            right,
            "nowhere",
            "there is no database nowhere; CREATE DATABASE nowhere OWNER tenure",
        ),
        (
            "guest",
            "canary-of-guest",
            &*database,
            "guest may not create tables in the schema public; GRANT",
        ),
    ] {
        let bench = Bench::store(&url(server, user, password, database));
        bench
            .is_refused_with(&[&format!("postgres://{user}@"), wanted])
            .await;
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let url = format!("{}?sslmode=require", server.url(&database));
    Bench::store(&url).is_refused_with(&["TLS"]).await;
}

#[tokio::test]
async fn a_database_that_is_read_only_is_refused() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let client = server.connect(&database).await.unwrap();
    let read_only = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
    client.batch_execute(&read_only).await.unwrap();
    let bench = Bench::store(&server.url(&database));
    bench
        .is_refused_with(&["transactions are read-only by default", "ALTER ROLE"])
        .await;
}

#[tokio::test]
async fn a_replica_is_refused_because_decisions_are_never_read_from_one() {
    if !postgres::installed().unwrap() {
        return;
    }
    let primary = Postgres::start(&Options::default()).unwrap();
    let database = primary.fresh_database().await.unwrap();
    let replica = primary.replica("copy", &Options::default()).unwrap();
    let bench = Bench::store(&replica.url(&database));
    bench
        .is_refused_with(&["read-only replica", "name the primary"])
        .await;
}

#[tokio::test]
async fn a_schema_from_the_future_is_refused_with_both_versions() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let bench = Bench::store(&server.url(&database));
    assert_eq!(bench.run(&["store", "migrate"]).await.code, 0);
    let client = server.connect(&database).await.unwrap();
    let newer = "UPDATE meta SET value = 9999 WHERE name = 'min_reader'";
    assert_eq!(client.execute(newer, &[]).await.unwrap(), 1);
    bench
        .is_refused_with(&["needs a program of schema 9999 or newer", "upgrade tenure"])
        .await;
}

#[tokio::test]
async fn a_version_that_is_too_old_is_refused() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let setting = async |name: &str| {
        let ask = format!("SHOW {name}");
        server.value(&database, &ask).await.unwrap()
    };
    let number: i32 = setting("server_version_num").await.parse().unwrap();
    let text = setting("server_version").await;
    let old = format!("11{}", text.strip_prefix("15").unwrap());
    let changes = vec![
        (
            number.to_be_bytes().to_vec(),
            110_022_i32.to_be_bytes().to_vec(),
        ),
        (number.to_string().into_bytes(), b"110022".to_vec()),
        (text.into_bytes(), old.into_bytes()),
    ];
    let relay = disguise(format!("127.0.0.1:{}", server.port()), changes).await;
    let url = format!("postgres://{ROLE}:{}@{relay}/{database}", server.password());
    let bench = Bench::store(&url);
    bench
        .is_refused_with(&["the server is PostgreSQL 11", "use version 12 or newer"])
        .await;
}
