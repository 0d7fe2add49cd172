//! The database's disk is full.

use tenure_lab::actor::TokenAnswer;
use tenure_lab::crowd::{self, Tally, User};
use tenure_lab::deployment::{EMAIL, PASSWORD};
use tenure_lab::disk::FaultyDisk;
use tenure_lab::postgres::{Options, Postgres};
use tenure_lab::servers::Servers;

use crate::{DATABASE, primary, refreshed, servers, signed_in};

const USERS: usize = 6;

struct Service {
    servers: Servers,
    postgres: Postgres,
    disk: FaultyDisk,
    _place: tempfile::TempDir,
    users: Vec<User>,
    left: Vec<User>,
}

/// Some are signed in, one has signed out.
async fn start() -> Option<Service> {
    let place = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::mount_or_skip(place.path(), 1).unwrap()?;
    let options = Options {
        directory: Some(disk.path().to_owned()),
        ..Options::default()
    };
    let postgres = primary(&options).await?;
    let servers = servers(&postgres.url(DATABASE), &[]).await;
    let users = signed_in(&servers, USERS).await;
    let left = signed_in(&servers, 1).await;
    servers
        .first_party()
        .unwrap()
        .logout(&left[0].token)
        .await
        .unwrap();
    Some(Service {
        servers,
        postgres,
        disk,
        _place: place,
        users,
        left,
    })
}

/// One try each, which succeeds or is answered 503 with Retry-After.
async fn try_once(servers: &Servers, users: &mut [User]) -> Tally {
    let app = servers.app().unwrap();
    let mut tally = Tally::default();
    for user in users {
        match app.refresh(&user.token).await {
            TokenAnswer::Granted(tokens) => {
                tokens.refresh().unwrap().clone_into(&mut user.token);
                tally.refreshed += 1;
            }
            answer => {
                let refusal = answer.refused().unwrap();
                assert_eq!(refusal.status, 503, "{refusal:?}");
                assert!(refusal.retry_after.is_some(), "{refusal:?}");
                tally.unavailable += 1;
            }
        }
    }
    tally
}

async fn all_go_on(service: Service, during: &Tally) {
    let Service {
        servers,
        users,
        left,
        ..
    } = service;
    let (_, tally) = refreshed(&servers, users, 2).await;
    assert_eq!(tally.refreshed, 2 * USERS, "{tally:?}");
    let (_, gone) = refreshed(&servers, left, 1).await;
    assert_eq!(gone.signed_out, ["logged_out"], "{gone:?}");
    signed_in(&servers, 1).await;
    println!("a full disk: {during}; then {tally}, 0 revocations lost");
}

/// As on ext4: what is there can be overwritten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_no_growth_signs_nobody_out() {
    let Some(mut service) = start().await else {
        return;
    };
    service.disk.full_for_growth();
    // So that tables have to grow.
    let filler = "CREATE TABLE filler AS SELECT generate_series(1, 100000)";
    service.postgres.rows(DATABASE, filler).await.unwrap_err();
    let newcomer = service.servers.first_party().unwrap();
    let refusal = loop {
        let answer = newcomer.login(EMAIL, PASSWORD).await;
        if let TokenAnswer::Refused(refusal) = answer {
            break refusal;
        }
    };
    assert_eq!(refusal.status, 503, "{refusal:?}");
    assert!(refusal.retry_after.is_some(), "{refusal:?}");
    let mut during = Tally::default();
    for _ in 0..4 {
        during.add(try_once(&service.servers, &mut service.users).await);
        let app = service.servers.app().unwrap();
        let gone = app.refresh(&service.left[0].token).await.refused().unwrap();
        assert!([400, 503].contains(&gone.status), "{gone:?}");
    }
    service.disk.healthy();
    all_go_on(service, &during).await;
}

/// As on a copy-on-write file system: the write-ahead log cannot be written, so the database ends,
/// and does not start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_ends_for_want_of_space_signs_nobody_out() {
    let Some(mut service) = start().await else {
        return;
    };
    let (users, _) = crowd::refresh(&service.servers.app().unwrap(), service.users, 1).await;
    service.users = users;
    service.disk.full();
    let during = try_once(&service.servers, &mut service.users).await;
    assert!(
        during.unavailable > 0,
        "the disk was not missed: {during:?}"
    );
    service.disk.healthy();
    tokio::task::block_in_place(|| service.postgres.restart().unwrap());
    all_go_on(service, &during).await;
}
