//! A primary that is lost with what its asynchronous replica had not received.

use tenure_lab::crowd::{Tally, User};
use tenure_lab::postgres::{self, Postgres};
use tenure_lab::servers::Servers;

use crate::{
    DATABASE, Pair, assert_nobody_is_signed_out, refreshed, revoke_durability, servers, signed_in,
};

const USERS: usize = 20;
const LEAVERS: usize = 5;
const NEWCOMERS: usize = 3;

/// What a failover did to those whose writes it lost.
struct Outcome {
    /// Rotations that the replica did not have when the primary was lost.
    rotations: u64,
    /// What everybody met who was signed in before the replica lagged.
    users: Tally,
    /// Who had signed out, and could refresh afterwards.
    revived: usize,
    /// Who had signed in while the replica lagged, and was signed out.
    forgotten: usize,
}

async fn generations(server: &Postgres) -> u64 {
    let sum = "SELECT coalesce(sum(head_generation), 0) FROM sessions";
    server.value(DATABASE, sum).await.unwrap().parse().unwrap()
}

/// Stops the replica's reception, has everybody refresh, some sign out and some sign in, and loses
/// the primary under load.
async fn lose_the_primary(pair: &mut Pair, servers: &Servers) -> Outcome {
    let users = signed_in(servers, USERS).await;
    let leavers = signed_in(servers, LEAVERS).await;
    let (users, _) = refreshed(servers, users, 1).await;
    pair.primary.caught_up(&pair.replica).await.unwrap();

    pair.replica.suspend_walreceiver().await.unwrap();
    let (users, tally) = refreshed(servers, users, 3).await;
    assert_eq!(tally.refreshed, 3 * USERS, "{tally:?}");
    let newcomers = signed_in(servers, NEWCOMERS).await;
    let at = servers.first_party().unwrap();
    for leaver in &leavers {
        at.logout(&leaver.token).await.unwrap();
    }
    let rotations = generations(&pair.primary).await - generations(&pair.replica).await;
    let bytes = pair.primary.lag_of(&pair.replica).await.unwrap();
    println!(
        "the replica lags by {bytes} bytes: {rotations} rotations, {LEAVERS} revocations, {NEWCOMERS} sessions"
    );

    let app = servers.app().unwrap();
    let load = tokio::spawn(async move { tenure_lab::crowd::refresh(&app, users, 6).await });
    pair.fail_over().await;
    let (users, mut tally) = load.await.unwrap();
    let (_, after) = refreshed(servers, users, 2).await;
    tally.add(after);
    let outcome = Outcome {
        rotations,
        users: tally,
        revived: refreshing(servers, leavers).await,
        forgotten: NEWCOMERS - refreshing(servers, newcomers).await,
    };
    report(&outcome, servers).await;
    outcome
}

/// How many of them are signed in; what the others hear is that they are not.
async fn refreshing(servers: &Servers, users: Vec<User>) -> usize {
    let count = users.len();
    let (_, tally) = refreshed(servers, users, 1).await;
    assert_eq!(tally.refreshed + tally.signed_out.len(), count, "{tally:?}");
    tally.refreshed
}

async fn report(outcome: &Outcome, servers: &Servers) {
    let ahead = [("verdict", "ahead")];
    let adopted = servers.count("tenure_refreshes_total", &ahead).await;
    println!(
        "{USERS} sessions, {} rotations lost, {} healed by line 7, {} of {LEAVERS} revocations lost, \
         {} of {NEWCOMERS} new sessions lost; {}",
        outcome.rotations,
        adopted.unwrap(),
        outcome.revived,
        outcome.forgotten,
        outcome.users,
    );
}

#[track_caller]
fn assert_all_stay(outcome: &Outcome) {
    assert!(outcome.rotations >= 3 * 20, "the replica did not lag");
    assert_nobody_is_signed_out(&outcome.users);
    assert!(outcome.users.unavailable > 0, "lost when nobody was there");
    assert_eq!(outcome.users.refreshed, 8 * USERS, "{:?}", outcome.users);
}

/// The control of the two tests below it: without a log elsewhere and without a synchronous standby
/// an acknowledged end is lost, and the service says beforehand that it may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_rotations_sign_nobody_out_and_what_else_is_lost_was_announced() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    let servers = servers(&pair.url(), &[]).await;
    assert_eq!(revoke_durability(&servers).await, "primary-only");
    let outcome = lose_the_primary(&mut pair, &servers).await;
    assert_all_stay(&outcome);
    assert_eq!(outcome.revived, LEAVERS, "then this is no control");
    assert_eq!(outcome.forgotten, NEWCOMERS, "then this is no control");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_another_database_keeps_revocations_and_new_sessions() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    let Some(elsewhere) = postgres::shared().unwrap() else {
        return;
    };
    let log = elsewhere.url(&elsewhere.fresh_database().await.unwrap());
    let servers = servers(&pair.url(), &[("TENURE_STORE_REVOCATION_LOG", &log)]).await;
    assert_eq!(revoke_durability(&servers).await, "separate-log");
    let outcome = lose_the_primary(&mut pair, &servers).await;
    assert_all_stay(&outcome);
    assert_eq!(outcome.revived, 0);
    assert_eq!(outcome.forgotten, 0);
}
