//! rusqlite: one thread writes, in groups of what has arrived meanwhile.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::{AUDIENCE, AUTH_TIME, CLIENT, Held, IDLE, IP_PREFIX, RING, SECRET, SUBJECT, USES};
use crate::jwt::SCOPE;

/// Updates of one commit.
const GROUP: usize = 256;

const SCHEMA: &str = "CREATE TABLE bare_sessions (
    lineage BLOB NOT NULL UNIQUE, secret BLOB NOT NULL, subject TEXT NOT NULL, client TEXT NOT NULL,
    scope TEXT NOT NULL, audience TEXT NOT NULL, auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL, expires_absolute INTEGER NOT NULL, idle INTEGER NOT NULL,
    head_id BLOB NOT NULL, head_generation INTEGER NOT NULL, head_since INTEGER NOT NULL,
    head_uses BLOB NOT NULL, ring BLOB NOT NULL, history_unknown_until INTEGER,
    revoked_at INTEGER, device_ip_prefix TEXT
) STRICT;
CREATE INDEX bare_sessions_by_subject ON bare_sessions (subject);";

const INSERT: &str = "INSERT INTO bare_sessions (lineage, secret, subject, client, scope, audience, \
    auth_time, created_at, expires_absolute, idle, head_id, head_generation, head_since, head_uses, \
    ring, device_ip_prefix) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7 + 12 * ?8, ?8, ?9, 0, ?7, ?10, ?11, ?12)";

const SELECT: &str = "SELECT * FROM bare_sessions WHERE lineage = ?1";

const UPDATE: &str = "UPDATE bare_sessions SET head_id = ?3, head_generation = head_generation + 1, \
    head_since = ?4, head_uses = ?5, ring = ?6, history_unknown_until = NULL \
    WHERE lineage = ?1 AND head_id = ?2 AND revoked_at IS NULL";

struct Job {
    held: Held,
    next: [u8; 8],
    load: bool,
    answer: oneshot::Sender<bool>,
}

pub(crate) struct Sqlite {
    jobs: Sender<Job>,
    /// For everything but updates.
    connection: Mutex<Connection>,
}

impl Sqlite {
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let file = directory.join("bare.db");
        let connection = connect(&file)?;
        connection.execute_batch(SCHEMA)?;
        let (writer, (jobs, arriving)) = (connect(&file)?, channel());
        thread::spawn(move || {
            // A failed commit drops the senders of its group, who answer an error.
            while let Some(group) = gather(&arriving) {
                commit(&writer, group).ok();
            }
        });
        Ok(Self {
            jobs,
            connection: Mutex::new(connection),
        })
    }

    pub(super) fn fill(&self, sessions: &[Held]) -> Result<()> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare(INSERT)?;
        for Held { lineage, head } in sessions {
            insert.execute(params![
                lineage.as_bytes(),
                SECRET,
                SUBJECT,
                CLIENT,
                SCOPE,
                AUDIENCE,
                AUTH_TIME,
                IDLE,
                head,
                USES,
                RING,
                IP_PREFIX
            ])?;
        }
        drop(insert);
        Ok(transaction.commit()?)
    }

    pub(super) fn settings(&self) -> Result<BTreeMap<String, String>> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok(BTreeMap::from([
            ("sqlite".to_owned(), rusqlite::version().to_owned()),
            ("synchronous".to_owned(), number("synchronous")?.to_string()),
        ]))
    }

    pub(super) async fn advance(&self, held: Held, next: [u8; 8], load: bool) -> Result<bool> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            held,
            next,
            load,
            answer,
        };
        self.jobs.send(job).map_err(|_| anyhow!("no writer"))?;
        answered.await.context("the commit failed")
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    connection.pragma_update(None, "cache_size", -16384)?;
    Ok(connection)
}

fn gather(arriving: &Receiver<Job>) -> Option<Vec<Job>> {
    let mut group = vec![arriving.recv().ok()?];
    group.extend(arriving.try_iter().take(GROUP - 1));
    Some(group)
}

fn commit(sql: &Connection, group: Vec<Job>) -> rusqlite::Result<()> {
    sql.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let written: rusqlite::Result<Vec<bool>> = group.iter().map(|job| write(sql, job)).collect();
    let end = if written.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    sql.prepare_cached(end)?.execute(())?;
    for (job, written) in group.into_iter().zip(written?) {
        job.answer.send(written).ok();
    }
    Ok(())
}

fn write(sql: &Connection, job: &Job) -> rusqlite::Result<bool> {
    let Job {
        held: Held { lineage, head },
        next,
        ..
    } = job;
    if job.load {
        let mut select = sql.prepare_cached(SELECT)?;
        let loaded: [u8; 8] = select.query_row([lineage.as_bytes()], |row| row.get("head_id"))?;
        if loaded != *head {
            return Ok(false);
        }
    }
    let values = params![lineage.as_bytes(), head, next, AUTH_TIME, USES, RING];
    Ok(sql.prepare_cached(UPDATE)?.execute(values)? == 1)
}
