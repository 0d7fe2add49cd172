//! Why a command failed, and the exit code that scripts see.

use std::fmt;
use std::io;
use std::process::ExitCode;

use tenure_client::{EndCause, Reason};
use tenure_server::OpenError;
use tenure_server::config::Rejected;
use tenure_server::listen::ListenError;

use crate::profile;

/// A failed command; the text says what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Flags, configuration or environment must change before it can work. Exit code 2.
    Usage(String),
    /// Somebody must sign in first. Exit code 3.
    SignIn(String),
    /// The program of `exec` cannot be started: as `env` and shells say it, exit code 127 where there
    /// is no such program, else 126.
    Program(String, io::Error),
    /// Anything else. Exit code 1.
    Other(anyhow::Error),
}

impl Failure {
    fn of_session(error: tenure_client::Error) -> Self {
        match error {
            tenure_client::Error::SignInRequired { reason } => {
                Self::signed_out(reason, profile::DEFAULT)
            }
            tenure_client::Error::Misconfigured(_) => Self::Usage(error.to_string()),
            error => Self::Other(error.into()),
        }
    }

    /// There is no session, and why.
    pub(crate) fn signed_out(reason: Reason, profile: &str) -> Self {
        let flag = match profile {
            profile::DEFAULT => String::new(),
            name => format!(" --profile {name}"),
        };
        let why = explanation(reason);
        Self::SignIn(format!("{why}; sign in with: tenure login{flag}"))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::SignIn(_) => 3,
            Self::Program(_, error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::Program(..) => 126,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::SignIn(text) => f.write_str(text),
            Self::Program(name, error) => write!(f, "{name} cannot be started: {error}"),
            Self::Other(error) => write!(f, "{error:#}"),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let error = match error.downcast::<tenure_client::Error>() {
            Ok(error) => return Self::of_session(error),
            Err(error) => error,
        };
        let needs_change = error.is::<Rejected>()
            || error.is::<OpenError>()
            || error.is::<tenure_store::OpenError>()
            || error
                .downcast_ref::<ListenError>()
                .is_some_and(is_about_the_address);
        if needs_change {
            Self::Usage(error.to_string())
        } else {
            Self::Other(error)
        }
    }
}

/// Why there is no session, in words.
pub(crate) fn explanation(reason: Reason) -> &'static str {
    match reason {
        Reason::NeverSignedIn => "not signed in",
        Reason::VaultDamaged => "the saved session cannot be read any more",
        Reason::Ended(cause) => match cause {
            EndCause::ExpiredIdle => "signed out: the session was not used for its idle limit",
            EndCause::ExpiredAbsolute => "signed out: the session reached its absolute lifetime",
            EndCause::LoggedOut => "signed out",
            EndCause::RevokedByUser => "signed out: ended from another device",
            EndCause::RevokedByAdmin => "signed out: an administrator ended the session",
            EndCause::CredentialsChanged => "signed out: the password was changed",
            EndCause::AccountDisabled => "signed out: the account is disabled",
            EndCause::ClientRemoved => "signed out: the client is no longer registered",
            EndCause::TheftDetected => {
                "signed out: the session was copied, and two holders went on with it"
            }
            EndCause::Unknown => "signed out: the service does not know the session",
        },
    }
}

fn is_about_the_address(error: &ListenError) -> bool {
    !matches!(error, ListenError::Failed(_))
}
