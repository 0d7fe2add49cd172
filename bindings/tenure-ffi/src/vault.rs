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
    /// The value, or nothing where there is none; an empty one counts as none. A failure means "not
    /// known now".
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
        // No value of a vault is empty, and for many stores that is what a missing one looks like.
        let value = self.0.read(name.to_owned())?;
        Ok(value.filter(|value| !value.is_empty()).map(Zeroizing::new))
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use tenure_client::{Change, Found, Millis, Provider, Vault as _};

    use super::{KeyValue, StorageError, foreign_vault};

    /// A dictionary whose owner wrote `values.get(name, b"")`.
    #[derive(Debug, Default)]
    struct Careless(Mutex<HashMap<String, Vec<u8>>>);

    impl KeyValue for Careless {
        fn read(&self, name: String) -> Result<Option<Vec<u8>>, StorageError> {
            let values = self.0.lock().expect("whole");
            Ok(Some(values.get(&name).cloned().unwrap_or_default()))
        }

        fn write(&self, name: String, value: Vec<u8>) -> Result<(), StorageError> {
            self.0.lock().expect("whole").insert(name, value);
            Ok(())
        }

        fn remove(&self, name: String) -> Result<(), StorageError> {
            self.0.lock().expect("whole").remove(&name);
            Ok(())
        }

        fn limit(&self) -> u64 {
            2048
        }
    }

    #[test]
    fn a_store_that_says_empty_for_missing_is_understood() {
        let directory = tempfile::tempdir().expect("a directory");
        let vault = foreign_vault(Arc::new(Careless::default()), directory.path());
        assert_eq!(vault.load(), Ok(Found::Missing));
        let provider = Provider {
            issuer: "https://id.example.com".into(),
            client_id: "app".into(),
            authorization_endpoint: None,
            token_endpoint: "https://id.example.com/token".into(),
            revocation_endpoint: None,
            names_issuer: false,
            retire_on_use: true,
            fetched: Millis(0),
        };
        let written = vault
            .update(&Change::Discovered(provider))
            .expect("written");
        assert_eq!(vault.load(), Ok(Found::Record(Box::new(written))));
    }
}
