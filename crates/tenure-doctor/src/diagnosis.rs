//! What the evidence says.

use serde::Serialize;

use crate::Clue;
use crate::cause::{Cause, Step};
use crate::layer::Answered;

/// The answer of [`crate::diagnose`].
#[derive(Debug)]
pub struct Diagnosis {
    /// In one word.
    pub outcome: Outcome,
    /// What went wrong for users, whatever the cause.
    pub symptoms: Vec<Clue>,
    /// Which layer answered the client's request, where a mark of it is on the answer.
    pub answered: Option<Answered>,
    /// Causes with anything for or against them, the most probable first.
    pub ranked: Vec<Ranked>,
    /// Causes that [`Self::suppress`] took out of them.
    pub suppressed: Vec<Ranked>,
    /// What would separate the leading causes, the cheapest first; empty when one is confirmed.
    pub next: Vec<Step>,
}

impl Diagnosis {
    /// Takes causes out that somebody has looked at and accepted, by id. Where one of them was the whole
    /// finding, the outcome is healthy; an undecided outcome stays undecided.
    pub fn suppress(&mut self, ids: &[String]) {
        let (suppressed, ranked) = std::mem::take(&mut self.ranked)
            .into_iter()
            .partition(|ranked| ids.iter().any(|id| id == ranked.cause.id));
        self.ranked = ranked;
        self.suppressed.extend::<Vec<_>>(suppressed);
        let found = |ranked: &Ranked| ranked.verdict >= Verdict::Likely;
        let accepted = self.suppressed.iter().any(found) && !self.ranked.iter().any(found);
        if self.outcome == Outcome::Found && accepted {
            self.outcome = Outcome::Healthy;
        }
    }
}

/// In one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something was looked at, and nobody is turned away. Exit code 0.
    Healthy,
    /// A cause is confirmed or likely. Exit code 1.
    Found,
    /// Somebody is turned away, or nothing was looked at, and no cause is likely. Exit code 3.
    Undecided,
}

/// A cause with what speaks for and against it.
#[derive(Debug)]
pub struct Ranked {
    /// The cause.
    pub cause: &'static Cause,
    /// How sure.
    pub verdict: Verdict,
    /// Its share of the whole, 0 to 1, beside the other causes and one that is not known.
    pub share: f64,
    /// What speaks for it.
    pub evidence: Vec<Clue>,
    /// What speaks against it.
    pub against: Vec<Clue>,
}

/// How sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What was seen is impossible with it.
    RuledOut,
    /// Worth a look.
    Possible,
    /// More probable than all others together.
    Likely,
    /// What was seen is impossible without it.
    Confirmed,
}
