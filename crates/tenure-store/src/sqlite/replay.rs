//! The revocation log into the database. Applying a line twice changes nothing.

use rusqlite::{Connection, OptionalExtension as _};
use tenure_core::id::LineageId;
use tenure_core::lineage::Revocation;

use super::codec::to_sql;
use super::journal::Replayed;
use super::sessions;
use crate::{Entry, StoreError};

pub(super) fn apply(
    sql: &Connection,
    entry: &Entry,
    replayed: &mut Replayed,
) -> Result<(), StoreError> {
    match entry {
        Entry::Created { lineage, at, begun } => {
            if exists(sql, *lineage)? {
                return Ok(());
            }
            // Its holder is ahead of the row as it began, and is adopted.
            match begun {
                Some(begun) => {
                    sessions::insert(sql, &begun.row(*lineage, *at))?;
                    replayed.sessions += 1;
                }
                None => replayed.lost_sessions += 1,
            }
        }
        Entry::Revoked { lineage, why } => {
            if sessions::end(sql, *lineage, *why)? {
                replayed.ends += 1;
            } else if !exists(sql, *lineage)? {
                remember(sql, *lineage, *why)?;
            }
        }
        Entry::Cut { subject, cut, keep } => sessions::set_cut(sql, subject, *cut, *keep)?,
        Entry::Deleted { lineages, .. } => {
            for lineage in lineages {
                forget(sql, *lineage)?;
            }
        }
    }
    Ok(())
}

fn exists(sql: &Connection, lineage: LineageId) -> Result<bool, StoreError> {
    let mut query = sql.prepare_cached("SELECT 1 FROM sessions WHERE lineage = ?1")?;
    let found = query.query_row([lineage.0.as_bytes()], |_| Ok(()));
    Ok(found.optional()?.is_some())
}

fn remember(sql: &Connection, lineage: LineageId, why: Revocation) -> Result<(), StoreError> {
    let mut insert = sql.prepare_cached(
        "INSERT OR IGNORE INTO lost_ends (lineage, at, cause) VALUES (?1, ?2, ?3)",
    )?;
    insert.execute((lineage.0.as_bytes(), to_sql(why.at), why.cause.as_str()))?;
    Ok(())
}

fn forget(sql: &Connection, lineage: LineageId) -> Result<(), StoreError> {
    for delete in [
        "DELETE FROM sessions WHERE lineage = ?1",
        "DELETE FROM lost_ends WHERE lineage = ?1",
    ] {
        sql.prepare_cached(delete)?
            .execute([lineage.0.as_bytes()])?;
    }
    Ok(())
}
