//! One of the two copies of a record, as bytes.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `TNRVLT1\n` |
//! | 8 | generation, big-endian |
//! | 4 | length of the record, big-endian |
//! | 32 | SHA-256 of the fields above and the record |
//! | rest | the record as JSON |

use tenure_core::secret::sha256;
use tenure_core::session::Record;
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"TNRVLT1\n";
const CHECKED: usize = 8 + 8 + 4;
const HEADER: usize = CHECKED + 32;

/// A record that is intact, and which write it came from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Grows by one with every write; the greater of two intact slots is the newer.
    pub(super) generation: u64,
    /// What was written.
    pub(super) record: Record,
}

impl Slot {
    /// As written to the file.
    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        let json = Zeroizing::new(serde_json::to_vec(&self.record)?);
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + json.len()));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_be_bytes());
        let sum = checksum(&bytes, &json);
        bytes.extend_from_slice(&sum);
        bytes.extend_from_slice(&json);
        Ok(bytes)
    }

    /// Reads it back; `None` if a single bit is not as it was written.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, json) = bytes.split_at_checked(HEADER)?;
        let (checked, sum) = header.split_at_checked(CHECKED)?;
        let (magic, rest) = checked.split_first_chunk::<8>()?;
        let (generation, length) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        let intact = magic == MAGIC && length == json.len() && sum == checksum(checked, json);
        Some(Self {
            generation: u64::from_be_bytes(*generation),
            record: intact.then(|| serde_json::from_slice(json).ok())??,
        })
    }
}

fn checksum(checked: &[u8], json: &[u8]) -> [u8; 32] {
    sha256(&Zeroizing::new([checked, json].concat()))
}
