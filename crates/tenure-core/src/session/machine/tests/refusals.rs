//! APIs that turn the access token away.

use std::time::Duration;

use super::super::standing::Standing;
use super::{
    Access, Action, Bench, Cause, Change, Event, Failure, Found, Granted, KEY, Lock, Machine,
    Millis, Note, Outcome, Policy, QUARTER, START, Secret, State, Step, Tokens, Trouble, expiry,
    grant, granted, provider, trouble,
};

impl Bench {
    fn refuse(&mut self, token: &str) {
        self.tell(Event::Refused(Secret::new(token)));
    }

    fn accept(&mut self, token: &str) {
        self.tell(Event::Accepted(Secret::new(token)));
    }

    fn renew(&mut self, turn: u32) {
        self.begin(KEY);
        self.answer(grant(turn));
        self.commit();
    }

    fn instead_of(&mut self, token: &str) -> Access {
        let (access, actions) = self.machine.request_instead(&Secret::new(token), self.now);
        self.actions = actions;
        access
    }

    /// `a0` was refused, `a1` took its place and was refused, too.
    fn refused() -> Self {
        let mut bench = Self::signed_in(true);
        bench.pass(60_000);
        bench.refuse("a0");
        bench.renew(1);
        bench.refuse("a1");
        bench
    }

    fn is_refused(&self) -> bool {
        matches!(self.machine.state(), State::Refused { .. })
    }

    /// Another process, or this one after a restart.
    fn restart(&mut self) {
        self.machine = Machine::new(Policy::default()).0;
        let record = Box::new(self.vault.clone());
        self.tell(Event::Loaded(Ok(Found::Record(record))));
    }
}

/// Tokens that live for so many seconds.
fn short(turn: usize, seconds: u64) -> Outcome {
    Outcome::Granted(Granted {
        expires_in: Some(Duration::from_secs(seconds)),
        ..granted(&format!("a{turn}"), Some(&format!("r{turn}")))
    })
}

#[test]
fn a_refused_token_is_refreshed_once_however_young_it_is() {
    for age in [0, 1_000, 60_000, 600_000] {
        let mut bench = Bench::signed_in(true);
        bench.pass(age);
        bench.refuse("a0");
        assert!(bench.actions.is_empty(), "nobody needs it yet");
        bench.renew(1);
        assert_eq!(bench.token(), "a1");
        assert!(matches!(bench.machine.state(), State::Active { .. }));
    }
}

#[test]
fn a_refresh_that_a_refusal_causes_says_so() {
    let mut bench = Bench::signed_in(true);
    bench.refuse("a0");
    assert_eq!(bench.request(), Access::Wait);
    let started = Note::RefreshStarted { reason: "refused" };
    assert!(bench.actions.contains(&Action::Note(started)));
}

#[test]
fn a_refusal_of_an_older_token_means_nothing() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.renew(1);
    bench.refuse("a0");
    assert_eq!(bench.token(), "a1");
    match bench.instead_of("a0") {
        Access::Ready(token) => assert_eq!(token.token, Secret::new("a1")),
        other => panic!("{other:?}"),
    }
    assert!(bench.actions.is_empty());
}

#[test]
fn a_fresh_token_that_is_refused_again_opens_the_breaker() {
    let mut bench = Bench::refused();
    let State::Refused { hint } = bench.machine.state() else {
        panic!("{:?}", bench.machine.state());
    };
    assert!(hint.contains("issuer, audience and keys"), "{hint}");
    assert!(matches!(
        bench.actions[..],
        [Action::Note(Note::Refused { .. })]
    ));
    assert_eq!(
        bench.instead_of("a1"),
        Access::Failed(Failure::Refused { hint })
    );
    assert_eq!(bench.token(), "a1", "other APIs may take it");
    assert!(bench.actions.is_empty(), "no refresh");
    assert!(bench.vault.holds(&Secret::new("r1")), "the session is kept");
    bench.refuse("a1");
    assert!(bench.actions.is_empty(), "told once");
}

#[test]
fn it_closes_when_a_later_token_is_accepted() {
    let mut bench = Bench::signed_in(true);
    bench.refuse("a0");
    bench.begin(KEY);
    bench.answer(short(1, 120));
    bench.commit();
    bench.refuse("a1");
    bench.accept("a1");
    assert!(bench.is_refused(), "another API took it all the time");
    bench.pass(60_001);
    bench.renew(2);
    assert!(bench.is_refused(), "nobody has taken the new token yet");
    bench.accept("a1");
    assert!(bench.is_refused());
    bench.accept("a2");
    assert!(matches!(bench.machine.state(), State::Active { .. }));
}

