//! The machine: when to refresh, and what a caller gets meanwhile.

use super::expiry::TOLERANCE;
use super::{
    AccessToken, Cause, Deadline, Expiry, Failure, Millis, Moment, Need, Reason, Record, State,
    Tokens, VaultFault,
};
use crate::lineage::EndCause;
use crate::outcome::Granted;
use crate::secret::Secret;

mod backoff;
mod handle;
mod interface;
mod look;
mod ready;
mod standing;

use backoff::Backoff;
pub use backoff::Policy;
pub use interface::{Access, Action, Event, Lock, Note, Presentation, Revoked, Step};
use look::Look;
use ready::Current;
pub use ready::Ready;
use standing::Standing;

/// The life of a session as one process sees it.
#[derive(Clone, Debug)]
pub struct Machine {
    policy: Policy,
    vault: Vault,
    current: Option<Current>,
    refresh: Refresh,
    backoff: Backoff,
    standing: Standing,
    outbox: Outbox,
    look: Look,
    /// What the device's clock shows more than the monotonic one, as last seen.
    offset: Option<i64>,
}

/// What is known of the vault.
#[derive(Clone, Debug)]
enum Vault {
    Unread,
    Unreadable(VaultFault),
    Damaged,
    Read(Box<Record>),
}

/// The one refresh that may be under way.
#[derive(Clone, Debug, Default)]
enum Refresh {
    #[default]
    Idle,
    Locking(Need),
    /// With the key that is used if no earlier refresh has left one.
    Beginning(Need, Secret),
    Sending {
        presented: Secret,
        asked: Moment,
        /// An earlier refresh with the same token got no answer that could be kept.
        repeated: bool,
    },
    Ending,
    Keeping(Answer),
    /// The vault refused the answer: it lives in memory until the vault takes it.
    Unsaved(Answer, VaultFault),
}

#[derive(Clone, Debug)]
struct Answer {
    presented: Secret,
    granted: Granted,
    expiry: Expiry,
    ends: Deadline,
}

/// What is being done about the record's outbox.
#[derive(Clone, Debug, Default)]
struct Outbox {
    sending: bool,
    backoff: Backoff,
}

/// A resumed device or a set clock is noticed after so long at the latest.
const LONGEST_SLEEP: Millis = Millis(30_000);

impl Machine {
    /// A machine that knows nothing yet, and what it starts with: reading the vault.
    pub fn new(policy: Policy) -> (Self, Vec<Action>) {
        let machine = Self {
            policy,
            vault: Vault::Unread,
            current: None,
            refresh: Refresh::Idle,
            backoff: Backoff::default(),
            standing: Standing::Good,
            outbox: Outbox::default(),
            look: Look::default(),
            offset: None,
        };
        let actions = vec![Action::Note(Note::BootstrapStarted), Action::Load];
        (machine, actions)
    }

    /// What a caller gets who needs an access token with `min_ttl` left; at most half of a token's
    /// life can be asked for.
    ///
    /// While a refresh has transient trouble a token that is still valid is handed out, whatever
    /// `min_ttl` says; so is one that an API refused, because other APIs may take it.
    pub fn request(&mut self, min_ttl: Millis, now: Moment) -> (Access, Vec<Action>) {
        let mut actions = self.notice(now);
        let (access, more) = self.serve(min_ttl, now);
        actions.extend(more);
        (access, actions)
    }

    /// What a caller gets to whom an API said no to `refused`, after [`Event::Refused`]: another
    /// token, or why there is none.
    pub fn request_instead(&mut self, refused: &Secret, now: Moment) -> (Access, Vec<Action>) {
        match self.request(Millis(0), now) {
            (Access::Ready(same), actions) if same.token == *refused => {
                (Access::Failed(self.nothing_better(now)), actions)
            }
            other => other,
        }
    }

    fn serve(&mut self, min_ttl: Millis, now: Moment) -> (Access, Vec<Action>) {
        match &self.vault {
            Vault::Unread => return (Access::Wait, Vec::new()),
            Vault::Unreadable(_) if self.backoff.due(now) => return (Access::Wait, self.reload()),
            Vault::Unreadable(fault) => {
                return failed(Failure::StorageUnavailable(fault.clone()));
            }
            Vault::Damaged | Vault::Read(_) => {}
        }
        if self.tokens().is_none() {
            return self.look_again(now);
        }
        let usable = self.usable(now);
        match (&self.refresh, self.need(min_ttl, now)) {
            (Refresh::Unsaved(_, fault), _) => {
                handed(usable, Failure::StorageUnavailable(fault.clone()))
            }
            (_, None) => (usable.map_or(Access::Wait, Access::Ready), Vec::new()),
            (Refresh::Idle, Some(need)) => match self.holding_back(now) {
                Some(failure) => handed(usable, failure),
                None => (Access::Wait, self.start(need, now)),
            },
            (_, Some(_)) => (Access::Wait, Vec::new()),
        }
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        match &self.vault {
            Vault::Unread => return State::Restoring,
            Vault::Unreadable(_) => return State::StorageLocked,
            Vault::Damaged | Vault::Read(_) => {}
        }
        let (Some(_), Some(current)) = (self.tokens(), &self.current) else {
            let reason = self.reason();
            return State::SignedOut { reason };
        };
        match (&self.refresh, self.backoff.waiting(), &self.standing) {
            (Refresh::Idle | Refresh::Unsaved(..), Some((cause, until)), _) => State::Degraded {
                cause: cause.clone(),
                retry_at: until.wall(),
            },
            (_, _, Standing::Refused { hint, .. }) => State::Refused {
                hint: (*hint).to_owned(),
            },
            (Refresh::Idle, None, _) => State::Active {
                expires_at: current.ends.wall(),
            },
            _ => State::Refreshing,
        }
    }

