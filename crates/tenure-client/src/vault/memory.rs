//! A vault that forgets.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tenure_core::session::{Change, Found, Record, VaultFault};

use super::{Lease, Vault};

/// A record in memory, shared by the clones: for tests, and for programs that live no longer than
/// their session.
#[derive(Clone, Debug, Default)]
pub struct MemoryVault {
    record: Arc<Mutex<Option<Record>>>,
    refresh: Arc<Refresh>,
}

#[derive(Debug, Default)]
struct Refresh {
    held: Mutex<bool>,
    freed: Condvar,
}

impl MemoryVault {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Vault for MemoryVault {
    fn load(&self) -> Result<Found, VaultFault> {
        let record = locked(&self.record).clone();
        Ok(record.map_or(Found::Missing, |record| Found::Record(Box::new(record))))
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        let mut kept = locked(&self.record);
        let mut record = kept.clone().unwrap_or_default();
        if change.apply(&mut record) {
            *kept = Some(record.clone());
        }
        Ok(record)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        let mut held = locked(&self.refresh.held);
        while *held {
            held = self
                .refresh
                .freed
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *held = true;
        Ok(Lease::new(Held(Arc::clone(&self.refresh))))
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        let mut held = locked(&self.refresh.held);
        if *held {
            return Ok(None);
        }
        *held = true;
        Ok(Some(Lease::new(Held(Arc::clone(&self.refresh)))))
    }
}

struct Held(Arc<Refresh>);

impl Drop for Held {
    fn drop(&mut self) {
        *locked(&self.0.held) = false;
        self.0.freed.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
