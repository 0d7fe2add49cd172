//! Signs: questions that evidence answers, each asked in one place and used by many causes.

use std::fmt;

use crate::{Clue, Evidence};

/// A question to the evidence. It holds where `find` finds anything.
pub struct Sign {
    /// Unique, in kebab-case; stable in outputs.
    pub name: &'static str,
    /// What it means when it holds, in half a sentence.
    pub means: &'static str,
    /// Looks for it; the clues say what was seen, where.
    pub find: fn(&Evidence) -> Vec<Clue>,
}

impl fmt::Debug for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
