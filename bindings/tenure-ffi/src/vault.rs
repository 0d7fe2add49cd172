//! A keystore that the program brings.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tenure_client::{ChunkedVault, VaultFault};
use uniffi::UnexpectedUniFFICallbackError;
use zeroize::Zeroizing;

/// A store of small named values, such as Android's Keystore-backed preferences or a desktop's
/// secret service. Calls come from threads where blocking is allowed, several at a time.
#[uniffi::export(foreign)]
pub trait KeyValue: fmt::Debug + Send + Sync {
    /// The value, or nothing where there is none. A failure means "not known now".
    fn read(&self, name: String) -> Result<Option<Vec<u8>>, StorageError>;

    /// Replaces the value; it must be durable on return.
    fn write(&self, name: String, value: Vec<u8>) -> Result<(), StorageError>;

    /// Removes the value; that there is none is no failure.
    fn remove(&self, name: String) -> Result<(), StorageError>;

    /// The size of the largest value that it takes, in bytes.
    fn limit(&self) -> u64;
}

/// Why a store of values could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum StorageError {
    /// It wants to be unlocked first.
    #[error("locked: {detail}")]
    Locked {
        /// What the store said.
        detail: String,
    },
    /// It cannot be read or written now.
    #[error("unavailable: {detail}")]
    Unavailable {
        /// What the store said.
        detail: String,
    },
}

impl From<UnexpectedUniFFICallbackError> for StorageError {
    fn from(error: UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable {
            detail: error.reason,
        }
    }
}

impl From<StorageError> for VaultFault {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Locked { detail } => Self::Locked(detail),
            StorageError::Unavailable { detail } => Self::Unavailable(detail),
        }
    }
}

pub(crate) fn foreign_vault(
    values: Arc<dyn KeyValue>,
    directory: impl Into<PathBuf>,
) -> ChunkedVault<ForeignValues> {
    ChunkedVault::new(ForeignValues(values), "session", directory)
}

#[derive(Debug)]
pub(crate) struct ForeignValues(Arc<dyn KeyValue>);

impl tenure_client::KeyValue for ForeignValues {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        Ok(self.0.read(name.to_owned())?.map(Zeroizing::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        Ok(self.0.write(name.to_owned(), value.to_owned())?)
    }

    fn remove(&self, name: &str) -> Result<(), VaultFault> {
        Ok(self.0.remove(name.to_owned())?)
    }

    fn limit(&self) -> usize {
        usize::try_from(self.0.limit()).unwrap_or(usize::MAX)
    }
}
