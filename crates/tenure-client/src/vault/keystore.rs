//! The keystore of the operating system.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use keyring_core::error::PlatformError;
use keyring_core::{CredentialStore, Entry, Error};
use tenure_core::session::VaultFault;
use zeroize::Zeroizing;

use super::{ChunkedVault, KeyValue};

/// A session in the keystore of the operating system.
pub type KeyringVault = ChunkedVault<Keystore>;

/// The keystore of the operating system, or any other that `keyring-core` knows.
///
/// On Linux and the BSDs this is the Secret Service (GNOME Keyring, KWallet), on macOS the login
/// keychain, on iOS the protected data of the app, on Windows the Credential Manager. Only the
/// Secret Service is covered by tests. Where the keystore is locked, reading and writing may ask
/// the person to unlock it and wait for that.
#[derive(Clone)]
pub struct Keystore {
    service: String,
    store: Arc<Mutex<Option<Arc<CredentialStore>>>>,
    system: bool,
}

/// The Credential Manager takes 2,560 bytes; other keystores are less strict, but not made for more.
const LIMIT: usize = 2048;

impl Keystore {
    /// The keystore of this system; its entries carry `service`, a name of the program such as
    /// `com.example.app`. It is not touched before something is read or written.
    pub fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            store: Arc::default(),
            system: true,
        }
    }

    /// Entries of `service` in a store that the program has opened.
    pub fn over(store: Arc<CredentialStore>, service: &str) -> Self {
        Self {
            service: service.to_owned(),
            store: Arc::new(Mutex::new(Some(store))),
            system: false,
        }
    }

    fn with<T>(
        &self,
        name: &str,
        work: impl FnOnce(&Entry) -> Result<T, Error>,
    ) -> Result<Option<T>, VaultFault> {
        let done = self
            .store()
            .and_then(|store| store.build(&self.service, name, None))
            .and_then(|entry| work(&entry));
        match done {
            Ok(done) => Ok(Some(done)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => {
                self.forget();
                Err(fault(&error))
            }
        }
    }

    fn store(&self) -> Result<Arc<CredentialStore>, Error> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*store {
            return Ok(Arc::clone(store));
        }
        let opened = open()?;
        *store = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The service behind the connection may have been started anew: the next call connects again.
    fn forget(&self) {
        if self.system {
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            *store = None;
        }
    }
}

impl KeyValue for Keystore {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        let value = self.with(name, Entry::get_secret)?;
        Ok(value.map(Zeroizing::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        let written = self.with(name, |entry| entry.set_secret(value))?;
        let vanished = || VaultFault::Unavailable(format!("{name} vanished from the keystore"));
        written.ok_or_else(vanished)
    }

    fn remove(&self, name: &str) -> Result<(), VaultFault> {
        self.with(name, Entry::delete_credential).map(drop)
    }

    fn limit(&self) -> usize {
        LIMIT
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// Some of these errors carry what was read, so only those without are shown in full.
fn fault(error: &Error) -> VaultFault {
    match error {
        Error::NoStorageAccess(error) if lacks_keyring(error) => {
            VaultFault::Unavailable("there is no keyring yet: make one".into())
        }
        Error::NoStorageAccess(error) => VaultFault::Locked(error.to_string()),
        Error::PlatformFailure(error) => VaultFault::Unavailable(format!("keystore: {error}")),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            VaultFault::Unavailable("the keystore's entry is malformed".into())
        }
        Error::Ambiguous(entries) => {
            let count = entries.len();
            VaultFault::Unavailable(format!("{count} entries of the keystore have one name"))
        }
        other => VaultFault::Unavailable(other.to_string()),
    }
}

/// The Secret Service runs, but has no collection to store in. `keyring-core` has no word for it.
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn lacks_keyring(error: &PlatformError) -> bool {
    let error = error.downcast_ref::<secret_service::Error>();
    matches!(error, Some(secret_service::Error::NoResult))
}

/// Elsewhere the system has one.
#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
fn lacks_keyring(_error: &PlatformError) -> bool {
    false
}

#[cfg(target_os = "macos")]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "ios")]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::protected::Store::new()?)
}

#[cfg(windows)]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// The program opens a store itself; see [`Keystore::over`].
#[cfg(not(any(
    target_os = "macos",
    target_os = "ios",
    windows,
    all(unix, not(any(target_vendor = "apple", target_os = "android")))
)))]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NoDefaultStore)
}
