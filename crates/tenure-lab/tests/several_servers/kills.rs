//! Each server in turn is killed and started again while everybody refreshes.

use tenure_lab::crowd;

use crate::start;

/// `TENURE_FULL` asks for ten times as many.
const USERS: usize = 24;

/// By each user. A lineage remembers sixteen retired tokens for a late window of a minute; whoever
/// refreshes faster is told to wait.
const REFRESHES: usize = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_and_restarting_each_server_in_turn_signs_nobody_out() {
    let Some(mut service) = start().await else {
        return;
    };
    let (app, at) = (
        service.servers.app().unwrap(),
        service.servers.first_party().unwrap(),
    );
    let full = std::env::var_os("TENURE_FULL").is_some();
    let count = if full { 10 * USERS } else { USERS };
    let users = crowd::sign_in(&at, count).await.unwrap();
    let load = tokio::spawn(async move { crowd::refresh(&app, users, REFRESHES).await });
    let mut kills = 0;
    while !load.is_finished() || kills < service.servers.each.len() {
        let turn = kills % service.servers.each.len();
        let server = &mut service.servers.each[turn];
        tokio::task::block_in_place(|| {
            server.kill9().unwrap();
            server.restart().unwrap();
        });
        kills += 1;
    }
    let (_, tally) = load.await.unwrap();
    println!("{kills} kills of {count} users' servers: {tally}");
    assert_eq!(tally.refreshed, count * REFRESHES, "{tally:?}");
    assert!(
        tally.signed_out.is_empty() && tally.wrong.is_empty(),
        "{tally:?}"
    );
    assert!(tally.unanswered > 0, "a kill that nobody noticed");
    let sign_outs = "SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL";
    assert_eq!(service.value(sign_outs).await, "0");
}
