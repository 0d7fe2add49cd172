use std::time::Duration;

use super::super::{
    Cause, Change, Expiry, Failure, Found, Millis, Moment, Provider, Reason, Record, State, Tokens,
    VaultFault,
};
use super::{Access, Action, Event, Lock, Machine, Note, Policy, Presentation, Revoked, Step};
use crate::lineage::{EndCause, KeyHash};
use crate::outcome::{Granted, Outcome, Trouble};
use crate::secret::Secret;

mod clocks;
mod exhaustive;
mod looks;
mod loops;
mod random;
mod refusals;
mod successors;

const START: Millis = Millis(1_700_000_000_000);
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const QUARTER: u64 = 900_000;

/// A machine, the vault behind it, and a clock.
struct Bench {
    machine: Machine,
    vault: Record,
    now: Moment,
    actions: Vec<Action>,
}

impl Bench {
    /// Signed in just now with `r0` and `a0`, at a service that retires on use or not.
    fn signed_in(retire_on_use: bool) -> Self {
        let tokens = Tokens::new(granted("a0", Some("r0")), expiry(START)).expect("has both");
        let vault = Record {
            provider: Some(provider(retire_on_use)),
            tokens: Some(tokens),
            ..Record::default()
        };
        Self::restored(Ok(Found::Record(Box::new(vault.clone()))), vault)
    }

    fn restored(found: Result<Found, VaultFault>, vault: Record) -> Self {
        let (machine, actions) = Machine::new(Policy::default());
        assert_eq!(
            actions,
            [Action::Note(Note::BootstrapStarted), Action::Load]
        );
        let mut bench = Self {
            machine,
            vault,
            now: Moment {
                wall: START,
                mono: Millis(0),
                dice: 0,
            },
            actions: Vec::new(),
        };
        bench.tell(Event::Loaded(found));
        bench
    }

    fn pass(&mut self, millis: u64) {
        self.now.wall = self.now.wall + Millis(millis);
        self.now.mono = self.now.mono + Millis(millis);
    }

    fn tell(&mut self, event: Event) {
        self.actions = self.machine.handle(event, self.now);
    }

    fn request(&mut self) -> Access {
        self.request_with(0)
    }

    fn request_with(&mut self, min_ttl: u64) -> Access {
        let (access, actions) = self.machine.request(Millis(min_ttl), self.now);
        self.actions = actions;
        access
    }

    fn token(&mut self) -> String {
        match self.request() {
            Access::Ready(token) => token.token.expose().to_owned(),
            other => panic!("no token but {other:?}"),
        }
    }

    /// Carries out the one commit that is asked for.
    fn commit(&mut self) {
        let change = self.asked_to_commit();
        change.apply(&mut self.vault);
        let record = Box::new(self.vault.clone());
        self.tell(Event::Changed(change.step(), Ok(record)));
    }

    fn fail_to_commit(&mut self) {
        let step = self.asked_to_commit().step();
        self.tell(Event::Changed(step, Err(full())));
    }

    fn asked_to_commit(&self) -> Change {
        let commit = |action: &Action| match action {
            Action::Commit(change) => Some(change.clone()),
            _ => None,
        };
        self.actions.iter().find_map(commit).expect("a commit")
    }

    fn sent(&self) -> Presentation {
        let send = |action: &Action| match action {
            Action::Send(presentation) => Some(presentation.clone()),
            _ => None,
        };
        self.actions.iter().find_map(send).expect("a refresh")
    }

    /// Runs a refresh up to the sending.
    fn begin(&mut self, key: &str) -> Presentation {
        assert_eq!(self.request(), Access::Wait);
        assert!(
            self.actions
                .contains(&Action::Lock(Duration::from_secs(10)))
        );
        self.lock(Lock::Held, key);
        self.commit();
        self.sent()
    }

    fn lock(&mut self, lock: Lock, key: &str) {
        let key = Secret::new(key);
        self.tell(Event::Locked { lock, key });
    }

    fn answer(&mut self, outcome: Outcome) {
        self.tell(Event::Answered {
            outcome,
            date: None,
        });
    }

    fn unlocked(&self) -> bool {
        self.actions.contains(&Action::Unlock)
    }
}

