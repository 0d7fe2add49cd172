//! What is shown of a secret.

use std::fmt;

use serde::{Deserialize, Serialize};
use tenure_core::secret::Secret;

/// Twelve hexadecimal digits of the SHA-256 of a token, secret or personal value: enough to see that two
/// are the same, useless to sign in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        Self(Secret::new(text).fingerprint())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}
