//! One session takes the place of another.

use super::super::super::{Change, State, Tokens};
use super::{
    Access, Bench, Event, KEY, QUARTER, Secret, Step, expiry, full, grant, granted, provider,
};

impl Bench {
    /// The answer `a1` to a refresh of the first session could not be saved.
    fn unsaved() -> Self {
        let mut bench = Self::signed_in(true);
        bench.pass(QUARTER);
        bench.begin(KEY);
        bench.answer(grant(1));
        bench.fail_to_commit();
        bench
    }

    fn sign_in_another(&mut self) {
        let tokens = Tokens::new(granted("b0", Some("s0")), expiry(self.now.wall));
        let change = Change::SignIn {
            tokens: tokens.expect("has both"),
            provider: provider(true),
        };
        change.apply(&mut self.vault);
        let record = Box::new(self.vault.clone());
        self.tell(Event::Changed(Step::SignIn, Ok(record)));
    }
}

#[test]
fn the_token_that_could_not_be_saved_is_never_handed_out_in_the_next_session() {
    let mut bench = Bench::unsaved();
    bench.now.dice = 7;
    bench.sign_in_another();
    assert!(bench.unlocked(), "nothing is left to save");
    assert_eq!(bench.token(), "b0");
    assert!(matches!(bench.machine.state(), State::Active { .. }));
}

#[test]
fn nor_if_the_vault_fails_once_more() {
    let mut bench = Bench::unsaved();
    bench.tell(Event::Tick);
    let keep = bench.asked_to_commit();
    bench.sign_in_another();
    bench.tell(Event::Changed(keep.step(), Err(full())));
    assert!(bench.unlocked());
    assert_eq!(bench.token(), "b0");
    assert!(matches!(bench.machine.state(), State::Active { .. }));
}

#[test]
fn what_could_not_be_saved_before_a_sign_out_is_revoked() {
    let mut bench = Bench::unsaved();
    Change::SignOut.apply(&mut bench.vault);
    let record = Box::new(bench.vault.clone());
    bench.tell(Event::Changed(Step::SignOut, Ok(record)));
    assert!(matches!(bench.request(), Access::Failed(_)));
    bench.pass(60_000);
    bench.tell(Event::Tick);
    bench.commit();
    let left = |token: &str| {
        let outbox = &bench.vault.outbox;
        outbox.iter().any(|left| left.token == Secret::new(token))
    };
    assert!(left("r0") && left("r1"));
}
