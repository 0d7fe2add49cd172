//! The one place that reads clocks.

use std::fmt;

use tenure_core::session::Millis;
use tokio::time::Instant;

/// Two clocks, so that tests and simulations can bring their own.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The device's clock: milliseconds since 1970.
    fn wall(&self) -> Millis;

    /// Milliseconds since some fixed moment; never goes back.
    fn mono(&self) -> Millis;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts the monotonic clock at zero.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> Millis {
        let now = std::time::SystemTime::now();
        now.duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
            .into()
    }

    fn mono(&self) -> Millis {
        self.start.elapsed().into()
    }
}
