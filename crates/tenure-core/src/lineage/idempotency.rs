//! Proof that two requests are the same attempt.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::secret::sha256;

/// The value of an `Idempotency-Key` header: random per attempt, saved by the client before it
/// sends, so that a retry gets the very successor that was lost on the way.
///
/// A secret while the attempt is pending: whoever knows it can ask for the same successor.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct IdempotencyKey(Vec<u8>);

/// The key is too short, too long or not printable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key takes 22 to 255 printable ASCII characters (at least 128 random bits)")]
pub struct WeakKey;

impl IdempotencyKey {
    /// Accepts 22 to 255 visible ASCII characters: 22 of base64url carry 128 bits.
    pub fn parse(text: &str) -> Result<Self, WeakKey> {
        let long_enough = (22..=255).contains(&text.len());
        if long_enough && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.as_bytes().to_vec()))
        } else {
            Err(WeakKey)
        }
    }

    /// What the row and the successor keep of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }

    /// Its SHA-256, for a record that compares it with another one.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdempotencyKey({})", self.hash())
    }
}

/// The first four bytes of the key's SHA-256; eight lowercase hexadecimal digits on the wire
/// (`tenure_claims`, space-separated).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyHash(u32);

impl KeyHash {
    /// Stands for "no key"; no key hashes to it.
    pub const NONE: Self = Self(0);

    /// Hash of the header's bytes.
    pub fn of(key: &[u8]) -> Self {
        let [a, b, c, d, ..] = sha256(key);
        Self(u32::from_be_bytes([a, b, c, d]).max(1))
    }

    /// Reads the eight digits.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hexadecimal {
            return None;
        }
        u32::from_str_radix(text, 16).ok().map(Self)
    }

    /// As stored in a row.
    pub fn to_be_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// As stored in a row.
    pub fn from_be_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(bytes))
    }
}

impl std::fmt::Display for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{IdempotencyKey, KeyHash, WeakKey};

    #[test]
    fn a_key_below_128_bits_is_refused() {
        assert_eq!(IdempotencyKey::parse(&"a".repeat(21)), Err(WeakKey));
        assert_eq!(IdempotencyKey::parse(&"a".repeat(256)), Err(WeakKey));
        assert_eq!(
            IdempotencyKey::parse("0123456789 bcdefghijkl"),
            Err(WeakKey)
        );
        assert!(IdempotencyKey::parse(&"a".repeat(22)).is_ok());
    }

    #[test]
    fn a_hash_reads_as_it_prints() {
        let hash = KeyHash::of(b"some key");
        assert_eq!(KeyHash::parse(&hash.to_string()), Some(hash));
        assert_eq!(KeyHash::parse("+1234567"), None);
        assert_eq!(KeyHash::parse("12345"), None);
    }
}
