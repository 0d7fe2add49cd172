//! Random histories: whatever happens in whatever order, six things hold.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::{
    Access, Action, Change, EndCause, Event, Expiry, Found, Granted, KEY, Lock, Machine, Millis,
    Moment, Outcome, Policy, Record, Revoked, START, Secret, State, Tokens, Trouble, VaultFault,
    provider,
};
use std::time::Duration;

/// One step of a history; the number picks among what is possible then.
#[derive(Clone, Debug)]
pub(super) enum Happens {
    Request { min_ttl: u16 },
    TimePasses { seconds: u16 },
    ClockIsSet { minutes: i16 },
    ActionIsCarriedOut { which: u8, how: u8 },
    TimerFires,
    ApiRefuses,
    ApiAccepts,
    UserSignsOut,
    UserSignsIn,
    AnotherProcessRefreshes,
    AnotherProcessSignsOut,
}

fn histories() -> impl Strategy<Value = Vec<Happens>> {
    let happens = prop_oneof![
        4 => (0u16..1200).prop_map(|min_ttl| Happens::Request { min_ttl }),
        3 => (0u16..1000).prop_map(|seconds| Happens::TimePasses { seconds }),
        1 => (-120i16..120).prop_map(|minutes| Happens::ClockIsSet { minutes }),
        9 => (any::<u8>(), any::<u8>())
            .prop_map(|(which, how)| Happens::ActionIsCarriedOut { which, how }),
        2 => Just(Happens::TimerFires),
        2 => Just(Happens::ApiRefuses),
        1 => Just(Happens::ApiAccepts),
        1 => Just(Happens::UserSignsOut),
        1 => Just(Happens::UserSignsIn),
        1 => Just(Happens::AnotherProcessRefreshes),
        1 => Just(Happens::AnotherProcessSignsOut),
    ];
    proptest::collection::vec(happens, 1..120)
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) machine: Machine,
    now: Moment,
    vault: Record,
    pending: Vec<Action>,
    /// When each access token really ends, on the clock that never jumps.
    ends: HashMap<String, u64>,
    ever_saved: HashSet<String>,
    unsaved: HashSet<String>,
    /// Refresh tokens that the server called dead.
    condemned: HashSet<String>,
    /// The vault's last session was ended by somebody who may: the server, or a user.
    ended: bool,
    clock_was_set: bool,
    issued: u32,
    /// When refreshes were begun because of refusals since the last sign-in, on the clock that never
    /// jumps.
    refused: Vec<u64>,
}

impl World {
    pub(super) fn new() -> Self {
        let (machine, pending) = Machine::new(Policy::default());
        let mut world = Self {
            machine,
            now: Moment {
                wall: START,
                mono: Millis(0),
                dice: 0,
            },
            vault: Record::default(),
            pending,
            ends: HashMap::new(),
            ever_saved: HashSet::new(),
            unsaved: HashSet::new(),
            condemned: HashSet::new(),
            ended: true,
            clock_was_set: false,
            issued: 0,
            refused: Vec::new(),
        };
        world.sign_in();
        world
    }

    fn issue(&mut self, seconds: u64) -> (Granted, Expiry) {
        self.issued += 1;
        let access = format!("a{}", self.issued);
        let lifetime = Millis(seconds * 1000);
        self.ends
            .insert(access.clone(), (self.now.mono + lifetime).0);
        let granted = Granted {
            access_token: Secret::new(access),
            refresh_token: Some(Secret::new(format!("r{}", self.issued))),
            expires_in: Some(lifetime.duration()),
        };
        let expiry = Expiry::new(self.now.wall, lifetime, None, self.now.wall);
        (granted, expiry)
    }

