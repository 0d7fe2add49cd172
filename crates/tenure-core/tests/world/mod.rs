//! A small world around the shipped rule: one client with a durable vault, at most one thief, two
//! servers that read, decide and write in separate steps, and a store that can lose writes.
//!
//! `histories.rs` walks through it at random, `model.rs` exhaustively. The rule, the codec and the
//! derivation of successors are the shipped ones; the world only carries messages and watches for
//! the five invariants of `DESIGN.md` ([`Flaw`]).
//!
//! What the actions leave out is left out because it changes nothing:
//! * a request or an answer is lost by never being delivered;
//! * a client that dies before saving an answer is one that never received it: what it holds and
//!   what it knows is its vault;
//! * requests that turn nothing down and write nothing have their answer at once, since an answer
//!   may be under way for as long as it likes.

mod server;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Asked, EndCause, Grant, Head, IdempotencyKey, KeyHash, MacKey, MacKeys, Policy, Retired,
    Revocation, Row, RowSecret, Rules, Token, TokenId, Unreadable, Verdict, decide,
};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

pub(crate) use server::Pending;

const DAY: u64 = 86_400;

/// When the session of every world begins.
pub(crate) const START: u64 = 1_000_000;

/// The shape of [`decide`], so that a check can take one line out of it.
pub(crate) type Judge = fn(Result<&Token, Unreadable>, Option<&Row>, &Asked<'_>, &Rules) -> Verdict;

/// What the world is like; the same for all of its states.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) rules: Rules,
    /// Idle limit and absolute lifetime, seconds.
    pub(crate) lifetimes: (u64, u64),
    /// The client sends an idempotency key with every attempt, and claims the keys it used.
    pub(crate) keyed: bool,
    pub(crate) judge: Judge,
    /// A store that writes the whole row back as it was read, whatever happened since.
    pub(crate) blind_writes: bool,
    pub(crate) bounds: Bounds,
    pub(crate) verdicts: Arc<Verdicts>,
    row: Row,
    keys: [MacKeys; 3],
}

/// How much may happen.
#[derive(Clone, Default)]
pub(crate) struct Bounds {
    /// Requests of the client.
    pub(crate) presentations: u16,
    /// Duplicates of requests.
    pub(crate) copies: u16,
    /// Requests of the thief, who copies the vault once; 0 for a world without one.
    pub(crate) attacks: u16,
    /// Times the store falls back to an earlier state.
    pub(crate) restores: u16,
    /// States that the store keeps to fall back to, beside the first one.
    pub(crate) backups: usize,
    /// Seconds the clock may advance by at once, and the last second of the world.
    pub(crate) ticks: &'static [u64],
    pub(crate) end: u64,
    pub(crate) logout: bool,
    /// The MAC key is rotated, and the second server lacks the new key for a while.
    pub(crate) rotation: bool,
}

impl Setting {
    pub(crate) fn new(rules: Rules, lifetimes: (u64, u64), keyed: bool, bounds: Bounds) -> Self {
        let (old, new) = (MacKey::new(&[1; 32]), MacKey::new(&[2; 32]));
        let before = MacKeys::new(old.clone(), vec![], vec![]);
        let after = MacKeys::new(new, vec![old], vec![]);
        let grant = Grant {
            subject: Subject::new(""),
            client: ClientId::new(""),
            scope: Scope::default(),
            audience: vec![],
            auth_time: Timestamp(START),
        };
        let row = Row::new(
            LineageId::new(Timestamp(START), [7; 10]),
            RowSecret([5; 16]),
            TokenId([1; 8]),
            grant,
            (
                Duration::from_secs(lifetimes.0),
                Duration::from_secs(lifetimes.1),
            ),
            Timestamp(START),
        );
        Self {
            rules,
            lifetimes,
            keyed,
            judge: decide,
            blind_writes: false,
            bounds,
            verdicts: Arc::default(),
            row,
            keys: [before.clone(), after, before],
        }
    }

    fn window(&self) -> u64 {
        self.rules.late_window.as_secs()
    }
}

/// The rules of every world here.
pub(crate) fn rules(late_window: u64, ring: usize) -> Rules {
    Rules {
        late_window: Duration::from_secs(late_window),
        ring,
        ..Rules::new(Policy::RetireOnUse, Duration::from_mins(15))
    }
}

