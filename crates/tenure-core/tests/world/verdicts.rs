//! What was decided on the way, so that no exploration passes by never getting anywhere.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenure_core::lineage::Verdict;

/// How often each verdict was given; beside the state, so that it does not multiply states.
#[derive(Default)]
pub(crate) struct Verdicts([AtomicUsize; Self::NAMES.len()]);

impl Verdicts {
    pub(crate) const NAMES: [&'static str; 12] = [
        "Again",
        "Advance",
        "RingFull",
        "Superseded",
        "Ahead",
        "Reuse",
        "Ended",
        "MissingKey",
        "ClockInDoubt",
        "Impossible",
        "Unknown",
        "other refusals",
    ];

    pub(super) fn count(&self, verdict: &Verdict) {
        let place = match verdict {
            Verdict::Again { .. } => 0,
            Verdict::Advance(_) => 1,
            Verdict::RingFull { .. } => 2,
            Verdict::Superseded { .. } => 3,
            Verdict::Ahead(_) => 4,
            Verdict::Reuse(_) => 5,
            Verdict::Ended(_) => 6,
            Verdict::MissingKey(_) => 7,
            Verdict::ClockInDoubt => 8,
            Verdict::Impossible => 9,
            Verdict::Unknown => 10,
            Verdict::UnknownLineage | Verdict::WrongClient | Verdict::BadSeal => 11,
        };
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }

    /// How often the verdict of this name was given.
    pub(crate) fn of(&self, name: &str) -> usize {
        let place = Self::NAMES.iter().position(|known| *known == name);
        place.map_or(0, |place| self.0[place].load(Ordering::Relaxed))
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = Self::NAMES.iter().filter(|name| self.of(name) > 0);
        for (position, name) in given.enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {}", self.of(name))?;
        }
        Ok(())
    }
}
