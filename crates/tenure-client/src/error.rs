//! What a caller can do about a failure.

use std::time::Duration;

use tenure_core::outcome::Trouble;
use tenure_core::session::{Cause, Failure, Reason, VaultFault};

/// Every failure says what to do; what broke is in the fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Try again. The session, if there is one, is kept.
    #[error("try again{}: {cause}", wait(*retry_after))]
    Transient {
        /// What went wrong.
        cause: Cause,
        /// Not before this time has passed.
        retry_after: Duration,
    },
    /// Sign in: there is no session.
    #[error("sign in: {reason}")]
    SignInRequired {
        /// Why.
        reason: Reason,
    },
    /// Free the vault: unlock the device, make room, fix permissions. The session may well exist.
    #[error("the session's storage is unavailable: {0}")]
    StorageUnavailable(String),
    /// The service turned this sign-in away, for a reason that is the person's to change.
    #[error("the sign-in was refused: {code}{}", detail(description.as_deref()))]
    SignInRefused {
        /// The error code, such as `access_denied` or `invalid_credentials`.
        code: String,
        /// The service's explanation, if it gave one.
        description: Option<String>,
    },
    /// Look at what the API expects of a token: it turns away fresh ones. The session is kept.
    #[error("refused: {hint}")]
    Refused {
        /// What to look at.
        hint: String,
    },
    /// Change the configuration of this client or of the service. The session is kept.
    #[error("misconfigured: {0}")]
    Misconfigured(String),
}

/// Nothing where the answer is "now".
fn wait(time: Duration) -> String {
    if time.is_zero() {
        return String::new();
    }
    format!(" in {} s", time.as_secs_f32().ceil())
}

fn detail(description: Option<&str>) -> String {
    description.map_or_else(String::new, |text| format!(" ({text})"))
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Transient { cause, retry_after } => Self::Transient { cause, retry_after },
            Failure::SignInRequired(reason) => Self::SignInRequired { reason },
            Failure::StorageUnavailable(fault) => fault.into(),
            Failure::Refused { hint } => Self::Refused { hint },
            Failure::Misconfigured(error) => {
                Self::Misconfigured(format!("the service answers {error}"))
            }
        }
    }
}

impl From<VaultFault> for Error {
    fn from(fault: VaultFault) -> Self {
        Self::StorageUnavailable(fault.to_string())
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        Self::Transient {
            cause: Cause::Trouble(trouble),
            retry_after: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure_core::outcome::Trouble;
    use tenure_core::session::Cause;

    use super::Error;

    #[test]
    fn a_wait_is_announced_in_whole_seconds_and_none_not_at_all() {
        let told = |millis| {
            let error = Error::Transient {
                cause: Cause::Trouble(Trouble::Connection),
                retry_after: Duration::from_millis(millis),
            };
            error.to_string()
        };
        assert_eq!(told(0), "try again: no connection");
        assert_eq!(told(1), "try again in 1 s: no connection");
        assert_eq!(told(2_100), "try again in 3 s: no connection");
    }
}
