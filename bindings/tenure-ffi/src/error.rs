//! What a caller can do about a failure.

use tenure_client::Error;

/// Every failure says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TenureError {
    /// Try again. The session, if there is one, is kept.
    #[error("try again in {retry_after_ms} ms: {detail}")]
    Transient {
        /// Not before this time has passed.
        retry_after_ms: u64,
        /// What went wrong.
        detail: String,
    },
    /// Sign in: there is no session.
    #[error("sign in: {reason}")]
    SignInRequired {
        /// `never_signed_in`, `vault_damaged`, or why the service ended the session, such as
        /// `logged_out` or `theft_detected`.
        reason: String,
    },
    /// Free the storage: unlock the device, make room, fix permissions. The session may well exist.
    #[error("the session's storage is unavailable: {detail}")]
    StorageUnavailable {
        /// What the storage said.
        detail: String,
    },
    /// The service turned this sign-in away, for a reason that is the person's to change.
    #[error("sign-in refused: {code}: {description}")]
    SignInRefused {
        /// The error code, such as `access_denied` or `invalid_credentials`.
        code: String,
        /// The service's explanation; empty if it gave none.
        description: String,
    },
    /// An API turns fresh tokens away. The session is kept.
    #[error("refused: {hint}")]
    Refused {
        /// Where to look.
        hint: String,
    },
    /// Change the configuration of this client or of the service. The session is kept.
    #[error("misconfigured: {detail}")]
    Misconfigured {
        /// What is wrong.
        detail: String,
    },
}

impl From<Error> for TenureError {
    fn from(error: Error) -> Self {
        match error {
            Error::Transient { cause, retry_after } => Self::Transient {
                retry_after_ms: u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX),
                detail: cause.to_string(),
            },
            Error::SignInRequired { reason } => Self::SignInRequired {
                reason: reason.to_string(),
            },
            Error::StorageUnavailable(detail) => Self::StorageUnavailable { detail },
            Error::Refused { hint } => Self::Refused { hint },
            Error::SignInRefused { code, description } => Self::SignInRefused {
                code,
                description: description.unwrap_or_default(),
            },
            Error::Misconfigured(detail) => Self::Misconfigured { detail },
            other => Self::Misconfigured {
                detail: other.to_string(),
            },
        }
    }
}
