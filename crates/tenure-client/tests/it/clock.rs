//! Time as the test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_client::{Clock, Millis};

/// Stands still until it is told to go on; the clones share it.
#[derive(Clone, Debug)]
pub(crate) struct StillClock {
    start: Millis,
    passed: Arc<AtomicU64>,
    jumped: Arc<AtomicU64>,
}

impl StillClock {
    pub(crate) fn at(start: Millis) -> Self {
        Self {
            start,
            passed: Arc::default(),
            jumped: Arc::default(),
        }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.passed.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// The device sleeps: only its clock goes on.
    pub(crate) fn sleep(&self, seconds: u64) {
        self.jumped.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn wall(&self) -> Millis {
        self.start + self.mono() + Millis(self.jumped.load(Ordering::SeqCst))
    }

    fn mono(&self) -> Millis {
        Millis(self.passed.load(Ordering::SeqCst))
    }
}
