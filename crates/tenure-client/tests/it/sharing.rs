//! Many hands on one session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_client::{Config, Error, Policy, Session, State, Vault as _};
use tokio::task::JoinSet;

use crate::bench::{Bench, failure, token};
use crate::service::Plan;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_tasks_make_one_refresh() {
    let (bench, session) = Bench::expired().await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let session = session.clone();
        tasks.spawn(async move { token(&session).await });
    }
    let tokens = tasks.join_all().await;
    assert_eq!(tokens, ["access-2"; 8]);
    assert_eq!(bench.service.books().refreshes.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_sessions_over_one_vault_make_one_refresh() {
    let (bench, first) = Bench::expired().await;
    let mut tasks = JoinSet::new();
    for _ in 0..7 {
        let session = bench.open().await;
        tasks.spawn(async move { token(&session).await });
    }
    assert_eq!(token(&first).await, "access-2");
    assert_eq!(tasks.join_all().await, ["access-2"; 7]);
    assert_eq!(bench.service.books().refreshes.len(), 1);
}

/// State and token at hand change before the call returns that changed them, for all threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_gets_a_token_once_sign_out_has_returned_or_keeps_a_refused_one() {
    let (_bench, session) = Bench::signed_in().await;
    let signed_out = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (session, signed_out) = (session.clone(), Arc::clone(&signed_out));
        tasks.spawn(async move {
            let mut handed_out = 0_u64;
            loop {
                let over = signed_out.load(Ordering::SeqCst);
                match session.access_token().await {
                    Ok(_) if over => panic!("a token after the end"),
                    Ok(_) => handed_out += 1,
                    Err(_) => return handed_out,
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let mut token = session.access_token().await.expect("a token");
    for _ in 0..3 {
        let newer = session.access_token_instead_of(&token).await;
        // After the first, a fresh token is refused again: the breaker is open.
        if let Ok(newer) = newer {
            assert_ne!(newer, token);
            assert_eq!(session.access_token().await, Ok(newer.clone()));
            token = newer;
        }
    }
    session.sign_out().await.expect("signed out");
    signed_out.store(true, Ordering::SeqCst);
    assert!(matches!(session.state(), State::SignedOut { .. }));
    let handed_out: u64 = tasks.join_all().await.into_iter().sum();
    assert!(handed_out > 0);
}

#[tokio::test]
async fn a_cancelled_caller_loses_nothing() {
    let (bench, session) = Bench::expired().await;
    bench.service.plan([Plan::Hold(Box::new(Plan::Obey))]);
    let asking = tokio::spawn({
        let session = session.clone();
        async move { session.access_token().await }
    });
    bench.service.refreshes(1).await;
    asking.abort();
    assert!(asking.await.expect_err("aborted").is_cancelled());
    bench.service.release();
    session.settled().await;
    assert_eq!(bench.kept(), "refresh-2");
    assert_eq!(token(&session).await, "access-2");
    assert_eq!(bench.service.books().refreshes.len(), 1);
}

#[tokio::test]
async fn a_refresh_is_finished_even_if_every_handle_is_gone() {
    let (bench, session) = Bench::expired().await;
    bench.service.plan([Plan::Hold(Box::new(Plan::Obey))]);
    let mut states = session.subscribe();
    let asking = tokio::spawn(async move { session.access_token().await });
    bench.service.refreshes(1).await;
    asking.abort();
    drop(asking.await);
    bench.service.release();
    // The channel closes when the refresh has let go of the session.
    while states.changed().await.is_ok() {}
    assert_eq!(bench.kept(), "refresh-2");
}

#[tokio::test]
async fn a_sign_in_of_another_process_ends_the_signed_out_state_of_this_one() {
    let (bench, first) = Bench::signed_in().await;
    let second = bench.open().await;
    first.sign_out().await.expect("signed out");
    let told = failure(&first).await;
    assert!(matches!(told, Error::SignInRequired { .. }), "{told:?}");
    let password = crate::service::password();
    let signed_in = second.sign_in_password("demo@example.com", password).await;
    signed_in.expect("signed in");
    bench.clock.pass(1);
    assert_eq!(token(&first).await, token(&second).await);
    assert!(matches!(first.state(), State::Active { .. }));
}

#[tokio::test]
async fn a_session_of_another_service_that_comes_later_is_left_alone() {
    let (here, there) = (Bench::new().await, Bench::new().await);
    let ours = here.open().await;
    let config = there.config_with(here.vault());
    let theirs = Session::open(config).await.expect("opened");
    let password = crate::service::password;
    let signed_in = theirs.sign_in_password("demo@example.com", password());
    signed_in.await.expect("signed in");
    let before = here.record();

    here.clock.pass(1);
    let told = failure(&ours).await;
    assert!(matches!(told, Error::SignInRequired { .. }), "{told:?}");
    let refused = ours.sign_in_password("demo@example.com", password());
    let refused = refused.await.expect_err("no room");
    assert!(
        matches!(refused, Error::StorageUnavailable(_)),
        "{refused:?}"
    );
    assert_eq!(here.record(), before);
    assert_eq!(token(&theirs).await, "access-1");
}

fn impatient(bench: &Bench) -> Config {
    bench.config().policy(Policy {
        lock_patience: std::time::Duration::ZERO,
        ..Policy::default()
    })
}

#[tokio::test]
async fn a_suspended_owner_of_the_lock_does_not_stop_others_where_that_is_safe() {
    let (bench, session) = Bench::expired().await;
    drop(session);
    let lease = bench.vault().lock().expect("taken");
    let session = Session::open(impatient(&bench)).await.expect("opened");
    assert_eq!(token(&session).await, "access-2");
    drop(lease);
}

#[tokio::test]
async fn elsewhere_nobody_refreshes_without_the_lock() {
    let (bench, session) = Bench::expired().await;
    bench.service.books().retire_on_use = false;
    session
        .sign_in_password("demo@example.com", crate::service::password())
        .await
        .expect("signed in");
    drop(session);
    bench.clock.pass(900);
    let lease = bench.vault().lock().expect("taken");
    let session = Session::open(impatient(&bench)).await.expect("opened");
    assert!(matches!(failure(&session).await, Error::Transient { .. }));
    assert!(bench.service.books().refreshes.is_empty());
    drop(lease);
    let mut states = session.subscribe();
    bench.clock.pass(60);
    assert!(token(&session).await.starts_with("access-"));
    let active = states.wait_for(|state| matches!(state, State::Active { .. }));
    active.await.expect("alive");
}
