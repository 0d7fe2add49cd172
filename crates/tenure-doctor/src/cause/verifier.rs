//! Keys, issuer, claims and clock.

use super::Cause;

pub(super) const CAUSES: &[Cause] = &[];