fn full() -> VaultFault {
    VaultFault::Unavailable("full".into())
}

fn granted(access: &str, refresh: Option<&str>) -> Granted {
    Granted {
        access_token: Secret::new(access),
        refresh_token: refresh.map(Secret::new),
        expires_in: Some(Duration::from_millis(QUARTER)),
    }
}

fn grant(turn: u32) -> Outcome {
    Outcome::Granted(granted(&format!("a{turn}"), Some(&format!("r{turn}"))))
}

fn trouble(retry_after: Option<u64>) -> Outcome {
    Outcome::Transient {
        trouble: Trouble::Status(503),
        retry_after: retry_after.map(Duration::from_secs),
    }
}

fn expiry(asked: Millis) -> Expiry {
    Expiry::new(asked, Millis(QUARTER), None, asked)
}

fn provider(retire_on_use: bool) -> Provider {
    Provider {
        issuer: "https://id.example.com".into(),
        client_id: "app".into(),
        authorization_endpoint: None,
        token_endpoint: "https://id.example.com/token".into(),
        revocation_endpoint: Some("https://id.example.com/revoke".into()),
        names_issuer: false,
        retire_on_use,
        fetched: START,
    }
}

#[test]
fn nobody_gets_an_answer_before_the_vault_was_read() {
    let (mut machine, _) = Machine::new(Policy::default());
    let now = Moment {
        wall: START,
        mono: Millis(0),
        dice: 0,
    };
    assert_eq!(machine.state(), State::Restoring);
    assert_eq!(machine.request(Millis(0), now), (Access::Wait, vec![]));
}

#[test]
fn what_the_vault_holds_decides_where_the_session_starts() {
    let never = State::SignedOut {
        reason: Reason::NeverSignedIn,
    };
    let damaged = State::SignedOut {
        reason: Reason::VaultDamaged,
    };
    let cases = [
        (Ok(Found::Missing), never.clone()),
        (Ok(Found::Empty), never),
        (Ok(Found::Damaged), damaged),
        (
            Err(VaultFault::Locked("asks for a password".into())),
            State::StorageLocked,
        ),
    ];
    for (found, state) in cases {
        let bench = Bench::restored(found, Record::default());
        assert_eq!(bench.machine.state(), state);
    }
}

#[test]
fn a_locked_vault_is_read_again_and_is_not_a_sign_out() {
    let mut bench = Bench::signed_in(true);
    let record = Box::new(bench.vault.clone());
    bench = Bench::restored(
        Err(VaultFault::Locked("asks for a password".into())),
        bench.vault,
    );
    bench.now.dice = 500;
    bench.tell(Event::Tick);
    assert_eq!(
        bench.actions,
        [Action::Load],
        "the first wait was rolled as 0"
    );
    bench.tell(Event::Loaded(Err(VaultFault::Locked(
        "asks for a password".into(),
    ))));
    let fault = VaultFault::Locked("asks for a password".into());
    let failure = Failure::StorageUnavailable(fault);
    assert_eq!(bench.request(), Access::Failed(failure));
    bench.pass(500);
    assert_eq!(bench.request(), Access::Wait);
    assert_eq!(bench.actions, [Action::Load]);
    bench.tell(Event::Loaded(Ok(Found::Record(record))));
    assert_eq!(bench.token(), "a0");
}

#[test]
fn a_token_is_refreshed_before_it_ends() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER - 60_000);
    assert_eq!(bench.token(), "a0", "a minute is left");
    bench.pass(1);
    bench.begin(KEY);
    assert_eq!(bench.machine.state(), State::Refreshing);
    bench.answer(grant(1));
    assert_eq!(bench.request(), Access::Wait, "not handed out before saved");
    bench.answer(grant(7));
    assert!(bench.actions.is_empty(), "nobody asked for a second answer");
}

#[test]
fn the_answer_is_saved_then_handed_out() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.answer(grant(1));
    bench.commit();
    assert!(bench.unlocked());
    assert_eq!(bench.token(), "a1");
    let expires_at = bench.now.wall + Millis(QUARTER);
    assert_eq!(bench.machine.state(), State::Active { expires_at });
}