#[test]
fn it_closes_when_ten_minutes_have_passed_and_the_next_refusal_is_worth_one_refresh() {
    let mut bench = Bench::refused();
    assert_eq!(bench.machine.wake(bench.now), Some(Millis(30_000)));
    bench.pass(599_999);
    bench.tell(Event::Tick);
    assert!(bench.is_refused());
    assert_eq!(bench.machine.wake(bench.now), Some(Millis(1)));
    bench.pass(1);
    bench.tell(Event::Tick);
    assert!(matches!(bench.machine.state(), State::Active { .. }));
    assert_eq!(bench.token(), "a1", "nobody complains any more");
    bench.refuse("a1");
    bench.renew(2);
    bench.refuse("a2");
    assert!(bench.is_refused());
}

#[test]
fn it_closes_with_a_new_sign_in() {
    let mut bench = Bench::refused();
    let tokens = Tokens::new(granted("b0", Some("s0")), expiry(bench.now.wall)).expect("both");
    let provider = provider(true);
    Change::SignIn { tokens, provider }.apply(&mut bench.vault);
    let record = Box::new(bench.vault.clone());
    bench.tell(Event::Changed(Step::SignIn, Ok(record)));
    assert!(matches!(bench.machine.state(), State::Active { .. }));
    bench.refuse("b0");
    bench.renew(1);
    assert_eq!(bench.token(), "a1", "the count begins anew");
}

#[test]
fn signed_out_is_never_shown_as_refused() {
    let mut bench = Bench::refused();
    Change::SignOut.apply(&mut bench.vault);
    let record = Box::new(bench.vault.clone());
    bench.tell(Event::Changed(Step::SignOut, Ok(record)));
    assert!(matches!(bench.machine.state(), State::SignedOut { .. }));
    assert!(matches!(bench.machine.standing, Standing::Good));
}

#[test]
fn a_service_that_issues_the_refused_token_again_causes_no_storm() {
    let mut bench = Bench::signed_in(true);
    bench.refuse("a0");
    bench.begin(KEY);
    bench.answer(Outcome::Granted(granted("a0", Some("r1"))));
    bench.commit();
    assert!(bench.is_refused());
    assert_eq!(bench.token(), "a0");
    assert!(matches!(
        bench.instead_of("a0"),
        Access::Failed(Failure::Refused { .. })
    ));
}

#[test]
fn while_the_refresh_has_trouble_the_refused_token_serves_those_who_did_not_complain() {
    let mut bench = Bench::signed_in(true);
    bench.refuse("a0");
    bench.begin(KEY);
    bench.answer(trouble(Some(45)));
    assert_eq!(bench.token(), "a0");
    let transient = Failure::Transient {
        cause: Cause::Trouble(Trouble::Status(503)),
        retry_after: Duration::from_secs(45),
    };
    assert_eq!(bench.instead_of("a0"), Access::Failed(transient));
    bench.pass(45_000);
    assert_eq!(bench.instead_of("a0"), Access::Wait);
}

#[test]
fn an_attempt_that_is_repeated_counts_once() {
    let mut bench = Bench::signed_in(true);
    bench.refuse("a0");
    for _ in 0..5 {
        bench.begin(KEY);
        bench.answer(trouble(None));
    }
    bench.renew(1);
    let tokens = bench.vault.tokens.as_ref().expect("signed in");
    assert_eq!(tokens.refusals, [START]);
}

/// An hour at one call per second of an API that refuses everything.
fn refreshes(restart_every: Option<u64>, lifetime: u64) -> Vec<u64> {
    let mut bench = Bench::signed_in(true);
    let mut caused = Vec::new();
    for second in 0..3600 {
        if restart_every.is_some_and(|every| second % every == 0) {
            bench.restart();
        }
        let token = match bench.request() {
            Access::Ready(token) => token.token,
            other => panic!("{other:?}"),
        };
        bench.tell(Event::Refused(token.clone()));
        if bench.instead_of(token.expose()) == Access::Wait {
            caused.push(second);
            bench.lock(Lock::Held, KEY);
            bench.commit();
            bench.answer(short(caused.len(), lifetime));
            bench.commit();
        }
        bench.pass(1_000);
        bench.now.dice += 1;
    }
    caused
}

#[test]
fn an_api_that_refuses_everything_causes_at_most_three_refreshes_in_ten_minutes() {
    // Long-lived tokens, so that every refresh is a refusal's.
    for restart_every in [None, Some(1), Some(7), Some(40), Some(599)] {
        let caused = refreshes(restart_every, 86_400);
        let crowded = |four: &[u64]| four[3] - four[0] < 600;
        assert!(
            !caused.windows(4).any(crowded),
            "restarts every {restart_every:?} s: {caused:?}"
        );
        assert!(!caused.is_empty());
    }
    assert_eq!(
        refreshes(None, 86_400),
        [0, 600, 1200, 1800, 2400, 3000],
        "one process: one refresh, then the breaker is open for ten minutes"
    );
}
