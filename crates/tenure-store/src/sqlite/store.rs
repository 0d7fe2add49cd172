//! The contract, method by method.
//!
//! Point reads run on the calling thread: a row comes out of the page cache in microseconds, less
//! than it takes to hand the query to another thread and back.

use async_trait::async_trait;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{Cut, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

use super::writer::Group;
use super::{
    Sqlite, Synchronous, accounts, audit, devices, keys, meta, sessions, tickets, transfer,
};
use crate::device::{Decision, Device, Polled};
use crate::{
    AuditEvent, AuditQuery, Changes, Consent, Counters, Cursor, Description, Judge, KeyRecord,
    KeyUse, Loaded, Page, Part, Purged, Record, Revoked, Store, StoreError, Taken, Ticket,
    TicketHash, TicketKind, User, Written,
};

#[async_trait]
impl Store for Sqlite {
    fn describe(&self) -> Description {
        Description {
            kind: "sqlite",
            durable: self.files.options.synchronous == Synchronous::Full,
            place: self.files.database.display().to_string(),
            revoke_durability: "separate-log",
            facts: Vec::new(),
        }
    }

    fn counters(&self) -> Counters {
        self.writer.counters()
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check_file()?;
        let mark = |group: &mut Group<'_>| {
            group.check_log()?;
            meta::mark(group.sql)
        };
        let written = self.writer.transaction(mark).await?;
        let read = self.readers.read(meta::last_mark)?;
        if read < written {
            let why = format!("marker {written} reads back as {read}");
            return Err(StoreError::Damaged(why));
        }
        Ok(())
    }

    async fn create(&self, row: &Row) -> Result<(), StoreError> {
        let row = row.clone();
        self.writer
            .write(move |group| sessions::create(group, &row))
            .await
    }

    async fn load(&self, lineage: LineageId) -> Result<Option<Loaded>, StoreError> {
        self.readers.read(|sql| sessions::load(sql, lineage))
    }

    async fn present(&self, lineage: LineageId, judge: Judge) -> Result<Written, StoreError> {
        let written = self
            .writer
            .write(move |group| sessions::present(group, lineage, &judge))
            .await?;
        written.ok_or_else(|| StoreError::Unavailable("the judge panicked".to_owned()))
    }

    async fn advance(&self, lineage: LineageId, step: &Step) -> Result<Written, StoreError> {
        let step = step.clone();
        self.writer
            .write(move |group| sessions::advance(group, lineage, &step))
            .await
    }

    async fn note_use(
        &self,
        lineage: LineageId,
        head: TokenId,
        hash: KeyHash,
    ) -> Result<Written, StoreError> {
        self.writer
            .write(move |group| sessions::note_use(group, lineage, head, hash))
            .await
    }

    async fn revoke(&self, lineage: LineageId, why: Revocation) -> Result<Revoked, StoreError> {
        self.writer
            .write(move |group| sessions::revoke(group, lineage, why))
            .await
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Result<Vec<LineageId>, StoreError> {
        let subject = subject.clone();
        self.writer
            .transaction(move |group| sessions::revoke_subject(group, &subject, cut, keep))
            .await
    }

    async fn logged_end(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError> {
        // Lines that the database lacks are replayed into it first: then its rows are the log's index.
        self.writer
            .transaction(move |group| {
                group.catch_up()?;
                sessions::row_end(group.sql, lineage)
            })
            .await
    }

    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<Row>, StoreError> {
        let subject = subject.clone();
        self.list(move |sql| sessions::of_subject(sql, subject.as_str()))
            .await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        self.sweep(now, limit).await
    }

    async fn add_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let ticket = ticket.clone();
        self.writer
            .write(move |group| tickets::add(group, &ticket))
            .await
    }

    async fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError> {
        self.readers.read(|sql| tickets::find(sql, kind, hash, now))
    }

    async fn take_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        self.writer
            .write(move |group| tickets::take(group, kind, hash, now))
            .await
    }

    async fn drop_ticket(&self, kind: TicketKind, hash: TicketHash) -> Result<(), StoreError> {
        self.writer
            .write(move |group| tickets::remove(group, kind, hash))
            .await
    }

    async fn drop_tickets_of(&self, subject: &Subject) -> Result<(), StoreError> {
        let subject = subject.clone();
        self.writer
            .transaction(move |group| {
                devices::remove_of(group, subject.as_str())?;
                tickets::remove_of(group, subject.as_str())
            })
            .await
    }

    async fn add_device(&self, device: &Device) -> Result<Written, StoreError> {
        let device = device.clone();
        self.writer
            .write(move |group| devices::add(group, &device))
            .await
    }

    async fn device(
        &self,
        user_code: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        self.readers.read(|sql| devices::find(sql, user_code, now))
    }

    async fn decide_device(
        &self,
        user_code: TicketHash,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let decision = decision.clone();
        self.writer
            .write(move |group| devices::decide(group, user_code, &decision, now))
            .await
    }

    async fn poll_device(
        &self,
        code: TicketHash,
        client: &ClientId,
        key: Option<TicketHash>,
        now: Timestamp,
    ) -> Result<Polled, StoreError> {
        let client = client.clone();
        self.writer
            .write(move |group| devices::poll(group, code, &client, key, now))
            .await
    }

    async fn drop_device(&self, code: TicketHash) -> Result<(), StoreError> {
        self.writer
            .write(move |group| devices::remove(group, code))
            .await
    }

    async fn add_user(&self, user: &User) -> Result<Written, StoreError> {
        let user = user.clone();
        self.writer
            .transaction(move |group| accounts::add(group, &user))
            .await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        self.readers.read(|sql| accounts::by_email(sql, email))
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        self.readers
            .read(|sql| accounts::by_subject(sql, subject.as_str()))
    }

    async fn users(&self, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError> {
        let after = after.map(str::to_owned);
        self.list(move |sql| accounts::list(sql, after.as_deref(), limit))
            .await
    }

    async fn set_password(
        &self,
        subject: &Subject,
        expected: Option<&str>,
        hash: &str,
    ) -> Result<Written, StoreError> {
        let (subject, hash) = (subject.clone(), hash.to_owned());
        let expected = expected.map(str::to_owned);
        self.writer
            .transaction(move |group| {
                accounts::set_password(group, subject.as_str(), expected.as_deref(), &hash)
            })
            .await
    }

    async fn set_disabled(&self, subject: &Subject, disabled: bool) -> Result<Written, StoreError> {
        let subject = subject.clone();
        self.writer
            .transaction(move |group| accounts::set_disabled(group, subject.as_str(), disabled))
            .await
    }

    async fn consent(
        &self,
        subject: &Subject,
        client: &ClientId,
    ) -> Result<Option<Scope>, StoreError> {
        self.readers
            .read(|sql| accounts::consent(sql, subject.as_str(), client.as_str()))
    }

    async fn set_consent(&self, consent: &Consent) -> Result<(), StoreError> {
        let consent = consent.clone();
        self.writer
            .write(move |group| accounts::set_consent(group, &consent))
            .await
    }

    async fn keys(&self, of: KeyUse) -> Result<Vec<KeyRecord>, StoreError> {
        self.readers.read(|sql| keys::list(sql, of))
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<Written, StoreError> {
        let key = key.clone();
        self.writer
            .transaction(move |group| keys::add(group, &key))
            .await
    }

    async fn move_key(
        &self,
        id: &str,
        from: KeyState,
        to: KeyState,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let id = id.to_owned();
        self.writer
            .transaction(move |group| keys::shift(group, &id, (from, to), now))
            .await
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.readers
            .read(|sql| meta::read(sql, meta::VERSION))
            .map(i64::cast_unsigned)
    }

    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.writer
            .transaction(move |group| audit::record(group, &events))
            .await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        let query = query.clone();
        self.list(move |sql| audit::query(sql, &query)).await
    }
    async fn export(
        &self,
        part: Part,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let from = from.cloned();
        self.list(move |sql| transfer::page(sql, part, from.as_ref(), limit))
            .await
    }

    async fn changes(&self, since: Option<&Cursor>, limit: u32) -> Result<Changes, StoreError> {
        let (files, since) = (self.files.clone(), since.cloned());
        self.list(move |sql| transfer::changes(sql, &files, since.as_ref(), limit))
            .await
    }

    async fn count(&self, part: Part) -> Result<Option<u64>, StoreError> {
        let query = move |sql: &_| transfer::count(sql, part);
        self.list(query).await.map(Some)
    }

    async fn import(&self, records: &[Record]) -> Result<u64, StoreError> {
        let records = records.to_vec();
        self.writer
            .transaction(move |group| transfer::import(group, &records))
            .await
    }
}
