//! CDN, firewall and proxy.

use super::Cause;

pub(super) const CAUSES: &[Cause] = &[];
