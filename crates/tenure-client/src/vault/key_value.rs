//! Stores of small named values: keystores of operating systems, and what apps have in their place.

use std::fmt;

use tenure_core::session::VaultFault;
use zeroize::Zeroizing;

/// A store of small secret values under names, such as a keystore.
///
/// Calls block. One writer at a time is enough, in all processes together: whoever uses it holds a
/// lock. Names consist of ASCII letters, digits, `-` and `.`, and of what the vault was named. A
/// value that was written is durable on return, and so is one that was read, even if its writer was
/// killed; if a write is cut short, that value may be lost or torn, but no other.
pub trait KeyValue: fmt::Debug + Send + Sync + 'static {
    /// The value under `name`, or `None` where there is none. Where that is not known, because the
    /// store is locked or out of reach, it is an error.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault>;

    /// Stores `value` under `name`, over what was there.
    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault>;

    /// Removes the value under `name`; that there is none is no error.
    fn remove(&self, name: &str) -> Result<(), VaultFault>;

    /// The size of the largest value it takes, in bytes.
    fn limit(&self) -> usize;
}
