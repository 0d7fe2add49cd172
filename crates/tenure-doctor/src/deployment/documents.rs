//! The service's own documents, as far as they are looked at.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exchange::Answer;

/// Issuer metadata (RFC 8414).
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
    pub(super) token_endpoint: String,
    pub(super) authorization_endpoint: String,
    /// Tenure says so; other issuers do not have it.
    pub(super) tenure_rotation: Option<String>,
}

/// A key set (RFC 7517).
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) struct KeySet {
    pub(super) keys: Vec<Key>,
}

/// The name of a key.
#[derive(Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(default)]
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) alg: String,
}

/// `/health/ready`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Health {
    pub(super) ready: bool,
    pub(super) issuer: String,
    pub(super) store: Store,
    pub(super) keys: Signing,
    pub(super) clock: Clock,
}

/// On what it runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Store {
    pub(super) kind: String,
    pub(super) durable: bool,
    pub(super) revoke_durability: String,
    pub(super) warnings: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) facts: BTreeMap<String, serde_json::Value>,
}

/// Which key signs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Signing {
    pub(super) signing: String,
}

/// What the service thinks of its clock.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Clock {
    pub(super) source: String,
    pub(super) trusted: bool,
    pub(super) doubt: Option<String>,
    pub(super) offset_seconds: i64,
    pub(super) store_ahead_seconds: Option<i64>,
}

/// The document in a body.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    serde_json::from_str(&answer.body).ok()
}
