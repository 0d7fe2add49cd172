//! How long to wait after a failure: one budget per session.

use std::time::Duration;

use super::super::{Cause, Deadline, Millis, Moment};

/// The knobs of the machine. The defaults are right for an interactive app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Refresh when less than this is left, or less than half of the life.
    pub skew: Duration,
    /// Lifetime of an access token whose answer names none.
    pub assumed_lifetime: Duration,
    /// How long another process may hold the lock before this one goes on (`retire_on_use`) or
    /// gives the attempt up.
    pub lock_patience: Duration,
    /// Bound of the first wait after a failure; it doubles with every further one.
    pub shortest_wait: Duration,
    /// Bound of every wait that the server did not ask for.
    pub longest_wait: Duration,
    /// So many failures in a row are retried without being asked; then only a caller's need is
    /// reason enough.
    pub unasked_retries: u32,
    /// Refresh ahead of the expiry also when nobody asks.
    pub background: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            skew: Duration::from_mins(1),
            assumed_lifetime: Duration::from_mins(5),
            lock_patience: Duration::from_secs(10),
            shortest_wait: Duration::from_secs(1),
            longest_wait: Duration::from_mins(1),
            unasked_retries: 10,
            background: false,
        }
    }
}

/// Failures in a row, and the wait after the last one.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    wait: Option<(Cause, Deadline)>,
    /// The part of the wait that luck had no part in.
    least: Option<Deadline>,
}

impl Backoff {
    /// Exponential with full jitter, never shorter than the server asked for.
    pub(super) fn fail(
        &mut self,
        cause: Cause,
        asked: Option<Duration>,
        policy: &Policy,
        now: Moment,
    ) {
        let doubled = policy
            .shortest_wait
            .saturating_mul(1 << self.failures.min(16));
        let bound = doubled.min(policy.longest_wait);
        let least = asked.unwrap_or_default().into();
        let wait = now.jitter(bound.into()).max(least);
        self.failures = self.failures.saturating_add(1);
        self.wait = Some((cause, Deadline::after(now, wait)));
        self.least = Some(Deadline::after(now, least));
    }

    /// Waits for a fixed time: what failed is not a matter of luck.
    pub(super) fn stall(&mut self, cause: Cause, wait: Duration, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.wait = Some((cause, Deadline::after(now, wait.into())));
        self.least = None;
    }

    /// The world has changed: waits no longer than it was asked to.
    pub(super) fn hurry(&mut self) {
        if let (Some((_, until)), Some(least)) = (&mut self.wait, self.least) {
            *until = least;
        }
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// True where nothing speaks against another attempt.
    pub(super) fn due(&self, now: Moment) -> bool {
        self.wait
            .as_ref()
            .is_none_or(|(_, until)| until.passed(now))
    }

    pub(super) fn waiting(&self) -> Option<&(Cause, Deadline)> {
        self.wait.as_ref()
    }

    /// What is left of the wait; `None` where there is none.
    pub(super) fn left(&self, now: Moment) -> Option<Millis> {
        self.wait.as_ref().map(|(_, until)| until.left(now))
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}
