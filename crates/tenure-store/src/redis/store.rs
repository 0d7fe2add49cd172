//! The contract, method by method: sessions, tickets and device authorizations here, everything else
//! on the SQL side.

use async_trait::async_trait;
use redis::cmd;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{Cut, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

use super::Redis;
use crate::device::{Decision, Device, Polled};
use crate::{
    AuditEvent, AuditQuery, Changes, Consent, Counters, Cursor, Description, Judge, KeyRecord,
    KeyUse, Loaded, Page, Part, Purged, Record, Revoked, Store, StoreError, Taken, Ticket,
    TicketHash, TicketKind, User, Written,
};

#[async_trait]
impl Store for Redis {
    /// Durable is what the SQL side is: whatever Redis loses of acknowledged creates and ends is
    /// replayed from the session log, and lost rotations heal.
    fn describe(&self) -> Description {
        let sql = self.inner.sql.describe();
        let mut facts = self.inner.found.lock().facts.clone();
        facts.push(("sql", format!("{} at {}", sql.kind, sql.place)));
        facts.push(("session log", self.inner.log.place()));
        facts.extend(sql.facts);
        Description {
            kind: "redis",
            durable: sql.durable,
            place: self.inner.place.clone(),
            revoke_durability: "separate-log",
            facts,
        }
    }

    fn counters(&self) -> Counters {
        self.inner.tally.counters()
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check_now().await
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        let (seconds, _): (u64, u64) = self.inner.link.ask(&cmd("TIME")).await?;
        Ok(Some(Timestamp(seconds)))
    }

    async fn changed(&self) {
        self.inner.sql.changed().await;
    }

    async fn create(&self, row: &Row) -> Result<(), StoreError> {
        self.inner.counted(self.inner.create(row).await)
    }

    async fn load(&self, lineage: LineageId) -> Result<Option<Loaded>, StoreError> {
        self.inner.load(lineage).await
    }

    async fn present(&self, lineage: LineageId, judge: Judge) -> Result<Written, StoreError> {
        match &self.groups {
            Some(groups) => groups.present(lineage, judge).await,
            None => self.inner.present(lineage, judge).await,
        }
    }

    async fn advance(&self, lineage: LineageId, step: &Step) -> Result<Written, StoreError> {
        self.inner.advance(lineage, step).await
    }

    async fn note_use(
        &self,
        lineage: LineageId,
        head: TokenId,
        hash: KeyHash,
    ) -> Result<Written, StoreError> {
        self.inner.note_use(lineage, head, hash).await
    }

    async fn revoke(&self, lineage: LineageId, why: Revocation) -> Result<Revoked, StoreError> {
        self.inner.counted(self.inner.revoke(lineage, why).await)
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Result<Vec<LineageId>, StoreError> {
        let ended = self.inner.revoke_subject(subject, cut, keep).await;
        self.inner.counted(ended)
    }

    async fn logged_end(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError> {
        self.inner.log.end_of(lineage).await
    }

    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<Row>, StoreError> {
        self.inner.sessions_of(subject).await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.inner.purge(now, limit).await
    }

    async fn add_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        self.inner.add_ticket(ticket).await
    }

    async fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError> {
        self.inner.ticket(kind, hash, now).await
    }

    async fn take_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        self.inner.take_ticket(kind, hash, now).await
    }

    async fn drop_ticket(&self, kind: TicketKind, hash: TicketHash) -> Result<(), StoreError> {
        self.inner.drop_ticket(kind, hash).await
    }

    async fn drop_tickets_of(&self, subject: &Subject) -> Result<(), StoreError> {
        self.inner.drop_tickets_of(subject).await
    }

    async fn add_device(&self, device: &Device) -> Result<Written, StoreError> {
        self.inner.add_device(device).await
    }

    async fn device(
        &self,
        user_code: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        self.inner.device(user_code, now).await
    }

    async fn decide_device(
        &self,
        user_code: TicketHash,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.inner.decide_device(user_code, decision, now).await
    }

    async fn poll_device(
        &self,
        code: TicketHash,
        client: &ClientId,
        key: Option<TicketHash>,
        now: Timestamp,
    ) -> Result<Polled, StoreError> {
        self.inner.poll_device(code, client, key, now).await
    }

    async fn drop_device(&self, code: TicketHash) -> Result<(), StoreError> {
        self.inner.drop_device(code).await
    }

    async fn add_user(&self, user: &User) -> Result<Written, StoreError> {
        self.inner.sql.add_user(user).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        self.inner.sql.user_by_email(email).await
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        self.inner.sql.user(subject).await
    }

    async fn users(&self, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.inner.sql.users(after, limit).await
    }

    async fn set_password(
        &self,
        subject: &Subject,
        expected: Option<&str>,
        hash: &str,
    ) -> Result<Written, StoreError> {
        self.inner.sql.set_password(subject, expected, hash).await
    }

    async fn set_disabled(&self, subject: &Subject, disabled: bool) -> Result<Written, StoreError> {
        self.inner.sql.set_disabled(subject, disabled).await
    }

    async fn consent(
        &self,
        subject: &Subject,
        client: &ClientId,
    ) -> Result<Option<Scope>, StoreError> {
        self.inner.sql.consent(subject, client).await
    }

    async fn set_consent(&self, consent: &Consent) -> Result<(), StoreError> {
        self.inner.sql.set_consent(consent).await
    }

    async fn keys(&self, of: KeyUse) -> Result<Vec<KeyRecord>, StoreError> {
        self.inner.sql.keys(of).await
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<Written, StoreError> {
        self.inner.sql.add_key(key).await
    }

    async fn move_key(
        &self,
        id: &str,
        from: KeyState,
        to: KeyState,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.inner.sql.move_key(id, from, to, now).await
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.inner.sql.version().await
    }

    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.inner.sql.record(events).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        self.inner.sql.audit(query).await
    }
    async fn export(
        &self,
        part: Part,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        self.inner.export(part, from, limit).await
    }

    async fn changes(&self, since: Option<&Cursor>, limit: u32) -> Result<Changes, StoreError> {
        self.inner.changes(since, limit).await
    }

    async fn count(&self, part: Part) -> Result<Option<u64>, StoreError> {
        self.inner.count(part).await
    }

    async fn import(&self, records: &[Record]) -> Result<u64, StoreError> {
        self.inner.import(records).await
    }
}