#[test]
fn a_caller_can_ask_for_at_most_half_a_life() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER / 2);
    assert!(matches!(bench.request_with(u64::MAX), Access::Ready(_)));
    bench.pass(1);
    assert!(matches!(bench.request(), Access::Ready(_)));
    assert_eq!(bench.request_with(u64::MAX), Access::Wait);
}

#[test]
fn the_claims_are_the_keys_of_the_parent() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    let first = bench.begin(KEY);
    assert_eq!(first.claims, None);
    assert_eq!(first.key, Secret::new(KEY));
    bench.answer(grant(1));
    bench.commit();
    bench.pass(QUARTER);
    let second = bench.begin("BBBBBBBBBBBBBBBBBBBBBB");
    assert_eq!(second.refresh_token, Secret::new("r1"));
    assert_eq!(second.claims, Some(vec![KeyHash::of(KEY.as_bytes())]));
}

#[test]
fn a_retry_presents_the_same_token_with_the_same_key() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    let first = bench.begin(KEY);
    bench.answer(trouble(None));
    assert!(bench.unlocked());
    let second = bench.begin("BBBBBBBBBBBBBBBBBBBBBB");
    assert_eq!(second, first);
}

#[test]
fn a_valid_token_bridges_trouble_and_an_expired_one_does_not() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER - 30_000);
    bench.begin(KEY);
    bench.answer(trouble(Some(45)));
    assert_eq!(bench.token(), "a0");
    let retry_at = bench.now.wall + Millis(45_000);
    assert!(matches!(
        bench.machine.state(),
        State::Degraded { retry_at: at, .. } if at == retry_at
    ));
    bench.pass(30_000);
    assert_eq!(
        bench.request(),
        Access::Failed(Failure::Transient {
            cause: Cause::Trouble(Trouble::Status(503)),
            retry_after: Duration::from_secs(15),
        })
    );
    assert_eq!(bench.machine.wake(bench.now), Some(Millis(15_000)));
    bench.pass(15_000);
    bench.tell(Event::Tick);
    assert!(
        bench
            .actions
            .contains(&Action::Lock(Duration::from_secs(10)))
    );
}

#[test]
fn waits_double_up_to_their_bound_and_the_unasked_ones_are_numbered() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    for bound in [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60].map(|seconds| seconds * 1000) {
        bench.begin(KEY);
        bench.now.dice = 63_999;
        bench.answer(trouble(None));
        let State::Degraded { retry_at, .. } = bench.machine.state() else {
            panic!("{:?}", bench.machine.state());
        };
        let wait = Millis(63_999 % (bound + 1));
        assert_eq!(retry_at - bench.now.wall, wait, "at most {bound} ms");
        bench.pass(wait.0);
    }
    assert_eq!(
        bench.machine.wake(bench.now),
        None,
        "eleven failures in a row: only a caller is reason enough"
    );
    assert_eq!(bench.request(), Access::Wait);
}

#[test]
fn the_server_s_wait_is_never_cut_short_by_the_dice() {
    for (dice, wait) in [(0, 45_000), (1000, 45_000)] {
        let mut bench = Bench::signed_in(true);
        bench.pass(QUARTER);
        bench.begin(KEY);
        bench.now.dice = dice;
        bench.answer(trouble(Some(45)));
        bench.pass(wait - 1);
        assert!(matches!(bench.request(), Access::Failed(_)));
        bench.pass(1);
        assert_eq!(bench.request(), Access::Wait);
    }
}

#[test]
fn a_sign_in_outruns_the_reading_of_the_vault() {
    let bench = Bench::signed_in(true);
    let (mut machine, _) = Machine::new(Policy::default());
    let record = Box::new(bench.vault);
    machine.handle(Event::Changed(Step::SignIn, Ok(record)), bench.now);
    let late = Err(VaultFault::Locked("asks for a password".into()));
    machine.handle(Event::Loaded(late), bench.now);
    assert!(matches!(machine.state(), State::Active { .. }));
}

#[test]
fn a_clock_set_back_while_the_answer_is_on_its_way_does_no_harm() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.now.wall = START - Millis(3_600_000);
    bench.answer(grant(1));
    bench.commit();
    assert_eq!(bench.token(), "a1");
}

