//! Whether anybody is turned away at all.

use crate::{Clue, Evidence};

/// What went wrong for users, whatever the cause.
pub(crate) fn all(_evidence: &Evidence) -> Vec<Clue> {
    Vec::new()
}
