//! What goes into the machine and what comes out of it.

use std::time::Duration;

use super::super::{AccessToken, Change, Failure, Found, Provider, Record, Revocation, VaultFault};
use crate::lineage::KeyHash;
use crate::outcome::Outcome;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a caller gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// A token that is valid now.
    Ready(AccessToken),
    /// Ask again after the next event.
    Wait,
    /// No token, and what to do about it.
    Failed(Failure),
}

/// What the shell has to do. Each but [`Action::Note`] and [`Action::Unlock`] is answered by an
/// [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the vault: [`Event::Loaded`].
    Load,
    /// Take the session's cross-process lock, and wait for it no longer than this:
    /// [`Event::Locked`].
    Lock(Duration),
    /// Let go of the lock, if it is held.
    Unlock,
    /// Change the vault's record, durably: [`Event::Changed`]. Changes are carried out and reported
    /// one after the other.
    Commit(Change),
    /// Send a refresh: [`Event::Answered`].
    Send(Presentation),
    /// Send a revocation: [`Event::Told`].
    Revoke(Revocation),
    /// Tell whoever listens.
    Note(Note),
}

/// A refresh token on its way to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// Where to.
    pub provider: Provider,
    /// The token.
    pub refresh_token: Secret,
    /// The `Idempotency-Key`.
    pub key: Secret,
    /// `tenure_claims`, where known: hashes of the keys sent with the parent of the token.
    pub claims: Option<Vec<KeyHash>>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The vault was read.
    Loaded(Result<Found, VaultFault>),
    /// The lock was taken or not.
    Locked {
        /// Which of them.
        lock: Lock,
        /// A fresh idempotency key: 128 random bits as 22 characters of base64url.
        key: Secret,
    },
    /// The vault's record was changed, or looked at and left alone.
    Changed(Step, Result<Box<Record>, VaultFault>),
    /// A refresh was answered or failed on the way.
    Answered {
        /// What the answer means.
        outcome: Outcome,
        /// Its `Date`.
        date: Option<Timestamp>,
    },
    /// A revocation was sent.
    Told(Secret, Revoked),
    /// An API turned this access token away.
    Refused(Secret),
    /// An API took this access token; of interest only while the state is
    /// [`State::Refused`](super::super::State::Refused).
    Accepted(Secret),
    /// The time that [`Machine::wake`](super::Machine::wake) named has passed.
    Tick,
}

/// How an attempt to take the lock ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It is ours.
    Held,
    /// Somebody else held it all the time.
    Busy,
    /// It cannot be had: no permission, no file.
    Broken(VaultFault),
}

/// Which kind of change was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// [`Change::Begin`].
    Begin,
    /// [`Change::Keep`].
    Keep,
    /// [`Change::End`].
    End,
    /// [`Change::SignOut`].
    SignOut,
    /// [`Change::Revoked`].
    Revoked,
    /// [`Change::SignIn`].
    SignIn,
    /// [`Change::Discovered`].
    Discovered,
}

impl Change {
    /// Its kind.
    pub fn step(&self) -> Step {
        match self {
            Self::Begin { .. } => Step::Begin,
            Self::Keep { .. } => Step::Keep,
            Self::End { .. } => Step::End,
            Self::SignOut => Step::SignOut,
            Self::Revoked(_) => Step::Revoked,
            Self::SignIn { .. } => Step::SignIn,
            Self::Discovered(_) => Step::Discovered,
        }
    }
}

/// What the service made of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It knows now; or it answered something that a repetition would not change.
    Done,
    /// Try again, not before this time.
    Later(Option<Duration>),
}

/// A decision, for logs and metrics. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The vault is about to be read.
    BootstrapStarted,
    /// A refresh was begun.
    RefreshStarted {
        /// `expiring`, `expired` or `refused`.
        reason: &'static str,
    },
    /// New tokens are saved.
    RefreshSucceeded {
        /// Whether the refresh token is a new one.
        rotated: bool,
    },
    /// A refresh failed.
    RefreshFailed {
        /// `transient`, `misconfigured` or `definitive`.
        class: &'static str,
        /// Whether the session will be cleared if the vault still holds the presented token.
        will_clear: bool,
    },
    /// A service that does not retire on use ends the session, after an earlier refresh with the same
    /// token had no answer that could be kept.
    AnswerLost {
        /// The service.
        issuer: String,
    },
    /// The session is over.
    SessionCleared {
        /// Why: a [`Reason`](super::super::Reason).
        reason: String,
    },
    /// The session goes on with what it has.
    Degraded {
        /// Why: a [`Cause`](super::super::Cause).
        cause: String,
    },
    /// An API turns away fresh tokens; it causes no further refresh for now.
    Refused {
        /// What to look at.
        hint: &'static str,
    },
    /// The device's clock was set, or the device slept: everything is looked at again.
    ClockJumped {
        /// How far the device's clock moved against the monotonic one.
        seconds: i64,
    },
}
