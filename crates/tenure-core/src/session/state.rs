//! What a session looks like from outside.

use std::fmt;
use std::time::Duration;

use super::{Millis, Record};
use crate::lineage::EndCause;
use crate::outcome::Trouble;
use crate::secret::Secret;

/// Where a session stands. What the interface shows and what a caller of the API gets follow from
/// one value, so they cannot disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The vault is being read; callers wait.
    Restoring,
    /// There is no session.
    SignedOut {
        /// Why.
        reason: Reason,
    },
    /// Signed in.
    Active {
        /// When the access token ends, by the device's clock; it is refreshed before that.
        expires_at: Millis,
    },
    /// Signed in; a refresh is under way.
    Refreshing,
    /// Signed in; the last refresh, or the saving of its answer, failed and will be tried again. A
    /// keystore that locks while the session is in use shows here, as [`Cause::Storage`].
    Degraded {
        /// What went wrong.
        cause: Cause,
        /// When it is tried again, by the device's clock.
        retry_at: Millis,
    },
    /// Signed in, but an API turns away tokens that were just issued: neither a refresh nor a sign-in
    /// would help. Ends when an API takes a later token, with a new sign-in, or after ten minutes.
    Refused {
        /// What to look at.
        hint: String,
    },
    /// The vault could not be read since the start, so nobody knows whether there is a session.
    StorageLocked,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The vault never held one.
    NeverSignedIn,
    /// It ended; [`EndCause::LoggedOut`] where the user signed out.
    Ended(EndCause),
    /// The vault held a session and has lost it: what is there is no record, or an older one.
    VaultDamaged,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverSignedIn => f.write_str("never_signed_in"),
            Self::Ended(cause) => cause.fmt(f),
            Self::VaultDamaged => f.write_str("vault_damaged"),
        }
    }
}

/// Why a refresh did not succeed, although nothing is known to be wrong with the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Network or server.
    Trouble(Trouble),
    /// Another process holds the session's lock and does not let go.
    LockHeld,
    /// The service issues tokens that end before they can be used, or nearly so.
    ShortLived,
    /// The vault cannot be read or written.
    Storage(VaultFault),
    /// The service does not accept this client's request: the OAuth error code.
    Misconfigured(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trouble(trouble) => trouble.fmt(f),
            Self::LockHeld => f.write_str("another process holds the session's lock"),
            Self::ShortLived => f.write_str("new tokens end before they can be used"),
            Self::Storage(fault) => write!(f, "the vault cannot be used: {fault}"),
            Self::Misconfigured(error) => write!(f, "the service answers {error}"),
        }
    }
}

/// Why a caller gets no access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Try again after this time.
    Transient {
        /// What went wrong.
        cause: Cause,
        /// Until the next attempt.
        retry_after: Duration,
    },
    /// Only a sign-in helps.
    SignInRequired(Reason),
    /// The vault can be neither read nor written.
    StorageUnavailable(VaultFault),
    /// There is no other token than the one that an API refused, and a new one would be no better.
    Refused {
        /// What to look at.
        hint: String,
    },
    /// The service does not accept this client's request: the OAuth error code.
    Misconfigured(String),
}

/// An access token and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// When it ends, by the device's clock.
    pub expires_at: Millis,
}

/// What a vault that could be read holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No vault was ever made.
    Missing,
    /// A vault was made, nothing was ever stored.
    Empty,
    /// A session was stored, and no intact record has one.
    Damaged,
    /// The newest intact record.
    Record(Box<Record>),
}

/// The vault could not be read or written now; what it holds is not known. The texts hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultFault {
    /// The keystore has to be unlocked by the person who uses the device.
    #[error("locked: {0}")]
    Locked(String),
    /// It cannot be reached, read or written: no permission, no room, no service, a newer format.
    #[error("{0}")]
    Unavailable(String),
}
