//! The order of the session log, whoever carries it out.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::Subject;
use tenure_core::lineage::{EndCause, Revocation};
use tenure_lab::redis::{Engine, Redis as Server};
use tenure_store::conformance::{IDLE, START, cut, lineage, logout, session};
use tenure_store::{
    Entry, Redis, RedisOptions, Revoked, SessionLog as _, Shard, Store as _, Ticket, TicketKind,
};

use super::{Side, is_here, options, shared_cluster};

/// Lineages so far apart share a shard.
const APART: u64 = Shard::COUNT as u64;

fn theft() -> Revocation {
    Revocation {
        at: START + Duration::from_secs(7),
        cause: EndCause::TheftDetected,
    }
}

async fn opened() -> Option<(Redis, Side, Arc<Server>)> {
    let server = Server::shared(is_here(Engine::Redis7)?).unwrap();
    let side = Side::new();
    let store = side.open(&options(&server.url())).await.unwrap();
    Some((store, side, server))
}

/// As another process does that stops before Redis hears of it.
async fn only_logged(side: &Side, entry: Entry, shard: Shard) {
    side.sqlite.append(&[(shard, entry)]).await.unwrap();
}

/// A sign-in of another process that Redis has not heard of.
async fn begun_elsewhere(side: &Side, n: u64) {
    let row = session(n);
    only_logged(side, Entry::created(&row), Shard::of(row.lineage)).await;
}

async fn is_there(store: &Redis, n: u64) -> bool {
    store.load(lineage(n)).await.unwrap().is_some()
}

#[tokio::test]
async fn every_entry_waits_for_the_ones_before_it() {
    let Some((store, side, _server)) = opened().await else {
        return;
    };
    let user = Subject::new("user-1");

    begun_elsewhere(&side, 1 + APART).await;
    store.create(&session(1)).await.unwrap();
    store.create(&session(2)).await.unwrap();
    begun_elsewhere(&side, 2 + APART).await;
    assert_eq!(store.revoke(lineage(2), logout()).await, Ok(Revoked::Now));
    begun_elsewhere(&side, 1 + 2 * APART).await;
    let mut ended = store
        .revoke_subject(&user, cut(START), Some(lineage(1)))
        .await
        .unwrap();
    ended.sort();
    assert_eq!(
        ended,
        [
            lineage(1 + APART),
            lineage(2 + APART),
            lineage(1 + 2 * APART)
        ]
    );
    begun_elsewhere(&side, 2 + 2 * APART).await;
    let late = START + IDLE + IDLE;
    assert_eq!(store.purge(late, 100).await.unwrap().sessions, 4);
    for n in [1, 2 + 2 * APART] {
        let loaded = store.load(lineage(n)).await.unwrap().unwrap();
        assert_eq!(loaded.row.revoked, None, "{n}");
    }
}

#[tokio::test]
async fn an_end_that_only_the_log_has_is_seen_by_the_next_presentation() {
    let Some((store, side, _server)) = opened().await else {
        return;
    };
    store.create(&session(1)).await.unwrap();
    let end = Entry::Revoked {
        lineage: lineage(1),
        why: theft(),
    };
    only_logged(&side, end, Shard::of(lineage(1))).await;
    // The look at the log that is otherwise taken once a second.
    store.check().await.unwrap();
    let loaded = store.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!(loaded.row.revoked, Some(theft()));
    assert_eq!(
        store.revoke(lineage(1), logout()).await,
        Ok(Revoked::Before(theft()))
    );
}

