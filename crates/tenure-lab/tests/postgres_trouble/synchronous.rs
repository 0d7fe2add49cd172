//! A primary that is lost in the middle of a thousand refreshes, with a synchronous standby.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_lab::actor::{FirstParty, TokenAnswer};
use tenure_lab::crowd::{self, User};
use tenure_lab::deployment::{EMAIL, PASSWORD};
use tenure_lab::servers::Servers;

use crate::{
    DATABASE, Pair, REPLICA, assert_nobody_is_signed_out, refreshed, revoke_durability, servers,
    signed_in,
};

const USERS: usize = 84;

/// By each user. A lineage remembers sixteen retired tokens for a late window of a minute; whoever
/// refreshes faster is told to wait.
const REFRESHES: usize = 12;

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

async fn loses_nothing(pair: &mut Pair, servers: &Servers) {
    let users = signed_in(servers, USERS).await;
    let app = servers.app().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let people = tokio::spawn(come_and_go(
        servers.first_party().unwrap(),
        Arc::clone(&over),
    ));
    let load = tokio::spawn(async move { crowd::refresh(&app, users, REFRESHES).await });
    // In the middle: some have come and gone.
    let seen = "SELECT (SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL) >= 3 AND \
                (SELECT sum(head_generation) FROM sessions) >= 200";
    while pair.primary.value(DATABASE, seen).await.unwrap() != "t" {
        tokio::task::yield_now().await;
    }
    pair.fail_over().await;
    let (users, tally) = load.await.unwrap();
    over.store(true, Ordering::Relaxed);
    let acknowledged = people.await.unwrap();
    assert_nobody_is_signed_out(&tally);
    assert_eq!(tally.refreshed, USERS * REFRESHES, "{tally:?}");

    let (came, left) = (acknowledged.came.len(), acknowledged.left.len());
    let (_, stayed) = refreshed(servers, acknowledged.came, 1).await;
    let (_, gone) = refreshed(servers, acknowledged.left, 1).await;
    println!(
        "synchronous: {tally}; {} of {came} acknowledged sign-ins lost, {} of {left} acknowledged \
         sign-outs lost",
        came - stayed.refreshed,
        left - gone.signed_out.len(),
    );
    assert_eq!((stayed.refreshed, gone.signed_out.len()), (came, left));
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
    let users = signed_in(&servers, 2).await;
    let at = servers.first_party().unwrap();
    pair.replica.suspend_walreceiver().await.unwrap();
    assert!(at.logout(&users[0].token).await.is_err());
    let refused = servers.app().unwrap().refresh(&users[1].token).await;
    // A repetition of the first token writes nothing, so it waits for nobody.
    refused.granted().unwrap();
    pair.replica.resume_walreceiver().unwrap();
    at.logout(&users[0].token).await.unwrap();
    let (_, tally) = refreshed(&servers, users, 1).await;
    assert_eq!(
        (tally.refreshed, tally.signed_out.len()),
        (1, 1),
        "{tally:?}"
    );
}
