//! Everything a store holds as plain records, for moving a deployment to another store.

use tenure_core::id::Subject;
use tenure_core::lineage::Cut;

use crate::{AuditEvent, Consent, Device, KeyRecord, Loaded, Ticket, User};

/// The parts of a store in the order in which they are moved: what others refer to comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Sealed keys, all uses, oldest first.
    Keys,
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
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Keys,
        Self::Users,
        Self::Consents,
        Self::Cuts,
        Self::Sessions,
        Self::Tickets,
        Self::Devices,
        Self::Audit,
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
