//! Where Tenure keeps its records.
//!
//! ```no_run
//! # fn open() -> Result<(), tenure_store::OpenError> {
//! use tenure_store::{Sqlite, SqliteOptions, Store};
//!
//! let store = Sqlite::open(&SqliteOptions::new("./tenure-data"))?;
//! println!("{:?}", store.describe());
//! # Ok(()) }
//! ```
//!
//! [`Store`] is the whole contract: one method is one whole transition, decided by the database in
//! one conditional statement, and its answer is an enum. [`Sqlite`] is the embedded default,
//! [`Memory`] the reference that forgets everything. Every backend passes the cases of
//! [`conformance`].
//!
//! It knows nothing of HTTP, of passwords or of signatures: hashes and sealed keys come in finished.

pub mod conformance;
mod device;
mod error;
mod groups;
mod log;
mod memory;
mod open;
mod postgres;
mod record;
mod redis;
mod restore;
mod sqlite;
mod tally;
mod transfer;

pub use self::redis::{Redis, RedisOptions, Wait};
pub use device::{Decision, Device, Polled, Used};
pub use error::{OpenError, StoreError};
pub use log::{Begun, Entry, Position, SessionLog, Shard, cut_entries, deletion_entries};
pub use memory::Memory;
pub use open::{Claim, Place, Schema, StoreUrl, UrlError, UrlKind, open};
pub use postgres::{Advance, Postgres, PostgresOptions};
pub use record::{
    AuditEvent, AuditQuery, Consent, Judge, KeyRecord, KeyUse, Loaded, Purged, Revoked, Taken,
    Ticket, TicketHash, TicketKind, Transition, User, Written,
};
pub use restore::{RestoreReport, restore_check};
pub use sqlite::{Sqlite, SqliteOptions, Synchronous};
pub use transfer::{Changes, Cursor, Page, Part, Record};

use async_trait::async_trait;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::keyset::KeyState;
use tenure_core::lineage::{Cut, KeyHash, Revocation, Row, Step, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

/// What the store is; printed on start, shown by `/health/ready`, a label of metrics and logs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Description {
    /// `sqlite`, `postgres`, `redis`, `memory`.
    pub kind: &'static str,
    /// Whether an acknowledged create or revoke survives a power cut.
    pub durable: bool,
    /// Where it is: a path, never a password.
    pub place: String,
    /// Where an acknowledged revocation is kept beside the database: `separate-log` or
    /// `primary-only`, or `synchronous-standby`.
    pub revoke_durability: &'static str,
    /// What else an operator should know, by its name in the database: `synchronous_commit`,
    /// `appendfsync`, `maxmemory-policy`.
    pub facts: Vec<(&'static str, String)>,
}

/// Counters of the store, for `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Groups committed.
    pub commits: u64,
    /// Writes in those groups.
    pub writes: u64,
    /// Groups that failed as a whole.
    pub failed_commits: u64,
}

