//! The one place that reads clocks.

use std::fmt;

#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::time::{ClockId, clock_gettime};
use tenure_core::session::Millis;
use tokio::time::Instant;

/// Two clocks, so that tests and simulations can bring their own.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The device's clock: milliseconds since 1970.
    fn wall(&self) -> Millis;

    /// Milliseconds since some fixed moment; never goes back.
    fn mono(&self) -> Millis;

    /// Both at once, `(wall, mono)`, a few milliseconds behind where that is cheaper.
    fn coarse(&self) -> (Millis, Millis) {
        (self.wall(), self.mono())
    }
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    coarse_start: Millis,
}

impl SystemClock {
    /// Starts the monotonic clock at zero.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            coarse_start: tick(ClockId::MonotonicCoarse),
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

    /// The kernel's last tick, which needs no look at the hardware: at most 10 ms ago.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn coarse(&self) -> (Millis, Millis) {
        let mono = tick(ClockId::MonotonicCoarse) - self.coarse_start;
        (tick(ClockId::RealtimeCoarse), mono)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn tick(clock: ClockId) -> Millis {
    let time = clock_gettime(clock);
    let [seconds, nanos] = [time.tv_sec, time.tv_nsec].map(i64::cast_unsigned);
    Millis(seconds * 1000 + nanos / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::{Clock as _, SystemClock};

    #[test]
    fn the_coarse_clocks_follow_the_precise_ones() {
        let clock = SystemClock::new();
        let (wall, mono) = clock.coarse();
        // Far more than a tick, far less than what a wrong unit or origin would make.
        assert!(clock.wall().0 - wall.0 < 1_000, "{wall:?}");
        assert!(clock.mono().0.abs_diff(mono.0) < 1_000, "{mono:?}");
    }
}
