//! Values that must never be printed.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret text: redacted in `Debug`, wiped when the last clone is dropped, compared in constant
/// time.
///
/// Clones share the text. It serialises as the bare text, because the wire and the vault must carry
/// it.
#[derive(Clone, Default)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text itself; for the one place that sends, stores or compares it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True for `""`, whitespace, `"null"` and `"undefined"`: what careless clients store for nothing.
    pub fn is_blank(&self) -> bool {
        is_blank(&self.0)
    }

    /// Twelve hexadecimal digits of the SHA-256: enough to correlate log lines, useless to sign in.
    pub fn fingerprint(&self) -> String {
        let mut first = [0; 8];
        first
            .iter_mut()
            .zip(sha256(self.0.as_bytes()))
            .for_each(|(place, byte)| *place = byte);
        format!("{:012x}", u64::from_be_bytes(first) >> 16)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl Eq for Secret {}

/// True for texts that mean "nothing": empty, whitespace, `null`, `undefined`.
pub fn is_blank(text: &str) -> bool {
    matches!(text.trim(), "" | "null" | "undefined")
}

/// SHA-256 of `data` (FIPS 180-4).
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }

    #[test]
    fn careless_nothings_are_blank() {
        for nothing in ["", "  ", "\t\n", "null", "undefined", " undefined "] {
            assert!(Secret::new(nothing).is_blank(), "{nothing:?}");
        }
        assert!(!Secret::new("tnr1_x").is_blank());
    }
}
