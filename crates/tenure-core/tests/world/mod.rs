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

#![expect(
    clippy::indexing_slicing,
    reason = "actions name places that the state has; a test that is wrong about it must fail"
)]

mod server;
pub(crate) mod setting;
mod verdicts;
mod watch;

use std::sync::Arc;

use tenure_core::lineage::{EndCause, Head, IdempotencyKey, KeyHash, Retired, Revocation, TokenId};
use tenure_core::time::Timestamp;

pub(crate) use server::Pending;
pub(crate) use setting::{Bounds, Setting, rules};

const DAY: u64 = 86_400;

/// When the session of every world begins; in the future, since some stores forget by a clock of
/// their own what is long over.
pub(crate) const START: u64 = 1_900_000_000;

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
    at: u64,
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
                at: START,
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
