//! What the store keeps of one signed-in device: constant size, one row per session.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Content, KeyHash, TokenId};
use crate::id::{ClientId, LineageId, Subject};
use crate::scope::Scope;
use crate::time::Timestamp;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// The key of the row.
    pub lineage: LineageId,
    /// Seals this lineage's tokens: a leaked MAC key alone forges nothing.
    pub secret: RowSecret,
    /// What the user granted, to whom.
    pub grant: Grant,
    /// When the session began.
    pub created_at: Timestamp,
    /// The end of the session, however active it is.
    pub expires_absolute: Timestamp,
    /// The end of the session after this long without a refresh.
    pub idle: Duration,
    /// The newest token that was presented (of a new session: the one that was issued).
    pub head: Head,
    /// Tokens that were head before, oldest first, at most [`super::RING`].
    pub ring: Vec<Retired>,
    /// Set where the store was found to have lost writes: until then, old tokens prove nothing.
    pub history_unknown_until: Option<Timestamp>,
    /// Set once, never cleared.
    pub revoked: Option<Revocation>,
    /// What the user is shown of the device.
    pub device: Device,
    /// Thumbprint of the key the lineage is bound to (RFC 9449 section 6.1); reserved.
    pub dpop_jkt: Option<String>,
}

/// What was granted at sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// Who signed in.
    pub subject: Subject,
    /// The client it was granted to.
    pub client: ClientId,
    /// The widest scope a refresh may ask for.
    pub scope: Scope,
    /// Resource servers the access tokens are for (`aud`, RFC 8707).
    pub audience: Vec<String>,
    /// When the user proved who they are (OIDC Core `auth_time`).
    pub auth_time: Timestamp,
}

/// The token that the next presentation is measured against.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// Its id.
    pub id: TokenId,
    /// Its generation.
    pub generation: u32,
    /// When it became head.
    pub since: Timestamp,
    /// Hashes of the idempotency keys it was presented with, at most [`Head::USES`].
    pub uses: Vec<KeyHash>,
}

impl Head {
    /// Key hashes that a head remembers.
    pub const USES: usize = 4;
}

/// A token that was head before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retired {
    /// Its id.
    pub id: TokenId,
    /// When its successor was presented.
    pub at: Timestamp,
}

/// The end of a session that somebody or something decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: EndCause,
}

/// Every sign-in of a subject up to a moment is void, also those a restored store brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cut {
    /// Sessions whose `auth_time` is earlier are over.
    pub before: Timestamp,
    /// Why.
    pub cause: EndCause,
}

/// What the user is shown of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Device {
    /// A name the app chose, such as "Ana's phone".
    pub label: Option<String>,
    /// Network of the sign-in, host part cut off.
    pub ip_prefix: Option<String>,
    /// `User-Agent` of the sign-in.
    pub user_agent: Option<String>,
}

/// Why a session is over; `tenure_reason` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// Not refreshed for the idle limit.
    ExpiredIdle,
    /// The absolute lifetime is over.
    ExpiredAbsolute,
    /// The user signed out on the device.
    LoggedOut,
    /// The user ended it from another device.
    RevokedByUser,
    /// An administrator ended it.
    RevokedByAdmin,
    /// The password was changed.
    CredentialsChanged,
    /// The account is disabled or deleted.
    AccountDisabled,
    /// The client is no longer registered.
    ClientRemoved,
    /// Two holders of one token went on.
    TheftDetected,
    /// The token or its session is not known here.
    Unknown,
}

impl EndCause {
    /// Every cause, for metrics and documents.
    pub const ALL: [Self; 10] = [
        Self::ExpiredIdle,
        Self::ExpiredAbsolute,
        Self::LoggedOut,
        Self::RevokedByUser,
        Self::RevokedByAdmin,
        Self::CredentialsChanged,
        Self::AccountDisabled,
        Self::ClientRemoved,
        Self::TheftDetected,
        Self::Unknown,
    ];

    /// The name on the wire, in logs and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExpiredIdle => "expired_idle",
            Self::ExpiredAbsolute => "expired_absolute",
            Self::LoggedOut => "logged_out",
            Self::RevokedByUser => "revoked_by_user",
            Self::RevokedByAdmin => "revoked_by_admin",
            Self::CredentialsChanged => "credentials_changed",
            Self::AccountDisabled => "account_disabled",
            Self::ClientRemoved => "client_removed",
            Self::TheftDetected => "theft_detected",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the name; `None` for a word that is not a cause.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }
}

impl fmt::Display for EndCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Sixteen random bytes of one row.
#[derive(Clone, PartialEq, Eq, Hash, Zeroize, ZeroizeOnDrop)]
pub struct RowSecret(pub [u8; 16]);

impl fmt::Debug for RowSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowSecret(…)")
    }
}

impl RowSecret {
    pub(super) fn hmac(&self, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        for part in parts {
            context.update(part);
        }
        context.sign()
    }
}

impl Row {
    /// A new session whose first token has the id `first`; issue [`Row::first_token`] with it.
    pub fn new(
        lineage: LineageId,
        secret: RowSecret,
        first: TokenId,
        grant: Grant,
        lifetimes: (Duration, Duration),
        now: Timestamp,
    ) -> Self {
        let (idle, absolute) = lifetimes;
        Self {
            lineage,
            secret,
            grant,
            created_at: now,
            expires_absolute: now + absolute,
            idle,
            head: Head {
                id: first,
                generation: 0,
                since: now,
                uses: Vec::new(),
            },
            ring: Vec::new(),
            history_unknown_until: None,
            revoked: None,
            device: Device::default(),
            dpop_jkt: None,
        }
    }

    /// The token that a new session hands out.
    pub fn first_token(&self) -> Content {
        Content {
            lineage: self.lineage,
            generation: 0,
            id: self.head.id,
            parent: TokenId::NONE,
            issued_at: self.created_at,
            made_by: KeyHash::NONE,
        }
    }

    /// `now`, but never before what the row has already seen: a server whose clock went back must
    /// not make a retired token look younger.
    pub(super) fn clamp(&self, now: Timestamp) -> Timestamp {
        let newest = self.ring.last().map_or(Timestamp(0), |entry| entry.at);
        now.max(self.head.since).max(newest)
    }
}
