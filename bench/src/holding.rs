//! What Tenure's store holds, as the store itself says.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use tenure_lab::postgres::Postgres;
use tenure_lab::redis::Redis;

use crate::contents::Contents;
use crate::services::backing::{Backing, Place};

/// Rows and bytes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Holding {
    /// Sessions.
    pub sessions: u64,
    /// Bytes of the sessions with their indexes; of all tables on SQLite, of all keys in Redis.
    pub bytes: u64,
    /// Bytes of the session log with its indexes; beside Redis, of the database that it is in.
    pub log_bytes: u64,
}

impl Holding {
    /// Asks the store of a service with that directory and place.
    pub async fn of(backing: &Backing, directory: &Path, place: &Place) -> Result<Self> {
        let data = directory.join("data");
        match backing {
            Backing::Sqlite => in_sqlite(&data),
            Backing::Postgres(server) => in_postgres(server, place).await,
            Backing::Redis(server, _) => in_redis(server, &data),
        }
    }

    /// Sessions and bytes that came to what was there before.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            sessions: self.sessions.saturating_sub(before.sessions),
            bytes: self.bytes.saturating_sub(before.bytes),
            log_bytes: self.log_bytes.saturating_sub(before.log_bytes),
        }
    }
}

fn in_sqlite(data: &Path) -> Result<Holding> {
    let contents = Contents::of(data)?;
    Ok(Holding {
        sessions: contents.rows.get("sessions").copied().unwrap_or_default(),
        bytes: contents.bytes,
        log_bytes: size(&data.join("revocations.log"))?,
    })
}

fn size(file: &Path) -> Result<u64> {
    let metadata = fs::metadata(file).with_context(|| format!("{}", file.display()))?;
    Ok(metadata.len())
}

async fn in_postgres(server: &Postgres, place: &Place) -> Result<Holding> {
    let (_, database) = place.expose().rsplit_once('/').context("no database")?;
    let number =
        async |sql: &str| -> Result<u64> { Ok(server.value(database, sql).await?.parse()?) };
    Ok(Holding {
        sessions: number("SELECT count(*) FROM sessions").await?,
        bytes: number("SELECT pg_total_relation_size('sessions')").await?,
        log_bytes: number("SELECT pg_total_relation_size('session_log')").await?,
    })
}

fn in_redis(server: &Redis, data: &Path) -> Result<Holding> {
    let info: String = server.command(&["INFO", "memory"])?;
    let used = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    Ok(Holding {
        sessions: server.command(&["DBSIZE"])?,
        bytes: used.context("INFO has another shape")?.trim().parse()?,
        log_bytes: Contents::of(data)?.bytes + size(&data.join("revocations.log"))?,
    })
}
