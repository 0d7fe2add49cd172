//! The PostgreSQL servers of the lab do what tests of failovers take for granted.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use tenure_lab::disk::FaultyDisk;
use tenure_lab::postgres::{self, Options, Postgres, ROLE};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

const COUNT: &str = "SELECT count(*) FROM t";

fn start() -> Option<Postgres> {
    postgres::installed()
        .unwrap()
        .then(|| Postgres::start(&Options::default()).unwrap())
}

/// A table with `rows` rows in the database `postgres`.
async fn table(server: &Postgres, rows: u32) {
    let fill = format!("CREATE TABLE t AS SELECT generate_series(1, {rows})");
    server.rows("postgres", &fill).await.unwrap();
}

async fn add(server: &Postgres, rows: u32) {
    let fill = format!("INSERT INTO t SELECT generate_series(1, {rows})");
    server.rows("postgres", &fill).await.unwrap();
}

async fn count(server: &Postgres) -> String {
    server.value("postgres", COUNT).await.unwrap()
}

#[tokio::test]
async fn each_fresh_database_of_the_shared_server_is_empty_and_belongs_to_the_service() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    for _ in 0..2 {
        let name = server.fresh_database().await.unwrap();
        let (client, connection) = tokio_postgres::connect(&server.url(&name), NoTls)
            .await
            .unwrap();
        let driven = tokio::spawn(connection);
        client
            .batch_execute("CREATE TABLE t (n int)")
            .await
            .unwrap();
        let role = client.query_one("SELECT current_user::text", &[]).await;
        assert_eq!(role.unwrap().get::<_, String>(0), ROLE);
        let superuser = client.batch_execute("CREATE ROLE another").await;
        let refused = superuser.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
        drop(client);
        driven.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_was_committed() {
    let Some(mut server) = start() else { return };
    table(&server, 10).await;
    let port = server.port();
    server.kill9().unwrap();
    assert!(server.rows("postgres", COUNT).await.is_err());
    server.restart().unwrap();
    assert_eq!(server.port(), port);
    assert_eq!(count(&server).await, "10");
    server.stop().unwrap();
    server.restart().unwrap();
    assert_eq!(count(&server).await, "10");
}

#[tokio::test]
async fn a_replica_whose_receiver_is_stopped_is_promoted_without_what_came_since() {
    let Some(mut primary) = start() else { return };
    table(&primary, 10).await;
    let mut replica = primary.replica("r", &Options::default()).unwrap();
    let mut control = primary.replica("c", &Options::default()).unwrap();

    replica.suspend_walreceiver().await.unwrap();
    primary.wait_for_replica(Some("c")).await.unwrap();
    add(&primary, 1000).await;
    let lag = primary.lag_of(&replica).await.unwrap();
    assert!(lag > 1000, "{lag}");
    assert_eq!(primary.lag_of(&control).await.unwrap(), 0);

    primary.kill9().unwrap();
    replica.promote().await.unwrap();
    control.promote().await.unwrap();
    assert_eq!(count(&replica).await, "10");
    assert_eq!(count(&control).await, "1010");
    let url = Postgres::url_of(&[&primary, &replica], "postgres");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let port = client.query_one("SELECT inet_server_port()", &[]).await;
    assert_eq!(port.unwrap().get::<_, i32>(0), i32::from(replica.port()));
}

#[tokio::test]
async fn a_stopped_receiver_that_goes_on_catches_up() {
    let Some(primary) = start() else { return };
    table(&primary, 10).await;
    let mut replica = primary.replica("r", &Options::default()).unwrap();
    replica.suspend_walreceiver().await.unwrap();
    add(&primary, 10).await;
    assert_ne!(primary.lag_of(&replica).await.unwrap(), 0);
    replica.resume_walreceiver().unwrap();
    primary.caught_up(&replica).await.unwrap();
    assert_eq!(primary.lag_of(&replica).await.unwrap(), 0);
}

#[tokio::test]
async fn a_primary_that_was_stopped_follows_the_one_that_was_promoted() {
    let Some(mut first) = start() else { return };
    table(&first, 10).await;
    let mut second = first.replica("second", &Options::default()).unwrap();
    first.stop().unwrap();
    second.promote().await.unwrap();
    first.follow(&second, "first").unwrap();
    second.wait_for_replica(Some("first")).await.unwrap();
    add(&second, 10).await;
    let refused = first.rows("postgres", "DELETE FROM t").await.unwrap_err();
    let code = refused
        .downcast_ref::<tokio_postgres::Error>()
        .unwrap()
        .code();
    assert_eq!(code, Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
}

#[tokio::test]
async fn a_server_on_a_faulty_disk_finds_it_full() {
    if !postgres::installed().unwrap() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let Some(disk) = FaultyDisk::mount_or_skip(place.path(), 1).unwrap() else {
        return;
    };
    let options = Options {
        directory: Some(disk.path().to_owned()),
        ..Options::default()
    };
    let server = Postgres::start(&options).unwrap();
    table(&server, 10).await;
    disk.full_for_growth();
    let refused = server.rows("postgres", "INSERT INTO t SELECT generate_series(1, 10000)");
    let refused = refused.await.unwrap_err();
    let code = refused
        .downcast_ref::<tokio_postgres::Error>()
        .unwrap()
        .code();
    assert_eq!(code, Some(&SqlState::DISK_FULL));
    disk.healthy();
    add(&server, 10_000).await;
    assert_eq!(count(&server).await, "10010");
}
