//! The names of keys. What is in braces decides the slot of a cluster, so keys that one script
//! changes share them.

use std::fmt::Write as _;

use tenure_core::id::{LineageId, Subject};
use uuid::Uuid;

use crate::{Part, Shard, TicketHash, TicketKind};

const DEVICE: &str = "device";

/// Names keys under a prefix.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
}

/// A part of the tickets and device authorizations: those whose hash begins with this digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket(u8);

impl Bucket {
    /// All of them; a question about all records asks as many times.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..16).map(Self)
    }

    pub(super) fn of(hash: &TicketHash) -> Self {
        let [first, ..] = hash;
        Self(first >> 4)
    }
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// How far this shard has got in the session log.
    pub(super) fn position(&self, shard: Shard) -> String {
        format!("{{{}:{}}}:log", self.prefix, shard.0)
    }

    /// Says that this shard was replayed, and since when the sweep knows it.
    pub(super) fn replayed(&self, shard: Shard) -> String {
        format!("{{{}:{}}}:replayed", self.prefix, shard.0)
    }

    pub(super) fn session(&self, lineage: LineageId) -> String {
        let shard = Shard::of(lineage).0;
        format!("{{{}:{shard}}}:s:{}", self.prefix, lineage.0.simple())
    }

    /// Matches every session.
    pub(super) fn sessions(&self) -> String {
        format!("{{{}:*}}:s:*", self.prefix)
    }

    /// The session that a key names.
    pub(super) fn lineage(key: &str) -> Option<LineageId> {
        let (_, lineage) = key.rsplit_once(':')?;
        Uuid::try_parse(lineage).ok().map(LineageId)
    }

    /// For the check, in the slot of a shard.
    pub(super) fn scratch(&self, shard: Shard, name: &str) -> String {
        format!("{{{}:{}}}:check:{name}", self.prefix, shard.0)
    }

    /// Which servers it was at the last look.
    pub(super) fn runs(&self) -> String {
        format!("{}:runs", self.prefix)
    }

    /// Which log this server is served by.
    pub(super) fn served_by(&self) -> String {
        format!("{}:served-by", self.prefix)
    }

    pub(super) fn ticket(&self, kind: TicketKind, hash: &TicketHash) -> String {
        self.record(kind.as_str(), hash)
    }

    pub(super) fn device(&self, code: &TicketHash) -> String {
        self.record(DEVICE, code)
    }

    /// Who claimed a user code: another slot than the device's.
    pub(super) fn user_code(&self, user_code: &TicketHash) -> String {
        self.record("user_code", user_code)
    }

    /// Whether it names a ticket, or a device authorization.
    pub(super) fn is_of(part: Part, key: &str) -> bool {
        let kind = key.rsplit(':').nth(1);
        match part {
            Part::Devices => kind == Some(DEVICE),
            Part::Tickets => kind.is_some_and(|kind| TicketKind::parse(kind).is_some()),
            _ => false,
        }
    }

    /// The kind and the hash that a key of a record names.
    pub(super) fn named(key: &str) -> Option<(&str, TicketHash)> {
        let mut parts = key.rsplit(':');
        let (text, kind) = (parts.next()?, parts.next()?);
        let mut hash = TicketHash::default();
        if text.len() != 2 * hash.len() {
            return None;
        }
        for (at, byte) in hash.iter_mut().enumerate() {
            let digits = text.get(2 * at..2 * at + 2)?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some((kind, hash))
    }

    fn record(&self, kind: &str, hash: &TicketHash) -> String {
        let mut key = format!("{{{}:{}}}:{kind}:", self.prefix, label(Bucket::of(hash)));
        for byte in hash {
            // Writing to a string does not fail.
            let _ = write!(key, "{byte:02x}");
        }
        key
    }

    /// The records of the bucket of `hash` in order of their ends.
    pub(super) fn ends_with(&self, hash: &TicketHash) -> String {
        self.ends(Bucket::of(hash))
    }

    /// The records of a bucket in order of their ends.
    pub(super) fn ends(&self, bucket: Bucket) -> String {
        format!("{{{}:{}}}:ends", self.prefix, label(bucket))
    }

    /// The records of a subject in the bucket of `hash`.
    pub(super) fn theirs_with(&self, hash: &TicketHash, subject: &Subject) -> String {
        self.theirs(Bucket::of(hash), subject)
    }

    /// The records of a subject in a bucket.
    pub(super) fn theirs(&self, bucket: Bucket, subject: &Subject) -> String {
        let tag = label(bucket);
        format!("{{{}:{tag}}}:of:{}", self.prefix, subject.as_str())
    }
}

fn label(bucket: Bucket) -> String {
    format!("t{:x}", bucket.0)
}
