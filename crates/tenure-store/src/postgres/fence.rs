//! Before anybody gets a connection: is this still the database that was written to?
//!
//! A failover to a replica that lagged, a backup, a dump that was restored: the database has then
//! forgotten sign-ins and sign-outs that were acknowledged. What a session log of its own knows of
//! them is carried out first.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::timeout;
use tokio_postgres::Row as Columns;

use super::address::Address;
use super::log::Log;
use super::pool::{Admission, CREATE, Commit, Connection};
use super::replay::{Carried, Replay};
use crate::StoreError;

/// A day of sign-ins of a large service is carried out in less.
pub(super) const REPLAY: Duration = Duration::from_hours(1);

/// Servers that start, or fail over, at once take turns.
const TURN: i64 = 7_310_868_735_436_055_809;

/// Whoever has a connection holds the lock of its log, shared, with others that have the same: with
/// this the number of the log.
const WRITERS: i64 = 7_310_868_735_436_055_810;

/// Connections of a server that was just stopped end soon.
const LAST_OF_THE_OTHERS: (u32, Duration) = (20, Duration::from_millis(250));

/// Servers with different logs would each miss what the others log.
pub(super) const ANOTHER_LOG: &str = "a server is connected that keeps another session log, or \
     none; all of them need the same store.revocation_log";

/// Which database this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    /// Of the server's files (`pg_control_system`).
    system: i64,
    /// Of its write-ahead log: grows with every promotion and every recovery to a point in time.
    timeline: i64,
    /// Number of the table `meta`: another one once a dump was restored.
    incarnation: i64,
}

/// What was found on a connection.
struct Found {
    is_replica: bool,
    now: Identity,
    /// How far its write-ahead log is on the disk.
    written: i64,
    /// As it was when the database was last known to be whole; zeros for a new one.
    before: Identity,
    /// The log it was written with, 0 for none.
    log: i64,
}

/// The check of new connections. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Fence(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Arc<Address>,
    log: Arc<Log>,
    /// Held by the one replay of this process.
    turn: tokio::sync::Mutex<()>,
    /// The log, 0 for none, and the furthest that the database was seen.
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    log: i64,
    written: i64,
    of: Option<Identity>,
}

impl Seen {
    /// Whether the same database has lost the end of its write-ahead log: its files were put back.
    fn is_ahead_of(&self, found: &Found) -> bool {
        self.of == Some(found.now) && found.written < self.written
    }
}

#[async_trait]
impl Admission for Fence {
    async fn admit(&self, connection: &Connection) -> Result<(), StoreError> {
        let seen = *self.0.seen.lock();
        // As long as the connection: nobody begins with another log meanwhile.
        let writes = "SELECT pg_advisory_lock_shared($1)";
        connection.rows(writes, &[&(WRITERS ^ seen.log)]).await?;
        let found = Found::on(connection).await?;
        found.refuse_replica()?;
        if found.now == found.before && found.log == seen.log && !seen.is_ahead_of(&found) {
            return Ok(());
        }
        // Not on the time of whoever wants the connection: the replay goes on when they give up.
        let inner = Arc::clone(&self.0);
        let replay = tokio::spawn(async move { inner.catch_up(false).await });
        let carried_out = replay.await;
        carried_out.map_err(|stopped| StoreError::Unavailable(stopped.to_string()))?
    }
}

impl Fence {
    /// Before a database whose tables are up to date.
    pub(super) fn new(address: Arc<Address>, log: Arc<Log>) -> Self {
        let turn = tokio::sync::Mutex::default();
        let seen = Mutex::default();
        Self(Arc::new(Inner {
            address,
            log,
            turn,
            seen,
        }))
    }

    /// Notes how far the database is, to know later whether it fell back.
    pub(super) async fn look(&self, connection: &Connection) -> Result<(), StoreError> {
        let found = Found::on(connection).await?;
        let mut seen = self.0.seen.lock();
        if seen.of == Some(found.now) {
            seen.written = seen.written.max(found.written);
        }
        Ok(())
    }

    /// At start: compares the database with its log even if it seems to be the one it was.
    pub(super) async fn catch_up(&self) -> Result<(), StoreError> {
        self.0.catch_up(true).await
    }
}

