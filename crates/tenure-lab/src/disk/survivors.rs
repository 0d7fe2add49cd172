//! Which unsynced changes happen to have reached the disk when the power goes.

use fastrand::Rng;

/// What one power cut did to changes that nobody had synced.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PowerCut {
    /// Unsynced 4 KiB pages that were lost.
    pub pages_lost: usize,
    /// Unsynced 4 KiB pages that had reached the disk anyway.
    pub pages_kept: usize,
    /// Unsynced creations, renames and removals that were lost.
    pub names_lost: usize,
    /// Unsynced creations, renames and removals that had reached the disk anyway.
    pub names_kept: usize,
}

/// The luck of one power cut.
#[derive(Debug)]
pub(super) struct Survivors {
    rng: Rng,
    percent: u8,
    report: PowerCut,
}

impl Survivors {
    /// Nothing unsynced survives.
    pub(super) fn none() -> Self {
        Self {
            rng: Rng::with_seed(0),
            percent: 0,
            report: PowerCut::default(),
        }
    }

    /// A random share (0, 25, 50 or 75 of 100) of what is unsynced survives: a cut right after a
    /// burst of writes differs from one long after it, so one fixed share would miss cases.
    pub(super) fn random(mut rng: Rng) -> Self {
        let percent = rng.u8(0..4) * 25;
        Self {
            rng,
            percent,
            report: PowerCut::default(),
        }
    }

    pub(super) fn keep_one(&mut self) -> bool {
        self.rng.u8(0..100) < self.percent
    }

    pub(super) fn keep_page(&mut self) -> bool {
        let kept = self.keep_one();
        if kept {
            self.report.pages_kept += 1;
        } else {
            self.report.pages_lost += 1;
        }
        kept
    }

    /// How many of `pending` ordered changes of names survive.
    pub(super) fn keep_names(&mut self, pending: usize) -> usize {
        let kept = if self.percent == 0 {
            0
        } else {
            self.rng.usize(0..=pending)
        };
        self.report.names_kept += kept;
        self.report.names_lost += pending - kept;
        kept
    }

    pub(super) fn report(&self) -> PowerCut {
        self.report
    }
}
