//! The refresh token on the wire: opaque to clients, self-certifying for the server.
//!
//! `tnr1_` + base64url(payload ‖ seal ‖ tag) + base64url(CRC-32), 107 characters:
//!
//! | field | bytes |
//! |---|---|
//! | MAC key id | 4 |
//! | lineage | 16 |
//! | generation | 4 |
//! | id | 8 |
//! | parent | 8 |
//! | issued at, seconds | 4 |
//! | hash of the idempotency key | 4 |
//! | seal: HMAC(row secret, the above) | 8 |
//! | tag: HMAC(MAC key, all the above) | 16 |

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{IdempotencyKey, KeyHash, RowSecret};
use crate::id::LineageId;
use crate::secret::{Secret, sha256};
use crate::time::Timestamp;

const PREFIX: &str = "tnr1_";
const PAYLOAD: usize = 48;
const SEAL: usize = 8;
const TAG: usize = 16;
const BINARY: usize = PAYLOAD + SEAL + TAG;
const BODY: usize = BINARY / 3 * 4;
const CHECKSUM: usize = 6;

/// Characters of a refresh token.
pub const TOKEN_LENGTH: usize = PREFIX.len() + BODY + CHECKSUM;

/// Tells siblings apart: eight random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub [u8; 8]);

impl TokenId {
    /// The parent of a first token.
    pub const NONE: Self = Self([0; 8]);
}

/// What a refresh token says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// Its session.
    pub lineage: LineageId,
    /// One more than that of the token it was issued for.
    pub generation: u32,
    /// Its own id.
    pub id: TokenId,
    /// The id of the token that was presented to get this one.
    pub parent: TokenId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Hash of the idempotency key it was derived from, or [`KeyHash::NONE`].
    pub made_by: KeyHash,
}

impl Content {
    /// The successor of this token: its id is `fresh`, or derived from the idempotency key, so that
    /// the same attempt gets the same successor. `None` where the generations are used up.
    ///
    /// A key that made this very token is ignored: a constant key must not let two holders converge.
    pub fn successor(
        &self,
        secret: &RowSecret,
        fresh: TokenId,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Option<Self> {
        let key = key.filter(|key| key.hash() != self.made_by);
        Some(Self {
            lineage: self.lineage,
            generation: self.generation.checked_add(1)?,
            id: key.map_or(fresh, |key| derived_id(secret, self.id, key)),
            parent: self.id,
            issued_at: now,
            made_by: key.map_or(KeyHash::NONE, IdempotencyKey::hash),
        })
    }

    fn payload(&self, key: MacKeyId) -> [u8; PAYLOAD] {
        let issued_at = u32::try_from(self.issued_at.0).unwrap_or(u32::MAX);
        let mut payload = [0; PAYLOAD];
        let fields: [&[u8]; 7] = [
            &key.0,
            self.lineage.0.as_bytes(),
            &self.generation.to_be_bytes(),
            &self.id.0,
            &self.parent.0,
            &issued_at.to_be_bytes(),
            &self.made_by.to_be_bytes(),
        ];
        for (place, byte) in payload.iter_mut().zip(fields.into_iter().flatten()) {
            *place = *byte;
        }
        payload
    }

    fn read(payload: &[u8; PAYLOAD]) -> Self {
        let mut fields = Fields(payload);
        let _key: [u8; 4] = fields.take();
        Self {
            lineage: LineageId(uuid::Uuid::from_bytes(fields.take())),
            generation: u32::from_be_bytes(fields.take()),
            id: TokenId(fields.take()),
            parent: TokenId(fields.take()),
            issued_at: Timestamp(u64::from(u32::from_be_bytes(fields.take()))),
            made_by: KeyHash::from_be_bytes(fields.take()),
        }
    }
}

fn derived_id(secret: &RowSecret, presented: TokenId, key: &IdempotencyKey) -> TokenId {
    TokenId(head_of(
        secret
            .hmac(&[b"successor", &presented.0, key.bytes()])
            .as_ref(),
    ))
}

/// A token whose tag was verified; only [`MacKeys::read`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    content: Content,
    payload: [u8; PAYLOAD],
    seal: [u8; SEAL],
}

impl Token {
    /// What it says.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// True where the row's own secret sealed it, in constant time.
    pub fn is_sealed_by(&self, secret: &RowSecret) -> bool {
        let expected: [u8; SEAL] = head_of(secret.hmac(&[&self.payload]).as_ref());
        constant_time::verify_slices_are_equal(&expected, &self.seal).is_ok()
    }
}

// The seal is what keeps a leaked MAC key from forging: it stays out of logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.content).finish()
    }
}

/// Why a presented text is no token of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// Shape, checksum or tag is wrong.
    Garbage,
    /// Made under a key that no living token can have been made under.
    RetiredKey,
    /// Made under a key that this server does not have, and that is not on the list of retired keys.
    MissingKey(MacKeyId),
}

