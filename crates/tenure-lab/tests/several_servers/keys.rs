//! Keys that change under all servers at once.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tenure_lab::crowd;

use crate::{Service, start};

const PATIENCE: Duration = Duration::from_secs(30);

/// How long a key is published before it signs (`keys.distribute`).
const DISTRIBUTE: u64 = 24 * 3600;

/// `tenure keys rotate` beside the servers; the key that signs then.
async fn rotate(service: &Service) -> String {
    let rotated = service
        .servers
        .tenure(&["keys", "rotate"])
        .unwrap()
        .output();
    let rotated = rotated.await.unwrap();
    let said = String::from_utf8_lossy(&rotated.stderr).into_owned();
    assert!(rotated.status.success(), "{said}");
    let table = String::from_utf8(rotated.stdout).unwrap();
    let signs = |words: &Vec<&str>| words[0] == "sign" && words[3] == "active";
    let mut keys = table.lines().map(|line| line.split_whitespace().collect());
    let signing: Vec<&str> = keys.find(signs).unwrap();
    signing[1].to_owned()
}

/// Publishes the next keys, waits until they may be used, lets them take over, and waits until every
/// server has noticed.
async fn take_over(service: &Service) {
    rotate(service).await;
    // Each server, and the command line, which has the clock of a data directory of its own.
    service.servers.advance_clock(DISTRIBUTE + 1).await.unwrap();
    let key = rotate(service).await;
    let line = format!(r#""event":"keys_reloaded","signing":"{key}""#);
    tokio::task::block_in_place(|| {
        for server in &service.servers.each {
            server.output().wait_for(&line, PATIENCE).unwrap();
        }
    });
}

/// Rotates while everybody refreshes.
async fn rotates_unnoticed(service: &Service) {
    let (app, at) = (
        service.servers.app().unwrap(),
        service.servers.first_party().unwrap(),
    );
    let users = crowd::sign_in(&at, 6).await.unwrap();
    let working = app.clone();
    let load = tokio::spawn(async move { crowd::refresh(&working, users, 12).await });
    take_over(service).await;
    let (users, tally) = load.await.unwrap();
    println!("a rotation of the keys under load: {tally}");
    assert!(
        tally.signed_out.is_empty() && tally.wrong.is_empty(),
        "{tally:?}"
    );
    let (_, tally) = crowd::refresh(&app, users, 3).await;
    assert_eq!((tally.refreshed, tally.unavailable), (18, 0), "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_servers_hear_of_new_keys() {
    let Some(service) = start().await else { return };
    rotates_unnoticed(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_hear_nothing_ask() {
    let Some(service) = start().await else { return };
    let listening = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND query LIKE 'LISTEN%'",
        service.database
    );
    let listeners = service.postgres.rows("postgres", &listening).await.unwrap();
    assert_eq!(listeners.len(), service.servers.each.len());
    let pids: Vec<Pid> = listeners
        .iter()
        .map(|row| Pid::from_raw(row[0].as_ref().unwrap().parse().unwrap()).unwrap())
        .collect();
    // A stopped backend tells its server nothing, and its connection stays open.
    for pid in &pids {
        kill_process(*pid, Signal::STOP).unwrap();
    }
    rotates_unnoticed(&service).await;
    for pid in &pids {
        kill_process(*pid, Signal::CONT).unwrap();
    }
}
