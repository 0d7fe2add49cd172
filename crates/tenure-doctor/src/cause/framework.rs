//! Frameworks and authorization.

use super::Cause;

pub(super) const CAUSES: &[Cause] = &[];
