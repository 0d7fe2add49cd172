//! Time as the test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_client::{Clock, Millis};

/// Tue, 14 Nov 2023 22:13:20 GMT.
pub(crate) const NOW: Millis = Millis(1_700_000_000_000);

/// Stands still until it is told to go on; the clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StillClock {
    passed: Arc<AtomicU64>,
}

impl StillClock {
    pub(crate) fn pass(&self, seconds: u64) {
        self.passed.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn wall(&self) -> Millis {
        NOW + self.mono()
    }

    fn mono(&self) -> Millis {
        Millis(self.passed.load(Ordering::SeqCst))
    }
}
