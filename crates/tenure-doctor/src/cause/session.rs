//! Sessions and refreshes.

use super::Cause;

pub(super) const CAUSES: &[Cause] = &[];
