//! The grammar of the command line. What the texts say is the reference that users read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tenure_server::config::Flags;

pub(crate) mod doctor;
mod session;
mod store;

pub(crate) use session::{
    Asked, Call, Credential, DockerOperation, Exec, GitOperation, Login, Profile, Profiles, Token,
};
pub(crate) use store::{Copy, Store};

/// Keeps users signed in: a token service, its administration, and a command line that signs in.
#[derive(Debug, Parser)]
#[command(
    name = "tenure",
    version,
    propagate_version = true,
    after_help = "First steps: `tenure serve --dev` in one terminal, `tenure login` in another.\n\
                  Exit codes: 0 done, 1 failed, 2 flags or configuration must change, 3 sign in first; \
                  `exec` passes on its program's."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the token service
    Serve(Serve),
    /// Add, change and list accounts
    #[command(subcommand)]
    User(User),
    /// List and rotate the service's keys
    #[command(subcommand)]
    Keys(Keys),
    /// Show what happened to an account: why was this user signed out?
    Audit(Audit),
    /// Show where each setting comes from, or check the configuration
    #[command(subcommand)]
    Config(Config),
    /// Check, migrate, move and back up the store
    #[command(subcommand)]
    Store(Store),
    /// Sign in: in a browser here or elsewhere, by mail, or with a password
    Login(Login),
    /// Show whether this profile is signed in, where, and for how long
    Status(Profile),
    /// Print a valid access token, refreshed if need be, and nothing else
    Token(Token),
    /// Run a program with an access token, in its environment or on a socket
    Exec(Exec),
    /// Answer other programs that ask for credentials: git, docker
    #[command(subcommand)]
    Credential(Credential),
    /// Request a URL with the access token, if the token may go there
    Call(Call),
    /// Sign out, here and at the service
    Logout(Profile),
    /// List the profiles, or remove one
    #[command(subcommand)]
    Profile(Profiles),
    /// Find out why users are turned away: 401, 403, signed out
    Doctor(Box<doctor::Doctor>),
    /// Print the completion script of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command
    Man {
        /// Directory for a page of each command [default: the program's page, to stdout]
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

/// `serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Address and port to listen on [default: 127.0.0.1:8420]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// Keep everything in memory: each session is lost when the process ends
    #[arg(long)]
    pub(crate) dangerous_memory_store: bool,
}

/// Which service: how it finds its configuration and data.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// Configuration file (TOML) [env: TENURE_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of the embedded store [env: TENURE_DATA] [default: ./tenure-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// For trying out, on loopback only: demo account and clients, a generated master secret
    #[arg(long)]
    pub(crate) dev: bool,
}

impl Place {
    /// As the configuration takes them.
    pub(crate) fn flags(self) -> Flags {
        let Self { config, data, dev } = self;
        Flags {
            config,
            data,
            dev,
            ..Flags::default()
        }
    }
}

impl Serve {
    /// As the configuration takes them.
    pub(crate) fn flags(self) -> Flags {
        let Self {
            place,
            listen,
            dangerous_memory_store,
        } = self;
        Flags {
            listen,
            dangerous_memory_store,
            ..place.flags()
        }
    }
}

/// `user`.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add an account; its password comes from a prompt or stdin
    Add {
        /// E-mail address, the sign-in name
        email: String,
        /// Without a password: the account signs in by links sent to its address
        #[arg(long)]
        no_password: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Replace a password, from a prompt or stdin; ends every session of the account
    Password(Account),
    /// Disable an account; ends each of its sessions
    Disable(Account),
    /// Enable a disabled account
    Enable(Account),
    /// List all accounts
    List {
        #[command(flatten)]
        place: Place,
    },
}

/// One account.
#[derive(Args, Debug)]
pub(crate) struct Account {
    /// E-mail address, the sign-in name
    pub(crate) email: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the keys that sign tokens and those that tag refresh tokens
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Begin a rotation now: publish the next keys, or let published ones take over
    Rotate {
        #[command(flatten)]
        place: Place,
    },
}

/// `audit`.
#[derive(Args, Debug)]
pub(crate) struct Audit {
    /// Only this account: e-mail address or subject
    #[arg(long, value_name = "EMAIL_OR_SUBJECT")]
    pub(crate) user: Option<String>,
    /// Not before: an age such as 2h or 7d, or an RFC 3339 time
    #[arg(long, value_name = "AGE_OR_TIME")]
    pub(crate) since: Option<String>,
    /// At most this many events, the newest ones
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print every setting with its value and source; secrets as "set"
    Show(Serve),
    /// Say everything that is wrong, by file and line; exit code 2 if there is anything
    Check(Serve),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
