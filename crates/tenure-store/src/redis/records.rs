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
use crate::device::KEEP_EXPIRED;
use crate::{
    Decision, Device, Polled, Record, StoreError, Taken, Ticket, TicketHash, TicketKind, Used,
    Written,
};

/// How often others may change a record between reading and writing: more than as many as ever
/// present one secret at the same moment, of whom one gets through each time.
const ATTEMPTS: usize = 256;

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
struct Read {
    text: String,
    stored: Stored,
}

impl Stored {
    /// When the sweep may delete it: after this.
    fn end(&self) -> Timestamp {
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
    async fn add(&self, hash: &TicketHash, key: &str, stored: &Stored) -> Result<bool, StoreError> {
        let ends = self.keys.ends_with(hash);
        let mut call = ADD.call(&[key, &ends]);
        if let Some(subject) = stored.subject() {
            call = call.key(&self.keys.theirs_with(hash, subject));
        }
        let call = call.bytes(stored.text()?).number(stored.end().0);
        let added: u32 = self.counted(call.run(&self.link).await)?;
        Ok(added == 1)
    }

    async fn find(&self, key: &str) -> Result<Option<Read>, StoreError> {
        let text: Option<String> = self.link.ask(cmd("GET").arg(key)).await?;
        let Some(text) = text else {
            return Ok(None);
        };
        let stored = serde_json::from_str(&text);
        let stored = stored.map_err(|why| damaged(&format!("a ticket: {why}")))?;
        Ok(Some(Read { text, stored }))
    }

    /// False where somebody else changed it meanwhile.
    async fn replace(
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
    async fn drop_record(&self, bucket: Bucket, key: &str) -> Result<Option<Stored>, StoreError> {
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

    pub(super) async fn add_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let stored = Stored::Ticket {
            subject: ticket.subject.clone(),
            expires_at: ticket.expires_at,
            used_at: ticket.used_at,
            payload: ticket.payload.clone(),
        };
        let key = self.keys.ticket(ticket.kind, &ticket.hash);
        if self.add(&ticket.hash, &key, &stored).await? {
            return Ok(());
        }
        Err(damaged("this ticket exists"))
    }

    pub(super) async fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError> {
        let read = self.find(&self.keys.ticket(kind, &hash)).await?;
        let ticket = read.and_then(|read| ticket(kind, hash, read.stored));
        Ok(ticket.filter(|ticket| now <= ticket.expires_at))
    }

    pub(super) async fn take_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        let key = self.keys.ticket(kind, &hash);
        for _ in 0..ATTEMPTS {
            let Some(read) = self.find(&key).await? else {
                return Ok(Taken::Missing);
            };
            match ticket(kind, hash, read.stored.clone()) {
                Some(found) if now <= found.expires_at && found.used_at.is_some() => {
                    return Ok(Taken::Before(found));
                }
                Some(mut found) if now <= found.expires_at => {
                    let mut wanted = read.stored.clone();
                    found.used_at = Some(now);
                    if let Stored::Ticket { used_at, .. } = &mut wanted {
                        *used_at = Some(now);
                    }
                    if self.replace(&hash, &key, &read, &wanted).await? {
                        return Ok(Taken::Now(found));
                    }
                }
                _ => return Ok(Taken::Missing),
            }
        }
        Err(contended())
    }

    pub(super) async fn drop_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
    ) -> Result<(), StoreError> {
        let key = self.keys.ticket(kind, &hash);
        self.drop_record(Bucket::of(&hash), &key).await?;
        Ok(())
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
    async fn drop_whole(&self, bucket: Bucket, key: &str) -> Result<bool, StoreError> {
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

    /// The user code first: whoever stops in between leaves one that leads nowhere until it expires.
    pub(super) async fn add_device(&self, device: &Device) -> Result<Written, StoreError> {
        let stored = store_device(device);
        let (key, claim) = (
            self.keys.device(&device.code),
            self.keys.user_code(&device.user_code),
        );
        let claimed = Stored::UserCode {
            code: device.code,
            until: stored.end(),
        };
        if !self.add(&device.user_code, &claim, &claimed).await? {
            return Ok(Written::Lost);
        }
        if self.add(&device.code, &key, &stored).await? {
            return Ok(Written::Now);
        }
        self.drop_record(Bucket::of(&device.user_code), &claim)
            .await?;
        Ok(Written::Lost)
    }

    async fn code_of(&self, user_code: TicketHash) -> Result<Option<TicketHash>, StoreError> {
        let read = self.find(&self.keys.user_code(&user_code)).await?;
        Ok(read.and_then(|read| match read.stored {
            Stored::UserCode { code, .. } => Some(code),
            _ => None,
        }))
    }

    pub(super) async fn device(
        &self,
        user_code: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        let Some(code) = self.code_of(user_code).await? else {
            return Ok(None);
        };
        let read = self.find(&self.keys.device(&code)).await?;
        let device = read.and_then(|read| device(code, read.stored));
        Ok(device.filter(|device| device.user_code == user_code && now <= device.expires_at))
    }

    pub(super) async fn decide_device(
        &self,
        user_code: TicketHash,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let Some(code) = self.code_of(user_code).await? else {
            return Ok(Written::Lost);
        };
        let decide = |device: &mut Device| {
            let theirs = device.user_code == user_code;
            Written::if_any((theirs && device.decide(decision, now)).into())
        };
        let decided = self.change_device(code, decide).await?;
        Ok(decided.unwrap_or(Written::Lost))
    }

    pub(super) async fn poll_device(
        &self,
        code: TicketHash,
        client: &ClientId,
        key: Option<TicketHash>,
        now: Timestamp,
    ) -> Result<Polled, StoreError> {
        let poll = |device: &mut Device| {
            if device.client == *client {
                device.poll(key, now)
            } else {
                Polled::Missing
            }
        };
        let polled = self.change_device(code, poll).await?;
        Ok(polled.unwrap_or(Polled::Missing))
    }

    pub(super) async fn change_device<T>(
        &self,
        code: TicketHash,
        change: impl Fn(&mut Device) -> T,
    ) -> Result<Option<T>, StoreError> {
        let key = self.keys.device(&code);
        for _ in 0..ATTEMPTS {
            let Some(read) = self.find(&key).await? else {
                return Ok(None);
            };
            let Some(before) = device(code, read.stored.clone()) else {
                return Err(damaged("a device authorization"));
            };
            let mut after = before.clone();
            let answer = change(&mut after);
            if after == before
                || self
                    .replace(&code, &key, &read, &store_device(&after))
                    .await?
            {
                return Ok(Some(answer));
            }
        }
        Err(contended())
    }

    /// Takes the use of a ticket over that has none here; false where it has.
    pub(super) async fn use_ticket(&self, used: &Ticket) -> Result<bool, StoreError> {
        let key = self.keys.ticket(used.kind, &used.hash);
        for _ in 0..ATTEMPTS {
            let Some(read) = self.find(&key).await? else {
                return Ok(false);
            };
            let mut wanted = read.stored.clone();
            match &mut wanted {
                Stored::Ticket { used_at, .. } if used_at.is_none() => *used_at = used.used_at,
                _ => return Ok(false),
            }
            if self.replace(&used.hash, &key, &read, &wanted).await? {
                return Ok(true);
            }
        }
        Err(contended())
    }

    /// What stands in a key, for another store; `None` where nothing does any more.
    pub(super) async fn record_at(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let Some((kind, hash)) = Keys::named(key) else {
            return Ok(None);
        };
        let Some(Read { stored, .. }) = self.find(key).await? else {
            return Ok(None);
        };
        Ok(match TicketKind::parse(kind) {
            Some(kind) => ticket(kind, hash, stored).map(Record::Ticket),
            None => device(hash, stored).map(Record::Device),
        })
    }

    pub(super) async fn drop_device(&self, code: TicketHash) -> Result<(), StoreError> {
        let key = self.keys.device(&code);
        self.drop_whole(Bucket::of(&code), &key).await?;
        Ok(())
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

fn ticket(kind: TicketKind, hash: TicketHash, stored: Stored) -> Option<Ticket> {
    match stored {
        Stored::Ticket {
            subject,
            expires_at,
            used_at,
            payload,
        } => Some(Ticket {
            kind,
            hash,
            subject,
            expires_at,
            used_at,
            payload,
        }),
        _ => None,
    }
}

fn store_device(device: &Device) -> Stored {
    let said = |decision: &Decision| match decision {
        Decision::Allowed { subject, auth_time } => Said::Allowed(subject.clone(), *auth_time),
        Decision::Denied => Said::Denied,
    };
    Stored::Device {
        user_code: device.user_code,
        client: device.client.clone(),
        payload: device.payload.clone(),
        expires_at: device.expires_at,
        interval: device.interval.as_secs(),
        polled_at: device.polled_at,
        decision: device.decision.as_ref().map(said),
        used: device.used.as_ref().map(|used| (used.at, used.key)),
    }
}

fn device(code: TicketHash, stored: Stored) -> Option<Device> {
    let Stored::Device {
        user_code,
        client,
        payload,
        expires_at,
        interval,
        polled_at,
        decision,
        used,
    } = stored
    else {
        return None;
    };
    let said = |said| match said {
        Said::Allowed(subject, auth_time) => Decision::Allowed { subject, auth_time },
        Said::Denied => Decision::Denied,
    };
    Some(Device {
        code,
        user_code,
        client,
        payload,
        expires_at,
        interval: std::time::Duration::from_secs(interval),
        polled_at,
        decision: decision.map(said),
        used: used.map(|(at, key)| Used { at, key }),
    })
}

fn contended() -> StoreError {
    StoreError::Busy("too many change one ticket at the same time".to_owned())
}
