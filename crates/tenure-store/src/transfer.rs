//! Everything a store holds as plain records, for moving a deployment to another store.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{Cut, Row};
use tenure_core::time::Timestamp;

use crate::{AuditEvent, Consent, Device, KeyRecord, Loaded, StoreError, Ticket, User};

/// The parts of a store in the order in which they are moved: cuts before the sessions they concern,
/// keys last. A server that is started on a store without the keys makes its own, and answers every
/// client that it lacks a key, which none takes for an end; with the keys and without some of the
/// sessions it would sign their holders out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Accounts.
    Users,
    /// Consents.
    Consents,
    /// Cuts of subjects.
    Cuts,
    /// Sessions, with the cut that applies to each.
    Sessions,
    /// Codes, magic links, browser sign-ins.
    Tickets,
    /// Device authorizations.
    Devices,
    /// The audit trail, oldest first.
    Audit,
    /// Sealed keys, all uses, oldest first.
    Keys,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Users,
        Self::Consents,
        Self::Cuts,
        Self::Sessions,
        Self::Tickets,
        Self::Devices,
        Self::Audit,
        Self::Keys,
    ];

    /// The name in messages, such as `sessions`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Users => "users",
            Self::Consents => "consents",
            Self::Cuts => "cuts",
            Self::Sessions => "sessions",
            Self::Tickets => "tickets",
            Self::Devices => "devices",
            Self::Audit => "audit",
        }
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// Of [`Part::Keys`].
    Key(KeyRecord),
    /// Of [`Part::Users`].
    User(User),
    /// Of [`Part::Consents`].
    Consent(Consent),
    /// Of [`Part::Cuts`].
    Cut(Subject, Cut),
    /// Of [`Part::Sessions`].
    Session(Box<Loaded>),
    /// Of [`Part::Tickets`].
    Ticket(Ticket),
    /// Of [`Part::Devices`].
    Device(Device),
    /// Of [`Part::Audit`].
    Audit(AuditEvent),
}

impl Record {
    /// The part it belongs to.
    pub fn part(&self) -> Part {
        match self {
            Self::Key(_) => Part::Keys,
            Self::User(_) => Part::Users,
            Self::Consent(_) => Part::Consents,
            Self::Cut(..) => Part::Cuts,
            Self::Session(_) => Part::Sessions,
            Self::Ticket(_) => Part::Tickets,
            Self::Device(_) => Part::Devices,
            Self::Audit(_) => Part::Audit,
        }
    }
}

/// Where an export goes on: what the store says, kept as it is.
pub type Cursor = Vec<u8>;

/// Some records of one part.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// Sessions that began or ended.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The sessions, as they are now.
    pub records: Vec<Record>,
    /// Where to go on; `None` where the store cannot tell, and only a whole export does.
    pub next: Option<Cursor>,
    /// Whether there is more already.
    pub more: bool,
}

impl Changes {
    /// Nothing, and where to begin.
    pub(crate) fn from_now(next: Cursor) -> Self {
        Self {
            next: Some(next),
            ..Self::default()
        }
    }
}

/// A cursor that holds the key of the last record.
pub(crate) fn cursor(last: &impl Serialize) -> Result<Cursor, StoreError> {
    serde_json::to_vec(last).map_err(|cause| foreign(&cause))
}

/// The key that [`cursor`] wrote; `None` before the first page.
pub(crate) fn after<K: DeserializeOwned>(from: Option<&Cursor>) -> Result<Option<K>, StoreError> {
    let read = |cursor: &Cursor| serde_json::from_slice(cursor).map_err(|cause| foreign(&cause));
    from.map(read).transpose()
}

fn foreign(cause: &impl Display) -> StoreError {
    StoreError::Damaged(format!("a cursor of another store: {cause}"))
}

/// What a session becomes where another store's record of it arrives: the further rotation, and an
/// end that either of them knows.
pub(crate) fn merged(here: &Row, other: &Row) -> Row {
    let mut row = if progress(other) > progress(here) {
        other.clone()
    } else {
        here.clone()
    };
    row.revoked = here.revoked.or(other.revoked);
    row
}

fn progress(row: &Row) -> (u32, usize) {
    (row.head.generation, row.head.uses.len())
}

/// Takes a session in beside others: of two records of one session, what both know.
pub(crate) fn gather(sessions: &mut BTreeMap<LineageId, Loaded>, loaded: &Loaded) {
    let last = sessions.entry(loaded.row.lineage);
    last.and_modify(|earlier| {
        *earlier = Loaded {
            row: merged(&earlier.row, &loaded.row),
            cut: loaded.cut,
        };
    })
    .or_insert_with(|| loaded.clone());
}

/// The time that events span, both ends included; `None` where there are none.
pub(crate) fn span(events: &[&AuditEvent]) -> Option<(Timestamp, Timestamp)> {
    let times = || events.iter().map(|event| event.at);
    times().min().zip(times().max())
}

/// The events that are not `here`, each once. An event has no name of its own: it is known by its
/// words, among those of the same time.
pub(crate) fn missing(mut here: HashSet<AuditEvent>, events: &[&AuditEvent]) -> Vec<AuditEvent> {
    let new = events.iter().filter(|event| here.insert((**event).clone()));
    new.map(|event| (*event).clone()).collect()
}

/// A device authorization to which another store's record of it arrives: polls, a decision and a
/// redemption are never undone.
pub(crate) fn merged_device(here: &Device, other: &Device) -> Device {
    Device {
        interval: here.interval.max(other.interval),
        polled_at: here.polled_at.max(other.polled_at),
        decision: here.decision.clone().or_else(|| other.decision.clone()),
        used: here.used.clone().or_else(|| other.used.clone()),
        ..here.clone()
    }
}
