//! The servers' half of the world, and the watch over what they answer.

use tenure_core::lineage::{Clock, Content, EndCause, Head, Step, TokenId, Verdict};

use super::{
    Ahead, Answer, Asked, Flaw, Issued, MacKeys, Party, Request, Row, Setting, Stored, Timestamp,
    World,
};

/// Lost conditional writes after which a server gives up with 503.
const TRIES: u8 = 3;

/// A decision whose write is still to come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    request: Request,
    verdict: Verdict,
    /// The row as read.
    read: Stored,
    /// When the request arrived; deciding again does not make it any later.
    pub(super) arrived: u64,
    revoked_on_arrival: bool,
    ahead_when_read: Option<Ahead>,
    tries: u8,
}

/// What an answer means for its receiver.
pub(crate) enum Outcome {
    Granted,
    /// `invalid_grant`, with the cause beside it.
    Refused(EndCause),
    /// 503.
    Unavailable,
}

impl Outcome {
    pub(crate) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Again { .. } | Verdict::Advance(_) | Verdict::Ahead(_) => Self::Granted,
            Verdict::Ended(cause) => Self::Refused(*cause),
            Verdict::Reuse(_) => Self::Refused(EndCause::TheftDetected),
            Verdict::Unknown
            | Verdict::UnknownLineage
            | Verdict::WrongClient
            | Verdict::BadSeal => Self::Refused(EndCause::Unknown),
            Verdict::MissingKey(_)
            | Verdict::ClockInDoubt
            | Verdict::RingFull { .. }
            | Verdict::Superseded { .. }
            | Verdict::Impossible => Self::Unavailable,
        }
    }
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
                self.pending[server] = Some(Box::new(pending))
            }
            _ => {}
        }
    }

    fn verdict(&self, setting: &Setting, pending: &Pending, server: usize, now: u64) -> Verdict {
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
        (setting.judge)(token, Some(&row), &asked, &setting.rules)
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

    fn keys<'a>(&self, setting: &'a Setting, server: usize) -> &'a MacKeys {
        let [old, both, _] = &setting.keys;
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
            issued_at: successor.issued_at.0,
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
            let order = |answer: &Answer| (answer.issued.id, answer.issued.issued_at);
            self.answers.sort_unstable_by_key(order);
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.vault.as_ref().is_some_and(|held| *held.text == *text)
    }

    /// Invariants 1, 2 (the fork that must be revoked) and 4.
    fn watch_refusals(&mut self, setting: &Setting, pending: &Pending, server: usize) {
        let request = &pending.request;
        let outcome = Outcome::of(&pending.verdict);
        let readable = self.keys(setting, server).read(&request.text);
        if let (Outcome::Refused(_), Err(_)) = (&outcome, readable) {
            self.flaw.get_or_insert(Flaw::TroubleIsDefinitive);
        }
        if let Outcome::Refused(cause) = outcome
            && !self.may_end(setting, request, cause, pending.arrived)
        {
            self.flaw.get_or_insert(Flaw::HonestSessionEnded);
        }
        let lost = self.ahead.filter(|ahead| ahead.party != request.from);
        let over = lost.is_some_and(|ahead| pending.arrived >= ahead.since + setting.window());
        let judged = match pending.verdict {
            Verdict::Reuse(_) | Verdict::MissingKey(_) => true,
            Verdict::Ended(EndCause::ExpiredIdle | EndCause::ExpiredAbsolute) => true,
            Verdict::Ended(_) => self.stored.revoked.is_some(),
            Verdict::Ahead(_) | Verdict::RingFull { .. } => self.tables_may_turn,
            _ => false,
        };
        if over && !judged {
            self.flaw.get_or_insert(Flaw::ForkNotRevoked);
        }
    }

    fn may_end(&self, setting: &Setting, request: &Request, cause: EndCause, now: u64) -> bool {
        let (idle, absolute) = setting.lifetimes;
        match cause {
            EndCause::ExpiredAbsolute => now > super::START + absolute,
            EndCause::ExpiredIdle => {
                let token = setting.keys[1].read(&request.text);
                token.is_ok_and(|token| now > token.content().issued_at.0 + idle)
            }
            EndCause::LoggedOut => self.vault.is_none(),
            EndCause::TheftDetected => self.thief.is_some(),
            _ => false,
        }
    }

    /// Invariants 2 (no two holders go on) and 5.
    fn watch_grants(&mut self, pending: &Pending) {
        let party = pending.request.from;
        if pending.revoked_on_arrival {
            self.flaw.get_or_insert(Flaw::RevocationIgnored);
        }
        let loses = pending
            .ahead_when_read
            .is_some_and(|ahead| ahead.party != party);
        let adopted = matches!(pending.verdict, Verdict::Ahead(_));
        if loses && !(adopted && self.tables_may_turn) {
            self.flaw.get_or_insert(Flaw::BothHoldersContinue);
        }
        let head = match &pending.verdict {
            Verdict::Advance(step) | Verdict::Ahead(step) => &step.head,
            _ => return,
        };
        self.tables_may_turn &= !loses;
        let lacked = self.thief.as_ref().is_some_and(|thief| {
            head.id != thief.copied.id
                && (party == Party::Thief || head.generation > thief.copied.generation)
        });
        if lacked && self.ahead.is_none_or(|ahead| ahead.party != party) {
            let since = head.since.0;
            self.ahead = Some(Ahead { party, since });
        }
    }

    fn watch_copied_use(&mut self, pending: &Pending) {
        let head = self.stored.head.id;
        if let (Party::Thief, Some(thief)) = (pending.request.from, &mut self.thief) {
            thief.unreported = Some(head);
        }
    }

    /// Invariant 2, for a thief that never advances: the real client's next advance tells, unless the
    /// use was noted only after the row was read for that advance. (An adoption by line 7 cannot
    /// tell: its claims are about a token that the store has forgotten.)
    fn watch_reports(&mut self, setting: &Setting, pending: &Pending, step: &Step) {
        let used = self.thief.as_ref().and_then(|thief| thief.unreported);
        let concerned = setting.keyed
            && used == Some(step.expected)
            && matches!(pending.verdict, Verdict::Advance(_))
            && pending.read.head.uses == self.stored.head.uses;
        if pending.request.from == Party::Client && concerned && !step.parallel_use {
            self.flaw.get_or_insert(Flaw::CopyNotReported);
        }
        if step.parallel_use && self.thief.is_none() {
            self.flaw.get_or_insert(Flaw::HonestSessionEnded);
        }
    }

    /// Invariant 1, looked at from any state: the client's next attempts, undisturbed, go through.
    pub(crate) fn can_go_on(&self, setting: &Setting) -> bool {
        let Some(held) = self.vault.as_ref().filter(|_| self.thief.is_none()) else {
            return true;
        };
        let request = Request {
            from: Party::Client,
            text: held.text.clone(),
            generation: held.generation,
            attempt: u16::MAX,
            copy: 0,
            claims: held.claims,
            superseded: None,
        };
        let mut now = self.now;
        for _ in 0..TRIES {
            let mut pending = Pending {
                request: request.clone(),
                verdict: Verdict::Unknown,
                read: self.stored.clone(),
                arrived: now,
                revoked_on_arrival: false,
                ahead_when_read: None,
                tries: 0,
            };
            pending.verdict = self.verdict(setting, &pending, 0, now);
            match (&pending.verdict, Outcome::of(&pending.verdict)) {
                (_, Outcome::Granted) => return true,
                (_, Outcome::Refused(cause)) => {
                    return self.may_end(setting, &pending.request, cause, now);
                }
                (
                    Verdict::Superseded { retry_after } | Verdict::RingFull { retry_after },
                    Outcome::Unavailable,
                ) => now += retry_after.as_secs(),
                (_, Outcome::Unavailable) => return false,
            }
        }
        false
    }
}
