//! The commands of a signed-in user.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use tenure_server::config::parse_duration;

/// Which session: each profile holds one.
#[derive(Args, Clone, Debug)]
pub(crate) struct Profile {
    /// Name of the session's profile
    #[arg(
        long,
        env = "TENURE_PROFILE",
        default_value = crate::profile::DEFAULT,
        value_name = "NAME"
    )]
    pub(crate) profile: String,
}

/// `login`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("named").args(["password", "magic_link"]))]
#[command(group = ArgGroup::new("way").args(["password", "magic_link", "device", "no_browser"]))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags, of which the group lets one be given"
)]
pub(crate) struct Login {
    /// The service to sign in at
    #[arg(
        long,
        env = "TENURE_ISSUER",
        default_value = "http://127.0.0.1:8420",
        value_name = "URL"
    )]
    pub(crate) issuer: String,
    /// The client to sign in as
    #[arg(long, env = "TENURE_CLIENT", default_value = "demo", value_name = "ID")]
    pub(crate) client: String,
    /// Scopes to ask for, separated by spaces
    #[arg(
        long,
        default_value = "openid profile email offline_access",
        value_name = "SCOPES"
    )]
    pub(crate) scope: String,
    /// Sign in with a password, from a prompt or stdin, instead of the browser
    #[arg(long, requires = "user")]
    pub(crate) password: bool,
    /// Sign in with a link that comes by mail, pasted at a prompt or on stdin
    #[arg(long, requires = "user")]
    pub(crate) magic_link: bool,
    /// Sign in with a code, typed into a browser on any device: for machines without a browser
    #[arg(long)]
    pub(crate) device: bool,
    /// Only print the address to open, for a browser started by hand
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// E-mail address to sign in with
    #[arg(long, requires = "named", value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    #[command(flatten)]
    pub(crate) profile: Profile,
}

/// `call`.
#[derive(Args, Debug)]
pub(crate) struct Call {
    /// What to request
    pub(crate) url: String,
    /// HTTP method [default: GET, with --data POST]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,
    /// Header to send; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// Body to send: text, @FILE, or @- for stdin; JSON unless a Content-Type header says otherwise
    #[arg(short, long, value_name = "BODY")]
    pub(crate) data: Option<String>,
    /// Print the status and the headers of the answer too
    #[arg(short, long)]
    pub(crate) include: bool,
    /// Fail with exit code 1 where the answer is 400 or above
    #[arg(short, long)]
    pub(crate) fail: bool,
    /// Origin besides the issuer's that may see the token; may be repeated
    #[arg(
        long,
        env = "TENURE_ALLOW",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub(crate) allow: Vec<String>,
    #[command(flatten)]
    pub(crate) profile: Profile,
}

/// `token`.
#[derive(Args, Debug)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) lifetime: Lifetime,
    #[command(flatten)]
    pub(crate) profile: Profile,
}

/// How much life a token must have left.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    /// Refresh where the token has less than this left, such as 5m; half of its life at most
    #[arg(long, value_parser = duration, default_value = "0s", hide_default_value = true, value_name = "DURATION")]
    pub(crate) min_ttl: Duration,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| "write a number and a unit, such as 30s, 5m or 1h".to_owned())
}

/// `exec`.
#[derive(Args, Debug)]
pub(crate) struct Exec {
    /// Variable of the program's environment that holds the token
    #[arg(
        long,
        default_value = "TENURE_ACCESS_TOKEN",
        value_name = "NAME",
        conflicts_with = "socket"
    )]
    pub(crate) env: String,
    /// Instead of a token give the program a socket, named by TENURE_SOCKET, that has a fresh one at
    /// any time: curl --unix-socket "$TENURE_SOCKET" http://tenure/token
    #[arg(long)]
    pub(crate) socket: bool,
    #[command(flatten)]
    pub(crate) lifetime: Lifetime,
    #[command(flatten)]
    pub(crate) profile: Profile,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// `credential`.
#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    /// Speak git's credential protocol on stdin and stdout
    #[command(after_help = "In a repository, or with --global:\n  \
                            git config credential.https://git.example.com.helper \\\n    \
                            '!tenure credential git --for https://git.example.com'")]
    Git {
        /// What git wants: get, store or erase
        operation: GitOperation,
        #[command(flatten)]
        asked: Asked,
    },
    /// Speak docker's credential-helper protocol on stdin and stdout
    #[command(
        after_help = "Docker finds it under the name docker-credential-tenure, a link to tenure, and takes\n\
                            the profile and the registry from TENURE_PROFILE and TENURE_ALLOW."
    )]
    Docker {
        /// What docker wants
        operation: DockerOperation,
        #[command(flatten)]
        asked: Asked,
    },
}

/// An operation of git's protocol. Git may invent more; a helper ignores those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GitOperation {
    /// A credential is needed.
    Get,
    /// The credential was refused.
    Erase,
    /// The credential was good, or something that git invented since.
    Other,
}

impl From<&str> for GitOperation {
    fn from(text: &str) -> Self {
        match text {
            "get" => Self::Get,
            "erase" => Self::Erase,
            _ => Self::Other,
        }
    }
}

/// An operation of docker's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DockerOperation {
    /// A credential is needed.
    Get,
    /// `docker login` has one to keep.
    Store,
    /// `docker logout`.
    Erase,
    /// Which registries have one?
    List,
}

/// Who may get the token from a credential helper, and under which name.
#[derive(Args, Clone, Debug)]
pub(crate) struct Asked {
    /// Origin besides the issuer's whose server may see the token; may be repeated
    #[arg(
        long = "for",
        env = "TENURE_ALLOW",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub(crate) origins: Vec<String>,
    /// User name that goes with the token, where the other program names none
    #[arg(
        long,
        env = "TENURE_USERNAME",
        default_value = "oauth2",
        value_name = "NAME"
    )]
    pub(crate) username: String,
    #[command(flatten)]
    pub(crate) profile: Profile,
}

/// `profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum Profiles {
    /// List the profiles of this user with their services
    List,
    /// Remove a profile that is signed out
    Remove {
        /// Name of the profile
        name: String,
    },
}
