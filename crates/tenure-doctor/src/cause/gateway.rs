//! API gateway.

use super::Cause;

pub(super) const CAUSES: &[Cause] = &[];
