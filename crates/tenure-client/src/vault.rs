//! Where a session lives between two runs of a program.

use std::fmt;

use tenure_core::session::{Change, Found, Record, VaultFault};

mod chunked;
mod encrypted;
mod file;
mod home;
mod key_value;
#[cfg(feature = "keyring")]
mod keystore;
mod mark;
mod memory;
mod slot;
mod two_slots;

pub use chunked::ChunkedVault;
pub use encrypted::EncryptedFileVault;
pub use file::FileVault;
pub use key_value::KeyValue;
#[cfg(feature = "keyring")]
pub use keystore::{KeyringVault, Keystore};
pub use memory::MemoryVault;

/// Keeps one [`Record`] and lets several processes share it.
///
/// Calls block; the session makes them on threads where that is allowed.
pub trait Vault: fmt::Debug + Send + Sync + 'static {
    /// What it holds. An error means "not known now", never "nothing".
    fn load(&self) -> Result<Found, VaultFault>;

    /// Applies `change` to what it holds at this moment, and returns the record after that.
    ///
    /// Reading, applying and writing are one step that no other process comes between; a change
    /// that says "nothing to write" writes nothing; a written record is durable on return and
    /// replaces the one before completely or not at all.
    fn update(&self, change: &Change) -> Result<Record, VaultFault>;

    /// Waits for the lock that is held over a refresh and the saving of its answer.
    ///
    /// The operating system must free it when its owner dies.
    fn lock(&self) -> Result<Lease, VaultFault>;

    /// The same without waiting; `None` while somebody else holds it.
    fn try_lock(&self) -> Result<Option<Lease>, VaultFault>;
}

/// The lock over a refresh; let go when dropped.
pub struct Lease(Box<dyn Send + Sync>);

impl Lease {
    /// Holds on to whatever frees the lock when it is dropped.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_guard) = self;
        f.write_str("Lease")
    }
}
