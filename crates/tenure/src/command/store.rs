//! `tenure store`.

mod backup;
mod check;
mod copy;
mod migrate;
mod restore_check;

use crate::cli::Store;
use crate::failure::Failure;

/// Looks after the store.
pub(crate) async fn store(args: Store) -> Result<(), Failure> {
    match args {
        Store::Check { place } => check::check(place).await,
        Store::Migrate { place } => migrate::migrate(place).await,
        Store::RestoreCheck { place } => Box::pin(restore_check::check(place)).await,
        Store::Copy(args) => copy::copy(args).await,
        Store::Backup { to, place } => backup::backup(&to, place).await,
    }
}
