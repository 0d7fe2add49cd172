//! From what was given to what is known.

use crate::Evidence;
use crate::case::Inputs;

/// Reads everything that was given; what cannot be read is noted in [`Evidence::unread`].
///
/// A function of its arguments: no network, no clock, no files.
pub fn collect(inputs: &Inputs) -> Evidence {
    Evidence {
        now: inputs.now,
        exchanges: inputs.exchanges.clone(),
        ..Evidence::default()
    }
}
