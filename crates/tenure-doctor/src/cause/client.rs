//! Client and transport.

use super::Cause;

pub(super) const CAUSES: &[Cause] = &[];
