//! The reference: the contract in plain maps. It forgets everything when it is dropped.

mod tables;
mod transfer;

use async_trait::async_trait;
use parking_lot::Mutex;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{Cut, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

use crate::device::{Decision, Device, Polled};
use crate::{
    AuditEvent, AuditQuery, Changes, Consent, Counters, Cursor, Description, KeyRecord, KeyUse,
    Loaded, Page, Part, Purged, Record, Revoked, Store, StoreError, Taken, Ticket, TicketHash,
    TicketKind, User, Written,
};
use tables::Tables;

/// A store that lives as long as the process: for tests and for a flag that says so.
#[derive(Debug, Default)]
pub struct Memory {
    tables: Mutex<Tables>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn write<T>(&self, change: impl FnOnce(&mut Tables) -> T) -> T {
        let mut tables = self.tables.lock();
        tables.writes += 1;
        change(&mut tables)
    }
}

#[async_trait]
impl Store for Memory {
    fn describe(&self) -> Description {
        Description {
            kind: "memory",
            durable: false,
            place: "memory of this process".to_owned(),
            revoke_durability: "primary-only",
            facts: Vec::new(),
        }
    }

    fn counters(&self) -> Counters {
        let writes = self.tables.lock().writes;
        Counters {
            commits: writes,
            writes,
            failed_commits: 0,
        }
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn create(&self, row: &Row) -> Result<(), StoreError> {
        self.write(|tables| tables.create(row))
    }

    async fn load(&self, lineage: LineageId) -> Result<Option<Loaded>, StoreError> {
        Ok(self.tables.lock().load(lineage))
    }

    async fn advance(&self, lineage: LineageId, step: &Step) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.advance(lineage, step)))
    }

    async fn note_use(
        &self,
        lineage: LineageId,
        head: TokenId,
        hash: KeyHash,
    ) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.note_use(lineage, head, hash)))
    }

    async fn revoke(&self, lineage: LineageId, why: Revocation) -> Result<Revoked, StoreError> {
        Ok(self.write(|tables| tables.revoke(lineage, why)))
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Result<Vec<LineageId>, StoreError> {
        Ok(self.write(|tables| tables.revoke_subject(subject, cut, keep)))
    }

    async fn logged_end(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError> {
        Ok(self.tables.lock().logged_end(lineage))
    }

    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<Row>, StoreError> {
        Ok(self.tables.lock().sessions_of(subject))
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        Ok(self.write(|tables| tables.purge(now, limit as usize)))
    }

    async fn add_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        self.write(|tables| tables.add_ticket(ticket))
    }

    async fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError> {
        Ok(self.tables.lock().ticket(kind, hash, now).cloned())
    }

    async fn take_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        Ok(self.write(|tables| tables.take_ticket(kind, hash, now)))
    }

    async fn drop_ticket(&self, kind: TicketKind, hash: TicketHash) -> Result<(), StoreError> {
        self.write(|tables| tables.tickets.remove(&(kind, hash)));
        Ok(())
    }

    async fn drop_tickets_of(&self, subject: &Subject) -> Result<(), StoreError> {
        self.write(|tables| {
            let others = |ticket: &Ticket| ticket.subject.as_ref() != Some(subject);
            tables.tickets.retain(|_, ticket| others(ticket));
            let others = |device: &Device| device.subject() != Some(subject);
            tables.devices.retain(|_, device| others(device));
        });
        Ok(())
    }

    async fn add_device(&self, device: &Device) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.add_device(device)))
    }

    async fn device(
        &self,
        user_code: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        Ok(self.tables.lock().device(user_code, now))
    }

    async fn decide_device(
        &self,
        user_code: TicketHash,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.decide_device(user_code, decision, now)))
    }

    async fn poll_device(
        &self,
        code: TicketHash,
        client: &ClientId,
        key: Option<TicketHash>,
        now: Timestamp,
    ) -> Result<Polled, StoreError> {
        Ok(self.write(|tables| tables.poll_device(code, client, key, now)))
    }

    async fn drop_device(&self, code: TicketHash) -> Result<(), StoreError> {
        self.write(|tables| tables.devices.remove(&code));
        Ok(())
    }

    async fn add_user(&self, user: &User) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.add_user(user)))
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        Ok(self.tables.lock().user_by_email(email).cloned())
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        Ok(self.tables.lock().user(subject).cloned())
    }

    async fn users(&self, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError> {
        Ok(self.tables.lock().users(after, limit as usize))
    }

    async fn set_password(
        &self,
        subject: &Subject,
        expected: Option<&str>,
        hash: &str,
    ) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.set_password(subject, expected, hash)))
    }

    async fn set_disabled(&self, subject: &Subject, disabled: bool) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.set_disabled(subject, disabled)))
    }

    async fn consent(
        &self,
        subject: &Subject,
        client: &ClientId,
    ) -> Result<Option<Scope>, StoreError> {
        let whose = (subject.clone(), client.clone());
        let tables = self.tables.lock();
        Ok(tables.consents.get(&whose).map(|given| given.scope.clone()))
    }

    async fn set_consent(&self, consent: &Consent) -> Result<(), StoreError> {
        let whose = (consent.subject.clone(), consent.client.clone());
        self.write(|tables| tables.consents.insert(whose, consent.clone()));
        Ok(())
    }

    async fn keys(&self, of: KeyUse) -> Result<Vec<KeyRecord>, StoreError> {
        let tables = self.tables.lock();
        let keys = tables.keys.iter().filter(|key| key.of == of);
        Ok(keys.cloned().collect())
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.add_key(key)))
    }

    async fn move_key(
        &self,
        id: &str,
        from: KeyState,
        to: KeyState,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        Ok(self.write(|tables| tables.move_key(id, from, to, now)))
    }

    async fn version(&self) -> Result<u64, StoreError> {
        Ok(self.tables.lock().version)
    }

    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.write(|tables| tables.audit.extend_from_slice(events));
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        Ok(self.tables.lock().audit(query))
    }
    async fn export(
        &self,
        part: Part,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        self.tables.lock().export(part, from, limit as usize)
    }

    async fn changes(&self, since: Option<&Cursor>, limit: u32) -> Result<Changes, StoreError> {
        self.tables.lock().changed_since(since, limit as usize)
    }

    async fn import(&self, records: &[Record]) -> Result<u64, StoreError> {
        self.write(|tables| tables.import(records))
    }
}
