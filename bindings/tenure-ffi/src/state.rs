//! What an interface shows.

use tenure_client::Millis;

/// Where a session stands. Times are milliseconds since 1970 by the device's clock.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum State {
    /// The vault is being read; callers wait.
    Restoring,
    /// There is no session.
    SignedOut {
        /// As in [`TenureError::SignInRequired`](crate::TenureError::SignInRequired).
        reason: String,
    },
    /// Signed in.
    Active {
        /// When the access token ends; it is refreshed before that.
        expires_at_ms: u64,
    },
    /// Signed in; a refresh is under way.
    Refreshing,
    /// Signed in; the last refresh, or the saving of its answer, failed and will be tried again.
    Degraded {
        /// What went wrong.
        detail: String,
        /// When it is tried again.
        retry_at_ms: u64,
    },
    /// Signed in, but an API turns away tokens that were just issued.
    Refused {
        /// What to look at.
        hint: String,
    },
    /// The vault cannot be read now, so nobody knows whether there is a session.
    StorageLocked,
}

impl From<&tenure_client::State> for State {
    fn from(state: &tenure_client::State) -> Self {
        use tenure_client::State as Of;
        match state {
            Of::Restoring => Self::Restoring,
            Of::SignedOut { reason } => Self::SignedOut {
                reason: reason.to_string(),
            },
            Of::Active {
                expires_at: Millis(expires_at_ms),
            } => Self::Active {
                expires_at_ms: *expires_at_ms,
            },
            Of::Refreshing => Self::Refreshing,
            Of::Degraded {
                cause,
                retry_at: Millis(retry_at_ms),
            } => Self::Degraded {
                detail: cause.to_string(),
                retry_at_ms: *retry_at_ms,
            },
            Of::Refused { hint } => Self::Refused { hint: hint.clone() },
            Of::StorageLocked => Self::StorageLocked,
        }
    }
}