#[test]
fn a_definitive_answer_ends_the_session_only_if_the_vault_still_holds_the_token() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    let by_another = Change::Keep {
        presented: Secret::new("r0"),
        granted: granted("a1", Some("r1")),
        expiry: expiry(bench.now.wall),
    };
    bench.answer(Outcome::Definitive(EndCause::Unknown));
    by_another.apply(&mut bench.vault);
    bench.commit();
    assert!(bench.unlocked());
    assert_eq!(bench.token(), "a1", "another process had moved on");

    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.answer(Outcome::Definitive(EndCause::ExpiredIdle));
    assert_eq!(
        bench.machine.state(),
        State::Refreshing,
        "the vault decides"
    );
    bench.commit();
    let reason = Reason::Ended(EndCause::ExpiredIdle);
    assert_eq!(bench.machine.state(), State::SignedOut { reason });
    assert_eq!(
        bench.request(),
        Access::Failed(Failure::SignInRequired(reason))
    );
}

#[test]
fn a_definitive_answer_that_cannot_be_noted_keeps_the_session() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.answer(Outcome::Definitive(EndCause::ExpiredIdle));
    bench.fail_to_commit();
    assert!(matches!(bench.machine.state(), State::Degraded { .. }));
    assert!(bench.unlocked());
}

#[test]
fn an_end_after_a_lost_answer_says_so_where_nobody_retires_on_use() {
    for (retire_on_use, loses, told) in [
        (false, true, true),
        (false, false, false),
        (true, true, false),
    ] {
        let mut bench = Bench::signed_in(retire_on_use);
        bench.pass(QUARTER);
        if loses {
            bench.begin(KEY);
            bench.answer(Outcome::Transient {
                trouble: Trouble::Timeout,
                retry_after: None,
            });
            bench.pass(QUARTER);
        }
        bench.begin("BBBBBBBBBBBBBBBBBBBBBB");
        bench.answer(Outcome::Definitive(EndCause::Unknown));
        let issuer = "https://id.example.com".to_owned();
        let lost = Action::Note(Note::AnswerLost { issuer });
        assert_eq!(
            bench.actions.contains(&lost),
            told,
            "{retire_on_use} {loses}"
        );
    }
}

#[test]
fn our_own_mistake_keeps_the_session_and_is_named() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.answer(Outcome::Misconfigured("invalid_client".into()));
    assert_eq!(
        bench.request(),
        Access::Failed(Failure::Misconfigured("invalid_client".into()))
    );
    assert!(matches!(bench.machine.state(), State::Degraded { .. }));
}

#[test]
fn no_token_is_spent_where_the_vault_cannot_be_written() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER - 30_000);
    assert_eq!(bench.request(), Access::Wait);
    bench.now.dice = 900;
    bench.lock(Lock::Held, KEY);
    bench.fail_to_commit();
    assert!(
        !bench
            .actions
            .iter()
            .any(|action| matches!(action, Action::Send(_)))
    );
    assert!(bench.unlocked());
    assert_eq!(bench.token(), "a0", "it is still valid");
    assert_eq!(
        bench.machine.state(),
        State::Degraded {
            cause: Cause::Storage(full()),
            retry_at: bench.now.wall + Millis(900)
        }
    );
}

#[test]
fn an_answer_that_cannot_be_saved_lives_in_memory_and_is_saved_later() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.answer(grant(1));
    bench.fail_to_commit();
    assert!(
        !bench.unlocked(),
        "no other process may present the spent token"
    );
    assert_eq!(bench.token(), "a1");
    assert!(matches!(
        bench.machine.state(),
        State::Degraded {
            cause: Cause::Storage(_),
            ..
        }
    ));
    bench.tell(Event::Tick);
    bench.commit();
    assert!(bench.unlocked());
    assert!(bench.vault.holds(&Secret::new("r1")));
    assert!(matches!(bench.machine.state(), State::Active { .. }));
}

