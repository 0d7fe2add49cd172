//! The contract, method by method.

use async_trait::async_trait;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{Cut, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

use super::{Postgres, accounts, audit, devices, keys, meta, sessions, tickets, transfer};
use crate::device::{Decision, Device, Polled};
use crate::log::cut_entries;
use crate::{
    AuditEvent, AuditQuery, Changes, Consent, Counters, Cursor, Description, Entry, Judge,
    KeyRecord, KeyUse, Loaded, Page, Part, Purged, Record, Revoked, Shard, Store, StoreError,
    Taken, Ticket, TicketHash, TicketKind, User, Written,
};

#[async_trait]
impl Store for Postgres {
    fn describe(&self) -> Description {
        self.description.read().clone()
    }

    fn counters(&self) -> Counters {
        self.tally.counters()
    }

    async fn check(&self) -> Result<(), StoreError> {
        let sql = self.durable.lend().await?;
        meta::mark(&sql).await?;
        self.fence.look(&sql).await?;
        let description = Self::described(&self.address, &self.settings, &sql).await?;
        *self.description.write() = description;
        if self.log.is_separate() {
            self.log.mark().await?;
        }
        Ok(())
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        let seconds = meta::clock(&*self.refresh.lend().await?).await?;
        Ok(u64::try_from(seconds).ok().map(Timestamp))
    }

    async fn changed(&self) {
        self.listener.changed().await;
    }

    async fn create(&self, row: &Row) -> Result<(), StoreError> {
        self.tally.note(self.begin_session(row).await)
    }

    async fn load(&self, lineage: LineageId) -> Result<Option<Loaded>, StoreError> {
        sessions::load(&*self.refresh.lend().await?, lineage).await
    }

    async fn present(&self, lineage: LineageId, judge: Judge) -> Result<Written, StoreError> {
        self.tally
            .note(self.presentations.present(lineage, judge).await)
    }

    async fn advance(&self, lineage: LineageId, step: &Step) -> Result<Written, StoreError> {
        let sql = self.refresh.lend().await?;
        self.tally
            .note(sessions::advance(&sql, lineage, step).await)
    }

    async fn note_use(
        &self,
        lineage: LineageId,
        head: TokenId,
        hash: KeyHash,
    ) -> Result<Written, StoreError> {
        let sql = self.refresh.lend().await?;
        self.tally
            .note(sessions::note_use(&sql, lineage, head, hash).await)
    }

    async fn revoke(&self, lineage: LineageId, why: Revocation) -> Result<Revoked, StoreError> {
        self.tally.note(self.end_session(lineage, why).await)
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Result<Vec<LineageId>, StoreError> {
        self.tally.note(self.end_subject(subject, cut, keep).await)
    }

    async fn logged_end(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError> {
        if self.log.is_separate()
            && let Some(end) = self.log.end_of(lineage).await?
        {
            return Ok(Some(end));
        }
        sessions::row_end(&*self.durable.lend().await?, lineage).await
    }

    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<Row>, StoreError> {
        sessions::of_subject(&*self.durable.lend().await?, subject).await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        Box::pin(self.sweep(now, limit)).await
    }

    async fn add_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(tickets::add(&sql, ticket).await)
    }

    async fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError> {
        tickets::find(&*self.durable.lend().await?, kind, hash, now).await
    }

    async fn take_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(tickets::take(&sql, kind, hash, now).await)
    }

    async fn drop_ticket(&self, kind: TicketKind, hash: TicketHash) -> Result<(), StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(tickets::remove(&sql, kind, hash).await)
    }

    async fn drop_tickets_of(&self, subject: &Subject) -> Result<(), StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(tickets::remove_of(&sql, subject).await)
    }

    async fn add_device(&self, device: &Device) -> Result<Written, StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(devices::add(&sql, device).await)
    }

    async fn device(
        &self,
        user_code: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        devices::find(&*self.durable.lend().await?, user_code, now).await
    }

    async fn decide_device(
        &self,
        user_code: TicketHash,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let sql = self.durable.lend().await?;
        self.tally
            .note(devices::decide(&sql, user_code, decision, now).await)
    }

    async fn poll_device(
        &self,
        code: TicketHash,
        client: &ClientId,
        key: Option<TicketHash>,
        now: Timestamp,
    ) -> Result<Polled, StoreError> {
        self.tally
            .note(devices::poll(&self.durable, code, client, key, now).await)
    }

    async fn drop_device(&self, code: TicketHash) -> Result<(), StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(devices::remove(&sql, code).await)
    }

    async fn add_user(&self, user: &User) -> Result<Written, StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(accounts::add(&sql, user).await)
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        accounts::by_email(&*self.durable.lend().await?, email).await
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        accounts::by_subject(&*self.durable.lend().await?, subject).await
    }

    async fn users(&self, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError> {
        accounts::list(&*self.durable.lend().await?, after, limit).await
    }

    async fn set_password(
        &self,
        subject: &Subject,
        expected: Option<&str>,
        hash: &str,
    ) -> Result<Written, StoreError> {
        let sql = self.durable.lend().await?;
        self.tally
            .note(accounts::set_password(&sql, subject, expected, hash).await)
    }

    async fn set_disabled(&self, subject: &Subject, disabled: bool) -> Result<Written, StoreError> {
        let sql = self.durable.lend().await?;
        self.tally
            .note(accounts::set_disabled(&sql, subject, disabled).await)
    }

    async fn consent(
        &self,
        subject: &Subject,
        client: &ClientId,
    ) -> Result<Option<Scope>, StoreError> {
        accounts::consent(&*self.durable.lend().await?, subject, client).await
    }

    async fn set_consent(&self, consent: &Consent) -> Result<(), StoreError> {
        let sql = self.durable.lend().await?;
        self.tally.note(accounts::set_consent(&sql, consent).await)
    }

    async fn keys(&self, of: KeyUse) -> Result<Vec<KeyRecord>, StoreError> {
        keys::list(&*self.durable.lend().await?, of).await
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<Written, StoreError> {
        self.tally.note(keys::add(&self.durable, key).await)
    }

    async fn move_key(
        &self,
        id: &str,
        from: KeyState,
        to: KeyState,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let sql = self.durable.lend().await?;
        self.tally
            .note(keys::shift(&sql, id, (from, to), now).await)
    }

    async fn version(&self) -> Result<u64, StoreError> {
        meta::version(&*self.durable.lend().await?).await
    }

    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let sql = self.durable.lend().await?;
        self.tally.note(audit::record(&sql, events).await)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        audit::query(&*self.durable.lend().await?, query).await
    }

    async fn export(
        &self,
        part: Part,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        transfer::page(&*self.durable.lend().await?, part, from, limit).await
    }

    async fn changes(&self, since: Option<&Cursor>, limit: u32) -> Result<Changes, StoreError> {
        transfer::changes(&*self.durable.lend().await?, since, limit).await
    }

    async fn count(&self, part: Part) -> Result<Option<u64>, StoreError> {
        match transfer::count(&*self.durable.lend().await?, part).await {
            // There are too many to count.
            Err(StoreError::Busy(_)) => Ok(None),
            count => count.map(Some),
        }
    }

    async fn import(&self, records: &[Record]) -> Result<u64, StoreError> {
        let transaction = self.durable.begin().await?;
        let changed = transfer::import(&transaction, &self.log, records).await?;
        transaction.commit().await?;
        Ok(changed)
    }
}

