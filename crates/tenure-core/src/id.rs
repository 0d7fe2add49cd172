//! Names of things, each with a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the name as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// `client_id` (RFC 6749 section 2.2).
    ClientId
}
text_id! {
    /// `sub`: who signed in (OIDC Core section 2); an id of Tenure's or of the adopter's user table.
    Subject
}

/// One signed-in device: the key of its row. Never shown to anyone; the outside sees `sid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineageId(pub Uuid);

impl LineageId {
    /// A UUIDv7 (RFC 9562) from a time in seconds and ten random bytes.
    pub fn new(now: crate::time::Timestamp, random: [u8; 10]) -> Self {
        let millis = now.0.saturating_mul(1000);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}
