//! A token, taken apart without trust.

mod age;
mod claims;
mod clean;
mod signature;
mod verifiers;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure_core::time::Timestamp;

pub use self::age::ages;
pub use self::signature::check;
pub use self::verifiers::{Expected, Opinion, Refusal, Rule, failing, opinions};
use crate::{Fingerprint, Source};

/// Takes a token apart. Any text will do; nothing of it is believed.
pub fn read(text: &str, role: Role, source: Source) -> Token {
    let clean::Cleaned {
        token,
        mut blemishes,
    } = clean::clean(text);
    let parts = Parts::of(&token);
    if parts.is_truncated() {
        blemishes.push(Blemish::Truncated);
    }
    Token {
        role,
        source,
        fingerprint: Fingerprint::of(&token),
        length: text.len() as u64,
        shape: parts.shape(&token),
        blemishes,
        header: parts.header.as_ref().map(claims::header),
        claims: parts.payload.as_ref().map(claims::claims),
        ending: parts.signature().map(Fingerprint::of),
        signatures: Vec::new(),
    }
}

/// The token without what does not belong to it, for a request that is to present nothing else.
pub(crate) fn cleaned(text: &str) -> String {
    clean::clean(text).token
}

/// A token at its dots (RFC 7515, section 3.1).
struct Parts<'t> {
    texts: Vec<&'t str>,
    header: Option<Object>,
    payload: Option<Object>,
}

type Object = serde_json::Map<String, serde_json::Value>;

impl<'t> Parts<'t> {
    /// More parts than the five of a JWE (RFC 7516) are of no interest.
    const MOST: usize = 6;

    fn of(token: &'t str) -> Self {
        let texts: Vec<_> = token.split('.').take(Self::MOST).collect();
        let object = |at: usize| texts.get(at).copied().and_then(claims::object);
        let several = texts.len() > 1;
        let header = several.then(|| object(0)).flatten();
        let encrypted = header.as_ref().is_some_and(|it| it.contains_key("enc"));
        let payload = header.is_some() && !encrypted;
        Self {
            payload: payload.then(|| object(1)).flatten(),
            header,
            texts,
        }
    }

    fn shape(&self, token: &str) -> Shape {
        match self.texts.len() {
            _ if token.is_empty() => Shape::Empty,
            _ if clean::is_word(token) => Shape::Word,
            3 if self.payload.is_some() => Shape::Jws,
            5 if self.header.is_some() => Shape::Jwe,
            2..=5 if self.header.is_some() || token.starts_with("eyJ") => Shape::Broken,
            1 if token.starts_with("eyJ") => Shape::Broken,
            3 | 5 => Shape::Broken,
            _ => Shape::Opaque,
        }
    }

    /// The third part of a JWS.
    fn signature(&self) -> Option<&'t str> {
        let signature = self.texts.get(2).filter(|_| self.texts.len() == 3)?;
        (!signature.is_empty()).then_some(*signature)
    }

    fn is_truncated(&self) -> bool {
        let Some(header) = &self.header else {
            return self.texts.len() == 1 && self.texts.iter().any(|it| it.starts_with("eyJ"));
        };
        let encrypted = header.contains_key("enc");
        let wanted = if encrypted { 5 } else { 3 };
        let alg = header.get("alg").and_then(serde_json::Value::as_str);
        match self.texts.last() {
            _ if self.texts.len() < wanted => true,
            Some(last) if self.texts.len() == wanted => {
                !encrypted && signature::is_short(last, alg.unwrap_or_default())
            }
            _ => false,
        }
    }
}

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
    /// Of its signature, which no two tokens have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Fingerprint>,
    /// One for each key that was tried.
    pub signatures: Vec<SignatureCheck>,
}

impl Token {
    /// The algorithm in its header.
    pub fn alg(&self) -> Option<&str> {
        self.header.as_ref()?.alg.as_deref()
    }

    /// The key that its header names.
    pub fn kid(&self) -> Option<&str> {
        self.header.as_ref()?.kid.as_deref()
    }

    /// The type in its header.
    pub fn typ(&self) -> Option<&str> {
        self.header.as_ref()?.typ.as_deref()
    }

    /// Its issuer, as it claims.
    pub fn iss(&self) -> Option<&str> {
        self.claims.as_ref()?.iss.as_deref()
    }
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
    /// Twice, one after the other.
    Doubled,
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
    /// Extensions that a verifier must know, or refuse the token (RFC 7515, section 4.1.11).
    pub crit: Vec<String>,
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
    /// Claims whose type is wrong, with what was found: `a string`, `a string of digits` (a date that some verifiers read all
    /// the same), `milliseconds` (a date that is a thousand times too large).
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
    /// The algorithm under which it verified, where that is not the one of the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
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

#[cfg(test)]
mod tests;
