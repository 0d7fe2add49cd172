//! Tickets and device authorizations: one key each, found by the hash of a secret.
//!
//! A change is read, decided here and written only where the record is still what was read. Its
//! bucket, which is a slot of a cluster, keeps its records in order of their ends and by subject, so
//! that the sweep and a sign-out everywhere find them.

use redis::cmd;
use serde::{Deserialize, Serialize};
use tenure_core::id::{ClientId, Subject};
use tenure_core::time::Timestamp;

use super::error::damaged;
use super::inner::Inner;
use super::keys::{Bucket, Keys};
use super::scripts::{ADD, DROP, REPLACE};
use super::{devices, tickets};
use crate::device::KEEP_EXPIRED;
use crate::{Record, StoreError, TicketHash, TicketKind};

/// How often others may change a record between reading and writing: more than as many as ever
/// present one secret at the same moment, of whom one gets through each time.
pub(super) const ATTEMPTS: usize = 256;

/// What stands in a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stored {
    /// A ticket, without what its key says.
    Ticket {
        subject: Option<Subject>,
        expires_at: Timestamp,
        used_at: Option<Timestamp>,
        payload: String,
    },
    /// A device authorization, without its code.
    Device {
        user_code: TicketHash,
        client: ClientId,
        payload: String,
        expires_at: Timestamp,
        /// Seconds.
        interval: u64,
        polled_at: Option<Timestamp>,
        decision: Option<Said>,
        used: Option<(Timestamp, Option<TicketHash>)>,
    },
    /// A user code, which belongs to the device authorization of this code.
    UserCode { code: TicketHash, until: Timestamp },
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    Allowed(Subject, Timestamp),
    Denied,
}

/// A record and its text, which a change has to find again.
pub(super) struct Read {
    pub(super) text: String,
    pub(super) stored: Stored,
}

impl Stored {
    /// When the sweep may delete it: after this.
    pub(super) fn end(&self) -> Timestamp {
        match self {
            Self::Ticket { expires_at, .. } => *expires_at,
            Self::Device { expires_at, .. } => *expires_at + KEEP_EXPIRED,
            Self::UserCode { until, .. } => *until,
        }
    }

    fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Ticket { subject, .. } => subject.as_ref(),
            Self::Device {
                decision: Some(Said::Allowed(subject, _)),
                ..
            } => Some(subject),
            Self::Device { .. } | Self::UserCode { .. } => None,
        }
    }

    fn text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|why| StoreError::Damaged(why.to_string()))
    }
}

impl Inner {
    pub(super) async fn add(
        &self,
        hash: &TicketHash,
        key: &str,
        stored: &Stored,
    ) -> Result<bool, StoreError> {
        let ends = self.keys.ends_with(hash);
        let mut call = ADD.call(&[key, &ends]);
        if let Some(subject) = stored.subject() {
            call = call.key(&self.keys.theirs_with(hash, subject));
        }
        let call = call.bytes(stored.text()?).number(stored.end().0);
        let added: u32 = self.counted(call.run(&self.link).await)?;
        Ok(added == 1)
    }

    pub(super) async fn find(&self, key: &str) -> Result<Option<Read>, StoreError> {
        let text: Option<String> = self.link.ask(cmd("GET").arg(key)).await?;
        let Some(text) = text else {
            return Ok(None);
        };
        let stored = stored(&text)?;
        Ok(Some(Read { text, stored }))
    }

    /// False where somebody else changed it meanwhile.
    pub(super) async fn replace(
        &self,
        hash: &TicketHash,
        key: &str,
        read: &Read,
        wanted: &Stored,
    ) -> Result<bool, StoreError> {
        let mut call = REPLACE.call(&[key]);
        if let (None, Some(subject)) = (read.stored.subject(), wanted.subject()) {
            call = call.key(&self.keys.theirs_with(hash, subject));
        }
        let call = call.bytes(read.text.as_str()).bytes(wanted.text()?);
        let replaced: u32 = self.counted(call.run(&self.link).await)?;
        Ok(replaced == 1)
    }

    /// Deletes whatever stands there in the end; false where nothing did.
    pub(super) async fn drop_record(
        &self,
        bucket: Bucket,
        key: &str,
    ) -> Result<Option<Stored>, StoreError> {
        for _ in 0..ATTEMPTS {
            let read = self.find(key).await?;
            let mut call = DROP.call(&[key, &self.keys.ends(bucket)]);
            if let Some(subject) = read.as_ref().and_then(|read| read.stored.subject()) {
                call = call.key(&self.keys.theirs(bucket, subject));
            }
            let text = read.as_ref().map_or("", |read| read.text.as_str());
            let dropped: u32 = self.counted(call.bytes(text).run(&self.link).await)?;
            if dropped == 1 || read.is_none() {
                return Ok(read.map(|read| read.stored));
            }
        }
        Err(contended())
    }

    /// Every record of a subject, bucket by bucket.
    pub(super) async fn drop_tickets_of(&self, subject: &Subject) -> Result<(), StoreError> {
        for bucket in Bucket::all() {
            let theirs = self.keys.theirs(bucket, subject);
            let keys: Vec<String> = self.link.ask(cmd("SMEMBERS").arg(theirs)).await?;
            for key in keys {
                self.drop_whole(bucket, &key).await?;
            }
        }
        Ok(())
    }

    /// With the user code where it has one, which then leads nowhere; false where nothing was there.
    pub(super) async fn drop_whole(&self, bucket: Bucket, key: &str) -> Result<bool, StoreError> {
        let dropped = self.drop_record(bucket, key).await?;
        if let Some(Stored::Device { user_code, .. }) = &dropped {
            let key = self.keys.user_code(user_code);
            self.drop_record(Bucket::of(user_code), &key).await?;
        }
        Ok(matches!(
            dropped,
            Some(Stored::Ticket { .. } | Stored::Device { .. })
        ))
    }

    /// What stands in keys of one bucket, for another store; of some nothing may any more.
    pub(super) async fn records_at(&self, keys: &[String]) -> Result<Vec<Record>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<Option<String>> = self.link.ask(cmd("MGET").arg(keys)).await?;
        let mut records = Vec::with_capacity(keys.len());
        for (key, text) in keys.iter().zip(texts) {
            let (Some((kind, hash)), Some(text)) = (Keys::named(key), text) else {
                continue;
            };
            let stored = stored(&text)?;
            records.extend(match TicketKind::parse(kind) {
                Some(kind) => tickets::ticket(kind, hash, stored).map(Record::Ticket),
                None => devices::device(hash, stored).map(Record::Device),
            });
        }
        Ok(records)
    }

    /// Deletes up to `limit` records whose end has passed.
    pub(super) async fn sweep_records(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for bucket in Bucket::all() {
            let mut ended = cmd("ZRANGEBYSCORE");
            ended
                .arg(self.keys.ends(bucket))
                .arg("-inf")
                .arg(format!("({}", now.0))
                .arg("LIMIT")
                .arg(0)
                .arg(u64::from(limit) - dropped);
            let keys: Vec<String> = self.link.ask(&ended).await?;
            for key in keys {
                dropped += u64::from(self.drop_whole(bucket, &key).await?);
            }
        }
        Ok(dropped)
    }
}

fn stored(text: &str) -> Result<Stored, StoreError> {
    serde_json::from_str(text).map_err(|why| damaged(&format!("a ticket: {why}")))
}

pub(super) fn contended() -> StoreError {
    StoreError::Busy("too many change one ticket at the same time".to_owned())
}