/// Who presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    Client,
    Thief,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// The client sends what its vault holds.
    Present,
    /// A server reads the row for a request, and decides.
    Deliver {
        request: usize,
        server: usize,
    },
    /// The same, and the request will arrive once more.
    Duplicate {
        request: usize,
        server: usize,
    },
    /// A server carries out the write of its decision, and answers.
    Write {
        server: usize,
    },
    /// A server dies between reading and writing.
    Crash {
        server: usize,
    },
    /// The client saves an answer.
    Save {
        answer: usize,
    },
    Logout,
    /// The thief copies the vault's token.
    Copy,
    /// The thief presents the token it copied, or the newest it was given.
    Attack {
        newest: bool,
        server: usize,
    },
    Tick(u64),
    Backup,
    Restore {
        backup: usize,
    },
    /// The first server signs with a new MAC key, which the second lacks.
    RotateKey,
    /// The second server gets it.
    DistributeKey,
}

/// A refresh token as text.
pub(crate) type Text = Arc<str>;

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    from: Party,
    text: Text,
    generation: u32,
    /// Number of the attempt, and of its copy: the randomness of the successor's id.
    attempt: u16,
    copy: u16,
    claims: Option<KeyHash>,
    /// Since when the successor of its token has been in use.
    superseded: Option<u64>,
}

/// An answer under way to the client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Answer {
    presented: Text,
    issued: Issued,
}

/// What a holder holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Issued {
    text: Text,
    generation: u32,
    id: TokenId,
    issued_at: u64,
    /// Hash of the key that the holder used to get it.
    claims: Option<KeyHash>,
}

/// What changes in a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    head: Head,
    ring: Vec<Retired>,
    history_unknown_until: Option<Timestamp>,
    revoked: Option<Revocation>,
}

/// What the thief has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Thief {
    copied: Issued,
    newest: Issued,
    /// The head it used without advancing, which the client is to be told of.
    unreported: Option<TokenId>,
}

impl Thief {
    fn given(self, issued: Issued) -> Self {
        let newest = if issued.generation >= self.newest.generation {
            issued
        } else {
            self.newest
        };
        Self { newest, ..self }
    }
}

/// The holder that went on after a fork; the other one must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ahead {
    party: Party,
    since: u64,
}

/// A broken invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Flaw {
    /// 1: a session ended without a thief, a logout or an expiry.
    HonestSessionEnded,
    /// 2: both holders of a forked lineage go on.
    BothHoldersContinue,
    /// 2: the loser of a fork came back after the window and the lineage lives.
    ForkNotRevoked,
    /// 2: a copied head was used, and the real client's next advance did not tell.
    CopyNotReported,
    /// 3: the row grew.
    RowGrew,
    /// 4: a server refused for good what only it could not judge.
    TroubleIsDefinitive,
    /// 5: a request that came after the revocation succeeded.
    RevocationIgnored,
}

/// One state of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now: u64,
    stored: Stored,
    backups: Vec<Stored>,
    vault: Option<Issued>,
    thief: Option<Thief>,
    requests: Vec<Request>,
    answers: Vec<Answer>,
    pending: [Option<Box<Pending>>; 2],
    /// 0: the old key; 1: the first server has rotated; 2: both have.
    rotation: u8,
    presentations: u16,
    copies: u16,
    attacks: u16,
    restores: u16,
    ahead: Option<Ahead>,
    /// A store that fell back may let line 7 turn the tables, once.
    tables_may_turn: bool,
    last_adoption: Option<u64>,
    /// A revocation was acknowledged, whatever the row says by now.
    revoked: bool,
    pub(crate) flaw: Option<Flaw>,
}

impl World {
    pub(crate) fn new(setting: &Setting) -> Self {
        let row = &setting.row;
        let first = row.first_token();
        let text = setting.keys[0].write(&first, &row.secret);
        let stored = Stored {
            head: row.head.clone(),
            ring: vec![],
            history_unknown_until: None,
            revoked: None,
        };
        Self {
            now: START,
            backups: vec![stored.clone()],
            stored,
            vault: Some(Issued {
                text: text.expose().into(),
                generation: 0,
                id: first.id,
                issued_at: START,
                claims: None,
            }),
            thief: None,
            requests: vec![],
            answers: vec![],
            pending: [None, None],
            rotation: 0,
            presentations: 0,
            copies: 0,
            attacks: 0,
            restores: 0,
            ahead: None,
            tables_may_turn: false,
            last_adoption: None,
            revoked: false,
            flaw: None,
        }
    }

