//! The session log: which sessions began and ended, kept apart from the sessions themselves.
//!
//! A database that comes back older than it was (a restored backup, a failover to a replica that
//! lagged) has forgotten sign-ins and sign-outs that were acknowledged. The log has not: what the
//! database lacks is replayed before it serves. Rotations are not in it, the rule heals their loss.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{Cut, Device, Grant, Revocation, Row, RowSecret, TokenId};
use tenure_core::time::Timestamp;

use crate::StoreError;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A session began: tells one that a backup lacks from one that never was.
    Created {
        /// Which.
        lineage: LineageId,
        /// When.
        at: Timestamp,
        /// All that is needed to make it again; logs of older programs lack it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begun: Option<Box<Begun>>,
    },
    /// A session ended.
    Revoked {
        /// Which.
        lineage: LineageId,
        /// When and why.
        #[serde(flatten)]
        why: Revocation,
    },
    /// Every sign-in of a subject up to a moment is void; the sessions that it ended follow.
    Cut {
        /// Whose.
        subject: Subject,
        /// From when and why.
        #[serde(flatten)]
        cut: Cut,
        /// The session that goes on.
        keep: Option<LineageId>,
    },
    /// Rows that nobody can need any more were deleted.
    Deleted {
        /// Which.
        lineages: Vec<LineageId>,
        /// When the last of them would have ended anyway: after it nobody needs this entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

/// A session as it was when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    #[serde(with = "hexadecimal")]
    secret: RowSecret,
    first: u64,
    grant: Grant,
    /// Seconds.
    idle: u64,
    expires_absolute: Timestamp,
    device: Device,
    dpop_jkt: Option<String>,
}

impl Entry {
    /// That a session began.
    pub fn created(row: &Row) -> Self {
        let begun = Begun {
            secret: row.secret.clone(),
            first: u64::from_be_bytes(row.head.id.0),
            grant: row.grant.clone(),
            idle: row.idle.as_secs(),
            expires_absolute: row.expires_absolute,
            device: row.device.clone(),
            dpop_jkt: row.dpop_jkt.clone(),
        };
        Self::Created {
            lineage: row.lineage,
            at: row.created_at,
            begun: Some(Box::new(begun)),
        }
    }

    /// Whether it tells of this session; a cut does of the one that goes on.
    pub(crate) fn concerns(&self, session: LineageId) -> bool {
        match self {
            Self::Created { lineage, .. } | Self::Revoked { lineage, .. } => *lineage == session,
            Self::Cut { keep, .. } => *keep == Some(session),
            Self::Deleted { lineages, .. } => lineages.contains(&session),
        }
    }

    /// When what it tells of happened, where it says so.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Created { at, .. } => Some(*at),
            Self::Revoked { why, .. } => Some(why.at),
            Self::Cut { cut, .. } => Some(cut.before),
            Self::Deleted { .. } => None,
        }
    }
}

/// That a subject's sessions ended, each part where it belongs: the cut with the subject, and with
/// the session that goes on, since only that shard tells when that session is there to be spared;
/// every end with its session.
pub fn cut_entries(
    subject: &Subject,
    cut: Cut,
    keep: Option<LineageId>,
    ended: &[LineageId],
) -> Vec<(Shard, Entry)> {
    let whole = Entry::Cut {
        subject: subject.clone(),
        cut,
        keep,
    };
    let why = Revocation {
        at: cut.before,
        cause: cut.cause,
    };
    let mut entries = vec![(Shard::of_subject(subject), whole.clone())];
    entries.extend(keep.map(|kept| (Shard::of(kept), whole)));
    let ends = ended.iter().map(|&lineage| {
        let end = Entry::Revoked { lineage, why };
        (Shard::of(lineage), end)
    });
    entries.extend(ends);
    entries
}

/// That rows were deleted, of which each would have lived until its absolute limit: one entry in
/// each shard that had some.
pub fn deletion_entries(rows: &[(LineageId, Timestamp)]) -> Vec<(Shard, Entry)> {
    let mut shards: BTreeMap<Shard, (Vec<LineageId>, Option<Timestamp>)> = BTreeMap::new();
    for &(lineage, limit) in rows {
        let (lineages, until) = shards.entry(Shard::of(lineage)).or_default();
        lineages.push(lineage);
        *until = (*until).max(Some(limit));
    }
    let deleted = |(shard, (lineages, until))| (shard, Entry::Deleted { lineages, until });
    shards.into_iter().map(deleted).collect()
}

impl Begun {
    /// Whose it is.
    pub fn subject(&self) -> &Subject {
        &self.grant.subject
    }

    /// When it ends at the latest.
    pub fn expires_absolute(&self) -> Timestamp {
        self.expires_absolute
    }

    /// The row of the session before any refresh: its holder is ahead of it, and is adopted.
    pub fn row(&self, lineage: LineageId, at: Timestamp) -> Row {
        let idle = Duration::from_secs(self.idle);
        let absolute = self.expires_absolute.since(at);
        let secret = self.secret.clone();
        let first = TokenId(self.first.to_be_bytes());
        let grant = self.grant.clone();
        Row {
            device: self.device.clone(),
            dpop_jkt: self.dpop_jkt.clone(),
            ..Row::new(lineage, secret, first, grant, (idle, absolute), at)
        }
    }
}

/// The secret of a row as 32 hexadecimal digits.
mod hexadecimal {
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;
    use tenure_core::lineage::RowSecret;

    pub(super) fn serialize<S: Serializer>(secret: &RowSecret, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:032x}", u128::from_be_bytes(secret.0)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RowSecret, D::Error> {
        let text = String::deserialize(from)?;
        let value = u128::from_str_radix(&text, 16).map_err(D::Error::custom)?;
        Ok(RowSecret(value.to_be_bytes()))
    }
}