impl Inner {
    async fn catch_up(&self, always: bool) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let opened = timeout(CREATE, Connection::open(&self.address, Commit::Durable)).await;
        let mut connection = opened.map_err(|_| {
            StoreError::Busy(format!("no connection within {} s", CREATE.as_secs()))
        })??;
        if let Some(why) = connection.not_in_force(Commit::Durable).await? {
            return Err(StoreError::Unavailable(why));
        }
        connection.allow(REPLAY);
        let patience = "SET statement_timeout = 0; SET lock_timeout = 0; \
             SET idle_in_transaction_session_timeout = 0";
        connection.batch(patience).await?;
        // Given back with the connection.
        let wait = "SELECT pg_advisory_lock($1)";
        connection.rows(wait, &[&TURN]).await?;
        let seen = *self.seen.lock();
        let found = Found::on(&connection).await?;
        found.refuse_replica()?;
        let log = if self.log.is_separate() {
            self.log.id().await?
        } else {
            0
        };
        let fell_back = seen.is_ahead_of(&found);
        if found.now == found.before && found.log == log && !fell_back && !always {
            return Ok(());
        }
        if found.log != log {
            self.adopt(&connection, found.log, log).await?;
        }
        let carried_out = if self.log.is_separate() {
            Replay::new(&connection, &self.log).run().await?
        } else {
            Carried::default()
        };
        self.tell(&found, &carried_out, fell_back);
        let changed = found.now != found.before && found.before.system != 0;
        let waits = changed || fell_back || carried_out.entries > 0;
        found.now.note(&connection, waits).await?;
        *self.seen.lock() = Seen {
            log,
            written: found.written,
            of: Some(found.now),
        };
        Ok(())
    }

    /// Begins with another log than the database was written with: what it has of this one is nothing.
    /// Not while somebody else goes on with the other one.
    async fn adopt(&self, store: &Connection, before: i64, log: i64) -> Result<(), StoreError> {
        let alone = "SELECT pg_try_advisory_lock($1)";
        let (attempts, pause) = LAST_OF_THE_OTHERS;
        let mut is_alone = false;
        for _ in 0..attempts {
            let row = store.row(alone, &[&(WRITERS ^ before)]).await?;
            is_alone = row.map(|row| row.try_get(0)).transpose()? == Some(true);
            if is_alone {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        if !is_alone {
            return Err(StoreError::Unavailable(ANOTHER_LOG.to_owned()));
        }
        if before != 0 {
            tracing::warn!(
                place = self.address.place(),
                log = self.log.is_separate().then(|| self.log.place()),
                "session_log_changed: the session log is not the one this database was written with; \
                 all of it is carried out, and what only the other one knew is lost"
            );
        }
        let sql = "WITH anew AS (UPDATE log_applied SET position = 0) \
             UPDATE meta SET value = $1 WHERE name = 'log'";
        store.change(sql, &[&log]).await?;
        let others = "SELECT pg_advisory_unlock($1)";
        store.rows(others, &[&(WRITERS ^ before)]).await.map(drop)
    }

    fn tell(&self, found: &Found, carried: &Carried, fell_back: bool) {
        let place = self.address.place();
        if carried.entries > 0 {
            tracing::warn!(
                place,
                log = self.log.place(),
                entries = carried.entries,
                sessions = carried.sessions,
                ends = carried.ends,
                lost_sessions = carried.lost_sessions,
                "session_log_replayed: the database lacked the end of its session log (a failover, a \
                 restored backup, or a write that stopped in the middle); it has it now"
            );
        }
        if (found.now == found.before && !fell_back) || found.before.system == 0 {
            return;
        }
        let (before, now) = (found.before, found.now);
        if self.log.is_separate() {
            tracing::warn!(
                place,
                timeline_before = before.timeline,
                timeline = now.timeline,
                "database_changed: another primary, or a restored backup; what its session log knows \
                 is carried out"
            );
        } else {
            tracing::error!(
                place,
                timeline_before = before.timeline,
                timeline = now.timeline,
                "database_changed: another primary, or a restored backup, and no session log in a \
                 database of its own: sign-outs and sign-ins of the last moments before are lost \
                 unless a synchronous standby had them"
            );
        }
    }
}

impl Found {
    async fn on(connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT pg_is_in_recovery(), \
             (SELECT system_identifier FROM pg_control_system()), \
             CASE WHEN pg_is_in_recovery() THEN 0 ELSE \
                 ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END, \
             'meta'::regclass::oid::bigint, \
             CASE WHEN pg_is_in_recovery() THEN 0 ELSE \
                 (pg_current_wal_flush_lsn() - '0/0')::bigint END, \
             max(value) FILTER (WHERE name = 'system'), \
             max(value) FILTER (WHERE name = 'timeline'), \
             max(value) FILTER (WHERE name = 'incarnation'), \
             max(value) FILTER (WHERE name = 'log') FROM meta";
        let row = connection.row(sql, &[]).await?;
        let row = row.ok_or_else(|| StoreError::Damaged("no facts in the database".to_owned()))?;
        let identity = |at: usize| -> Result<Identity, StoreError> {
            Ok(Identity {
                system: number(&row, at)?,
                timeline: number(&row, at + 1)?,
                incarnation: number(&row, at + 2)?,
            })
        };
        Ok(Self {
            is_replica: row.try_get(0)?,
            now: identity(1)?,
            written: number(&row, 4)?,
            before: identity(5)?,
            log: number(&row, 8)?,
        })
    }

    fn refuse_replica(&self) -> Result<(), StoreError> {
        if !self.is_replica {
            return Ok(());
        }
        let why = "this server is a replica, and decisions are never read from one";
        Err(StoreError::ReadOnly(why.to_owned()))
    }
}

fn number(row: &Columns, at: usize) -> Result<i64, StoreError> {
    Ok(row.try_get::<_, Option<i64>>(at)?.unwrap_or_default())
}

impl Identity {
    /// Notes that the database is whole; `waits` where the purge has to wait for those who are ahead.
    async fn note(self, connection: &Connection, waits: bool) -> Result<(), StoreError> {
        let sql = "UPDATE meta SET value = n.value FROM (VALUES ('system', $1::bigint), \
             ('timeline', $2), ('incarnation', $3), ('restored_at', CASE WHEN $4 THEN -1::bigint END)) \
             n (name, value) WHERE meta.name = n.name AND n.value IS NOT NULL";
        let Self {
            system,
            timeline,
            incarnation,
        } = self;
        connection
            .change(sql, &[&system, &timeline, &incarnation, &waits])
            .await?;
        Ok(())
    }
}
