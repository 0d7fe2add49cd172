//! JSON with its long texts cut short, so that a document of any size is read with bounded memory.

use std::io::{Read, Result};

/// Bytes of a text that pass.
const TEXT: usize = 64 * 1024;

/// Passes JSON through; of each text, the first [`TEXT`] bytes and a little more, up to a place
/// where neither an escape nor a character is torn.
pub(super) struct Clip<R> {
    inner: R,
    place: Place,
}

enum Place {
    Outside,
    /// Within a text: bytes so far, and bytes of an escape still to come.
    Within(usize, u8),
    /// In the part that is dropped; whether a backslash came last.
    Dropped(bool),
}

impl<R> Clip<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            place: Place::Outside,
        }
    }

    /// Whether the byte passes.
    fn passes(&mut self, byte: u8) -> bool {
        let (next, passes) = match (&self.place, byte) {
            (Place::Outside, b'"') => (Place::Within(0, 0), true),
            (Place::Within(length, 5), b'u') => (Place::Within(length + 1, 4), true),
            (Place::Within(length, 5), _) => (Place::Within(length + 1, 0), true),
            (Place::Within(length, 0), b'\\') if *length > 2 * TEXT => {
                (Place::Dropped(true), false)
            }
            (Place::Within(length, 0), b'\\') => (Place::Within(length + 1, 5), true),
            (Place::Within(_, 0) | Place::Dropped(false), b'"') | (Place::Outside, _) => {
                (Place::Outside, true)
            }
            (Place::Within(length, 0), _) if *length > TEXT && byte.is_ascii() => {
                (Place::Dropped(false), false)
            }
            (Place::Within(length, left), _) => {
                (Place::Within(length + 1, left.saturating_sub(1)), true)
            }
            (Place::Dropped(escaped), _) => (Place::Dropped(!escaped && byte == b'\\'), false),
        };
        self.place = next;
        passes
    }
}

impl<R: Read> Read for Clip<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            let read = self.inner.read(into)?;
            let mut kept = 0;
            for at in 0..read {
                let Some(byte) = into.get(at).copied() else {
                    break;
                };
                if self.passes(byte)
                    && let Some(place) = into.get_mut(kept)
                {
                    *place = byte;
                    kept += 1;
                }
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}
