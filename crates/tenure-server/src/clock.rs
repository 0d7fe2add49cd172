//! The only reader of the system clock.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tenure_core::lineage;
use tenure_core::time::Timestamp;

/// The wall clock and the monotonic one may drift this far apart before the time is doubted.
const TOLERANCE_SECONDS: i64 = 10;

/// What [`Clock::store_difference`] is before a store has told its time.
const UNKNOWN: i64 = i64::MIN;

/// A jump is believed after it has stood this long.
const SETTLE: Duration = Duration::from_mins(1);

/// Tells the time, and whether to believe it.
///
/// A wall clock that jumps against the monotonic one (a wrong NTP step, a resumed machine) is
/// doubted for a minute: nothing expires by it meanwhile. One that disagrees with the clock of the
/// store is doubted as long as it does: other servers on that store would judge otherwise.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    wall_at_start: i64,
    settled_drift: AtomicI64,
    doubted_drift: AtomicI64,
    /// Milliseconds after `start`; 0 means no doubt.
    doubted_since: AtomicU64,
    store_difference: AtomicI64,
    virtual_offset: AtomicU64,
    virtual_file: Option<PathBuf>,
}

/// Why a clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The wall clock jumped against the monotonic one less than a minute ago.
    Jumped,
    /// The store's clock is so many seconds ahead; negative where it is behind.
    Apart(i64),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jumped => f.write_str("the clock of this machine jumped"),
            Self::Apart(seconds) => {
                let way = if *seconds > 0 { "ahead of" } else { "behind" };
                let apart = seconds.unsigned_abs();
                write!(
                    f,
                    "the store's clock is {apart} s {way} this machine's; synchronise both"
                )
            }
        }
    }
}

