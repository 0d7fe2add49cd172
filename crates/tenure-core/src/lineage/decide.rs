//! The rule: presented token and row in, verdict out.

use std::time::Duration;

use super::{
    Content, Cut, EndCause, Head, IdempotencyKey, KeyHash, MacKeyId, Policy, Retired, Row, Rules,
    Token, TokenId, Unreadable,
};
use crate::id::ClientId;
use crate::time::Timestamp;

/// A token further ahead of the row than this was not lost by a store; something is broken.
const FURTHEST_AHEAD: u32 = 1 << 20;

/// A store that lost writes is believed once a day; a second loss within it is not excused.
const UNKNOWN_AT_MOST_EVERY: Duration = Duration::from_hours(24);

/// The circumstances of a presentation.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The client as authenticated or named by the request; `None` where the route names none.
    pub client: Option<&'a ClientId>,
    /// The `Idempotency-Key` of the attempt.
    pub key: Option<&'a IdempotencyKey>,
    /// `tenure_claims`: hashes of the keys the client used for the parent of the presented token.
    pub claims: Option<&'a [KeyHash]>,
    /// Eight random bytes for the successor.
    pub fresh: TokenId,
    /// When the request arrived; the same when it is judged again after a lost write.
    pub now: Timestamp,
    /// Whether that time can be believed.
    pub clock: Clock,
    /// The subject's cut, where there is one.
    pub cut: Option<Cut>,
}

/// Whether the server believes its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// It agrees with the store's clock and does not jump.
    Trusted,
    /// It does not: nothing expires by it.
    Doubtful,
}

/// The answer to a presentation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Line 1: no token of ours, or under a key past every lifetime. `invalid_grant`.
    Unknown,
    /// Line 1a: this server lacks the key. 503 and an alarm.
    MissingKey(MacKeyId),
    /// Line 2: authentic, but there is no such session. `invalid_grant`.
    UnknownLineage,
    /// Line 2a: another client's token. `invalid_grant`; the session is untouched.
    WrongClient,
    /// Line 2a: the tag is right and the seal is not: somebody has the MAC key. `invalid_grant`.
    BadSeal,
    /// Line 3: the session is over. `invalid_grant` with the cause.
    Ended(EndCause),
    /// Line 3, where only a clock in doubt says so. 503.
    ClockInDoubt,
    /// Line 4: the head again: its answer was lost, or it is new. Issue `successor`.
    Again {
        /// What to issue.
        successor: Content,
        /// The key hash to note in `head.uses`, if it is a new one.
        note: Option<KeyHash>,
    },
    /// Line 5: a child of the head. Write the step, then issue its successor.
    Advance(Step),
    /// Line 5: the ring is full of young entries. 503.
    RingFull {
        /// Until the oldest of them leaves the late window.
        retry_after: Duration,
    },
    /// Line 6: a late duplicate. 503: gives nothing, revokes nothing.
    Superseded {
        /// What is left of the window.
        retry_after: Duration,
    },
    /// Line 7: the store lost writes. Consult the revocation log, write the step, issue.
    Ahead(Step),
    /// Line 7: further ahead than any loss explains. 503 and an alarm.
    Impossible,
    /// Line 8: two holders of one token went on. Revoke. `invalid_grant`, `theft_detected`.
    Reuse(Evidence),
}

/// One conditional write: `WHERE head.id = expected AND revoked IS NULL`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The head as read.
    pub expected: TokenId,
    /// The new head.
    pub head: Head,
    /// The new ring.
    pub ring: Vec<Retired>,
    /// The new mark.
    pub history_unknown_until: Option<Timestamp>,
    /// What to issue once it is written.
    pub successor: Content,
    /// The old head was presented with a key that this holder does not claim: somebody else used it.
    pub parallel_use: bool,
}

/// What gave the thief away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// A token retired longer ago than any duplicate travels.
    Ancestor,
    /// A token of another branch than the head's.
    Sibling,
    /// The head was used under a key that its holder does not claim, and the policy revokes for it.
    ParallelUse,
}