/// What is also in the session log. Without one of its own the rows are the log: a single statement
/// says it all.
impl Postgres {
    async fn begin_session(&self, row: &Row) -> Result<(), StoreError> {
        if !self.log.is_separate() {
            return sessions::create(&*self.durable.lend().await?, row).await;
        }
        let transaction = self.durable.begin().await?;
        sessions::create(&transaction, row).await?;
        let entry = (Shard::of(row.lineage), Entry::created(row));
        self.log.append(&transaction, &[entry]).await?;
        transaction.commit().await
    }

    async fn end_session(
        &self,
        lineage: LineageId,
        why: Revocation,
    ) -> Result<Revoked, StoreError> {
        let ended = if self.log.is_separate() {
            let transaction = self.durable.begin().await?;
            let ended = sessions::end(&transaction, lineage, why).await?;
            if ended {
                let entry = (Shard::of(lineage), Entry::Revoked { lineage, why });
                self.log.append(&transaction, &[entry]).await?;
            }
            transaction.commit().await?;
            ended
        } else {
            sessions::end(&*self.durable.lend().await?, lineage, why).await?
        };
        if ended {
            return Ok(Revoked::Now);
        }
        let sql = self.durable.lend().await?;
        let before = sessions::row_end(&sql, lineage).await?;
        if before.is_some() {
            meta::confirm(&sql).await?;
        }
        Ok(before.map_or(Revoked::Missing, Revoked::Before))
    }

    /// Locks are taken in one order everywhere: cut, sessions, shards of the log, version.
    async fn end_subject(
        &self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Result<Vec<LineageId>, StoreError> {
        let transaction = self.durable.begin().await?;
        sessions::set_cut(&transaction, subject, cut, keep).await?;
        let ended = sessions::end_all(&transaction, subject, cut, keep).await?;
        let entries = cut_entries(subject, cut, keep, &ended);
        self.log.append(&transaction, &entries).await?;
        meta::bump(&transaction).await?;
        transaction.commit().await?;
        Ok(ended)
    }
}
