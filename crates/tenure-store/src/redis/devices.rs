//! Device authorizations: the program finds its own by its code, the person by the user code.

use std::time::Duration;

use tenure_core::id::ClientId;
use tenure_core::time::Timestamp;

use super::error::damaged;
use super::inner::Inner;
use super::keys::Bucket;
use super::records::{ATTEMPTS, Said, Stored, contended};
use crate::{Decision, Device, Polled, StoreError, TicketHash, Used, Written};

impl Inner {
    /// The user code first: whoever stops in between leaves one that leads nowhere until it expires.
    pub(super) async fn add_device(&self, device: &Device) -> Result<Written, StoreError> {
        let record = stored(device);
        let (key, claim) = (
            self.keys.device(&device.code),
            self.keys.user_code(&device.user_code),
        );
        let claimed = Stored::UserCode {
            code: device.code,
            until: record.end(),
        };
        if !self.add(&device.user_code, &claim, &claimed).await? {
            return Ok(Written::Lost);
        }
        if self.add(&device.code, &key, &record).await? {
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
            if after == before || self.replace(&code, &key, &read, &stored(&after)).await? {
                return Ok(Some(answer));
            }
        }
        Err(contended())
    }
    pub(super) async fn drop_device(&self, code: TicketHash) -> Result<(), StoreError> {
        let key = self.keys.device(&code);
        self.drop_whole(Bucket::of(&code), &key).await?;
        Ok(())
    }
}

fn stored(device: &Device) -> Stored {
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

pub(super) fn device(code: TicketHash, stored: Stored) -> Option<Device> {
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
        interval: Duration::from_secs(interval),
        polled_at,
        decision: decision.map(said),
        used: used.map(|(at, key)| Used { at, key }),
    })
}
