//! `tenure store`: looking after the store.

use clap::Subcommand;

use super::Place;

/// `store`.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Open the store without serving; say what it is, what it promises, and what is wrong
    Check {
        #[command(flatten)]
        place: Place,
    },
}
