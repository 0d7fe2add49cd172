//! A primary that is lost in the middle of a thousand refreshes, with a synchronous standby.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_lab::actor::{FirstParty, TokenAnswer};
use tenure_lab::crowd::{self, User};
use tenure_lab::deployment::{EMAIL, PASSWORD};
use tenure_lab::postgres::Postgres;
use tenure_lab::servers::Servers;
use tokio::task::JoinSet;

use crate::{
    DATABASE, Pair, REPLICA, assert_nobody_is_signed_out, refreshed, revoke_durability, servers,
    signed_in,
};

const USERS: usize = 84;

/// By each user. A lineage remembers sixteen retired tokens for a late window of a minute; whoever
/// refreshes faster is told to wait.
const REFRESHES: usize = 12;

/// Who sign in and out all the time.
const PEOPLE: usize = 3;

/// What was acknowledged to people who come and go during a failover.
#[derive(Default)]
struct Acknowledged {
    came: Vec<User>,
    left: Vec<User>,
}

/// Signs in and out, again and again, and remembers what was acknowledged.
async fn come_and_go(at: FirstParty, over: Arc<AtomicBool>) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    while !over.load(Ordering::Relaxed) {
        let TokenAnswer::Granted(tokens) = at.login(EMAIL, PASSWORD).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let user = User {
            token: tokens.refresh().unwrap().to_owned(),
            access_token: tokens.access_token,
            rotations: 0,
        };
        if acknowledged.came.len() <= acknowledged.left.len() {
            acknowledged.came.push(user);
        } else if at.logout(&user.token).await.is_ok() {
            acknowledged.left.push(user);
        }
    }
    acknowledged
}

/// Waits until a query about the service's database answers true.
async fn until(postgres: &Postgres, sql: &str) {
    while postgres.value(DATABASE, sql).await.unwrap() != "t" {
        tokio::task::yield_now().await;
    }
}

async fn loses_nothing(pair: &mut Pair, servers: &Servers) {
    let users = signed_in(servers, USERS).await;
    let (app, at) = (servers.app().unwrap(), servers.first_party().unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let people: JoinSet<_> = (0..PEOPLE)
        .map(|_| come_and_go(at.clone(), Arc::clone(&over)))
        .collect();
    let some = "SELECT count(*) > 3 FROM sessions WHERE revoked_at IS NOT NULL";
    until(&pair.primary, some).await;
    let load = tokio::spawn(async move { crowd::refresh(&app, users, REFRESHES).await });
    let some = "SELECT sum(head_generation) > 200 FROM sessions";
    until(&pair.primary, some).await;
    pair.fail_over().await;
    let (users, tally) = load.await.unwrap();
    over.store(true, Ordering::Relaxed);
    let mut acknowledged = Acknowledged::default();
    for one in people.join_all().await {
        acknowledged.came.extend(one.came);
        acknowledged.left.extend(one.left);
    }
    assert!(tally.unavailable > 0, "not in the middle: {tally:?}");
    assert_nobody_is_signed_out(&tally);
    assert_eq!(tally.refreshed, USERS * REFRESHES, "{tally:?}");
    let ahead = [("verdict", "ahead")];
    let lost = servers.count("tenure_refreshes_total", &ahead).await;
    let lost = lost.unwrap();

    let (came, left) = (acknowledged.came.len(), acknowledged.left.len());
    let (_, stayed) = refreshed(servers, acknowledged.came, 1).await;
    let (_, gone) = refreshed(servers, acknowledged.left, 1).await;
    println!(
        "synchronous: {tally}; {lost} clients ahead of the store, {} of {came} acknowledged sign-ins \
         lost, {} of {left} acknowledged sign-outs lost",
        came - stayed.refreshed,
        left - gone.signed_out.len(),
    );
    assert_eq!((stayed.refreshed, gone.signed_out.len()), (came, left));
    assert_eq!(lost, 0);
    let (_, tally) = refreshed(servers, users, 1).await;
    assert_eq!(tally.refreshed, USERS, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_loses_nothing_that_was_acknowledged() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    pair.primary.wait_for_replica(Some(REPLICA)).await.unwrap();
    let servers = servers(&pair.url(), &[]).await;
    assert_eq!(revoke_durability(&servers).await, "synchronous-standby");
    loses_nothing(&mut pair, &servers).await;
}

/// The control: the same wait, cut off at the standby, and an acknowledgement would be a promise
/// that nobody keeps; so there is none, and nobody is told that they are signed out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_standby_confirms_nothing_nothing_is_acknowledged() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    pair.primary.wait_for_replica(Some(REPLICA)).await.unwrap();
    let servers = servers(&pair.url(), &[]).await;
    let users = signed_in(&servers, 3).await;
    let at = servers.first_party().unwrap();
    pair.replica.suspend_walreceiver().await.unwrap();
    assert!(at.logout(&users[0].token).await.is_err());
    // An impatient administrator makes PostgreSQL commit without its standby, and say so.
    let leaving = {
        let (at, token) = (at.clone(), users[1].token.clone());
        tokio::spawn(async move { at.logout(&token).await })
    };
    let waits = "SELECT count(*) > 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    until(&pair.primary, waits).await;
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    pair.primary.rows(DATABASE, cancel).await.unwrap();
    assert!(leaving.await.unwrap().is_err());
    // A repetition of the first token writes nothing, so it waits for nobody.
    let repeated = servers.app().unwrap().refresh(&users[2].token).await;
    repeated.granted().unwrap();
    pair.replica.resume_walreceiver().unwrap();
    at.logout(&users[0].token).await.unwrap();
    at.logout(&users[1].token).await.unwrap();
    let (_, tally) = refreshed(&servers, users, 1).await;
    assert_eq!(
        (tally.refreshed, tally.signed_out.len()),
        (1, 2),
        "{tally:?}"
    );
}
