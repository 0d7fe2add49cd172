//! What each event does.

use std::time::Duration;

use super::super::{
    Cause, Change, Deadline, Expiry, Found, Millis, Moment, Need, Record, Revocation, VaultFault,
};
use super::{
    Action, Answer, Backoff, Current, Event, Lock, Machine, Note, Presentation, Refresh, Revoked,
    Standing, Step, Vault,
};
use crate::outcome::{Granted, Outcome, Trouble};
use crate::secret::Secret;
use crate::time::Timestamp;

impl Machine {
    /// Takes one event in and says what to do.
    pub fn handle(&mut self, event: Event, now: Moment) -> Vec<Action> {
        let mut actions = self.notice(now);
        actions.extend(match event {
            Event::Loaded(found) => self.loaded(found, now),
            Event::Locked { lock, key } => self.locked(lock, key, now),
            Event::Changed(step, record) => self.changed(step, record, now),
            Event::Answered { outcome, date } => self.answered(outcome, date, now),
            Event::Told(token, revoked) => self.told(token, revoked, now),
            Event::Refused(token) => self.refused(token, now),
            Event::Accepted(token) => {
                self.accepted(&token);
                Vec::new()
            }
            Event::Tick => self.tick(now),
        });
        actions.extend(self.next_revocation(now).map(Action::Revoke));
        actions
    }

    pub(super) fn reload(&mut self) -> Vec<Action> {
        self.vault = Vault::Unread;
        vec![Action::Load]
    }

    pub(super) fn start(&mut self, need: Need, now: Moment) -> Vec<Action> {
        let reason = match &self.current {
            _ if need.refused => "refused",
            Some(current) if current.ends.passed(now) => "expired",
            _ => "expiring",
        };
        self.refresh = Refresh::Locking(need);
        vec![
            Action::Note(Note::RefreshStarted { reason }),
            Action::Lock(self.policy.lock_patience),
        ]
    }

    fn loaded(&mut self, found: Result<Found, VaultFault>, now: Moment) -> Vec<Action> {
        let looking = self.looking();
        if !(looking || matches!(self.vault, Vault::Unread)) {
            // Somebody signed in while it was being read.
            return Vec::new();
        }
        self.looked(now);
        match found {
            Ok(Found::Record(record)) => {
                self.backoff.reset();
                self.adopt(record, now)
            }
            Ok(Found::Missing | Found::Empty) => self.adopt(Box::default(), now),
            Ok(Found::Damaged) => {
                self.vault = Vault::Damaged;
                Vec::new()
            }
            Err(_) if looking => Vec::new(),
            Err(fault) => {
                let cause = Cause::Storage(fault.clone());
                self.backoff.fail(cause, None, &self.policy, now);
                self.vault = Vault::Unreadable(fault);
                Vec::new()
            }
        }
    }

    fn locked(&mut self, lock: Lock, key: Secret, now: Moment) -> Vec<Action> {
        let Refresh::Locking(need) = &self.refresh else {
            return Vec::new();
        };
        let need = need.clone();
        let harmless = self
            .record()
            .and_then(|record| record.provider.as_ref())
            .is_some_and(|provider| provider.retire_on_use);
        match lock {
            Lock::Busy if !harmless => return self.fail(Cause::LockHeld, now),
            Lock::Broken(fault) => return self.fail(Cause::Storage(fault), now),
            Lock::Held | Lock::Busy => {}
        }
        self.refresh = Refresh::Beginning(need.clone(), key.clone());
        vec![Action::Commit(Change::Begin {
            need,
            key,
            wall: now.wall,
        })]
    }