#[tokio::test]
async fn who_ended_a_session_is_who_is_first_in_the_log() {
    let Some((store, side, _server)) = opened().await else {
        return;
    };
    store.create(&session(1)).await.unwrap();
    let end = Entry::Revoked {
        lineage: lineage(1),
        why: theft(),
    };
    only_logged(&side, end, Shard::of(lineage(1))).await;
    let answer = store.revoke(lineage(1), logout()).await;
    assert_eq!(answer, Ok(Revoked::Before(theft())));
    assert_eq!(store.logged_end(lineage(1)).await, Ok(Some(theft())));
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_given_them_again() {
    let Some((store, _side, server)) = opened().await else {
        return;
    };
    let ticket = Ticket {
        kind: TicketKind::Code,
        hash: [1; 32],
        subject: None,
        expires_at: START,
        used_at: None,
        payload: String::new(),
    };
    for n in 1..3 {
        server.command::<String>(&["SCRIPT", "FLUSH"]).unwrap();
        store.create(&session(n)).await.unwrap();
        server.command::<String>(&["SCRIPT", "FLUSH"]).unwrap();
        assert_eq!(store.revoke(lineage(n), logout()).await, Ok(Revoked::Now));
    }
    server.command::<String>(&["SCRIPT", "FLUSH"]).unwrap();
    store.add_ticket(&ticket).await.unwrap();
    assert!(is_there(&store, 1).await);
}

/// Of every acknowledged entry of a shard but the first: as a failover to a server that lagged loses
/// them, while this one runs.
fn fall_back(side: &Side) {
    let log = rusqlite::Connection::open(side.dir.path().join("tenure.db")).unwrap();
    log.execute("DELETE FROM session_log WHERE position > 1", ())
        .unwrap();
    let heads = "UPDATE log_heads SET position = 1 WHERE position > 1";
    assert!(log.execute(heads, ()).unwrap() > 0);
}

/// At one server.
async fn two_processes(side: &Side) -> Option<([Redis; 2], RedisOptions, Arc<Server>)> {
    let server = Server::shared(is_here(Engine::Redis7)?).unwrap();
    let options = options(&server.url());
    let one = side.open(&options).await.unwrap();
    let other = side.open(&options).await.unwrap();
    Some(([one, other], options, server))
}

#[tokio::test]
async fn an_end_after_the_log_fell_back_is_final_and_in_the_log() {
    let Some((store, side, _server)) = opened().await else {
        return;
    };
    for n in [1, 1 + APART, 1 + 2 * APART] {
        store.create(&session(n)).await.unwrap();
    }
    fall_back(&side);
    for n in [1, 1 + APART] {
        assert_eq!(store.revoke(lineage(n), logout()).await, Ok(Revoked::Now));
        let loaded = store.load(lineage(n)).await.unwrap().unwrap();
        assert_eq!(loaded.row.revoked, Some(logout()), "{n}");
        assert_eq!(store.logged_end(lineage(n)).await, Ok(Some(logout())));
    }
    store.create(&session(1 + 3 * APART)).await.unwrap();
    assert!(is_there(&store, 1 + 2 * APART).await);
}

#[tokio::test]
async fn a_process_that_knows_of_lost_entries_does_not_hide_what_another_writes() {
    let side = Side::new();
    let Some(([one, other], options, _server)) = two_processes(&side).await else {
        return;
    };
    for n in [1, 1 + APART, 1 + 2 * APART] {
        one.create(&session(n)).await.unwrap();
        assert!(is_there(&other, n).await);
    }
    drop(one);
    fall_back(&side);
    let one = side.open(&options).await.unwrap();
    for n in [1, 1 + APART] {
        assert!(is_there(&other, n).await);
        assert_eq!(one.revoke(lineage(n), logout()).await, Ok(Revoked::Now));
        let loaded = other.load(lineage(n)).await.unwrap().unwrap();
        assert_eq!(loaded.row.revoked, Some(logout()), "{n}");
    }
    one.create(&session(1 + 3 * APART)).await.unwrap();
    assert!(is_there(&other, 1 + 3 * APART).await);
}

/// What is lost of the log is lost of Redis too, and only a process knows that it ever was.
#[tokio::test]
async fn positions_that_only_a_process_knows_of_are_not_given_out_again() {
    let side = Side::new();
    let Some(([one, other], options, server)) = two_processes(&side).await else {
        return;
    };
    for n in [1, 1 + APART, 1 + 2 * APART] {
        one.create(&session(n)).await.unwrap();
        assert!(is_there(&other, n).await);
    }
    fall_back(&side);
    let shard = Shard::of(lineage(1));
    let position = format!("{{{}:{}}}:log", options.prefix, shard.0);
    server.command::<String>(&["SET", &position, "1"]).unwrap();
    assert!(is_there(&other, 1).await);
    for n in [1, 1 + APART] {
        assert_eq!(one.revoke(lineage(n), logout()).await, Ok(Revoked::Now));
        let loaded = other.load(lineage(n)).await.unwrap().unwrap();
        assert_eq!(loaded.row.revoked, Some(logout()), "{n}");
    }
}

async fn everywhere_ends_what_the_log_forgot(store: &Redis, side: &Side) {
    for n in [1, 1 + APART, 1 + 2 * APART] {
        store.create(&session(n)).await.unwrap();
    }
    store.revoke(lineage(1 + APART), theft()).await.unwrap();
    fall_back(side);
    let user = session(1).grant.subject;
    let mut ended = store.revoke_subject(&user, cut(START), None).await.unwrap();
    ended.sort();
    assert_eq!(ended, [lineage(1), lineage(1 + 2 * APART)]);
    let listed = side.log().sessions_of(&user).await.unwrap();
    assert_eq!(listed, [1, 1 + APART, 1 + 2 * APART].map(lineage));
    // With an end that was in the lost part only.
    assert_eq!(
        store.logged_end(lineage(1 + APART)).await,
        Ok(Some(theft()))
    );
}

#[tokio::test]
async fn sign_out_everywhere_ends_a_session_that_the_log_forgot() {
    let Some((store, side, _server)) = opened().await else {
        return;
    };
    everywhere_ends_what_the_log_forgot(&store, &side).await;
}

#[tokio::test]
async fn sign_out_everywhere_ends_a_session_that_the_log_of_a_cluster_forgot() {
    let Some(engine) = is_here(Engine::Valkey8) else {
        return;
    };
    let (cluster, side) = (shared_cluster(engine), Side::new());
    let store = side.open(&options(&cluster.url())).await.unwrap();
    everywhere_ends_what_the_log_forgot(&store, &side).await;
}

#[tokio::test]
async fn a_start_lists_what_the_log_forgot_and_ends_what_a_cut_did_not_find() {
    let side = Side::new();
    let Some(([one, other], options, _server)) = two_processes(&side).await else {
        return;
    };
    for n in [1, 1 + APART, 1 + 2 * APART] {
        one.create(&session(n)).await.unwrap();
    }
    drop((one, other));
    fall_back(&side);
    let (user, at) = (session(1).grant.subject, cut(session(1).grant.auth_time));
    let before = at.before + Duration::from_secs(1);
    let at = tenure_core::lineage::Cut { before, ..at };
    side.sqlite.set_cut(&user, at).await.unwrap();
    let store = side.open(&options).await.unwrap();
    let listed = side.log().sessions_of(&user).await.unwrap();
    assert_eq!(listed, [1, 1 + APART, 1 + 2 * APART].map(lineage));
    for n in [1 + APART, 1 + 2 * APART] {
        let loaded = store.load(lineage(n)).await.unwrap().unwrap();
        assert_eq!(loaded.row.revoked.map(|end| end.at), Some(before), "{n}");
    }
}
