//! The watch over what servers answer: the five invariants.

use tenure_core::lineage::{EndCause, Step, Verdict};

use super::server::Pending;
use super::{Ahead, Flaw, Party, Request, START, Setting, World};

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
    /// Invariants 1, 2 (the fork that must be revoked) and 4.
    pub(super) fn watch_refusals(&mut self, setting: &Setting, pending: &Pending, server: usize) {
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
            Verdict::Reuse(_)
            | Verdict::MissingKey(_)
            | Verdict::Ended(EndCause::ExpiredIdle | EndCause::ExpiredAbsolute) => true,
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
            EndCause::ExpiredAbsolute => now > START + absolute,
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
    pub(super) fn watch_grants(&mut self, pending: &Pending) {
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
        // After an adoption no old token proves anything for a window: the wait begins anew.
        let anew = adopted || self.ahead.is_none_or(|ahead| ahead.party != party);
        if lacked && anew {
            let since = head.since.0;
            self.ahead = Some(Ahead { party, since });
        }
    }

    pub(super) fn watch_copied_use(&mut self, pending: &Pending) {
        let head = self.stored.head.id;
        if let (Party::Thief, Some(thief)) = (pending.request.from, &mut self.thief) {
            thief.unreported = Some(head);
        }
    }

    /// Invariant 2, for a thief that never advances: the real client's next advance tells, unless the
    /// use was noted only after the row was read for that advance. (An adoption by line 7 cannot
    /// tell: its claims are about a token that the store has forgotten.)
    pub(super) fn watch_reports(&mut self, setting: &Setting, pending: &Pending, step: &Step) {
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
        for _ in 0..3 {
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
