//! What a store holds, remembered as hashes: sixteen bytes a record.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use tenure_store::Record;

/// A record's name and content.
pub(super) type Print = (u64, u64);

/// The records of one part.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    hasher: RandomState,
    records: HashMap<u64, u64>,
}

impl Known {
    /// Nothing; records go by the same names.
    pub(super) fn emptied(self) -> Self {
        Self {
            records: HashMap::new(),
            ..self
        }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether this very record is there, word for word.
    pub(super) fn has(&self, record: &Record) -> bool {
        self.holds(self.print(record))
    }

    /// Whether the record of this print is there.
    pub(super) fn holds(&self, (name, content): Print) -> bool {
        self.records.get(&name) == Some(&content)
    }

    /// What [`Known::holds`] knows a record by.
    pub(super) fn print(&self, record: &Record) -> Print {
        (self.name(record), self.content(record))
    }

    /// That it is there now.
    pub(super) fn note(&mut self, record: &Record) {
        let (name, content) = self.print(record);
        self.records.insert(name, content);
    }

    /// That it is not there any more.
    pub(super) fn forget(&mut self, record: &Record) {
        let name = self.name(record);
        self.records.remove(&name);
    }

    /// What makes it this record and no other.
    pub(super) fn name(&self, record: &Record) -> u64 {
        match record {
            Record::User(user) => self.hasher.hash_one(&user.subject),
            Record::Consent(given) => self.hasher.hash_one((&given.subject, &given.client)),
            Record::Cut(subject, _) => self.hasher.hash_one(subject),
            Record::Session(loaded) => self.hasher.hash_one(loaded.row.lineage),
            Record::Ticket(ticket) => self.hasher.hash_one((ticket.kind, ticket.hash)),
            Record::Device(device) => self.hasher.hash_one(device.code),
            Record::Key(key) => self.hasher.hash_one(&key.id),
            Record::Audit(event) => self.hasher.hash_one(event),
        }
    }

    /// All of it. Which cut concerns a session that has ended is no matter, and not every store keeps
    /// that up to date.
    fn content(&self, record: &Record) -> u64 {
        match record {
            Record::Session(loaded) if loaded.row.revoked.is_some() => {
                self.hasher.hash_one(&loaded.row)
            }
            other => self.hasher.hash_one(other),
        }
    }

    /// Whether something is there that `seen` does not name.
    pub(super) fn has_more_than(&self, seen: &HashSet<u64>) -> bool {
        self.records.keys().any(|name| !seen.contains(name))
    }
}
