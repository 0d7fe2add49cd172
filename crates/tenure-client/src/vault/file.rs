//! A vault in a directory of its own.

use std::path::{Path, PathBuf};

use tenure_core::session::VaultFault;

use super::home::Home;
use super::slot::{Held, PLAIN, Place, Slot, framed, unframed};
use super::two_slots::Slots;

/// A record in two slots, in a directory that only its owner may read (0700, files 0600).
///
/// A write goes to the older slot and is synced before it counts, so a torn one leaves the record
/// before it; where that one holds no session, a mark beside them tells the loss from a sign-out.
///
/// Any number of processes may share the directory; it must lie on a file system with
/// working locks, so not on a network share. While a process is suspended in the few milliseconds of
/// a write, the others find the vault unavailable after five seconds; suspended anywhere else it
/// stops nobody.
#[derive(Clone, Debug)]
pub struct FileVault {
    home: Home,
}

impl FileVault {
    /// A vault in `directory`, which is made when something is stored for the first time.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            home: Home::new(directory.into()),
        }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        self.home.directory()
    }
}

impl Slots for FileVault {
    fn home(&self) -> &Home {
        &self.home
    }

    fn read(&self, place: Place) -> Result<Held, VaultFault> {
        let Some(bytes) = self.home.read(place.name())? else {
            return Ok(Held::Absent);
        };
        Ok(match unframed(&bytes, PLAIN) {
            Ok(content) => Slot::parse(content.generation, content.bytes),
            Err(held) => held,
        })
    }

    fn settle(&self, place: Place) -> Result<(), VaultFault> {
        self.home.sync(place.name())
    }

    fn write(&self, place: Place, slot: &Slot) -> Result<usize, VaultFault> {
        let bytes = framed(PLAIN, slot.generation, &slot.json()?);
        self.home.write(place.name(), &bytes)?;
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests;
