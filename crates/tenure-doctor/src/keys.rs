//! Keys of the verifier's side.

use serde::{Deserialize, Serialize};

/// What a key file or the issuer's metadata says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeySet {
    /// File name, or URL.
    pub name: String,
    /// What it is.
    pub kind: Option<Kind>,
    /// The issuer that a discovery document names.
    pub issuer: Option<String>,
    /// Where a discovery document says that the keys are.
    pub jwks_uri: Option<String>,
    /// The keys, in their order.
    pub keys: Vec<Key>,
}

/// What a key source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A key set (RFC 7517).
    Jwks,
    /// Issuer metadata (RFC 8414, OpenID Connect Discovery).
    Discovery,
    /// A public key or certificate in PEM.
    Pem,
    /// A shared secret.
    Secret,
}

/// One public key, or the fingerprint of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Key {
    /// Its id.
    pub kid: Option<String>,
    /// `RSA`, `EC`, `OKP`, `oct`.
    pub kty: String,
    /// The algorithm that it is for, where it says so.
    pub alg: Option<String>,
    /// `sig` or `enc`, where it says so.
    #[serde(rename = "use")]
    pub usage: Option<String>,
    /// Thumbprint (RFC 7638), or fingerprint of a secret.
    pub thumbprint: String,
    /// Why common verifiers cannot use it.
    pub problem: Option<String>,
}
