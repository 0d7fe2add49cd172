//! Moving to and from maps.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tenure_core::id::Subject;
use tenure_core::lineage::Cut;
use tenure_core::time::Timestamp;

use super::tables::Tables;
use crate::record::folded;
use crate::transfer::{after, cursor, merged, merged_device};
use crate::{
    AuditEvent, Changes, Consent, Cursor, Device, KeyRecord, Loaded, Page, Part, Record,
    StoreError, Ticket, User,
};

impl Tables {
    pub(super) fn export(
        &self,
        part: Part,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        match part {
            Part::Keys => page((0u64..).zip(&self.keys), from, limit, |key| {
                Some(Record::Key(key.clone()))
            }),
            Part::Users => {
                let users = self.users.iter().map(|user| (user.subject.clone(), user));
                page(users, from, limit, |user| Some(Record::User(user.clone())))
            }
            Part::Consents => {
                let consents = self
                    .consents
                    .iter()
                    .map(|(place, given)| (place.clone(), given));
                page(consents, from, limit, |given| {
                    Some(Record::Consent(given.clone()))
                })
            }
            Part::Cuts => {
                let cuts = self
                    .cuts
                    .iter()
                    .map(|(subject, cut)| (subject.clone(), *cut));
                let cuts = cuts.map(|(subject, cut)| (subject.clone(), (subject, cut)));
                page(cuts, from, limit, |(subject, cut)| {
                    Some(Record::Cut(subject, cut))
                })
            }
            Part::Sessions => {
                let sessions = self.sessions.keys().map(|lineage| (*lineage, *lineage));
                let session = |loaded| Record::Session(Box::new(loaded));
                page(sessions, from, limit, |lineage| {
                    self.load(lineage).map(session)
                })
            }
            Part::Tickets => {
                let place = |ticket: &Ticket| (ticket.kind.as_str().to_owned(), ticket.hash);
                let tickets = self.tickets.values().map(|ticket| (place(ticket), ticket));
                page(tickets, from, limit, |ticket| {
                    Some(Record::Ticket(ticket.clone()))
                })
            }
            Part::Devices => {
                let devices = self.devices.iter().map(|(code, device)| (*code, device));
                page(devices, from, limit, |device| {
                    Some(Record::Device(device.clone()))
                })
            }
            Part::Audit => page((0u64..).zip(&self.audit), from, limit, |event| {
                Some(Record::Audit(event.clone()))
            }),
        }
    }

    pub(super) fn changed_since(
        &self,
        since: Option<&Cursor>,
        limit: usize,
    ) -> Result<Changes, StoreError> {
        let Some(since) = after::<u64>(since)? else {
            return Ok(Changes::from_now(cursor(&self.changes)?));
        };
        let changed = |session: &&super::tables::Session| session.changed > since;
        let mut found: Vec<_> = self.sessions.values().filter(changed).collect();
        found.sort_by_key(|session| session.changed);
        let more = found.len() > limit;
        found.truncate(limit);
        let end = found.last().map_or(since, |session| session.changed);
        let loaded = found
            .iter()
            .filter_map(|session| self.load(session.row.lineage));
        Ok(Changes {
            records: loaded
                .map(|loaded| Record::Session(Box::new(loaded)))
                .collect(),
            next: Some(cursor(&end)?),
            more,
        })
    }

    pub(super) fn import(&mut self, records: &[Record]) -> Result<u64, StoreError> {
        let mut changed = 0;
        for record in records {
            let (is_new, is_noticed) = match record {
                Record::Key(key) => (self.import_key(key), true),
                Record::User(user) => (self.import_user(user)?, true),
                Record::Consent(consent) => (self.import_consent(consent), false),
                Record::Cut(subject, cut) => (self.import_cut(subject, *cut), true),
                Record::Session(loaded) => (self.import_session(loaded), false),
                Record::Ticket(ticket) => (self.import_ticket(ticket), false),
                Record::Device(device) => (self.import_device(device), false),
                Record::Audit(event) => (self.import_event(event), false),
            };
            changed += u64::from(is_new);
            self.version += u64::from(is_new && is_noticed);
        }
        Ok(changed)
    }

