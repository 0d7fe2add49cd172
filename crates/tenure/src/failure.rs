//! Why a command failed, and the exit code that scripts see.

use std::fmt;
use std::process::ExitCode;

use tenure_server::OpenError;
use tenure_server::config::Rejected;
use tenure_server::listen::ListenError;

/// A failed command; the text says what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Flags, configuration or environment must change before it can work. Exit code 2.
    Usage(String),
    /// Somebody must sign in first. Exit code 3.
    SignIn(String),
    /// Anything else. Exit code 1.
    Other(anyhow::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::SignIn(_) => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::SignIn(text) => f.write_str(text),
            Self::Other(error) => write!(f, "{error:#}"),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
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

fn is_about_the_address(error: &ListenError) -> bool {
    !matches!(error, ListenError::Failed(_))
}
