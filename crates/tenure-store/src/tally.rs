//! Counters of a store whose writes are each a transaction of their own.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Counters, StoreError};

/// Writes by how they ended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    writes: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    /// Counts a write by how it ended.
    pub(crate) fn note<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        let counter = if written.is_ok() {
            &self.writes
        } else {
            &self.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
        written
    }

    pub(crate) fn counters(&self) -> Counters {
        let writes = self.writes.load(Ordering::Relaxed);
        Counters {
            commits: writes,
            writes,
            failed_commits: self.failed.load(Ordering::Relaxed),
        }
    }
}
