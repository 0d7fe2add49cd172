//! Keys of the verifier's side.

mod jwk;
mod pem;

use std::fmt;

use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenure_core::secret::Secret;

use crate::{Fingerprint, redact};

/// Reads keys of the verifier's side: a key set, a single JWK, certificates by key id, issuer metadata,
/// PEM; a shared secret where the name ends with `.secret`.
///
/// # Errors
/// A sentence without secrets: it is none of these, or nothing of it can be used.
pub fn read(name: &str, text: &str) -> Result<Material, String> {
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if name.ends_with(".secret") {
        return secret(name, text);
    }
    if trimmed.contains("-----BEGIN") && !trimmed.starts_with('{') {
        return pem::read(trimmed).map(|keys| Material::new(name, Kind::Pem, keys));
    }
    if trimmed.starts_with('<') {
        return Err("it is a web page, not keys".to_owned());
    }
    let value: Value = serde_json::from_str(trimmed).map_err(|error| {
        format!(
            "neither JSON ({}, line {}) nor PEM; a shared secret is read from a file *.secret",
            if error.is_eof() {
                "it ends too early"
            } else {
                "syntax"
            },
            error.line()
        )
    })?;
    json(name, &value)
}

/// A secret that is mounted as a file of its own: one word below `secrets/`, whatever the name.
pub(crate) fn mounted(name: &str, text: &str) -> Option<Material> {
    let mut folders = name.rsplit('/').skip(1);
    let is_word = !text.trim().is_empty() && !text.trim().contains(char::is_whitespace);
    let is_mounted = folders.any(|folder| folder == "secrets") && text.len() <= 1_024 && is_word;
    is_mounted.then(|| secret(name, text).ok()).flatten()
}

fn secret(name: &str, text: &str) -> Result<Material, String> {
    if text.trim().is_empty() {
        return Err("the secret is empty".to_owned());
    }
    let key = Key {
        kty: "oct".to_owned(),
        thumbprint: Fingerprint::of(text.trim()).to_string(),
        problem: short(text.trim()),
        ..Key::default()
    };
    let usable = Usable::Secret(Secret::new(text));
    Ok(Material::new(name, Kind::Secret, vec![(key, usable)]))
}

/// RFC 7518, section 3.2: at least as many bits as the hash has.
fn short(secret: &str) -> Option<String> {
    let bytes = secret.len();
    (bytes < 32).then(|| format!("it has {bytes} bytes; HS256 asks for 32"))
}

fn json(name: &str, value: &Value) -> Result<Material, String> {
    let list = value.get("keys").and_then(Value::as_array);
    if let Some(keys) = list.or(value.as_array()) {
        return Ok(Material::new(name, Kind::Jwks, jwk::all(keys)));
    }
    if value.get("kty").is_some() {
        let keys = jwk::all(std::slice::from_ref(value));
        return Ok(Material::new(name, Kind::Jwks, keys));
    }
    let text = |member: &str| value.get(member).and_then(Value::as_str).map(redact::id);
    if value.get("issuer").is_some() || value.get("jwks_uri").is_some() {
        let mut material = Material::new(name, Kind::Discovery, Vec::new());
        material.set.issuer = text("issuer");
        material.set.jwks_uri = text("jwks_uri");
        return Ok(material);
    }
    let certificates = value.as_object().map(pem::by_id).unwrap_or_default();
    if certificates.is_empty() {
        return Err("the JSON holds neither keys nor issuer metadata".to_owned());
    }
    Ok(Material::new(name, Kind::Pem, certificates))
}

/// Keys that can verify, with what may be shown of them.
pub struct Material {
    /// What may be shown.
    pub set: KeySet,
    usable: Vec<Usable>,
}

impl Material {
    fn new(name: &str, kind: Kind, keys: Vec<(Key, Usable)>) -> Self {
        let (keys, usable) = keys.into_iter().unzip();
        let set = KeySet {
            name: redact::id(name),
            kind: Some(kind),
            keys,
            ..KeySet::default()
        };
        Self { set, usable }
    }

    /// For each key of the set, in its order.
    pub(crate) fn usable(&self) -> impl Iterator<Item = &Usable> {
        self.usable.iter()
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material")
            .field("set", &self.set)
            .finish_non_exhaustive()
    }
}

/// What a key can do.
pub(crate) enum Usable {
    Public(Box<DecodingKey>),
    Secret(Secret),
    /// [`Key::problem`] says why.
    Not,
}

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

#[cfg(test)]
mod tests;
