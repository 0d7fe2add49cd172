//! A vault that is locked, or slow, or as it should be: what a device does to a store at its start.

use std::sync::{Arc, Condvar, Mutex};

use tenure_client::{Change, FileVault, Found, Lease, Record, Vault, VaultFault};

/// How the vault is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Open,
    /// The device has not been unlocked since its start.
    Locked,
    /// Whoever reads waits until the mood changes.
    Slow,
}

/// The clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Fragile {
    vault: FileVault,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

impl Fragile {
    pub(crate) fn new(vault: FileVault, mood: Mood) -> Self {
        Self {
            vault,
            mood: Arc::new((Mutex::new(mood), Condvar::new())),
        }
    }

    pub(crate) fn turn(&self, mood: Mood) {
        let (now, changed) = &*self.mood;
        *now.lock().expect("not poisoned") = mood;
        changed.notify_all();
    }

    fn ready(&self) -> Result<(), VaultFault> {
        let (now, changed) = &*self.mood;
        let mut mood = now.lock().expect("not poisoned");
        while *mood == Mood::Slow {
            mood = changed.wait(mood).expect("not poisoned");
        }
        match *mood {
            Mood::Locked => Err(VaultFault::Locked("unlock the device".into())),
            Mood::Slow | Mood::Open => Ok(()),
        }
    }
}

impl Vault for Fragile {
    fn load(&self) -> Result<Found, VaultFault> {
        self.ready()?;
        self.vault.load()
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        self.ready()?;
        self.vault.update(change)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        self.vault.lock()
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        self.vault.try_lock()
    }
}
