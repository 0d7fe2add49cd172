//! Nothing goes round without end: no timer, no refresh.

use std::time::Duration;

use super::super::super::{Cause, Change, State};
use super::{
    Access, Bench, Event, Granted, KEY, Millis, Outcome, QUARTER, Revoked, Secret, Step, expiry,
    grant, granted,
};

#[test]
fn a_timer_for_a_revocation_that_another_process_has_sent_does_not_fire_for_ever() {
    let mut bench = Bench::signed_in(true);
    Change::SignOut.apply(&mut bench.vault);
    let record = Box::new(bench.vault.clone());
    bench.tell(Event::Changed(Step::SignOut, Ok(record)));
    let token = bench.vault.outbox[0].token.clone();
    bench.now.dice = 700;
    bench.tell(Event::Told(token.clone(), Revoked::Later(None)));

    Change::Revoked(token).apply(&mut bench.vault);
    let record = Box::new(bench.vault.clone());
    bench.tell(Event::Changed(Step::Discovered, Ok(record)));
    bench.pass(60_000);
    bench.tell(Event::Tick);
    assert_eq!(bench.machine.wake(bench.now), None);
}

/// An answer with a token that lives for `millis`.
fn short(turn: u32, millis: u64) -> Outcome {
    Outcome::Granted(Granted {
        expires_in: Some(Duration::from_millis(millis)),
        ..granted(&format!("a{turn}"), Some(&format!("r{turn}")))
    })
}

#[test]
fn a_service_whose_tokens_have_ended_on_arrival_is_asked_at_growing_intervals() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    let mut waits = Vec::new();
    for turn in 1..5 {
        bench.begin(KEY);
        bench.pass(700);
        bench.now.dice = u64::MAX;
        bench.answer(short(turn, 600));
        bench.now.dice = 60_000;
        bench.commit();
        let State::Degraded { cause, retry_at } = bench.machine.state() else {
            panic!("{:?}", bench.machine.state());
        };
        assert_eq!(cause, Cause::ShortLived);
        assert!(matches!(bench.request(), Access::Failed(_)));
        assert!(
            bench.actions.is_empty(),
            "no refresh before the wait is over"
        );
        let wait = retry_at - bench.now.wall;
        waits.push(wait);
        bench.pass(wait.0);
    }
    assert!(waits.iter().all(|wait| *wait > Millis(0)), "{waits:?}");
    assert!(waits[3] > waits[0], "{waits:?}");
    bench.begin(KEY);
    bench.answer(grant(9));
    bench.commit();
    assert_eq!(bench.token(), "a9");
    assert!(matches!(bench.machine.state(), State::Active { .. }));
}

#[test]
fn a_token_that_comes_late_serves_for_what_is_left_of_it() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.pass(3_000);
    bench.answer(short(1, 4_000));
    bench.now.dice = 900;
    bench.commit();
    assert_eq!(bench.token(), "a1");
    assert!(bench.actions.is_empty(), "it is handed out at once");
}

#[test]
fn a_token_that_ended_before_the_vault_took_it_is_refreshed_at_once() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.answer(grant(1));
    bench.fail_to_commit();
    bench.pass(QUARTER);
    bench.tell(Event::Tick);
    bench.commit();
    bench.begin(KEY);
}

#[test]
fn a_token_of_another_process_that_is_not_enough_is_refreshed_at_once() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    let by_another = Change::Keep {
        presented: Secret::new("r0"),
        granted: granted("b1", Some("s1")),
        expiry: expiry(bench.now.wall - Millis(QUARTER)),
    };
    by_another.apply(&mut bench.vault);
    bench.answer(grant(1));
    bench.commit();
    assert_eq!(bench.begin(KEY).refresh_token, Secret::new("s1"));
}
