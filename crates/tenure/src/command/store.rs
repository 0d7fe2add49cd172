//! `tenure store`.

mod check;

use crate::cli::Store;
use crate::failure::Failure;

/// Looks after the store.
pub(crate) async fn store(args: Store) -> Result<(), Failure> {
    match args {
        Store::Check { place } => check::check(place).await,
    }
}
