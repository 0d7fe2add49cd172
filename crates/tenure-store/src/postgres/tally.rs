//! Counters of the store.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Counters, StoreError};

/// Writes, each its own transaction.
#[derive(Debug, Default)]
pub(super) struct Tally {
    writes: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    /// Counts a write by how it ended.
    pub(super) fn note<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        let counter = if written.is_ok() {
            &self.writes
        } else {
            &self.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
        written
    }

    pub(super) fn counters(&self) -> Counters {
        let writes = self.writes.load(Ordering::Relaxed);
        Counters {
            commits: writes,
            writes,
            failed_commits: self.failed.load(Ordering::Relaxed),
        }
    }
}
