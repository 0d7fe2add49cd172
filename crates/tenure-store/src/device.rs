//! Device authorizations (RFC 8628): a program that waits while a person decides in a browser.

use std::time::Duration;

use tenure_core::id::{ClientId, Subject};
use tenure_core::time::Timestamp;

use crate::TicketHash;

/// RFC 8628 section 3.5: `slow_down` lengthens the interval by this, for good.
const STEP: Duration = Duration::from_secs(5);

/// Moments are whole seconds: between two polls of which one is rounded up and one down, a second
/// seems to be missing.
const GRAIN: Duration = Duration::from_secs(1);

/// How long an expired authorization is kept, so that its program can be told that it has expired.
pub(crate) const KEEP_EXPIRED: Duration = Duration::from_mins(10);

/// A device authorization.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// SHA-256 of `device_code`, which the program polls with.
    pub code: TicketHash,
    /// SHA-256 of `user_code` in its normal form, which the person types.
    pub user_code: TicketHash,
    /// Whose program it is; nobody else's poll finds it.
    pub client: ClientId,
    /// JSON of the endpoint that made it; holds no secret in the clear.
    pub payload: String,
    /// The end of it.
    pub expires_at: Timestamp,
    /// The least time between two polls; it grows when the program does not keep to it.
    pub interval: Duration,
    /// The last poll.
    pub polled_at: Option<Timestamp>,
    /// What the person said.
    pub decision: Option<Decision>,
    /// Its redemption.
    pub used: Option<Used>,
}

/// What a person said of a program that asks for their account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Yes.
    Allowed {
        /// Whose account it gets.
        subject: Subject,
        /// When that person proved who they are.
        auth_time: Timestamp,
    },
    /// No.
    Denied,
}

/// The one redemption.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Used {
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the idempotency key that came with it.
    pub key: Option<TicketHash>,
}

/// The answer of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// This client has no such authorization.
    Missing,
    /// It is over.
    Expired,
    /// Nobody has decided.
    Pending,
    /// Nobody has decided, and the interval has not passed; it is longer from now on.
    TooSoon,
    /// The person said no.
    Denied,
    /// This poll redeemed it.
    Now(Box<Device>),
    /// An earlier poll with the same idempotency key did: its answer was lost.
    Again(Box<Device>),
    /// Another poll did.
    Before(Box<Device>),
}

impl Decision {
    /// The word for it in a store, and of a yes whose account it gives and when that person proved
    /// who they are.
    pub(crate) fn columns(&self) -> (&'static str, Option<&str>, Option<Timestamp>) {
        match self {
            Self::Denied => ("denied", None, None),
            Self::Allowed { subject, auth_time } => {
                ("allowed", Some(subject.as_str()), Some(*auth_time))
            }
        }
    }
}

impl Device {
    /// One poll at `now`, carried out on this record.
    pub(crate) fn poll(&mut self, key: Option<TicketHash>, now: Timestamp) -> Polled {
        if now > self.expires_at {
            return Polled::Expired;
        }
        match (&self.used, &self.decision) {
            (Some(used), _) if key.is_some() && used.key == key => {
                Polled::Again(Box::new(self.clone()))
            }
            (Some(_), _) => Polled::Before(Box::new(self.clone())),
            (None, Some(Decision::Denied)) => Polled::Denied,
            (None, Some(Decision::Allowed { .. })) => {
                self.used = Some(Used { at: now, key });
                Polled::Now(Box::new(self.clone()))
            }
            (None, None) => self.wait(now),
        }
    }

    fn wait(&mut self, now: Timestamp) -> Polled {
        let last = self.polled_at.replace(now);
        if last.is_some_and(|last| now + GRAIN < last + self.interval) {
            self.interval += STEP;
            return Polled::TooSoon;
        }
        Polled::Pending
    }

    /// Takes a decision over; false where there is one already, or it is too late.
    pub(crate) fn decide(&mut self, decision: &Decision, now: Timestamp) -> bool {
        let open = self.decision.is_none() && now <= self.expires_at;
        if open {
            self.decision = Some(decision.clone());
        }
        open
    }

    /// Whose account it gives, once that is decided.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        match &self.decision {
            Some(Decision::Allowed { subject, .. }) => Some(subject),
            Some(Decision::Denied) | None => None,
        }
    }
}