    fn changed(
        &mut self,
        step: Step,
        record: Result<Box<Record>, VaultFault>,
        now: Moment,
    ) -> Vec<Action> {
        let (mut actions, fault) = match record {
            Ok(record) => (self.adopt(record, now), None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        actions.extend(match step {
            Step::Begin => self.begun(fault, now),
            Step::Keep => self.kept(fault, now),
            Step::End => self.ended(fault, now),
            Step::SignOut => {
                self.outbox.backoff.reset();
                Vec::new()
            }
            Step::Revoked => self.told_and_noted(fault.is_none(), None, now),
            Step::SignIn => {
                self.standing = Standing::Good;
                Vec::new()
            }
            Step::Discovered => Vec::new(),
        });
        actions
    }

    /// The vault was re-read and took the intent: now the token may be spent.
    fn begun(&mut self, fault: Option<VaultFault>, now: Moment) -> Vec<Action> {
        let Refresh::Beginning(need, key) = &self.refresh else {
            return Vec::new();
        };
        if let Some(fault) = fault {
            return self.fail(Cause::Storage(fault), now);
        }
        let Some(presentation) = self.presentation(need, now) else {
            return self.finish();
        };
        self.refresh = Refresh::Sending {
            presented: presentation.refresh_token.clone(),
            asked: now,
            repeated: presentation.key != *key,
        };
        vec![Action::Send(presentation)]
    }

    /// `None` where another process did the work meanwhile, or ended the session.
    fn presentation(&self, need: &Need, now: Moment) -> Option<Presentation> {
        let record = self.record()?;
        let tokens = record.tokens.as_ref()?;
        need.unmet_by(tokens, now.wall).then_some(())?;
        Some(Presentation {
            provider: record.provider.clone()?,
            refresh_token: tokens.refresh_token.clone(),
            key: tokens.intent.clone()?,
            claims: tokens.claims.clone(),
        })
    }

    fn answered(&mut self, outcome: Outcome, date: Option<Timestamp>, now: Moment) -> Vec<Action> {
        let Refresh::Sending {
            presented,
            asked,
            repeated,
        } = &self.refresh
        else {
            return Vec::new();
        };
        let (presented, asked, repeated) = (presented.clone(), *asked, *repeated);
        match outcome {
            Outcome::Granted(granted) => {
                let answer = self.answer(presented, granted, asked, date, now);
                self.keep(answer)
            }
            Outcome::Definitive(cause) => {
                self.refresh = Refresh::Ending;
                let mut actions = vec![failure("definitive", true)];
                actions.extend(self.answer_lost().filter(|_| repeated));
                actions.push(Action::Commit(Change::End { presented, cause }));
                actions
            }
            Outcome::Transient {
                trouble,
                retry_after,
            } => {
                let cause = Cause::Trouble(trouble);
                self.backoff.fail(cause, retry_after, &self.policy, now);
                self.degraded("transient")
            }
            Outcome::Misconfigured(error) => {
                let cause = Cause::Misconfigured(error);
                self.backoff.stall(cause, self.policy.longest_wait, now);
                self.degraded("misconfigured")
            }
        }
    }

    /// Where refresh tokens are not retired on use, a service that carried the earlier refresh out
    /// takes the repetition for theft, and nothing here can tell it otherwise.
    fn answer_lost(&self) -> Option<Action> {
        let provider = self.record()?.provider.as_ref()?;
        let issuer = provider.issuer.clone();
        (!provider.retire_on_use).then_some(Action::Note(Note::AnswerLost { issuer }))
    }

    fn answer(
        &self,
        presented: Secret,
        granted: Granted,
        asked: Moment,
        date: Option<Timestamp>,
        now: Moment,
    ) -> Answer {
        let lifetime = granted.expires_in.unwrap_or(self.policy.assumed_lifetime);
        Answer {
            presented,
            expiry: Expiry::new(asked.wall, lifetime.into(), date, now.wall),
            ends: Deadline::after(asked, lifetime.into()),
            granted,
        }
    }

    fn keep(&mut self, answer: Answer) -> Vec<Action> {
        let keep = Change::Keep {
            presented: answer.presented.clone(),
            granted: answer.granted.clone(),
            expiry: answer.expiry,
        };
        self.refresh = Refresh::Keeping(answer);
        vec![Action::Commit(keep)]
    }

    fn ended(&mut self, fault: Option<VaultFault>, now: Moment) -> Vec<Action> {
        match fault {
            Some(fault) => self.fail(Cause::Storage(fault), now),
            None => self.finish(),
        }
    }

    fn kept(&mut self, fault: Option<VaultFault>, now: Moment) -> Vec<Action> {
        let Refresh::Keeping(answer) = &self.refresh else {
            return Vec::new();
        };
        let answer = answer.clone();
        if let Some(fault) = fault.filter(|_| !self.replaced(&answer)) {
            self.refresh = Refresh::Unsaved(answer, fault.clone());
            let cause = Cause::Storage(fault);
            self.backoff.fail(cause.clone(), None, &self.policy, now);
            return vec![degraded(&cause)];
        }
        let before = self.backoff.clone();
        let mut actions = self.finish();
        if let Some(current) = &mut self.current
            && current.token == answer.granted.access_token
        {
            current.ends = answer.ends;
            let successor = answer.granted.refresh_token.as_ref();
            let rotated = successor.is_some_and(|token| *token != answer.presented);
            actions.push(Action::Note(Note::RefreshSucceeded { rotated }));
            actions.extend(self.check_lifetime(before, now));
        }
        actions.extend(self.check_replacement(now));
        actions
    }

    /// A service whose tokens have ended on arrival would be asked without end. Not if the vault had
    /// kept this one waiting.
    fn check_lifetime(&mut self, before: Backoff, now: Moment) -> Option<Action> {
        let waited = matches!(before.waiting(), Some((Cause::Storage(_), _)));
        let enough = self.current.as_ref()?.suffices(Millis(0), now);
        if enough || waited {
            return None;
        }
        self.backoff = before;
        self.backoff
            .fail(Cause::ShortLived, None, &self.policy, now);
        Some(degraded(&Cause::ShortLived))
    }

    /// Whether another session has taken the place of the one that `answer` belongs to.
    fn replaced(&self, answer: &Answer) -> bool {
        self.tokens()
            .is_some_and(|tokens| tokens.refresh_token != answer.presented)
    }

    fn finish(&mut self) -> Vec<Action> {
        self.refresh = Refresh::Idle;
        self.backoff.reset();
        vec![Action::Unlock]
    }

    fn fail(&mut self, cause: Cause, now: Moment) -> Vec<Action> {
        self.backoff.fail(cause, None, &self.policy, now);
        self.degraded("transient")
    }

    fn degraded(&mut self, class: &'static str) -> Vec<Action> {
        self.refresh = Refresh::Idle;
        let mut actions = vec![Action::Unlock, failure(class, false)];
        actions.extend(self.backoff.waiting().map(|(cause, _)| degraded(cause)));
        actions
    }

    /// Takes over what the vault holds now.
    fn adopt(&mut self, record: Box<Record>, now: Moment) -> Vec<Action> {
        let before = self.tokens().map(|tokens| tokens.refresh_token.clone());
        self.current = match (&record.tokens, self.current.take()) {
            (Some(tokens), Some(current)) if current.token == tokens.access_token => Some(current),
            (Some(tokens), _) => Some(Current::new(tokens, &self.policy, now)),
            (None, _) => None,
        };
        if record.tokens.is_none() {
            self.standing = Standing::Good;
            self.looked(now);
        }
        self.vault = Vault::Read(record);
        let after = self.tokens().map(|tokens| tokens.refresh_token.clone());
        if before != after && matches!(self.refresh, Refresh::Idle) {
            self.backoff.reset();
        }
        if before.is_some() && after.is_none() {
            let reason = self.reason().to_string();
            return vec![Action::Note(Note::SessionCleared { reason })];
        }
        match &self.refresh {
            Refresh::Unsaved(answer, _) if self.replaced(answer) => self.finish(),
            _ => Vec::new(),
        }
    }

    pub(super) fn tick(&mut self, now: Moment) -> Vec<Action> {
        if !self.backoff.due(now) {
            return Vec::new();
        }
        let retrying = self.backoff.waiting().is_some() && self.retries_unasked();
        match (&self.vault, &self.refresh) {
            (Vault::Unreadable(_), _) => self.reload(),
            (_, Refresh::Unsaved(answer, _)) => {
                let answer = answer.clone();
                self.keep(answer)
            }
            (_, Refresh::Idle) if retrying || self.policy.background => self.tend(now),
            _ => Vec::new(),
        }
    }

    /// Refreshes if the access token calls for it; otherwise there is no trouble left.
    fn tend(&mut self, now: Moment) -> Vec<Action> {
        if let Some(need) = self.need(Millis(0), now) {
            return self.start(need, now);
        }
        self.backoff.reset();
        Vec::new()
    }

    fn told(&mut self, token: Secret, revoked: Revoked, now: Moment) -> Vec<Action> {
        match revoked {
            Revoked::Done => vec![Action::Commit(Change::Revoked(token))],
            Revoked::Later(wait) => self.told_and_noted(false, wait, now),
        }
    }

    fn told_and_noted(&mut self, noted: bool, wait: Option<Duration>, now: Moment) -> Vec<Action> {
        self.outbox.sending = false;
        if noted {
            self.outbox.backoff.reset();
        } else {
            let cause = Cause::Trouble(Trouble::Connection);
            self.outbox.backoff.fail(cause, wait, &self.policy, now);
        }
        Vec::new()
    }

    /// One revocation at a time; one that keeps failing does not stand in the others' way.
    fn next_revocation(&mut self, now: Moment) -> Option<Revocation> {
        if self.outbox.sending || !self.outbox.backoff.due(now) {
            return None;
        }
        let outbox = &self.record()?.outbox;
        let turn = usize::try_from(self.outbox.backoff.failures()).unwrap_or(0);
        let next = outbox.get(turn.checked_rem(outbox.len())?)?.clone();
        self.outbox.sending = true;
        Some(next)
    }
}

fn failure(class: &'static str, will_clear: bool) -> Action {
    Action::Note(Note::RefreshFailed { class, will_clear })
}

fn degraded(cause: &Cause) -> Action {
    Action::Note(Note::Degraded {
        cause: cause.to_string(),
    })
}
