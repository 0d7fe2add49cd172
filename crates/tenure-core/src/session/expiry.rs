//! Two clocks, and how long something is still good by both.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A point in time or a length of time in milliseconds; sums and differences saturate.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The second this falls in.
    pub fn timestamp(self) -> Timestamp {
        Timestamp(self.0 / 1000)
    }

    /// As a length of time.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }

    fn percent(self, percent: u64) -> Self {
        Self(self.0.saturating_mul(percent) / 100)
    }
}

impl From<Duration> for Millis {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Timestamp> for Millis {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.0.saturating_mul(1000))
    }
}

impl Add for Millis {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Millis {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// What the shell knows when it reports an event: two clocks and one roll of the dice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The device's clock, since 1970; it may jump.
    pub wall: Millis,
    /// A clock that never goes back; it may stand still while the device sleeps.
    pub mono: Millis,
    /// 64 random bits for jitter.
    pub dice: u64,
}

impl Moment {
    /// What the device's clock shows more than the monotonic one, in milliseconds.
    pub(super) fn offset(self) -> i64 {
        signed(self.wall).saturating_sub(signed(self.mono))
    }

    /// A uniformly random length of time up to `most`.
    pub(super) fn jitter(self, most: Millis) -> Millis {
        Millis(self.dice % most.0.saturating_add(1).max(1))
    }
}

/// A moment on both clocks; the first to reach it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    wall: Millis,
    mono: Millis,
}

impl Deadline {
    /// `length` from `now`.
    pub fn after(now: Moment, length: Millis) -> Self {
        Self {
            wall: now.wall + length,
            mono: now.mono + length,
        }
    }

    /// What is left by the clock that shows less.
    pub fn left(self, now: Moment) -> Millis {
        (self.wall - now.wall).min(self.mono - now.mono)
    }

    /// True once either clock has reached it.
    pub fn passed(self, now: Moment) -> bool {
        self.left(now) == Millis(0)
    }

    /// Its place on the device's clock.
    pub fn wall(self) -> Millis {
        self.wall
    }
}

/// The life of an access token, by the server's clock, so that it survives in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// When it was asked for.
    asked: Millis,
    /// When it ends.
    ends: Millis,
    /// Server clock minus device clock, in milliseconds, from the answer's `Date`.
    ahead: i64,
}

impl Expiry {
    /// A token asked for at `asked` on the device's clock that lives for `lifetime`.
    ///
    /// It counts from the request, not from the answer, so a slow answer never makes it look longer.
    /// `date` is the answer's `Date`, `answered` when it arrived.
    pub fn new(asked: Millis, lifetime: Millis, date: Option<Timestamp>, answered: Millis) -> Self {
        let ahead = date.map_or(0, |date| signed(Millis::from(date)) - signed(answered));
        let asked = shift(asked, ahead);
        Self {
            asked,
            ends: asked + lifetime,
            ahead,
        }
    }

    /// What is left when the device's clock shows `wall`; nothing if that is before the token was
    /// asked for, because then the clock was set and says nothing about the token.
    pub fn left(self, wall: Millis) -> Millis {
        let server = shift(wall, self.ahead);
        if server + TOLERANCE < self.asked {
            return Millis(0);
        }
        self.ends - server
    }

    /// The whole life.
    pub fn lifetime(self) -> Millis {
        self.ends - self.asked
    }

    /// The age when the device's clock shows `wall`.
    pub fn age(self, wall: Millis) -> Millis {
        shift(wall, self.ahead) - self.asked
    }

    /// When to refresh: this much before the end. `skew`, but at most half the life, less up to a
    /// tenth by the dice so that devices signed in together do not refresh together.
    pub fn margin(self, skew: Millis, now: Moment) -> Millis {
        let margin = skew.min(self.lifetime().percent(50));
        margin - now.jitter(margin.percent(10))
    }
}

/// Clocks that are slewed move against each other by less than this.
pub(super) const TOLERANCE: Millis = Millis(5_000);

fn shift(time: Millis, by: i64) -> Millis {
    Millis(time.0.saturating_add_signed(by))
}

fn signed(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Expiry, Millis, Moment};
    use crate::time::Timestamp;

    const NOON: Millis = Millis(1_700_000_000_000);

    fn at(wall: u64, mono: u64) -> Moment {
        Moment {
            wall: Millis(wall),
            mono: Millis(mono),
            dice: 0,
        }
    }

    #[test]
    fn the_clock_that_shows_less_counts() {
        let deadline = Deadline::after(at(1000, 0), Millis(100));
        assert_eq!(deadline.left(at(1050, 20)), Millis(50));
        assert_eq!(deadline.left(at(500, 20)), Millis(80));
        assert!(deadline.passed(at(500, 100)));
        assert!(deadline.passed(at(5000, 1)));
    }

    #[test]
    fn a_slow_answer_does_not_prolong_the_token() {
        let expiry = Expiry::new(NOON, Millis(900_000), None, NOON + Millis(20_000));
        assert_eq!(expiry.left(NOON + Millis(20_000)), Millis(880_000));
    }

    #[test]
    fn a_wrong_device_clock_does_not_change_the_length() {
        let an_hour_ahead = Some(Timestamp(1_700_000_000 + 3600));
        let expiry = Expiry::new(NOON, Millis(900_000), an_hour_ahead, NOON);
        assert_eq!(expiry.left(NOON + Millis(60_000)), Millis(840_000));
    }

    #[test]
    fn a_clock_set_back_says_nothing() {
        let expiry = Expiry::new(NOON, Millis(900_000), None, NOON);
        assert_eq!(expiry.left(NOON - Millis(1_000)), Millis(901_000));
        assert_eq!(expiry.left(NOON - Millis(60_000)), Millis(0));
    }

    #[test]
    fn the_margin_is_the_skew_or_half_the_life_less_jitter() {
        let margin = |life, dice| {
            let now = Moment {
                dice,
                ..at(NOON.0, 0)
            };
            Expiry::new(NOON, Millis(life), None, NOON).margin(Millis(60_000), now)
        };
        assert_eq!(margin(900_000, 0), Millis(60_000));
        assert_eq!(margin(10_000, 0), Millis(5_000));
        for dice in [1, 17, u64::MAX] {
            assert!((Millis(54_000)..=Millis(60_000)).contains(&margin(900_000, dice)));
        }
    }
}
