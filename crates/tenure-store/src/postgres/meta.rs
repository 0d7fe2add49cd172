//! Facts about the database, one number each.

use super::codec::value;
use super::pool::Connection;
use crate::StoreError;

/// The channel of `NOTIFY`: says that `version` has grown.
pub(super) const CHANNEL: &str = "tenure";

/// A statement that returns the rows it changed; where it changed any, `version` grows and everybody
/// who listens is told. Answers the number of changed rows.
macro_rules! noticed {
    ($change:literal) => {
        concat!(
            "WITH changed AS (",
            $change,
            "), bumped AS (UPDATE meta SET value = value + 1 WHERE name = 'version' \
             AND EXISTS (SELECT FROM changed) RETURNING pg_notify('tenure', '')) \
             SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM bumped)"
        )
    };
}
pub(super) use noticed;

/// Lets `version` grow, and tells everybody who listens.
pub(super) async fn bump(sql: &Connection) -> Result<(), StoreError> {
    let bump = "UPDATE meta SET value = value + 1 WHERE name = 'version' \
        RETURNING pg_notify('tenure', '')";
    sql.rows(bump, &[]).await.map(drop)
}

pub(super) async fn version(sql: &Connection) -> Result<u64, StoreError> {
    let version = "SELECT value FROM meta WHERE name = 'version'";
    one(sql, version).await.map(i64::cast_unsigned)
}

/// Writes a marker; fails while the database takes no write.
pub(super) async fn mark(sql: &Connection) -> Result<(), StoreError> {
    let mark = "UPDATE meta SET value = value + 1 WHERE name = 'check' RETURNING value";
    let written = one(sql, mark).await?;
    let read = one(sql, "SELECT value FROM meta WHERE name = 'check'").await?;
    if read < written {
        let why = format!("marker {written} reads back as {read}");
        return Err(StoreError::Damaged(why));
    }
    Ok(())
}

/// Returns once everything that was committed before is as durable as a commit of now is: a row may
/// be seen although the wait for the standby that should have it was cancelled.
pub(super) async fn confirm(sql: &Connection) -> Result<(), StoreError> {
    let write = "SELECT FROM pg_logical_emit_message(true, 'tenure', '')";
    sql.rows(write, &[]).await.map(drop)
}

/// The clock of the server, in whole seconds.
pub(super) async fn clock(sql: &Connection) -> Result<i64, StoreError> {
    let clock = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint";
    one(sql, clock).await
}

async fn one(sql: &Connection, query: &'static str) -> Result<i64, StoreError> {
    let missing = || StoreError::Damaged("the table meta lacks a fact".to_owned());
    let row = sql.row(query, &[]).await?.ok_or_else(missing)?;
    value(&row, 0)
}
