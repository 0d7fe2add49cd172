//! A token, taken apart without trust.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure_core::time::Timestamp;

use crate::{Fingerprint, Source};

/// What is known of a token; the token itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Which one of those that were given.
    pub role: Role,
    /// Where it was found.
    pub source: Source,
    /// Of the token as it ought to be: without the blemishes.
    pub fingerprint: Fingerprint,
    /// Bytes, as found.
    pub length: u64,
    /// What it looks like.
    pub shape: Shape,
    /// What does not belong to it, in the order in which it was taken off.
    pub blemishes: Vec<Blemish>,
    /// Of a JWS or JWE whose header can be read.
    pub header: Option<Header>,
    /// Of a JWS whose payload can be read.
    pub claims: Option<Claims>,
    /// One for each key that was tried.
    pub signatures: Vec<SignatureCheck>,
}

/// Which token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The one that the client presents.
    Presented,
    /// A kept old one of the same client.
    Old,
    /// One of another user or client.
    Other,
}

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Nothing, or blanks.
    Empty,
    /// A word that stands for nothing: `undefined`, `null`, `None`, `[object Object]`.
    Word,
    /// Three parts, a readable header and payload.
    Jws,
    /// Five parts, a readable header.
    Jwe,
    /// Dots as in a JWT, but a part cannot be read.
    Broken,
    /// One part.
    Opaque,
}

/// What does not belong to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blemish {
    /// A blank, tab or newline before or after it.
    OuterBlank,
    /// One within it.
    InnerBlank,
    /// Quotes around it.
    Quoted,
    /// `Bearer ` is part of what was stored.
    Scheme,
    /// Percent-encoded.
    PercentEncoded,
    /// Base64 of the token.
    Base64Encoded,
    /// A JSON object or the whole token answer in place of the token.
    Json,
    /// Padding (`=`) or the alphabet of plain base64 within its parts.
    Padded,
    /// Characters that no token has (typographic dashes, zero-width blanks).
    Foreign,
    /// The end is missing.
    Truncated,
}

/// The header of a JWT (RFC 7515), as it claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Header {
    /// Algorithm.
    pub alg: Option<String>,
    /// Key id.
    pub kid: Option<String>,
    /// Type.
    pub typ: Option<String>,
    /// Encryption of a JWE.
    pub enc: Option<String>,
}

/// Claims that say who may do what, as the token claims; names and other personal values are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// Issuer.
    pub iss: Option<String>,
    /// Audiences; empty where the claim is absent.
    pub aud: Vec<String>,
    /// Authorized party.
    pub azp: Option<String>,
    /// Client (RFC 9068, Cognito).
    pub client_id: Option<String>,
    /// `id` or `access` (Cognito).
    pub token_use: Option<String>,
    /// Of the subject, where there is one.
    pub sub: Option<Fingerprint>,
    /// Expiry.
    pub exp: Option<Timestamp>,
    /// Not before.
    pub nbf: Option<Timestamp>,
    /// Issued at.
    pub iat: Option<Timestamp>,
    /// When the user last signed in.
    pub auth_time: Option<Timestamp>,
    /// Authentication context class.
    pub acr: Option<String>,
    /// Scopes of `scope`, `scp` or `scopes`.
    pub scope: Vec<String>,
    /// Values that look like roles or groups, by the path of the claim (`realm_access.roles`).
    pub roles: BTreeMap<String, Vec<String>>,
    /// Whether it is bound to a key (`cnf`): the member (`jkt`, `x5t#S256`).
    pub cnf: Option<String>,
    /// Claims whose type is wrong, with the type that was found (`exp` is a string).
    pub mistyped: BTreeMap<String, String>,
    /// Names of all claims.
    pub names: Vec<String>,
}

/// What one key says of the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureCheck {
    /// Which set: [`crate::keys::KeySet::name`].
    pub keys: String,
    /// The key's id, where it has one.
    pub kid: Option<String>,
    /// Its thumbprint (RFC 7638), or a fingerprint of the secret.
    pub thumbprint: String,
    /// In which form a secret verified, or what was tried: `raw`, `base64`, `base64url`, `trimmed`.
    pub form: Option<String>,
    /// The result.
    pub verdict: Signature,
}

/// Whether a signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// It is.
    Good,
    /// It is not.
    Bad,
    /// The key's type does not fit the token's `alg`.
    OtherAlgorithm,
    /// The key cannot be used: its type is unknown, or it is for encryption.
    Unusable,
}