/// Names a MAC key: a fingerprint of it, so that a server can tell a key it lacks from garbage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MacKeyId(pub [u8; 4]);

impl fmt::Display for MacKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MacKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKeyId({self})")
    }
}

/// A key that tags refresh tokens.
#[derive(Clone)]
pub struct MacKey {
    id: MacKeyId,
    key: hmac::Key,
}

impl MacKey {
    /// From 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let mut named = b"tenure mac key id".to_vec();
        named.extend_from_slice(bytes);
        let id = MacKeyId(head_of(&sha256(&named)));
        Self {
            id,
            key: hmac::Key::new(hmac::HMAC_SHA256, bytes),
        }
    }

    /// Its name.
    pub fn id(&self) -> MacKeyId {
        self.id
    }

    fn tag(&self, signed: &[u8]) -> [u8; TAG] {
        head_of(hmac::sign(&self.key, signed).as_ref())
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({})", self.id)
    }
}

/// The MAC keys of one server: it writes under one, reads under several, and knows which are over.
#[derive(Clone, Debug)]
pub struct MacKeys {
    writing: MacKey,
    reading: Vec<MacKey>,
    retired: Vec<MacKeyId>,
}

impl MacKeys {
    /// `writing` tags new tokens; tokens under it or under any of `reading` are accepted; those under
    /// `retired` are past every lifetime.
    pub fn new(writing: MacKey, reading: Vec<MacKey>, retired: Vec<MacKeyId>) -> Self {
        Self {
            writing,
            reading,
            retired,
        }
    }

    /// The key that tags new tokens.
    pub fn writing(&self) -> MacKeyId {
        self.writing.id
    }

    /// Writes a token for the client.
    pub fn write(&self, content: &Content, secret: &RowSecret) -> Secret {
        let mut binary = Vec::with_capacity(BINARY);
        binary.extend_from_slice(&content.payload(self.writing.id));
        let seal: [u8; SEAL] = head_of(secret.hmac(&[&binary]).as_ref());
        binary.extend_from_slice(&seal);
        let tag = self.writing.tag(&binary);
        binary.extend_from_slice(&tag);
        let mut text = String::with_capacity(TOKEN_LENGTH);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(&binary, &mut text);
        let checksum = crc32fast::hash(text.as_bytes());
        URL_SAFE_NO_PAD.encode_string(checksum.to_be_bytes(), &mut text);
        Secret::new(text)
    }

    /// Reads what a client presented. Needs no row: garbage is refused before the store is asked.
    pub fn read(&self, presented: &str) -> Result<Token, Unreadable> {
        let binary = binary(presented).ok_or(Unreadable::Garbage)?;
        let mut fields = Fields(&binary);
        let payload: [u8; PAYLOAD] = fields.take();
        let seal: [u8; SEAL] = fields.take();
        let tag: [u8; TAG] = fields.take();
        let id = MacKeyId(head_of(&payload));
        let key = self.key(id)?;
        let signed = binary.get(..PAYLOAD + SEAL).ok_or(Unreadable::Garbage)?;
        constant_time::verify_slices_are_equal(&key.tag(signed), &tag)
            .map_err(|_| Unreadable::Garbage)?;
        Ok(Token {
            content: Content::read(&payload),
            payload,
            seal,
        })
    }

    fn key(&self, id: MacKeyId) -> Result<&MacKey, Unreadable> {
        if self.retired.contains(&id) {
            return Err(Unreadable::RetiredKey);
        }
        std::iter::once(&self.writing)
            .chain(&self.reading)
            .find(|key| key.id == id)
            .ok_or(Unreadable::MissingKey(id))
    }
}

/// The bytes of a token whose shape and checksum are right.
fn binary(presented: &str) -> Option<[u8; BINARY]> {
    if presented.len() != TOKEN_LENGTH {
        return None;
    }
    let (checked, checksum) = presented.split_at_checked(TOKEN_LENGTH - CHECKSUM)?;
    let expected = crc32fast::hash(checked.as_bytes()).to_be_bytes();
    if URL_SAFE_NO_PAD.decode(checksum).ok()? != expected {
        return None;
    }
    let body = checked.strip_prefix(PREFIX)?;
    let mut binary = [0; BINARY];
    URL_SAFE_NO_PAD.decode_slice(body, &mut binary).ok()?;
    Some(binary)
}

/// Takes fixed-size fields off the front of a buffer that is known to be long enough.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let field = head_of(self.0);
        self.0 = self.0.get(N..).unwrap_or_default();
        field
    }
}

/// The first `N` bytes; every caller's slice is at least that long.
fn head_of<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut head = [0; N];
    for (place, byte) in head.iter_mut().zip(bytes) {
        *place = *byte;
    }
    head
}
