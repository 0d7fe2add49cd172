//! Devices that sleep, and clocks that are set.

use super::{
    Access, Action, Bench, Event, Found, KEY, Millis, Note, Policy, QUARTER, Record, State,
    VaultFault, trouble,
};

impl Bench {
    /// The device's clock moves, the monotonic one does not: sleep, or somebody who set it.
    fn jump(&mut self, seconds: i64) {
        let wall = self.now.wall.0.saturating_add_signed(seconds * 1000);
        self.now.wall = Millis(wall);
    }

    fn locks(&self) -> bool {
        self.actions
            .iter()
            .any(|action| matches!(action, Action::Lock(_)))
    }
}

#[test]
fn a_jump_is_told_with_its_length() {
    for seconds in [3600, -3600, 6, -6] {
        let mut bench = Bench::signed_in(true);
        bench.jump(seconds);
        bench.tell(Event::Tick);
        let told = Action::Note(Note::ClockJumped { seconds });
        assert!(bench.actions.contains(&told), "{:?}", bench.actions);
        bench.tell(Event::Tick);
        assert!(!bench.actions.contains(&told), "told once");
    }
}

#[test]
fn a_clock_that_is_slewed_is_no_jump() {
    let mut bench = Bench::signed_in(true);
    for _ in 0..100 {
        bench.jump(1);
        bench.tell(Event::Tick);
        assert!(bench.actions.is_empty(), "{:?}", bench.actions);
    }
}

#[test]
fn a_device_that_wakes_up_tries_again_at_once() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.now.dice = 900;
    bench.answer(trouble(None));
    assert!(matches!(bench.request(), Access::Failed(_)), "waits 0.9 s");
    bench.jump(-3600);
    bench.tell(Event::Tick);
    assert!(bench.locks(), "{:?}", bench.actions);
}

#[test]
fn a_wait_that_the_server_asked_for_outlasts_a_jump() {
    let mut bench = Bench::signed_in(true);
    bench.pass(QUARTER);
    bench.begin(KEY);
    bench.answer(trouble(Some(45)));
    bench.jump(30);
    bench.tell(Event::Tick);
    assert!(!bench.locks());
    bench.jump(30);
    assert_eq!(bench.request(), Access::Wait);
}

#[test]
fn a_locked_vault_is_read_again_when_the_device_wakes_up() {
    let locked = || Err(VaultFault::Locked("locked".into()));
    let mut bench = Bench::restored(locked(), Record::default());
    bench.now.dice = 900;
    bench.tell(Event::Tick);
    bench.tell(Event::Loaded(locked()));
    bench.jump(-10);
    bench.tell(Event::Tick);
    assert!(bench.actions.contains(&Action::Load));
    bench.tell(Event::Loaded(Ok(Found::Empty)));
    assert!(matches!(bench.machine.state(), State::SignedOut { .. }));
}

#[test]
fn what_any_event_shows_of_a_jump_renews_the_token_in_the_background() {
    let mut bench = Bench::signed_in(true);
    bench.machine.policy = Policy {
        background: true,
        ..Policy::default()
    };
    bench.jump(3600);
    bench.tell(Event::Refused(super::Secret::new("an old one")));
    assert!(bench.locks());
}

#[test]
fn nobody_is_served_past_the_machine_after_a_jump() {
    let mut bench = Bench::signed_in(true);
    let ready = bench.machine.ready().expect("a token");
    assert!(ready.suffices(Millis(0), bench.now));
    bench.jump(-60);
    assert!(!ready.suffices(Millis(0), bench.now));
    assert_eq!(bench.token(), "a0");
    let ready = bench.machine.ready().expect("a token");
    assert!(
        ready.suffices(Millis(0), bench.now),
        "the new offset is known"
    );
    bench.pass(QUARTER);
    assert!(!ready.suffices(Millis(0), bench.now));
}