#[test]
fn a_suspended_owner_of_the_lock_stops_only_those_it_must() {
    for retire_on_use in [true, false] {
        let mut bench = Bench::signed_in(retire_on_use);
        bench.pass(QUARTER);
        assert_eq!(bench.request(), Access::Wait);
        bench.lock(Lock::Busy, KEY);
        let goes_on = bench
            .actions
            .iter()
            .any(|action| matches!(action, Action::Commit(Change::Begin { .. })));
        assert_eq!(goes_on, retire_on_use);
        let waits = matches!(bench.machine.state(), State::Degraded { .. });
        assert_eq!(waits, !retire_on_use);
    }
}

#[test]
fn another_process_s_refresh_is_taken_over_without_a_second_one() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    assert_eq!(bench.request(), Access::Wait);
    let by_another = Change::Keep {
        presented: Secret::new("r0"),
        granted: granted("a1", Some("r1")),
        expiry: expiry(bench.now.wall),
    };
    by_another.apply(&mut bench.vault);
    bench.lock(Lock::Held, KEY);
    bench.commit();
    assert_eq!(bench.actions, [Action::Unlock]);
    assert_eq!(bench.token(), "a1");
    assert_eq!(bench.vault.tokens.expect("signed in").intent, None);
}

#[test]
fn either_clock_can_end_a_token() {
    let mut asleep = Bench::signed_in(true);
    asleep.now.wall = asleep.now.wall + Millis(QUARTER);
    assert_eq!(asleep.request(), Access::Wait);

    let mut set_back = Bench::signed_in(true);
    set_back.now.mono = Millis(QUARTER);
    set_back.now.wall = START - Millis(3_600_000);
    assert_eq!(set_back.request(), Access::Wait);
    set_back.lock(Lock::Held, KEY);
    set_back.commit();
    assert_eq!(set_back.sent().refresh_token, Secret::new("r0"));
}

#[test]
fn sign_out_is_told_to_the_service_until_it_knows() {
    let mut bench = Bench::signed_in(true);
    Change::SignOut.apply(&mut bench.vault);
    let record = Box::new(bench.vault.clone());
    bench.now.dice = 700;
    bench.tell(Event::Changed(Step::SignOut, Ok(record)));
    let revocation = bench.vault.outbox.first().expect("one").clone();
    assert!(bench.actions.contains(&Action::Revoke(revocation.clone())));
    assert!(!bench.machine.settled());
    let reason = Reason::Ended(EndCause::LoggedOut);
    assert_eq!(bench.machine.state(), State::SignedOut { reason });

    bench.tell(Event::Told(revocation.token.clone(), Revoked::Later(None)));
    assert!(bench.machine.settled());
    assert_eq!(bench.machine.wake(bench.now), Some(Millis(700)));
    bench.pass(700);
    bench.tell(Event::Tick);
    assert_eq!(bench.actions, [Action::Revoke(revocation.clone())]);
    bench.tell(Event::Told(revocation.token, Revoked::Done));
    bench.commit();
    assert!(bench.vault.outbox.is_empty());
    assert_eq!(bench.machine.wake(bench.now), None);
}

#[test]
fn sign_out_during_a_refresh_revokes_what_the_refresh_brings() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    Change::SignOut.apply(&mut bench.vault);
    let record = Box::new(bench.vault.clone());
    bench.tell(Event::Changed(Step::SignOut, Ok(record)));
    assert!(matches!(bench.request(), Access::Failed(_)));
    bench.answer(grant(1));
    bench.commit();
    let left: Vec<_> = bench
        .vault
        .outbox
        .iter()
        .map(|left| left.token.expose())
        .collect();
    assert_eq!(left, ["r0", "r1"]);
    assert!(matches!(bench.machine.state(), State::SignedOut { .. }));
}

#[test]
fn in_the_background_a_token_is_renewed_unasked() {
    let mut bench = Bench::signed_in(true);
    bench.machine.policy.background = true;
    assert_eq!(bench.machine.wake(bench.now), Some(Millis(30_000)));
    bench.pass(QUARTER - 60_000 - 100);
    assert_eq!(bench.machine.wake(bench.now), Some(Millis(101)));
    bench.pass(100);
    bench.tell(Event::Tick);
    assert!(bench.actions.is_empty(), "not yet");
    bench.pass(1);
    bench.tell(Event::Tick);
    assert!(
        bench
            .actions
            .contains(&Action::Lock(Duration::from_secs(10)))
    );
}