    /// Everything that can happen next.
    pub(crate) fn actions(&self, setting: &Setting, actions: &mut Vec<Action>) {
        if self.flaw.is_some() {
            return;
        }
        let bounds = &setting.bounds;
        for server in self.free_servers() {
            for request in 0..self.requests.len() {
                actions.push(Action::Deliver { request, server });
                if self.copies < bounds.copies {
                    actions.push(Action::Duplicate { request, server });
                }
            }
            if let Some(thief) = self
                .thief
                .as_ref()
                .filter(|_| self.attacks < bounds.attacks)
            {
                let newest = false;
                actions.push(Action::Attack { newest, server });
                if thief.newest != thief.copied {
                    let newest = true;
                    actions.push(Action::Attack { newest, server });
                }
            }
        }
        for server in [0, 1].into_iter().filter(|&at| self.pending[at].is_some()) {
            actions.push(Action::Write { server });
            actions.push(Action::Crash { server });
        }
        actions.extend((0..self.answers.len()).map(|answer| Action::Save { answer }));
        if self.vault.is_some() {
            self.client_actions(bounds, actions);
        }
        self.store_actions(setting, actions);
        let ticks = bounds.ticks.iter().copied();
        actions.extend(
            ticks
                .filter(|seconds| self.now + seconds <= bounds.end)
                .map(Action::Tick),
        );
    }

    /// Two free servers with the same keys do the same: one of them will do.
    fn free_servers(&self) -> impl Iterator<Item = usize> {
        let free = |server: &usize| self.pending[*server].is_none();
        let alike = self.rotation != 1;
        let enough = if alike { 1 } else { 2 };
        [0, 1].into_iter().filter(free).take(enough)
    }

    fn client_actions(&self, bounds: &Bounds, actions: &mut Vec<Action>) {
        if self.presentations < bounds.presentations {
            actions.push(Action::Present);
        }
        if bounds.logout {
            actions.push(Action::Logout);
        }
        if bounds.attacks > 0 && self.thief.is_none() {
            actions.push(Action::Copy);
        }
    }

    fn store_actions(&self, setting: &Setting, actions: &mut Vec<Action>) {
        let bounds = &setting.bounds;
        if self.backups.len() <= bounds.backups && !self.backups.contains(&self.stored) {
            actions.push(Action::Backup);
        }
        // A second loss within a day of the first one's discovery is not excused, by design.
        let excused = self.last_adoption.is_none_or(|at| self.now >= at + DAY);
        if self.restores < bounds.restores && excused {
            for (backup, stored) in self.backups.iter().enumerate() {
                if stored.head != self.stored.head {
                    actions.push(Action::Restore { backup });
                }
            }
        }
        match self.rotation {
            0 if bounds.rotation => actions.push(Action::RotateKey),
            1 => actions.push(Action::DistributeKey),
            _ => {}
        }
    }

    /// The state after an event.
    pub(crate) fn after(&self, setting: &Setting, action: Action) -> Self {
        let mut next = self.clone();
        match action {
            Action::Present => next.present(),
            Action::Deliver { request, server } => {
                let request = next.requests.remove(request);
                next.deliver(setting, request, server);
            }
            Action::Duplicate { request, server } => {
                let copy = next.requests[request].clone();
                next.copies += 1;
                next.requests[request].copy += 1;
                next.deliver(setting, copy, server);
            }
            Action::Write { server } => next.write(setting, server),
            Action::Crash { server } => next.pending[server] = None,
            Action::Save { answer } => next.save(answer),
            Action::Logout => {
                next.revoke(EndCause::LoggedOut);
                next.vault = None;
                next.answers.clear();
            }
            Action::Copy => next.copy_vault(),
            Action::Attack { newest, server } => next.attack(setting, newest, server),
            Action::Tick(seconds) => next.tick(setting, seconds),
            Action::Backup => next.backups.push(next.stored.clone()),
            Action::Restore { backup } => next.restore(backup),
            Action::RotateKey => next.rotation = 1,
            Action::DistributeKey => next.rotation = 2,
        }
        if next.stored.ring.len() > setting.rules.ring.max(2)
            || next.stored.head.uses.len() > Head::USES
        {
            next.flaw.get_or_insert(Flaw::RowGrew);
        }
        next
    }

