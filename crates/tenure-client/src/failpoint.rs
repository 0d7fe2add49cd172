//! Places where a test holds this process up, and kills it there.
//!
//! In the order in which a refresh passes them: `mid_write`, `before_fsync`, `after_fsync` (of the
//! intent), `before_send`, `after_send`, `after_receive`, then the first three again (of the
//! answer). Without the feature `failpoints` nothing of this is compiled.

use std::fs::File;
use std::io::{self, Write as _};

/// This place is reached.
#[cfg(feature = "failpoints")]
pub(crate) fn reached(place: &'static str) {
    fail::fail_point!(place);
}

/// No place.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn reached(_place: &'static str) {}

/// Writes in two halves, between which lies `mid_write`.
#[cfg(feature = "failpoints")]
pub(crate) fn write_all(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    file.write_all(half)?;
    reached("mid_write");
    file.write_all(rest)
}

/// Writes in one piece.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn write_all(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}
