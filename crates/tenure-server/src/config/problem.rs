//! What is wrong with a configuration.

use std::fmt;

use super::source::Source;

/// One thing that is wrong, where, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the value came from; the default where nobody said anything.
    pub source: Source,
    /// Dotted path of the key; empty for the file as a whole.
    pub key: String,
    /// What is wrong, and the fix.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Default | Source::Derived(_) | Source::Generated(_) => {}
            source => write!(f, "{source}: ")?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A configuration that cannot be used, with everything that is wrong with it. One problem a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejected {}
