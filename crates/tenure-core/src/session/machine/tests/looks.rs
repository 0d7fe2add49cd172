//! While there is no session, other processes may make one.

use super::super::super::{Change, Failure, Found, State, Tokens, VaultFault};
use super::{
    Access, Action, Bench, EndCause, Event, Reason, Record, Step, expiry, full, granted, provider,
};

impl Bench {
    fn signed_out() -> Self {
        let mut bench = Self::signed_in(true);
        Change::SignOut.apply(&mut bench.vault);
        bench.vault.outbox.clear();
        let record = Box::new(bench.vault.clone());
        bench.tell(Event::Changed(Step::SignOut, Ok(record)));
        bench
    }

    fn another_process_signs_in(&mut self) {
        let tokens = Tokens::new(granted("b0", Some("s0")), expiry(self.now.wall));
        let change = Change::SignIn {
            tokens: tokens.expect("has both"),
            provider: provider(true),
        };
        change.apply(&mut self.vault);
    }

    fn load(&mut self, found: Result<Found, VaultFault>) {
        assert_eq!(self.actions, [Action::Load]);
        self.tell(Event::Loaded(found));
    }
}

fn over() -> Access {
    let reason = Reason::Ended(EndCause::LoggedOut);
    Access::Failed(Failure::SignInRequired(reason))
}

#[test]
fn a_sign_in_of_another_process_is_noticed_by_whoever_asks() {
    let mut bench = Bench::signed_out();
    assert_eq!(bench.request(), over(), "known a moment ago");
    assert!(bench.actions.is_empty());
    bench.another_process_signs_in();
    bench.pass(1_000);
    assert_eq!(bench.request(), Access::Wait);
    let record = Box::new(bench.vault.clone());
    bench.load(Ok(Found::Record(record)));
    assert_eq!(bench.token(), "b0");
    assert!(matches!(bench.machine.state(), State::Active { .. }));
}

#[test]
fn all_who_ask_meanwhile_wait_for_one_reading_and_see_no_other_state() {
    let mut bench = Bench::signed_out();
    let state = bench.machine.state();
    bench.pass(1_000);
    assert_eq!(bench.request(), Access::Wait);
    assert_eq!(bench.actions, [Action::Load]);
    assert_eq!(bench.request(), Access::Wait);
    assert!(bench.actions.is_empty(), "one is enough");
    assert_eq!(bench.machine.state(), state);
    let record = Box::new(bench.vault.clone());
    bench.tell(Event::Loaded(Ok(Found::Record(record))));
    assert_eq!(bench.request(), over());
    assert!(bench.actions.is_empty(), "not again at once");
}

#[test]
fn a_vault_that_cannot_be_read_then_changes_nothing() {
    let mut bench = Bench::signed_out();
    bench.pass(1_000);
    assert_eq!(bench.request(), Access::Wait);
    bench.load(Err(full()));
    assert_eq!(bench.request(), over());
    let reason = Reason::Ended(EndCause::LoggedOut);
    assert_eq!(bench.machine.state(), State::SignedOut { reason });
}

#[test]
fn a_damaged_vault_that_another_process_has_filled_is_read_again() {
    let mut bench = Bench::restored(Ok(Found::Damaged), Record::default());
    bench.another_process_signs_in();
    bench.pass(1_000);
    assert_eq!(bench.request(), Access::Wait);
    let record = Box::new(bench.vault.clone());
    bench.load(Ok(Found::Record(record)));
    assert_eq!(bench.token(), "b0");
}