impl Evidence {
    /// The name in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ancestor => "ancestor",
            Self::Sibling => "sibling",
            Self::ParallelUse => "parallel_use",
        }
    }
}

/// Judges one presentation of a refresh token. Lines are numbered as in `DESIGN.md`.
pub fn decide(
    presented: Result<&Token, Unreadable>,
    row: Option<&Row>,
    asked: &Asked<'_>,
    rules: &Rules,
) -> Verdict {
    let token = match presented {
        Ok(token) => token,
        Err(Unreadable::Garbage | Unreadable::RetiredKey) => return Verdict::Unknown,
        Err(Unreadable::MissingKey(id)) => return Verdict::MissingKey(id),
    };
    let Some(row) = row else {
        return Verdict::UnknownLineage;
    };
    if asked
        .client
        .is_some_and(|client| *client != row.grant.client)
    {
        return Verdict::WrongClient;
    }
    if !token.is_sealed_by(&row.secret) {
        return Verdict::BadSeal;
    }
    Presentation {
        token: token.content(),
        row,
        asked,
        rules,
        now: row.clamp(asked.now),
    }
    .verdict()
}

/// An authentic token of this row, presented by the row's client.
struct Presentation<'a> {
    token: &'a Content,
    row: &'a Row,
    asked: &'a Asked<'a>,
    rules: &'a Rules,
    now: Timestamp,
}

