//! Rows as plain types.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenure_core::id::{ClientId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{Cut, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

/// A session as read for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Loaded {
    /// The session.
    pub row: Row,
    /// Its subject's cut.
    pub cut: Option<Cut>,
}

/// Decides about a presentation from the session as it stands; `None` where there is none.
///
/// Must be quick and must not wait: a store may hold everybody else up meanwhile.
pub type Judge = Arc<dyn Fn(Option<Loaded>) -> Option<Transition> + Send + Sync>;

/// What a judge wants written; `None` leaves the session as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// As [`Store::advance`](crate::Store::advance).
    Advance(Step),
    /// As [`Store::note_use`](crate::Store::note_use).
    NoteUse {
        /// The head that was presented.
        head: TokenId,
        /// The hash of the key that came with it.
        hash: KeyHash,
    },
}

/// The answer of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The condition held; it is written.
    Now,
    /// It did not hold; nothing is written. Read again and decide again.
    Lost,
}

impl Written {
    /// From the number of rows that met the condition.
    pub(crate) fn if_any(changed: usize) -> Self {
        if changed > 0 { Self::Now } else { Self::Lost }
    }
}

/// The answer of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// This call ended the session.
    Now,
    /// It had ended before.
    Before(Revocation),
    /// There is no such session.
    Missing,
}

/// The answer of taking a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// This call used it.
    Now(Ticket),
    /// It had been used before.
    Before(Ticket),
    /// There is none, or it has expired.
    Missing,
}

/// What a purge step removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Sessions.
    pub sessions: u64,
    /// Tickets and device authorizations.
    pub tickets: u64,
}

/// How long an ended session is kept, so that its holder can be told why it ended.
pub(crate) const KEEP_ENDED: Duration = Duration::from_hours(24);

/// Whether no presentation can need the row any more. Twice the idle limit: a presentation of the
/// head extends it by one without a write.
pub(crate) fn is_purgeable(row: &Row, now: Timestamp) -> bool {
    now > row.expires_absolute
        || now > row.head.since + row.idle + row.idle
        || row.revoked.is_some_and(|end| now > end.at + KEEP_ENDED)
}

/// An e-mail address as it is compared.
pub(crate) fn folded(email: &str) -> String {
    email.to_lowercase()
}

/// SHA-256 of the secret that was handed out.
pub type TicketHash = [u8; 32];

/// What a ticket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TicketKind {
    /// Authorization code (RFC 6749 section 4.1.2).
    Code,
    /// Sign-in link sent by mail.
    MagicLink,
    /// Sign-in of a browser at this server: used many times.
    Browser,
}

impl TicketKind {
    /// The name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::MagicLink => "magic_link",
            Self::Browser => "browser",
        }
    }

    /// Reads the name; `None` for a word that is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Code, Self::MagicLink, Self::Browser];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A short-lived fact, found by the hash of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// What it is for.
    pub kind: TicketKind,
    /// Hash of the secret.
    pub hash: TicketHash,
    /// Whose it is, if that is known.
    pub subject: Option<Subject>,
    /// The end of it.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// JSON of the endpoint that made it; holds no secret in the clear.
    pub payload: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// `sub`.
    pub subject: Subject,
    /// Sign-in name, as typed at registration; unique without regard to case.
    pub email: String,
    /// PHC string or an imported hash; `None` for accounts that sign in by mail only.
    pub password: Option<String>,
    /// A disabled account cannot sign in.
    pub disabled: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What a user allowed a third-party client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Consent {
    /// Who.
    pub subject: Subject,
    /// To which client.
    pub client: ClientId,
    /// What.
    pub scope: Scope,
    /// When.
    pub at: Timestamp,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyUse {
    /// Signs JWTs.
    Sign,
    /// Tags refresh tokens.
    Mac,
}

impl KeyUse {
    /// The name in the store and in `tenure keys list`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Mac => "mac",
        }
    }

    /// Reads the name; `None` for a word that is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Sign, Self::Mac];
        all.into_iter().find(|of| of.as_str() == text)
    }
}

/// A key, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRecord {
    /// `kid`, or the MAC key id.
    pub id: String,
    /// What it is for.
    pub of: KeyUse,
    /// JWS algorithm, or `HS256`.
    pub algorithm: String,
    /// Where it stands.
    pub state: KeyState,
    /// Since when.
    pub since: Timestamp,
    /// The key under the master secret (AEAD); empty once it is retired.
    pub sealed: Vec<u8>,
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// Stable name, such as `session_ended`.
    pub event: String,
    /// Whose account.
    pub subject: Option<Subject>,
    /// Which client.
    pub client: Option<ClientId>,
    /// Which session, by its public id.
    pub sid: Option<String>,
    /// Why, such as `theft_detected`.
    pub reason: Option<String>,
    /// Network of the request, host part cut off.
    pub ip_prefix: Option<String>,
    /// Correlates with the log.
    pub request_id: Option<String>,
}

/// Which lines of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only of this subject.
    pub subject: Option<Subject>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// At most this many; 0 means 1,000.
    pub limit: u32,
}

impl AuditQuery {
    /// The limit, with 0 read as the default.
    pub(crate) fn effective_limit(&self) -> u32 {
        if self.limit == 0 { 1000 } else { self.limit }
    }
}