impl Clock {
    /// The host's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn system() -> Self {
        Self {
            start: Instant::now(),
            wall_at_start: wall_seconds(),
            settled_drift: AtomicI64::new(0),
            doubted_drift: AtomicI64::new(0),
            doubted_since: AtomicU64::new(0),
            store_difference: AtomicI64::new(UNKNOWN),
            virtual_offset: AtomicU64::new(0),
            virtual_file: None,
        }
    }

    /// A clock that [`Clock::advance`] can move, for `--dev`; the offset outlives a restart in `file`.
    pub fn adjustable(file: PathBuf) -> Self {
        let offset = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or_default();
        Self {
            virtual_offset: AtomicU64::new(offset),
            virtual_file: Some(file),
            ..Self::system()
        }
    }

    /// The host's clock after a jump of so many seconds.
    #[cfg(test)]
    pub(crate) fn jumped(seconds: u32) -> Self {
        let clock = Self::system();
        Self {
            wall_at_start: clock.wall_at_start - i64::from(seconds),
            virtual_offset: AtomicU64::new(seconds.into()),
            ..clock
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.host() + Duration::from_secs(self.offset())
    }

    /// Now on the host's clock, wherever the virtual one is.
    pub fn host(&self) -> Timestamp {
        Timestamp(u64::try_from(wall_seconds()).unwrap_or_default())
    }

    /// Whether [`Clock::now`] is to be believed.
    pub fn trust(&self) -> lineage::Clock {
        self.doubt()
            .map_or(lineage::Clock::Trusted, |_| lineage::Clock::Doubtful)
    }

    /// Why [`Clock::now`] is not to be believed.
    pub fn doubt(&self) -> Option<Doubt> {
        let apart = self.store_difference().filter(|apart| !within(*apart, 0));
        match self.judge(wall_seconds(), self.monotonic()) {
            lineage::Clock::Doubtful => Some(Doubt::Jumped),
            lineage::Clock::Trusted => apart.map(Doubt::Apart),
        }
    }

    /// Takes note of what the store's clock says; `asked` is [`Clock::host`] before the question. How
    /// long the answer took is no difference.
    pub fn compare(&self, asked: Timestamp, store: Timestamp) {
        let seconds = |at: Timestamp| i64::try_from(at.0).unwrap_or(i64::MAX);
        let nearest = store.clamp(asked, self.host().max(asked));
        let apart = seconds(store) - seconds(nearest);
        let before = self.store_difference.swap(apart, Ordering::Relaxed);
        let agreed = before == UNKNOWN || within(before, 0);
        if !within(apart, 0) {
            tracing::error!(
                event = "clock_apart",
                store_ahead_seconds = apart,
                "the clocks of this machine and of the store's disagree: nobody is refused by the \
                 time and no session begins until they agree; synchronise both"
            );
        } else if !agreed {
            tracing::warn!(event = "clock_agrees", store_ahead_seconds = apart);
        }
    }

    /// Seconds by which the store's clock was ahead of the host's at the last comparison.
    pub fn store_difference(&self) -> Option<i64> {
        let apart = self.store_difference.load(Ordering::Relaxed);
        (apart != UNKNOWN).then_some(apart)
    }

    /// Monotonic time since the start, for durations.
    pub fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    /// Seconds by which the virtual clock is ahead.
    pub fn offset(&self) -> u64 {
        self.virtual_offset.load(Ordering::Relaxed)
    }

    /// Moves an adjustable clock forward; false where this clock cannot be moved.
    pub fn advance(&self, seconds: u64) -> std::io::Result<bool> {
        let Some(file) = &self.virtual_file else {
            return Ok(false);
        };
        let offset = self.virtual_offset.fetch_add(seconds, Ordering::Relaxed) + seconds;
        if let Some(data) = file.parent() {
            // Nothing else may need the data directory: the store may be elsewhere.
            std::fs::create_dir_all(data)?;
        }
        std::fs::write(file, offset.to_string())?;
        Ok(true)
    }

    fn judge(&self, wall: i64, monotonic: Duration) -> lineage::Clock {
        let elapsed = i64::try_from(monotonic.as_secs()).unwrap_or(i64::MAX);
        let drift = (wall - self.wall_at_start).saturating_sub(elapsed);
        if within(drift, self.settled_drift.load(Ordering::Relaxed)) {
            self.doubted_since.store(0, Ordering::Relaxed);
            self.settled_drift.store(drift, Ordering::Relaxed);
            return lineage::Clock::Trusted;
        }
        let millis = u64::try_from(monotonic.as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        let since = self.doubted_since.load(Ordering::Relaxed);
        let same_doubt = since != 0 && within(drift, self.doubted_drift.load(Ordering::Relaxed));
        if !same_doubt {
            self.doubted_drift.store(drift, Ordering::Relaxed);
            self.doubted_since.store(millis, Ordering::Relaxed);
            tracing::warn!(
                event = "clock_doubted",
                jump_seconds = drift,
                "the clock jumped"
            );
        } else if Duration::from_millis(millis.saturating_sub(since)) >= SETTLE {
            self.settled_drift.store(drift, Ordering::Relaxed);
            self.doubted_since.store(0, Ordering::Relaxed);
            tracing::warn!(
                event = "clock_settled",
                jump_seconds = drift,
                "the jump is believed"
            );
            return lineage::Clock::Trusted;
        }
        lineage::Clock::Doubtful
    }
}

fn within(drift: i64, other: i64) -> bool {
    (drift - other).abs() <= TOLERANCE_SECONDS
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall_seconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure_core::lineage::Clock::{Doubtful, Trusted};

    use super::{Clock, Doubt};

    #[test]
    fn a_jump_is_doubted_until_it_has_stood_for_a_minute() {
        let clock = Clock::system();
        let wall = |seconds| clock.wall_at_start + seconds;
        assert_eq!(clock.judge(wall(5), Duration::from_secs(5)), Trusted);
        assert_eq!(clock.judge(wall(7206), Duration::from_secs(6)), Doubtful);
        assert_eq!(clock.judge(wall(7264), Duration::from_secs(64)), Doubtful);
        assert_eq!(clock.judge(wall(7267), Duration::from_secs(67)), Trusted);
    }

    #[test]
    fn a_jump_that_goes_back_is_forgotten() {
        let clock = Clock::system();
        let wall = |seconds| clock.wall_at_start + seconds;
        assert_eq!(clock.judge(wall(7206), Duration::from_secs(6)), Doubtful);
        assert_eq!(clock.judge(wall(7), Duration::from_secs(7)), Trusted);
        assert_eq!(clock.judge(wall(-3600), Duration::from_secs(8)), Doubtful);
    }

    #[test]
    fn slow_drift_is_followed() {
        let clock = Clock::system();
        for day in 1..100_i64 {
            let seconds = day * 86_400;
            let elapsed = Duration::from_secs(seconds.unsigned_abs());
            assert_eq!(
                clock.judge(clock.wall_at_start + seconds + day * 2, elapsed),
                Trusted
            );
        }
    }

    #[test]
    fn a_store_whose_clock_is_more_than_ten_seconds_away_puts_the_time_in_doubt() {
        let clock = Clock::system();
        let now = clock.host();
        assert_eq!((clock.store_difference(), clock.doubt()), (None, None));
        clock.compare(now, now + Duration::from_mins(1));
        assert!(matches!(clock.doubt(), Some(Doubt::Apart(59..=60))));
        assert_eq!(clock.trust(), Doubtful);
        clock.compare(now, now.minus(Duration::from_mins(1)));
        assert_eq!(clock.doubt(), Some(Doubt::Apart(-60)));
        clock.compare(now, now.minus(Duration::from_secs(10)));
        assert_eq!((clock.store_difference(), clock.doubt()), (Some(-10), None));
    }

    #[test]
    fn a_slow_answer_of_the_store_is_no_difference() {
        let clock = Clock::system();
        let asked = clock.host().minus(Duration::from_secs(30));
        clock.compare(asked, asked + Duration::from_secs(3));
        assert_eq!(clock.store_difference(), Some(0));
    }

    #[test]
    fn the_virtual_offset_of_dev_is_no_difference() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::adjustable(dir.path().join("dev-clock"));
        clock.advance(86_400).unwrap();
        clock.compare(clock.host(), clock.host());
        assert_eq!(clock.trust(), Trusted);
        assert!(clock.now() >= clock.host() + Duration::from_hours(24));
    }
}
