//! How much a sign counts: the one table. Natural logarithms of odds.

/// How strongly a sign speaks for a cause, or against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Fits many causes.
    Hints,
    /// Fits a few.
    Suggests,
    /// Fits this one and its nearest neighbours.
    Points,
    /// Hardly ever seen with another cause.
    Marks,
}

impl Strength {
    /// What it adds to the logarithm of the odds, or takes away when it speaks against.
    pub fn log_odds(self) -> f64 {
        match self {
            Self::Hints => 0.7,
            Self::Suggests => 1.6,
            Self::Points => 3.0,
            Self::Marks => 5.0,
        }
    }
}

/// How often a cause is met before anything is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prior {
    /// Once a year at most.
    Rare,
    /// Now and then.
    Usual,
    /// Every week.
    Common,
}

impl Prior {
    /// Logarithm of the odds against [`UNKNOWN`].
    pub fn log_odds(self) -> f64 {
        match self {
            Self::Rare => -3.0,
            Self::Usual => -2.3,
            Self::Common => -1.6,
        }
    }
}

/// Logarithm of the odds of a cause that this crate does not know.
pub(crate) const UNKNOWN: f64 = 0.0;

/// Share of the whole from which a cause is likely, and from which it is possible.
pub(crate) const LIKELY: f64 = 0.5;
pub(crate) const POSSIBLE: f64 = 0.05;
