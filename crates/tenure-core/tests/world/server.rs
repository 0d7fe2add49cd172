//! The servers' half of the world, and the watch over what they answer.

use tenure_core::lineage::{
    Asked, Clock, Content, EndCause, Head, MacKeys, Row, Step, TokenId, Verdict,
};
use tenure_core::time::Timestamp;

use super::setting::Case;
use super::{Ahead, Answer, Issued, Party, Request, Setting, Stored, World};

/// Lost conditional writes after which a server gives up with 503.
const TRIES: u8 = 3;

/// A decision whose write is still to come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(super) request: Request,
    pub(super) verdict: Verdict,
    /// The row as read.
    pub(super) read: Stored,
    /// When the request arrived; deciding again does not make it any later.
    pub(super) arrived: u64,
    pub(super) revoked_on_arrival: bool,
    pub(super) ahead_when_read: Option<Ahead>,
    pub(super) tries: u8,
}

impl World {
    pub(super) fn deliver(&mut self, setting: &Setting, request: Request, server: usize) {
        let pending = Pending {
            request,
            verdict: Verdict::Unknown,
            read: self.stored.clone(),
            arrived: self.now,
            revoked_on_arrival: self.revoked,
            ahead_when_read: self.ahead,
            tries: 0,
        };
        self.judge(setting, pending, server);
    }

    /// Decides on the row as read just now; what needs no write is answered at once.
    fn judge(&mut self, setting: &Setting, mut pending: Pending, server: usize) {
        pending.verdict = self.verdict(setting, &pending, server, pending.arrived);
        setting.verdicts.count(&pending.verdict);
        self.watch_refusals(setting, &pending, server);
        match &pending.verdict {
            Verdict::Again {
                successor,
                note: None,
            } => {
                let successor = successor.clone();
                self.grant(setting, &pending, &successor, server);
            }
            Verdict::Again { .. } | Verdict::Advance(_) | Verdict::Ahead(_) | Verdict::Reuse(_) => {
                self.pending[server] = Some(Box::new(pending));
            }
            _ => {}
        }
    }

    pub(super) fn verdict(
        &self,
        setting: &Setting,
        pending: &Pending,
        server: usize,
        now: u64,
    ) -> Verdict {
        let request = &pending.request;
        let key = Self::key_of(request).filter(|_| setting.keyed);
        let mut fresh = [0xf0; 8];
        fresh[0] = u8::from(request.from == Party::Thief);
        fresh[1..3].copy_from_slice(&request.attempt.to_be_bytes());
        fresh[3..5].copy_from_slice(&request.copy.to_be_bytes());
        let asked = Asked {
            client: None,
            key: key.as_ref(),
            claims: request.claims.as_ref().map(std::slice::from_ref),
            fresh: TokenId(fresh),
            now: Timestamp(now),
            clock: Clock::Trusted,
            cut: None,
        };
        let row = self.row(setting);
        let token = self.keys(setting, server).read(&request.text);
        let token = token.as_ref().map_err(|unreadable| *unreadable);
        (setting.judge)(&Case {
            token,
            row: &row,
            asked: &asked,
            rules: &setting.rules,
        })
    }

    fn row(&self, setting: &Setting) -> Row {
        let stored = self.stored.clone();
        Row {
            head: stored.head,
            ring: stored.ring,
            history_unknown_until: stored.history_unknown_until,
            revoked: stored.revoked,
            ..setting.row.clone()
        }
    }

    pub(super) fn keys<'a>(&self, setting: &'a Setting, server: usize) -> &'a MacKeys {
        let [old, both] = &setting.keys;
        match (self.rotation, server) {
            (0, _) | (1, 1) => old,
            _ => both,
        }
    }

    /// The one conditional write of a decision; where it is lost, the row is read and judged again.
    pub(super) fn write(&mut self, setting: &Setting, server: usize) {
        let Some(pending) = self.pending[server].take() else {
            return;
        };
        let mut pending = *pending;
        if let Verdict::Reuse(_) = pending.verdict {
            self.revoke(EndCause::TheftDetected);
            return;
        }
        let holds = self.stored.head.id == pending.read.head.id && self.stored.revoked.is_none();
        if holds || setting.blind_writes {
            self.carry_out(setting, &pending, server);
            return;
        }
        pending.tries += 1;
        if pending.tries < TRIES {
            pending.read = self.stored.clone();
            pending.ahead_when_read = self.ahead;
            self.judge(setting, pending, server);
        }
    }

    fn carry_out(&mut self, setting: &Setting, pending: &Pending, server: usize) {
        if setting.blind_writes {
            self.stored = pending.read.clone();
        }
        match &pending.verdict {
            Verdict::Again { successor, note } => {
                let uses = &mut self.stored.head.uses;
                uses.extend(note.filter(|note| !uses.contains(note)));
                uses.truncate(Head::USES);
                self.watch_copied_use(pending);
                self.grant(setting, pending, successor, server);
            }
            Verdict::Advance(step) | Verdict::Ahead(step) => {
                self.step(setting, pending, step);
                self.grant(setting, pending, &step.successor, server);
            }
            _ => {}
        }
    }

    fn step(&mut self, setting: &Setting, pending: &Pending, step: &Step) {
        self.watch_reports(setting, pending, step);
        self.stored.head = step.head.clone();
        self.stored.ring.clone_from(&step.ring);
        self.stored.history_unknown_until = step.history_unknown_until;
        if matches!(pending.verdict, Verdict::Ahead(_)) {
            self.last_adoption = Some(self.now);
        }
        if pending.request.from == Party::Client {
            self.supersede(pending, step);
        }
    }

    /// A token is retired when its successor is first presented, be it to a server that is slow.
    fn supersede(&mut self, pending: &Pending, step: &Step) {
        let slow = self.pending.iter().flatten();
        let first = slow
            .filter(|other| other.request.text == pending.request.text)
            .map(|other| other.arrived)
            .fold(step.head.since.0, u64::min);
        let requests = self.requests.iter_mut();
        for older in requests.filter(|older| older.generation < step.head.generation) {
            older.superseded.get_or_insert(first);
        }
    }

    fn grant(&mut self, setting: &Setting, pending: &Pending, successor: &Content, server: usize) {
        self.watch_grants(pending);
        let secret = &setting.row.secret;
        let text = self.keys(setting, server).write(successor, secret);
        let used = Self::key_of(&pending.request).filter(|_| setting.keyed);
        let issued = Issued {
            text: text.expose().into(),
            generation: successor.generation,
            id: successor.id,
            at: successor.issued_at.0,
            claims: used.map(|key| key.hash()),
        };
        let presented = pending.request.text.clone();
        match pending.request.from {
            Party::Client if self.holds(&presented) => self.answer(Answer { presented, issued }),
            Party::Client => {}
            Party::Thief => self.thief = self.thief.take().map(|thief| thief.given(issued)),
        }
    }

    fn answer(&mut self, answer: Answer) {
        if !self.answers.contains(&answer) {
            self.answers.push(answer);
            let order = |answer: &Answer| (answer.issued.id, answer.issued.at);
            self.answers.sort_unstable_by_key(order);
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.vault.as_ref().is_some_and(|held| *held.text == *text)
    }
}