    fn present(&mut self) {
        let Some(held) = &self.vault else { return };
        self.presentations += 1;
        self.requests.push(Request {
            from: Party::Client,
            text: held.text.clone(),
            generation: held.generation,
            attempt: self.presentations,
            copy: 0,
            claims: held.claims,
            superseded: None,
        });
    }

    /// Compare-and-swap: an answer counts only where the token it was given for is still the one held.
    fn save(&mut self, answer: usize) {
        let answer = self.answers.remove(answer);
        self.answers
            .retain(|other| other.presented == answer.issued.text);
        self.vault = Some(answer.issued);
    }

    fn copy_vault(&mut self) {
        self.thief = self.vault.clone().map(|held| Thief {
            copied: held.clone(),
            newest: held,
            unreported: None,
        });
    }

    fn attack(&mut self, setting: &Setting, newest: bool, server: usize) {
        let Some(thief) = &self.thief else { return };
        let held = if newest { &thief.newest } else { &thief.copied };
        self.attacks += 1;
        let request = Request {
            from: Party::Thief,
            text: held.text.clone(),
            generation: held.generation,
            attempt: self.attacks,
            copy: 0,
            claims: None,
            superseded: None,
        };
        self.deliver(setting, request, server);
    }

    /// Requests whose token has been superseded for a whole window are older than the rule excuses; a
    /// server that stalls for a window between reading and writing has given up on its request.
    fn tick(&mut self, setting: &Setting, seconds: u64) {
        self.now += seconds;
        let (now, window) = (self.now, setting.window());
        self.requests
            .retain(|request| request.superseded.is_none_or(|at| now < at + window));
        for pending in &mut self.pending {
            pending.take_if(|stalled| now >= stalled.arrived + window);
        }
    }

    /// An earlier state of the row, with the revocations since replayed from their own log.
    fn restore(&mut self, backup: usize) {
        let revoked = self.stored.revoked;
        self.stored = self.backups[backup].clone();
        self.stored.revoked = revoked;
        self.restores += 1;
        self.ahead = None;
        self.tables_may_turn = self.thief.is_some();
        if let Some(thief) = &mut self.thief {
            thief.unreported = None;
        }
    }

    fn revoke(&mut self, cause: EndCause) {
        let at = Timestamp(self.now);
        self.stored.revoked.get_or_insert(Revocation { at, cause });
        self.revoked = true;
    }

    fn key_of(request: &Request) -> Option<IdempotencyKey> {
        // Random for each token that is presented, and the same for each retry.
        let (_, tail) = request.text.split_at(request.text.len() - 30);
        IdempotencyKey::parse(&format!("{:?}:{tail}", request.from)).ok()
    }
}

/// How often each verdict was given; beside the state, so that it does not multiply states.
#[derive(Default)]
pub(crate) struct Verdicts([AtomicUsize; Self::NAMES.len()]);

impl Verdicts {
    pub(crate) const NAMES: [&'static str; 12] = [
        "Again",
        "Advance",
        "RingFull",
        "Superseded",
        "Ahead",
        "Reuse",
        "Ended",
        "MissingKey",
        "ClockInDoubt",
        "Impossible",
        "Unknown",
        "other refusals",
    ];

    fn count(&self, verdict: &Verdict) {
        let place = match verdict {
            Verdict::Again { .. } => 0,
            Verdict::Advance(_) => 1,
            Verdict::RingFull { .. } => 2,
            Verdict::Superseded { .. } => 3,
            Verdict::Ahead(_) => 4,
            Verdict::Reuse(_) => 5,
            Verdict::Ended(_) => 6,
            Verdict::MissingKey(_) => 7,
            Verdict::ClockInDoubt => 8,
            Verdict::Impossible => 9,
            Verdict::Unknown => 10,
            Verdict::UnknownLineage | Verdict::WrongClient | Verdict::BadSeal => 11,
        };
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }

    /// How often the verdict of this name was given.
    pub(crate) fn of(&self, name: &str) -> usize {
        let place = Self::NAMES.iter().position(|known| *known == name);
        self.0[place.expect("a name of `NAMES`")].load(Ordering::Relaxed)
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = Self::NAMES.iter().filter(|name| self.of(name) > 0);
        for (position, name) in given.enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {}", self.of(name))?;
        }
        Ok(())
    }
}
