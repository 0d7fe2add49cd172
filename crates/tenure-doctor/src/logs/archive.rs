//! Gzip, told by its first bytes (RFC 1952).

use std::io::{Chain, Cursor, Read, Result};

use flate2::read::MultiGzDecoder;

/// A stream as it is, or inflated. A file of several members is read to its end.
pub(super) enum Plain<R: Read> {
    /// As it is.
    Bare(Chain<Cursor<Vec<u8>>, R>),
    /// Inflated.
    Gzip(Box<MultiGzDecoder<Chain<Cursor<Vec<u8>>, R>>>),
}

impl<R: Read> Plain<R> {
    /// Looks at the first bytes.
    pub(super) fn of(mut reader: R) -> Result<Self> {
        let mut first = Vec::new();
        reader.by_ref().take(2).read_to_end(&mut first)?;
        let gzip = first == [0x1f, 0x8b];
        let whole = Cursor::new(first).chain(reader);
        Ok(if gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(whole)))
        } else {
            Self::Bare(whole)
        })
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Self::Bare(reader) => reader.read(into),
            Self::Gzip(reader) => reader.read(into),
        }
    }
}