    fn import_key(&mut self, key: &KeyRecord) -> bool {
        if let Some(here) = self.keys.iter_mut().find(|here| here.id == key.id) {
            return take(here, key, key.state > here.state);
        }
        self.keys.push(key.clone());
        true
    }

    fn import_user(&mut self, user: &User) -> Result<bool, StoreError> {
        let email = folded(&user.email);
        let rival = |other: &&User| folded(&other.email) == email && other.subject != user.subject;
        if self.users.iter().any(|other| rival(&other)) {
            let why = "an account's address belongs to another account here";
            return Err(StoreError::Damaged(why.to_owned()));
        }
        let here = self
            .users
            .iter_mut()
            .find(|here| here.subject == user.subject);
        if let Some(here) = here {
            return Ok(take(here, user, true));
        }
        self.users.push(user.clone());
        Ok(true)
    }

    fn import_consent(&mut self, consent: &Consent) -> bool {
        let place = (consent.subject.clone(), consent.client.clone());
        match self.consents.get_mut(&place) {
            Some(here) => take(here, consent, consent.at >= here.at),
            None => self.consents.insert(place, consent.clone()).is_none(),
        }
    }

    fn import_cut(&mut self, subject: &Subject, cut: Cut) -> bool {
        match self.cuts.get_mut(subject) {
            Some(here) => take(here, &cut, cut.before >= here.before),
            None => self.cuts.insert(subject.clone(), cut).is_none(),
        }
    }

    fn import_session(&mut self, loaded: &Loaded) -> bool {
        let (row, here) = (&loaded.row, self.sessions.get(&loaded.row.lineage));
        let spared_until = match self.cuts.get(&row.grant.subject) {
            Some(cut) if loaded.cut.is_none() => cut.before,
            _ => Timestamp(0),
        };
        let (row, spared_until) = match here {
            None => (row.clone(), spared_until),
            Some(here) => (merged(&here.row, row), spared_until.max(here.spared_until)),
        };
        if here.is_some_and(|here| here.row == row && here.spared_until == spared_until) {
            return false;
        }
        self.add(&row, spared_until);
        true
    }

    fn import_ticket(&mut self, ticket: &Ticket) -> bool {
        let place = (ticket.kind, ticket.hash);
        match self.tickets.get_mut(&place) {
            Some(here) => take(here, ticket, here.used_at.is_none()),
            None => self.tickets.insert(place, ticket.clone()).is_none(),
        }
    }

    fn import_device(&mut self, device: &Device) -> bool {
        match self.devices.get_mut(&device.code) {
            Some(here) => {
                let further = merged_device(here, device);
                take(here, &further, true)
            }
            None => self.devices.insert(device.code, device.clone()).is_none(),
        }
    }

    fn import_event(&mut self, event: &AuditEvent) -> bool {
        let is_new = !self.audit.contains(event);
        if is_new {
            self.audit.push(event.clone());
        }
        is_new
    }
}

/// Replaces what is here by a newer record; false where that changes nothing.
fn take<T: Clone + PartialEq>(here: &mut T, other: &T, is_newer: bool) -> bool {
    let changes = is_newer && here != other;
    if changes {
        here.clone_from(other);
    }
    changes
}

/// What follows the cursor in the order of the keys.
fn page<K, T>(
    all: impl Iterator<Item = (K, T)>,
    from: Option<&Cursor>,
    limit: usize,
    record: impl Fn(T) -> Option<Record>,
) -> Result<Page, StoreError>
where
    K: Ord + Serialize + DeserializeOwned,
{
    let from: Option<K> = after(from)?;
    let beyond = |key: &K| from.as_ref().is_none_or(|from| key > from);
    let mut rest: Vec<(K, T)> = all.filter(|(key, _)| beyond(key)).collect();
    rest.sort_by(|(one, _), (other, _)| one.cmp(other));
    let next = match rest.get(limit.saturating_sub(1)) {
        Some((last, _)) if rest.len() > limit => Some(cursor(last)?),
        _ => None,
    };
    rest.truncate(limit);
    let records = rest.into_iter().filter_map(|(_, value)| record(value));
    Ok(Page {
        records: records.collect(),
        next,
    })
}