/// A part of the log with an order of its own, so that writers of different sessions seldom meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u16);

impl Shard {
    /// How many there are; part of what is stored, so it never changes.
    pub const COUNT: u16 = 1024;

    /// Where a session belongs: by the random end of its id.
    pub fn of(lineage: LineageId) -> Self {
        let [.., high, low] = lineage.0.into_bytes();
        Self(u16::from_be_bytes([high, low]) % Self::COUNT)
    }

    /// Where what concerns a whole account belongs.
    pub fn of_subject(subject: &Subject) -> Self {
        // FNV-1a, 32 bits (draft-eastlake-fnv): spreads well enough, and will never change.
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let hash = subject.as_str().bytes().fold(0x811c_9dc5, step);
        let [.., high, low] = (hash ^ (hash >> 16)).to_be_bytes();
        Self(u16::from_be_bytes([high, low]) % Self::COUNT)
    }
}

/// Where an entry stands: the positions of a shard are 1, 2, 3 … in the order of their commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The shard.
    pub shard: Shard,
    /// Its entry; 0 stands before the first.
    pub at: u64,
}

/// The shards that entries concern, each once, in the order in which every writer takes them.
pub(crate) fn shards_of(entries: &[(Shard, Entry)]) -> BTreeSet<Shard> {
    entries.iter().map(|(shard, _)| *shard).collect()
}

/// What is found of an entry without reading it.
pub(crate) struct Facts<'a> {
    pub(crate) kind: &'static str,
    pub(crate) lineage: Option<LineageId>,
    pub(crate) subject: Option<&'a Subject>,
    pub(crate) at: Option<Timestamp>,
    /// After it nobody needs the entry, where the entry itself says so.
    pub(crate) until: Option<Timestamp>,
}

impl<'a> Facts<'a> {
    /// Of an entry in a shard.
    pub(crate) fn of(shard: Shard, entry: &'a Entry) -> Self {
        let none = Self {
            kind: "deleted",
            lineage: None,
            subject: None,
            at: None,
            until: None,
        };
        match entry {
            Entry::Created { lineage, at, begun } => Self {
                kind: "created",
                lineage: Some(*lineage),
                subject: begun.as_deref().map(Begun::subject),
                at: Some(*at),
                until: begun.as_deref().map(Begun::expires_absolute),
            },
            Entry::Revoked { lineage, why } => Self {
                kind: "revoked",
                lineage: Some(*lineage),
                at: Some(why.at),
                ..none
            },
            Entry::Cut { subject, cut, keep } => Self {
                kind: "cut",
                // With the session that goes on, it is of no use once that is deleted.
                lineage: keep.filter(|_| shard != Shard::of_subject(subject)),
                subject: Some(subject),
                at: Some(cut.before),
                ..none
            },
            Entry::Deleted { until, .. } => Self {
                until: *until,
                ..none
            },
        }
    }
}

/// What a log does for a store that keeps sessions elsewhere.
#[async_trait]
pub trait SessionLog: Send + Sync + std::fmt::Debug {
    /// Tells this log from every other: random, made with it.
    async fn id(&self) -> Result<String, StoreError>;

    /// Where it is, without a password.
    fn place(&self) -> String;

    /// Appends in one transaction, durable before it returns, and says where each entry stands. Cuts
    /// and deletions concern many sessions: one entry stands in the shard of each.
    async fn append(&self, entries: &[(Shard, Entry)]) -> Result<Vec<Position>, StoreError>;

    /// Lets the next position of each shard be past these, which are known to have been given out: a
    /// log that came back older than it was gives none out twice. Durable before it returns; answers
    /// whether any had to be raised.
    async fn raise(&self, least: &[Position]) -> Result<bool, StoreError>;

    /// The last position of every shard that has one.
    async fn heads(&self) -> Result<Vec<Position>, StoreError>;

    /// Entries of a shard after a position, oldest first, at most `limit`; positions may be missing
    /// where old entries were removed.
    async fn after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Vec<(Position, Entry)>, StoreError>;

    /// How a session ended.
    async fn end_of(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError>;

    /// What it has of one session that was not deleted, oldest first: that it began, that it ended,
    /// and the cuts that spare it.
    async fn entries_of(&self, lineage: LineageId) -> Result<Vec<Entry>, StoreError>;

    /// The cut of a subject as committed, for a store that keeps sessions elsewhere.
    async fn cut_of(&self, subject: &Subject) -> Result<Option<Cut>, StoreError>;

    /// Sets the cut of a subject unless a later one stands, durable and seen by every later
    /// [`SessionLog::cut_of`] before it returns, and lets [`Store::version`](crate::Store::version)
    /// grow. Ends and logs nothing: who keeps the sessions appends [`cut_entries`] after it, and a
    /// session whose beginning is appended later finds the cut.
    async fn set_cut(&self, subject: &Subject, cut: Cut) -> Result<(), StoreError>;

    /// The sessions of a subject that began and were not deleted.
    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<LineageId>, StoreError>;

    /// Those of these sessions whose beginning it does not tell of.
    async fn unlisted(&self, lineages: &[LineageId]) -> Result<Vec<LineageId>, StoreError>;

    /// Sessions that began and were not deleted, in order of their ids, after `after`.
    async fn sessions(
        &self,
        after: Option<LineageId>,
        limit: u32,
    ) -> Result<Vec<LineageId>, StoreError>;

    /// Removes entries of sessions whose absolute limit has passed; answers how many.
    async fn compact(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
