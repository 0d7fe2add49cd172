//! A database that has no time: locked, hanging, out of connections.

use tenure_lab::crowd::{self, Tally, User};
use tenure_lab::postgres::{Options, Postgres};
use tenure_lab::servers::Servers;
use tokio::task::JoinSet;

use crate::{DATABASE, assert_nobody_is_signed_out, primary, ready, refreshed, servers, signed_in};

const USERS: usize = 12;

/// One try each; each is answered 503 with Retry-After.
async fn all_wait(servers: &Servers, users: &[User]) -> u64 {
    let tries: JoinSet<_> = users
        .iter()
        .map(|user| {
            let (app, token) = (servers.app().unwrap(), user.token.clone());
            async move { app.refresh(&token).await }
        })
        .collect();
    let mut longest = 0;
    for answer in tries.join_all().await {
        let refusal = answer.refused().unwrap();
        assert_eq!(refusal.status, 503, "{refusal:?}");
        assert_eq!(refusal.error.as_deref(), Some("temporarily_unavailable"));
        longest = longest.max(refusal.retry_after.unwrap());
    }
    longest
}

/// Everybody refreshes after the trouble, and nobody waits any more.
async fn all_go_on(servers: &Servers, users: Vec<User>) -> Tally {
    let (users, mut tally) = refreshed(servers, users, 1).await;
    let (_, after) = crowd::refresh(&servers.app().unwrap(), users, 2).await;
    assert_eq!(
        (after.refreshed, after.unavailable),
        (2 * USERS, 0),
        "{after:?}"
    );
    tally.add(after);
    assert_nobody_is_signed_out(&tally);
    tally
}

struct Service {
    postgres: Postgres,
    servers: Servers,
    /// Each has refreshed once, so that the next refresh writes.
    users: Vec<User>,
}

async fn start() -> Option<Service> {
    let postgres = primary(&Options::default()).await?;
    let servers = servers(&postgres.url(DATABASE), &[("TENURE_STORE_POOL", "2")]).await;
    let users = signed_in(&servers, USERS).await;
    let (users, _) = refreshed(&servers, users, 1).await;
    Some(Service {
        postgres,
        servers,
        users,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_somebody_locks_makes_everybody_wait() {
    let Some(service) = start().await else { return };
    let holder = service.postgres.connect(DATABASE).await.unwrap();
    let lock = "BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE";
    holder.batch_execute(lock).await.unwrap();
    // More of them than the pools take, so that some wait for a connection and some for the lock.
    let longest = all_wait(&service.servers, &service.users).await;
    all_wait(&service.servers, &service.users).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    let tally = all_go_on(&service.servers, service.users).await;
    println!(
        "a locked table: {} answers 503, Retry-After up to {longest} s; {tally}",
        2 * USERS
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_gives_no_connection_makes_everybody_wait() {
    let Some(service) = start().await else { return };
    let postgres = &service.postgres;
    let none = "ALTER ROLE tenure CONNECTION LIMIT 0";
    postgres.rows(DATABASE, none).await.unwrap();
    let cut =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'tenure'";
    postgres.rows(DATABASE, cut).await.unwrap();
    let longest = all_wait(&service.servers, &service.users).await;
    let (status, ready) = ready(&service.servers).await;
    assert_eq!(status, 503, "{ready}");
    let some = "ALTER ROLE tenure CONNECTION LIMIT -1";
    postgres.rows(DATABASE, some).await.unwrap();
    let tally = all_go_on(&service.servers, service.users).await;
    println!("no connections: {USERS} answers 503, Retry-After up to {longest} s; {tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_makes_everybody_wait() {
    let Some(service) = start().await else { return };
    service.postgres.suspend().unwrap();
    let longest = all_wait(&service.servers, &service.users).await;
    service.postgres.resume().unwrap();
    let tally = all_go_on(&service.servers, service.users).await;
    println!("a hanging database: {USERS} answers 503, Retry-After up to {longest} s; {tally}");
}
