//! Sealed keys in SQL.

use rusqlite::{Connection, Row as Columns, params};
use tenure_core::keyset::KeyState;
use tenure_core::time::Timestamp;

use super::codec::{time, to_sql, word};
use super::meta;
use super::writer::Group;
use crate::{KeyRecord, KeyUse, StoreError, Written};

pub(super) fn list(sql: &Connection, of: KeyUse) -> Result<Vec<KeyRecord>, StoreError> {
    let mut query = sql.prepare_cached(
        "SELECT id, algorithm, state, since, sealed FROM keys WHERE of = ?1 ORDER BY position",
    )?;
    let keys = query.query_map([of.as_str()], |columns| key(of, columns))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

pub(super) fn key(of: KeyUse, columns: &Columns<'_>) -> rusqlite::Result<KeyRecord> {
    Ok(KeyRecord {
        id: columns.get(0)?,
        of,
        algorithm: columns.get(1)?,
        state: word(columns, 2, KeyState::parse)?,
        since: time(columns, 3)?,
        sealed: columns.get(4)?,
    })
}

pub(super) fn add(group: &Group<'_>, key: &KeyRecord) -> Result<Written, StoreError> {
    // Two servers that find a key missing both make one: the second must take the first one's.
    let mut insert = group.sql.prepare_cached(
        "INSERT INTO keys (id, of, algorithm, state, since, sealed) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ?4 NOT IN ('next', 'active') OR NOT EXISTS \
         (SELECT 1 FROM keys WHERE of = ?2 AND algorithm = ?3 AND state = ?4) \
         ON CONFLICT DO NOTHING",
    )?;
    let added = insert.execute(params![
        key.id,
        key.of.as_str(),
        key.algorithm,
        key.state.as_str(),
        to_sql(key.since),
        key.sealed,
    ])?;
    noticed(group, added)
}

pub(super) fn shift(
    group: &Group<'_>,
    id: &str,
    (from, to): (KeyState, KeyState),
    now: Timestamp,
) -> Result<Written, StoreError> {
    let mut update = group.sql.prepare_cached(
        "UPDATE keys SET state = ?3, since = ?4, \
         sealed = CASE ?3 WHEN 'retired' THEN x'' ELSE sealed END WHERE id = ?1 AND state = ?2",
    )?;
    let changed = update.execute((id, from.as_str(), to.as_str(), to_sql(now)))?;
    noticed(group, changed)
}

fn noticed(group: &Group<'_>, changed: usize) -> Result<Written, StoreError> {
    if changed > 0 {
        meta::bump_version(group.sql)?;
    }
    Ok(Written::if_any(changed))
}
