//! An API that refuses the token: one retry, and no storm.

use tenure_client::{Error, State};

use crate::bench::{Bench, token};
use crate::calls::call;
use crate::service::Plan;

const INSUFFICIENT: &str = "WWW-Authenticate: Bearer error=\"insufficient_scope\"";
const INVALID: &str = "WWW-Authenticate: Bearer error=\"invalid_token\"";

fn refusal() -> Plan {
    Plan::Instead(401, "X: y", "")
}

#[tokio::test]
async fn a_refused_token_is_refreshed_and_the_call_repeated_once() {
    let (bench, session) = Bench::signed_in().await;
    for (turn, plan) in [
        Plan::Instead(401, "X: y", ""),
        Plan::Instead(401, INVALID, ""),
        Plan::Instead(403, INVALID, ""),
    ]
    .into_iter()
    .enumerate()
    {
        bench.service.plan([plan]);
        assert_eq!(call(&session, &bench.service).await, 200);
        assert_eq!(bench.service.refreshes(turn + 1).await.len(), turn + 1);
        bench.clock.pass(301);
    }
    assert_eq!(bench.service.calls().len(), 6);
    assert_eq!(
        bench.service.calls()[..2],
        ["Bearer access-1", "Bearer access-2"]
    );
}

#[tokio::test]
async fn an_api_that_refuses_fresh_tokens_causes_no_storm_and_ends_no_session() {
    let (bench, session) = Bench::signed_in().await;
    // The first call, the refresh, its repetition; then four calls with the fresh token.
    bench.service.plan([refusal(), Plan::Obey, refusal()]);
    bench
        .service
        .plan([refusal(), refusal(), refusal(), refusal()]);
    for _ in 0..5 {
        assert_eq!(call(&session, &bench.service).await, 401);
    }
    assert_eq!(bench.service.books().refreshes.len(), 1);
    assert_eq!(bench.service.books().calls.len(), 6);
    let State::Refused { hint } = session.state() else {
        panic!("{:?}", session.state());
    };
    assert!(hint.contains("issuer, audience and keys"), "{hint}");
    assert_eq!(bench.kept(), "refresh-2", "the session is kept");
    let current = session.access_token().await.expect("for other APIs");
    assert_eq!(
        session.access_token_instead_of(&current).await,
        Err(Error::Refused { hint })
    );
    assert_eq!(bench.service.books().refreshes.len(), 1);

    // Ten minutes later the API is in order again.
    bench.clock.pass(600);
    assert_eq!(call(&session, &bench.service).await, 200);
    assert_eq!(token(&session).await, "access-2");
    assert!(matches!(session.state(), State::Active { .. }));
}

#[tokio::test]
async fn an_api_that_takes_a_later_token_ends_the_refusal() {
    let (bench, session) = Bench::signed_in().await;
    bench.service.books().lifetime = 120;
    bench.service.plan([refusal(), Plan::Obey, refusal()]);
    assert_eq!(call(&session, &bench.service).await, 401);
    assert!(matches!(session.state(), State::Refused { .. }));
    assert_eq!(call(&session, &bench.service).await, 200);
    assert!(
        matches!(session.state(), State::Refused { .. }),
        "the same token: another route may have taken it all the time"
    );
    bench.clock.pass(67);
    assert_eq!(call(&session, &bench.service).await, 200);
    assert_eq!(
        bench.service.calls().last().expect("a call"),
        "Bearer access-3"
    );
    assert!(matches!(session.state(), State::Active { .. }));
}

#[tokio::test]
async fn sixteen_callers_that_are_refused_at_once_cause_one_refresh() {
    let (bench, session) = Bench::signed_in().await;
    let refused = session.access_token().await.expect("a token");
    let callers = (0..16).map(|_| {
        let (session, refused) = (session.clone(), refused.clone());
        tokio::spawn(async move { session.access_token_instead_of(&refused).await })
    });
    for caller in callers.collect::<Vec<_>>() {
        let newer = caller.await.expect("ran").expect("another token");
        assert_eq!(newer.token.expose(), "access-2");
    }
    assert_eq!(bench.service.books().refreshes.len(), 1);
}

#[tokio::test]
async fn a_call_that_lost_a_race_is_repeated_with_the_current_token_without_a_refresh() {
    let (bench, session) = Bench::signed_in().await;
    let old = session.access_token().await.expect("a token");
    bench.clock.pass(900);
    assert_eq!(token(&session).await, "access-2");
    let newer = session.access_token_instead_of(&old).await.expect("newer");
    assert_eq!(newer.token.expose(), "access-2");
    assert_eq!(bench.service.books().refreshes.len(), 1);
}

#[tokio::test]
async fn what_a_new_token_would_not_change_causes_no_refresh() {
    let (bench, session) = Bench::signed_in().await;
    let answers = [
        (403, "X: y"),
        (403, INSUFFICIENT),
        (401, INSUFFICIENT),
        (404, "X: y"),
    ];
    for (status, header) in answers {
        bench.service.plan([Plan::Instead(status, header, "")]);
        assert_eq!(call(&session, &bench.service).await, status);
    }
    assert!(bench.service.books().refreshes.is_empty());
    assert_eq!(bench.service.books().calls.len(), answers.len());
}

#[tokio::test]
async fn a_device_that_slept_hands_out_no_token_that_ended_meanwhile() {
    let (bench, session) = Bench::signed_in().await;
    assert_eq!(token(&session).await, "access-1");
    bench.clock.sleep(900);
    assert_eq!(token(&session).await, "access-2");
}