impl Presentation<'_> {
    fn verdict(&self) -> Verdict {
        if let Some(ended) = self.ended() {
            return ended;
        }
        let Some(successor) =
            self.token
                .successor(&self.row.secret, self.asked.fresh, self.asked.key, self.now)
        else {
            return Verdict::Impossible;
        };
        let (token, head) = (self.token, &self.row.head);
        let generations_ahead = token.generation.checked_sub(head.generation);
        if token.id == head.id {
            self.head_presented(successor)
        } else if token.parent == head.id && generations_ahead == Some(1) {
            self.advance(successor)
        } else if let Some(retry_after) = self.late() {
            Verdict::Superseded { retry_after }
        } else if generations_ahead.is_some_and(|ahead| ahead >= 2) {
            self.ahead(successor, generations_ahead.unwrap_or_default())
        } else if token.generation < head.generation {
            Verdict::Reuse(Evidence::Ancestor)
        } else {
            Verdict::Reuse(Evidence::Sibling)
        }
    }

    /// Line 3.
    fn ended(&self) -> Option<Verdict> {
        let row = self.row;
        if let Some(revocation) = row.revoked {
            return Some(Verdict::Ended(revocation.cause));
        }
        if let Some(cut) = self
            .asked
            .cut
            .filter(|cut| cut.before > row.grant.auth_time)
        {
            return Some(Verdict::Ended(cut.cause));
        }
        let used = row.head.since.max(self.token.issued_at);
        let cause = if self.now > row.expires_absolute {
            EndCause::ExpiredAbsolute
        } else if self.now > used + row.idle {
            EndCause::ExpiredIdle
        } else {
            return None;
        };
        Some(match self.asked.clock {
            Clock::Trusted => Verdict::Ended(cause),
            Clock::Doubtful => Verdict::ClockInDoubt,
        })
    }

    /// Line 4, and what the other policies do instead.
    fn head_presented(&self, successor: Content) -> Verdict {
        match self.rules.policy {
            Policy::RetireOnUse => Verdict::Again {
                note: self.note(),
                successor,
            },
            Policy::Strict => self.retire_for(&[self.row.head.id], &successor.clone(), successor),
            Policy::None => self.keep(),
        }
    }

    /// The use to note in the head. A keyless one is noted only where keyed ones were: it is then
    /// not the holder's.
    fn note(&self) -> Option<KeyHash> {
        let uses = &self.row.head.uses;
        let hash = self.effective_key().unwrap_or(KeyHash::NONE);
        let worth_noting = hash != KeyHash::NONE || !uses.is_empty();
        (worth_noting && uses.len() < Head::USES && !uses.contains(&hash)).then_some(hash)
    }

    fn effective_key(&self) -> Option<KeyHash> {
        let hash = self.asked.key?.hash();
        (hash != self.token.made_by).then_some(hash)
    }

    /// Line 5.
    fn advance(&self, successor: Content) -> Verdict {
        let unclaimed =
            |claims: &[KeyHash]| self.row.head.uses.iter().any(|used| !claims.contains(used));
        let parallel_use = self.asked.claims.is_some_and(unclaimed);
        if parallel_use && self.rules.revoke_on_parallel_use {
            return Verdict::Reuse(Evidence::ParallelUse);
        }
        match self.retire_for(&[self.row.head.id], self.token, successor) {
            Verdict::Advance(step) => Verdict::Advance(Step {
                parallel_use,
                ..step
            }),
            refused => refused,
        }
    }

    /// Line 6: how long the sender of an old token still has to wait, if it may be a late duplicate.
    fn late(&self) -> Option<Duration> {
        let head = &self.row.head;
        // A slow server judges again what has lost its write: such a request is no older for that,
        // and may even have been pushed out of the ring while it waited.
        let overtaken = self.token.generation < head.generation && self.asked.now < head.since;
        if overtaken {
            return Some(self.rules.late_window);
        }
        let retired = self.row.ring.iter().find(|entry| entry.id == self.token.id);
        let retired_until = retired.map(|entry| entry.at + self.rules.late_window);
        let older = self.token.generation <= head.generation;
        let unknown_until = self.row.history_unknown_until.filter(|_| older);
        let until = retired_until.max(unknown_until)?;
        (self.now < until).then(|| until.since(self.now))
    }

    /// Line 7.
    fn ahead(&self, successor: Content, generations: u32) -> Verdict {
        if generations >= FURTHEST_AHEAD {
            return Verdict::Impossible;
        }
        // The parent too: its successor is presented now, and a duplicate of it may still be under
        // way when the mark, which may have been set long before, is over.
        let retired = [self.row.head.id, self.token.parent];
        match self.retire_for(&retired, self.token, successor) {
            Verdict::Advance(step) => Verdict::Ahead(Step {
                history_unknown_until: Some(self.unknown_until()),
                ..step
            }),
            refused => refused,
        }
    }

    /// Not extended while set, and not set again for a day: otherwise a holder of an old token could
    /// keep the row from ever judging it.
    fn unknown_until(&self) -> Timestamp {
        let fresh = self.now + self.rules.late_window;
        let Some(until) = self.row.history_unknown_until else {
            return fresh;
        };
        let again_from = until.minus(self.rules.late_window) + UNKNOWN_AT_MOST_EVERY;
        if self.now < again_from { until } else { fresh }
    }

    /// The step that puts `head` in the row's head's place, unless the ring is full of young entries.
    fn retire_for(&self, retired: &[TokenId], head: &Content, successor: Content) -> Verdict {
        let row = self.row;
        let mut ring = row.ring.clone();
        let room = self.rules.ring.saturating_sub(retired.len());
        while ring.len() > room {
            let forgotten = ring.remove(0);
            let age = self.now.since(forgotten.at);
            if age < self.rules.late_window {
                return Verdict::RingFull {
                    retry_after: self.rules.late_window.saturating_sub(age),
                };
            }
        }
        ring.extend(retired.iter().map(|&id| Retired { id, at: self.now }));
        Verdict::Advance(Step {
            expected: row.head.id,
            head: Head {
                id: head.id,
                generation: head.generation,
                since: self.now,
                uses: self.effective_key().into_iter().collect(),
            },
            ring,
            history_unknown_until: row.history_unknown_until,
            successor,
            parallel_use: false,
        })
    }

    /// Policy `none`: the same token again; only the idle clock starts anew.
    fn keep(&self) -> Verdict {
        let row = self.row;
        Verdict::Advance(Step {
            expected: row.head.id,
            head: Head {
                since: self.now,
                ..row.head.clone()
            },
            ring: row.ring.clone(),
            history_unknown_until: row.history_unknown_until,
            successor: Content {
                issued_at: self.now,
                ..self.token.clone()
            },
            parallel_use: false,
        })
    }
}