    /// What serves callers without asking the machine, until its next event or change of clocks;
    /// `None` while only the machine knows what they get.
    pub fn ready(&self) -> Option<Ready> {
        let saved = !matches!(self.refresh, Refresh::Unsaved(..));
        self.tokens().filter(|_| saved && !self.doubted())?;
        Some(Ready::new(self.current.as_ref()?, self.offset?))
    }

    /// The record as this process last saw it; `None` while it could not be read.
    pub fn record(&self) -> Option<&Record> {
        match &self.vault {
            Vault::Read(record) => Some(record),
            _ => None,
        }
    }

    /// True while nothing is under way: no refresh, no revocation, no reading of the vault.
    pub fn settled(&self) -> bool {
        let refreshing = !matches!(self.refresh, Refresh::Idle | Refresh::Unsaved(..));
        let reading = matches!(self.vault, Vault::Unread) || self.looking();
        !(refreshing || reading || self.outbox.sending)
    }

    /// How long the shell may sleep before it reports [`Event::Tick`], if nothing happens before.
    pub fn wake(&self, now: Moment) -> Option<Millis> {
        let retry = self.retries_unasked().then(|| self.backoff.left(now));
        let outbox = self.outbox.backoff.left(now);
        let ahead = match (&self.refresh, &self.current) {
            (Refresh::Idle, Some(current)) if self.policy.background => {
                // One more, because at the margin itself the token is still good.
                Some(current.ends.left(now) - current.margin + Millis(1))
            }
            _ => None,
        };
        let ahead = ahead.filter(|_| self.backoff.waiting().is_none());
        let left = self
            .record()
            .is_some_and(|record| !record.outbox.is_empty());
        let outbox = outbox.filter(|_| left && !self.outbox.sending);
        let forgiven = match &self.standing {
            Standing::Refused { until, .. } => Some(until.left(now)),
            Standing::Good | Standing::Doubted(_) => None,
        };
        let next = [retry.flatten(), outbox, ahead, forgiven];
        let next = next.into_iter().flatten().min();
        next.map(|sleep| sleep.min(LONGEST_SLEEP))
    }

    fn retries_unasked(&self) -> bool {
        match (&self.vault, &self.refresh) {
            (Vault::Unreadable(_), _) | (_, Refresh::Unsaved(..)) => true,
            (Vault::Read(_), Refresh::Idle) => {
                self.tokens().is_some() && self.backoff.failures() <= self.policy.unasked_retries
            }
            _ => false,
        }
    }

    fn tokens(&self) -> Option<&Tokens> {
        self.record()?.tokens.as_ref()
    }

    fn reason(&self) -> Reason {
        match &self.vault {
            Vault::Damaged => Reason::VaultDamaged,
            Vault::Read(record) => record.ended.map_or(Reason::NeverSignedIn, Reason::Ended),
            Vault::Unread | Vault::Unreadable(_) => Reason::Ended(EndCause::Unknown),
        }
    }

    /// A token that is valid now. One that could not be saved counts: it is in memory, the state
    /// says so, and using it retires nothing.
    fn usable(&self, now: Moment) -> Option<AccessToken> {
        let (token, ends) = match (&self.refresh, &self.current) {
            (Refresh::Unsaved(answer, _), _) => (&answer.granted.access_token, answer.ends),
            (_, Some(current)) => (&current.token, current.ends),
            (_, None) => return None,
        };
        if ends.passed(now) {
            return None;
        }
        Some(AccessToken {
            token: token.clone(),
            expires_at: ends.wall(),
        })
    }

    /// Why the present access token is not enough; `None` where it is.
    fn need(&self, min_ttl: Millis, now: Moment) -> Option<Need> {
        let current = self.current.as_ref()?;
        let enough = current.suffices(min_ttl, now);
        let refused = enough && self.doubted();
        (refused || !enough).then(|| Need {
            left: current.asked(min_ttl),
            stale: current.token.clone(),
            refused,
        })
    }

    /// Looks at both clocks. Where one moved against the other the device slept or its clock was set:
    /// waits that nobody asked for are over, and what time decides is decided again.
    fn notice(&mut self, now: Moment) -> Vec<Action> {
        self.forgive(now);
        let offset = now.offset();
        let before = self.offset.replace(offset);
        let Some(jump) = before.map(|before| offset.saturating_sub(before)) else {
            return Vec::new();
        };
        if jump.unsigned_abs() <= TOLERANCE.0 {
            return Vec::new();
        }
        self.backoff.hurry();
        self.outbox.backoff.hurry();
        let seconds = jump / 1000;
        let mut actions = vec![Action::Note(Note::ClockJumped { seconds })];
        actions.extend(self.tick(now));
        actions
    }

    fn holding_back(&self, now: Moment) -> Option<Failure> {
        let (cause, until) = self.backoff.waiting()?;
        if until.passed(now) {
            return None;
        }
        Some(match cause {
            Cause::Misconfigured(error) => Failure::Misconfigured(error.clone()),
            Cause::Storage(fault) => Failure::StorageUnavailable(fault.clone()),
            Cause::Trouble(_) | Cause::LockHeld | Cause::ShortLived => Failure::Transient {
                cause: cause.clone(),
                retry_after: until.left(now).duration(),
            },
        })
    }
}

fn failed(failure: Failure) -> (Access, Vec<Action>) {
    (Access::Failed(failure), Vec::new())
}

fn handed(token: Option<AccessToken>, otherwise: Failure) -> (Access, Vec<Action>) {
    let access = token.map_or(Access::Failed(otherwise), Access::Ready);
    (access, Vec::new())
}

#[cfg(test)]
mod tests;
