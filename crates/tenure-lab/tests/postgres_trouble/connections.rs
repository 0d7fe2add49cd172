//! Connections that end in the middle of something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_lab::crowd;
use tenure_lab::postgres::Options;

use crate::{DATABASE, assert_nobody_is_signed_out, primary, refreshed, servers, signed_in};

const USERS: usize = 16;
const REFRESHES: usize = 12;

const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE usename = 'tenure' AND datname = 'service'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_again_and_again_sign_nobody_out() {
    let Some(postgres) = primary(&Options::default()).await else {
        return;
    };
    let servers = servers(&postgres.url(DATABASE), &[]).await;
    let users = signed_in(&servers, USERS).await;
    let leavers = signed_in(&servers, 5).await;
    let (app, at) = (servers.app().unwrap(), servers.first_party().unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&over);
    let load = tokio::spawn(async move {
        let outcome = crowd::refresh(&app, users, REFRESHES).await;
        done.store(true, Ordering::Relaxed);
        outcome
    });
    let (mut rounds, mut cut, mut left) = (0, 0, Vec::new());
    let mut leavers = leavers.into_iter();
    while !over.load(Ordering::Relaxed) {
        let killed: usize = postgres
            .value(DATABASE, CUT)
            .await
            .unwrap()
            .parse()
            .unwrap();
        (rounds, cut) = (rounds + 1, cut + killed);
        if let Some(leaver) = leavers.next()
            && at.logout(&leaver.token).await.is_ok()
        {
            left.push(leaver);
        }
    }
    let (users, tally) = load.await.unwrap();
    let acknowledged = left.len();
    let (_, gone) = refreshed(&servers, left, 1).await;
    println!(
        "{cut} connections cut in {rounds} rounds: {tally}; {} of {acknowledged} sign-outs lost",
        acknowledged - gone.signed_out.len()
    );
    assert!(
        cut > 0 && tally.unavailable > 0,
        "nobody noticed: {tally:?}"
    );
    assert_nobody_is_signed_out(&tally);
    assert_eq!(tally.refreshed, USERS * REFRESHES, "{tally:?}");
    assert_eq!(gone.signed_out.len(), acknowledged);
    let (_, tally) = refreshed(&servers, users, 2).await;
    assert_eq!(
        (tally.refreshed, tally.unanswered),
        (2 * USERS, 0),
        "{tally:?}"
    );
}