/// Where sessions, accounts, keys and the audit trail are kept.
///
/// Every method may answer [`StoreError`], which is always the server's trouble: 503, never 401.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// What this store is, as it was found by the last [`Store::check`], or when it was opened.
    fn describe(&self) -> Description;

    /// Its counters since the start.
    fn counters(&self) -> Counters;

    /// Writes and reads back a marker: fails while the store cannot take a write.
    async fn check(&self) -> Result<(), StoreError>;

    /// The clock of the machine that the store runs on, where that may be another one.
    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    /// Waits until the store says that [`Store::version`] may have changed; a store that says nothing
    /// is polled.
    async fn changed(&self) {
        std::future::pending::<()>().await;
    }

    // Sessions.

    /// Adds a session; durable, and in the revocation log, before it returns.
    async fn create(&self, row: &Row) -> Result<(), StoreError>;

    /// Reads a session and its subject's cut, for a decision: never from a replica.
    async fn load(&self, lineage: LineageId) -> Result<Option<Loaded>, StoreError>;

    /// One presentation of a refresh token: reads like [`Store::load`], asks the judge, and writes
    /// what it wants where that still fits what it saw.
    ///
    /// A store that can do all of it in one transaction never answers [`Written::Lost`]. It may ask
    /// the judge again when it has to start over: the last answer is the one that counts.
    async fn present(&self, lineage: LineageId, judge: Judge) -> Result<Written, StoreError> {
        match judge(self.load(lineage).await?) {
            None => Ok(Written::Now),
            Some(Transition::Advance(step)) => self.advance(lineage, &step).await,
            Some(Transition::NoteUse { head, hash }) => self.note_use(lineage, head, hash).await,
        }
    }

    /// Writes head, ring and mark, where the head is still the one the step expects and the session
    /// is not revoked.
    async fn advance(&self, lineage: LineageId, step: &Step) -> Result<Written, StoreError>;

    /// Adds a key hash to the uses of `head`, where that is still the head, the session is not
    /// revoked, and there is room.
    async fn note_use(
        &self,
        lineage: LineageId,
        head: TokenId,
        hash: KeyHash,
    ) -> Result<Written, StoreError>;

    /// Ends a session, once; durable, and in the revocation log, before it returns.
    async fn revoke(&self, lineage: LineageId, why: Revocation) -> Result<Revoked, StoreError>;

    /// Ends every session of a subject except `keep`, and sets the subject's cut; with `keep` the cut
    /// spares sessions that exist. Answers the lineages that it ended.
    async fn revoke_subject(
        &self,
        subject: &Subject,
        cut: Cut,
        keep: Option<LineageId>,
    ) -> Result<Vec<LineageId>, StoreError>;

    /// What the revocation log says of a session, whatever the row says.
    async fn logged_end(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError>;

    /// A subject's sessions, newest first, ended ones included until they are purged.
    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<Row>, StoreError>;

    /// Deletes up to `limit` sessions, tickets and device authorizations that no presentation can need
    /// any more: a session after its absolute expiry, or after `head.since + 2 × idle`, or a day after
    /// its revocation.
    async fn purge(&self, now: Timestamp, limit: u32) -> Result<Purged, StoreError>;

    // Tickets: authorization codes, magic links, browser sign-ins.

    /// Adds a ticket.
    async fn add_ticket(&self, ticket: &Ticket) -> Result<(), StoreError>;

    /// Reads a ticket that has not expired, used or not.
    async fn ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Ticket>, StoreError>;

    /// Marks a ticket as used, once.
    async fn take_ticket(
        &self,
        kind: TicketKind,
        hash: TicketHash,
        now: Timestamp,
    ) -> Result<Taken, StoreError>;

    /// Deletes a ticket.
    async fn drop_ticket(&self, kind: TicketKind, hash: TicketHash) -> Result<(), StoreError>;

    /// Deletes every ticket of a subject, and every device authorization that they allowed.
    async fn drop_tickets_of(&self, subject: &Subject) -> Result<(), StoreError>;

    // Device authorizations.

    /// Adds a device authorization that nobody has decided; [`Written::Lost`] where its user code, or
    /// its code, is taken.
    async fn add_device(&self, device: &Device) -> Result<Written, StoreError>;

    /// Reads a device authorization that has not expired, decided or not, by its user code.
    async fn device(
        &self,
        user_code: TicketHash,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError>;

    /// Writes what a person decided; [`Written::Lost`] where it is decided already, has expired, or
    /// is not there.
    async fn decide_device(
        &self,
        user_code: TicketHash,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// One poll of `client` (RFC 8628 section 3.4): counts it, and redeems what has been allowed,
    /// once. A poll with the `key` of the one that redeemed it is answered [`Polled::Again`].
    async fn poll_device(
        &self,
        code: TicketHash,
        client: &ClientId,
        key: Option<TicketHash>,
        now: Timestamp,
    ) -> Result<Polled, StoreError>;

    /// Deletes a device authorization.
    async fn drop_device(&self, code: TicketHash) -> Result<(), StoreError>;

    // Accounts.

    /// Adds an account; [`Written::Lost`] where the e-mail or the subject is taken.
    async fn add_user(&self, user: &User) -> Result<Written, StoreError>;

    /// Finds an account by e-mail, without regard to case.
    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError>;

    /// Finds an account by its subject.
    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError>;

    /// Accounts in order of e-mail, after `after`.
    async fn users(&self, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError>;

    /// Replaces a password hash; where `expected` is given, only if it is still the one stored.
    async fn set_password(
        &self,
        subject: &Subject,
        expected: Option<&str>,
        hash: &str,
    ) -> Result<Written, StoreError>;

    /// Disables or enables an account.
    async fn set_disabled(&self, subject: &Subject, disabled: bool) -> Result<Written, StoreError>;

    /// What the user has consented to for a client.
    async fn consent(
        &self,
        subject: &Subject,
        client: &ClientId,
    ) -> Result<Option<Scope>, StoreError>;

    /// Replaces a consent.
    async fn set_consent(&self, consent: &Consent) -> Result<(), StoreError>;

    // Keys.

    /// All keys of one use, oldest first.
    async fn keys(&self, of: KeyUse) -> Result<Vec<KeyRecord>, StoreError>;

    /// Adds a key; [`Written::Lost`] where another server has just added one in the same state.
    async fn add_key(&self, key: &KeyRecord) -> Result<Written, StoreError>;

    /// Moves a key from one state to another.
    async fn move_key(
        &self,
        id: &str,
        from: KeyState,
        to: KeyState,
        now: Timestamp,
    ) -> Result<Written, StoreError>;

    /// Changes whenever keys, accounts or cuts do: what a running server polls to notice a change
    /// made by another process.
    async fn version(&self) -> Result<u64, StoreError>;

    // Audit trail.

    /// Appends events.
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Reads events, newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError>;

    // Moving to another store.

    /// Records of one part, from where an earlier page ended, at most `limit`. Sessions come in order
    /// of their lineages, keys and the audit trail oldest first, all in an order that a running
    /// service does not change.
    async fn export(
        &self,
        part: Part,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError>;

    /// Sessions that began, ended or were spared by a cut after `since`, as they are now, about
    /// `limit` at a time; refreshed ones may be among them, and some may come twice. Without `since`,
    /// none, and where to begin.
    async fn changes(&self, since: Option<&Cursor>, limit: u32) -> Result<Changes, StoreError>;

    /// How many records a part has, where the store can count them without reading them.
    async fn count(&self, part: Part) -> Result<Option<u64>, StoreError> {
        let _ = part;
        Ok(None)
    }

    /// Takes records over, durably; answers how many changed anything. A session that is here takes
    /// over what is further (a higher generation, an end), a key a later state, a consent or a cut a
    /// later date, a ticket its use; an account is replaced. Audit events that are here word for word
    /// are not added. Cuts come before the sessions: one that no cut concerns is spared from those
    /// that are here.
    async fn import(&self, records: &[Record]) -> Result<u64, StoreError>;
}
