//! Tenure's own service.

use super::Cause;

pub(super) const CAUSES: &[Cause] = &[];