    fn sign_in(&mut self) -> Box<Record> {
        let (granted, expiry) = self.issue(900);
        let tokens = Tokens::new(granted, expiry).expect("has both");
        let provider = provider(self.issued.is_multiple_of(2));
        self.apply(&Change::SignIn { tokens, provider });
        Box::new(self.vault.clone())
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::SignIn { .. } => {
                self.ended = false;
                self.refused.clear();
            }
            Change::Begin { need, wall, .. } if need.refused => {
                let tokens = self.vault.tokens.as_ref();
                let begins =
                    |tokens: &Tokens| tokens.intent.is_none() && need.unmet_by(tokens, *wall);
                self.refused
                    .extend(tokens.is_some_and(begins).then_some(self.now.mono.0));
            }
            Change::SignOut => self.ended = true,
            Change::End { presented, .. } if self.vault.holds(presented) => {
                self.ended = self.condemned.contains(presented.expose());
            }
            _ => {}
        }
        change.apply(&mut self.vault);
        if let Some(tokens) = &self.vault.tokens {
            self.ever_saved.insert(tokens.access_token.expose().into());
        }
    }

    fn tell(&mut self, event: Event) {
        let actions = self.machine.handle(event, self.now);
        self.pending.extend(actions);
    }

    pub(super) fn step(&mut self, happens: &Happens) {
        self.now.dice = self.now.dice.wrapping_mul(6_364_136_223_846_793_005) + 1;
        match *happens {
            Happens::Request { min_ttl } => self.request(u64::from(min_ttl) * 1000),
            Happens::TimePasses { seconds } => {
                let passed = Millis(u64::from(seconds) * 1000);
                self.now.wall = self.now.wall + passed;
                self.now.mono = self.now.mono + passed;
            }
            // A clock set back between the writing of a token and its reading, but not to before the
            // writing, cannot be told from time that did not pass; so it is set only while the
            // machine has seen what the vault holds.
            Happens::ClockIsSet { minutes } if self.machine.record() == Some(&self.vault) => {
                self.clock_was_set = true;
                let by = i64::from(minutes) * 60_000;
                self.now.wall = Millis(self.now.wall.0.saturating_add_signed(by));
            }
            Happens::ClockIsSet { .. } => {}
            Happens::ActionIsCarriedOut { which, how } => self.carry_out(which, how),
            Happens::TimerFires => self.tell(Event::Tick),
            Happens::ApiRefuses => {
                if let Some(tokens) = &self.vault.tokens {
                    let token = tokens.access_token.clone();
                    self.tell(Event::Refused(token));
                }
            }
            Happens::ApiAccepts => {
                if let Some(tokens) = &self.vault.tokens {
                    let token = tokens.access_token.clone();
                    self.tell(Event::Accepted(token));
                }
            }
            Happens::UserSignsOut => self.pending.push(Action::Commit(Change::SignOut)),
            Happens::UserSignsIn => {
                let record = self.sign_in();
                self.tell(Event::Changed(super::Step::SignIn, Ok(record)));
            }
            Happens::AnotherProcessRefreshes => self.refresh_elsewhere(),
            Happens::AnotherProcessSignsOut => self.apply(&Change::SignOut),
        }
        self.check();
    }

    fn refresh_elsewhere(&mut self) {
        // It reads the same clock; where that was set, its tokens' expiry cannot be judged.
        if let Some(tokens) = self.vault.tokens.clone().filter(|_| !self.clock_was_set) {
            let (granted, expiry) = self.issue(900);
            self.apply(&Change::Keep {
                presented: tokens.refresh_token,
                granted,
                expiry,
            });
        }
    }

    fn request(&mut self, min_ttl: u64) {
        let (access, actions) = self.machine.request(Millis(min_ttl), self.now);
        self.pending.extend(actions);
        if let Access::Ready(token) = access {
            let name = token.token.expose();
            let ends = *self.ends.get(name).expect("a token that was issued");
            assert!(self.now.mono.0 < ends, "{name} has expired");
            let in_trouble = matches!(self.machine.state(), State::Degraded { .. });
            assert!(
                self.ever_saved.contains(name) || (self.unsaved.contains(name) && in_trouble),
                "{name} was handed out before it was saved"
            );
        }
    }

    fn carry_out(&mut self, which: u8, how: u8) {
        if self.pending.is_empty() {
            return;
        }
        match self.pending.remove(usize::from(which) % self.pending.len()) {
            Action::Load if how.is_multiple_of(5) => {
                self.tell(Event::Loaded(Err(VaultFault::Locked(
                    "asks for a password".into(),
                ))));
            }
            Action::Load => {
                let record = Box::new(self.vault.clone());
                self.tell(Event::Loaded(Ok(Found::Record(record))));
            }
            Action::Lock(_) => self.tell(Event::Locked {
                lock: match how % 4 {
                    0 | 1 => Lock::Held,
                    2 => Lock::Busy,
                    _ => Lock::Broken(VaultFault::Unavailable("no permission".into())),
                },
                key: Secret::new(KEY),
            }),
            Action::Commit(change) => self.commit(&change, how),
            Action::Send(presentation) => self.answer(&presentation.refresh_token, how),
            Action::Revoke(revocation) => {
                let revoked = *pick(&[Revoked::Done, Revoked::Later(None)], how);
                self.tell(Event::Told(revocation.token, revoked));
            }
            Action::Unlock | Action::Note(_) => {}
        }
    }

    fn commit(&mut self, change: &Change, how: u8) {
        if how.is_multiple_of(4) {
            if let Change::Keep { granted, .. } = change {
                self.unsaved.insert(granted.access_token.expose().into());
            }
            let fault = VaultFault::Unavailable("full".into());
            return self.tell(Event::Changed(change.step(), Err(fault)));
        }
        self.apply(change);
        let record = Box::new(self.vault.clone());
        self.tell(Event::Changed(change.step(), Ok(record)));
    }

    fn answer(&mut self, presented: &Secret, how: u8) {
        let outcome = match how % 8 {
            0..=2 => Outcome::Granted(self.issue(900).0),
            3 => Outcome::Granted(self.issue(1).0),
            4 => {
                let (granted, _) = self.issue(900);
                Outcome::Granted(Granted {
                    refresh_token: None,
                    ..granted
                })
            }
            5 => Outcome::Transient {
                trouble: Trouble::Timeout,
                retry_after: Some(Duration::from_secs(u64::from(how))),
            },
            6 => Outcome::Misconfigured("invalid_client".into()),
            _ => {
                self.condemned.insert(presented.expose().into());
                Outcome::Definitive(EndCause::Unknown)
            }
        };
        self.tell(Event::Answered {
            outcome,
            date: None,
        });
    }

    fn check(&self) {
        let sends = |action: &&Action| matches!(action, Action::Send(_));
        assert!(
            self.pending.iter().filter(sends).count() <= 1,
            "two refreshes in flight"
        );
        let locks = |action: &&Action| matches!(action, Action::Lock(_));
        assert!(
            self.pending.iter().filter(locks).count() <= 1,
            "two locks wanted"
        );
        if let State::SignedOut { .. } = self.machine.state() {
            assert!(self.ended, "signed out although nobody said so");
        }
        self.check_storm();
        self.check_ready();
    }

    /// A window is as long as the device's clock says, so it is judged where nobody set that.
    fn check_storm(&self) {
        let crowded = |four: &[u64]| four[3] - four[0] < 600_000;
        assert!(
            self.clock_was_set || !self.refused.windows(4).any(crowded),
            "a storm: {:?}",
            self.refused
        );
    }

    /// Whoever is served without the machine gets what the machine would give.
    fn check_ready(&self) {
        for min_ttl in [0, 100_000, u64::MAX].map(Millis) {
            let ready = self.machine.ready();
            if let Some(ready) = ready.filter(|ready| ready.suffices(min_ttl, self.now)) {
                let asked = self.machine.clone().request(min_ttl, self.now);
                assert_eq!(asked, (Access::Ready(ready.token().clone()), Vec::new()));
            }
        }
    }

    /// The network and the vault recover: does the session, too?
    pub(super) fn recover(&mut self) {
        for _ in 0..400 {
            while !self.pending.is_empty() {
                self.carry_out(0, 1);
                self.check();
            }
            let (_, actions) = self.machine.request(Millis(0), self.now);
            self.pending.extend(actions);
            self.now.wall = self.now.wall + Millis(2_000);
            self.now.mono = self.now.mono + Millis(2_000);
            self.tell(Event::Tick);
        }
        while !self.pending.is_empty() {
            self.carry_out(0, 1);
        }
    }
}

fn pick<T>(choices: &[T], how: u8) -> &T {
    choices
        .get(usize::from(how) % choices.len())
        .expect("not empty")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn whatever_happens_the_session_is_kept_and_no_bad_token_is_handed_out(history in histories()) {
        let mut world = World::new();
        for happens in &history {
            world.step(happens);
        }
    }

    #[test]
    fn once_network_and_vault_recover_the_session_is_usable_or_over(history in histories()) {
        let mut world = World::new();
        for happens in &history {
            world.step(happens);
        }
        world.recover();
        match world.machine.state() {
            State::Active { .. } | State::SignedOut { .. } => {}
            other => prop_assert!(false, "stuck in {other:?}"),
        }
    }
}
