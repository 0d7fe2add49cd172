//! `tenure store`: looking after the store.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use tenure_server::config::parse_duration;

use super::Place;

/// `store`.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Open the store without serving; say what it is, what it promises, and what is wrong
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Bring the store to the schema of this program, which `serve` does by itself
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// After a restore, before `serve`: say what the session log has that the store lacks
    RestoreCheck {
        #[command(flatten)]
        place: Place,
    },
    /// Move the deployment to another store while it is served; signs nobody out
    Copy(Copy),
    /// Write the database of the embedded store to a file while it is served
    Backup {
        /// The file; must not exist
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        place: Place,
    },
}

/// `store copy`. A store is named by a configuration file (*.toml), env:NAME or file:PATH with its URL
/// in it, or a URL without a password.
#[derive(Args, Debug)]
pub(crate) struct Copy {
    /// The store to copy [default: the configured one]
    #[arg(long, value_name = "STORE")]
    pub(crate) from: Option<String>,
    /// The SQL store beside a Redis in --from
    #[arg(long, value_name = "STORE", requires = "from")]
    pub(crate) from_sql: Option<String>,
    /// The store to fill: the configuration of the new servers (*.toml), env:NAME, file:PATH, or a
    /// URL without a password
    #[arg(long, value_name = "STORE")]
    pub(crate) to: String,
    /// The SQL store beside a Redis in --to
    #[arg(long, value_name = "STORE")]
    pub(crate) to_sql: Option<String>,
    /// Do not follow the running servers: they have stopped already
    #[arg(long)]
    pub(crate) once: bool,
    /// How long to wait between two looks at what has changed
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(crate) every: Duration,
    /// Bring a target up to date that was complete before, and on which no server has run since
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("write a duration such as 5s or 1m")
}
