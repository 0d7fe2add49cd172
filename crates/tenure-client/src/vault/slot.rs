//! One of the two copies of a record, as bytes.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | the format: `TNR`, a name of three letters, a version, `\n` |
//! | 8 | generation, big-endian |
//! | 4 | length of the content, big-endian |
//! | 32 | SHA-256 of the fields above and the content |
//! | rest | the content; in the format `TNRVLT1` the record as JSON |
//!
//! Formats to come keep the first fifty-two bytes as they are, so that this version can tell an
//! intact slot that it must not touch from a damaged one.

use tenure_core::secret::sha256;
use tenure_core::session::{Record, VaultFault};
use zeroize::Zeroizing;

const CHECKED: usize = 8 + 8 + 4;
/// Length of what stands before the content.
pub(super) const HEADER: usize = CHECKED + 32;

/// A record in the clear.
pub(super) const PLAIN: Format = Format(*b"TNRVLT1\n");
/// A sealed record.
pub(super) const SEALED: Format = Format(*b"TNRSEA1\n");

/// What the content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format([u8; 8]);

/// One of the two places for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    A,
    B,
}

/// A record that is intact, and which write it came from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Grows by one with every write; the greater of two intact slots is the newer.
    pub(super) generation: u64,
    /// What was written.
    pub(super) record: Record,
}

/// What was found in a place.
#[derive(Debug)]
pub(super) enum Held {
    /// Nothing was ever there.
    Absent,
    /// It was made, and nothing was written.
    Empty,
    /// Not what was written, or not to be opened any more.
    Torn,
    /// Intact, and not of a format that this vault knows.
    Strange,
    /// A record.
    Intact(Box<Slot>),
}

/// The content of an intact slot of the right format.
#[derive(Debug)]
pub(super) struct Content<'a> {
    pub(super) generation: u64,
    pub(super) bytes: &'a [u8],
}

impl Place {
    /// The file of this name, and what the names of values start with.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "slot-a",
            Self::B => "slot-b",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl Slot {
    pub(super) fn json(&self) -> Result<Zeroizing<Vec<u8>>, VaultFault> {
        let json = serde_json::to_vec(&self.record).map(Zeroizing::new);
        json.map_err(|error| VaultFault::Unavailable(error.to_string()))
    }

    pub(super) fn parse(generation: u64, json: &[u8]) -> Held {
        match serde_json::from_slice(json) {
            Ok(record) => Held::Intact(Box::new(Self { generation, record })),
            Err(_) => Held::Torn,
        }
    }
}

/// What stands before `content`.
pub(super) fn header(format: Format, generation: u64, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut header = Vec::with_capacity(HEADER + content.len());
    header.extend_from_slice(&format.0);
    header.extend_from_slice(&generation.to_be_bytes());
    header.extend_from_slice(&length.to_be_bytes());
    header.extend_from_slice(&checksum(&header, content));
    header
}

/// Header and content in one piece.
pub(super) fn framed(format: Format, generation: u64, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(header(format, generation, content));
    bytes.extend_from_slice(content);
    bytes
}

/// Checks what [`framed`] made.
pub(super) fn unframed(bytes: &[u8], format: Format) -> Result<Content<'_>, Held> {
    if bytes.is_empty() {
        return Err(Held::Empty);
    }
    let (header, content) = bytes.split_at_checked(HEADER).ok_or(Held::Torn)?;
    checked(header, content, format)
}

/// Fails if a single bit is not as it was written, or if the format is another.
pub(super) fn checked<'a>(
    header: &[u8],
    content: &'a [u8],
    format: Format,
) -> Result<Content<'a>, Held> {
    let (name, generation, length, sum) = fields(header).ok_or(Held::Torn)?;
    let fields = header.get(..CHECKED).ok_or(Held::Torn)?;
    if length != content.len() || sum != checksum(fields, content) {
        return Err(Held::Torn);
    }
    if name != format {
        return Err(Held::Strange);
    }
    Ok(Content {
        generation,
        bytes: content,
    })
}

/// How long the content is, by a header that may be damaged.
pub(super) fn length(header: &[u8]) -> Option<usize> {
    fields(header).map(|(_, _, length, _)| length)
}

fn fields(header: &[u8]) -> Option<(Format, u64, usize, &[u8])> {
    let (name, rest) = header.split_first_chunk::<8>()?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (length, sum) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some((Format(*name), u64::from_be_bytes(*generation), length, sum))
}

fn checksum(fields: &[u8], content: &[u8]) -> [u8; 32] {
    sha256(&Zeroizing::new([fields, content].concat()))
}
