//! Facts about the file, one number each.

use rusqlite::Connection;

use crate::StoreError;

pub(super) const LOG_END: &str = "log_end";
pub(super) const LOG_GENERATION: &str = "log_generation";
pub(super) const LOG_ID: &str = "log_id";
pub(super) const LOG_KEPT: &str = "log_kept";
pub(super) const RESTORED_AT: &str = "restored_at";
pub(super) const VERSION: &str = "version";
const CHECK: &str = "check";

pub(super) fn read(sql: &Connection, name: &str) -> Result<i64, StoreError> {
    let mut query = sql.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    Ok(query.query_row([name], |columns| columns.get(0))?)
}

/// A fact that a file of an older schema lacks.
pub(super) fn read_or_zero(sql: &Connection, name: &str) -> Result<i64, StoreError> {
    let query = "SELECT coalesce(max(value), 0) FROM meta WHERE name = ?1";
    Ok(sql.query_row(query, [name], |columns| columns.get(0))?)
}

/// Never 0.
pub(super) fn random(sql: &Connection) -> Result<i64, StoreError> {
    Ok(sql.query_row("SELECT random() | 1", (), |columns| columns.get(0))?)
}

pub(super) fn write(sql: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    let mut update = sql.prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")?;
    update.execute((name, value))?;
    Ok(())
}

/// A counter in the file, so that every process notices what any process did.
pub(super) fn bump_version(sql: &Connection) -> Result<(), StoreError> {
    bump(sql, VERSION).map(drop)
}

/// Writes a marker and answers it.
pub(super) fn mark(sql: &Connection) -> Result<i64, StoreError> {
    bump(sql, CHECK)
}

pub(super) fn last_mark(sql: &Connection) -> Result<i64, StoreError> {
    read(sql, CHECK)
}

fn bump(sql: &Connection, name: &str) -> Result<i64, StoreError> {
    let mut update =
        sql.prepare_cached("UPDATE meta SET value = value + 1 WHERE name = ?1 RETURNING value")?;
    Ok(update.query_row([name], |columns| columns.get(0))?)
}
