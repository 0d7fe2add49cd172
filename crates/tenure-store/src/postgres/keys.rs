//! Sealed keys in SQL.

use tenure_core::keyset::KeyState;
use tenure_core::time::Timestamp;
use tokio_postgres::Row as Columns;

use super::accounts::changed;
use super::codec::{Text, text, time, to_sql, value, word};
use super::meta::noticed;
use super::pool::{Connection, Params, Pool};
use crate::{KeyRecord, KeyUse, StoreError, Written};

pub(super) async fn list(sql: &Connection, of: KeyUse) -> Result<Vec<KeyRecord>, StoreError> {
    let query =
        "SELECT id, algorithm, state, since, sealed FROM keys WHERE of = $1 ORDER BY position";
    let keys = sql.rows(query, &[&of.as_str()]).await?;
    keys.iter().map(|columns| key(of, columns)).collect()
}

pub(super) fn key(of: KeyUse, columns: &Columns) -> Result<KeyRecord, StoreError> {
    Ok(KeyRecord {
        id: text(columns, 0)?,
        of,
        algorithm: text(columns, 1)?,
        state: word(columns, 2, KeyState::parse)?,
        since: time(columns, 3)?,
        sealed: value(columns, 4)?,
    })
}

/// Two servers that find a key missing both make one: the second must take the first one's. No
/// index says so, since a takeover has two active keys for a moment; so they take turns.
pub(super) async fn add(pool: &Pool, key: &KeyRecord) -> Result<Written, StoreError> {
    let transaction = pool.begin().await?;
    transaction
        .batch("LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE")
        .await?;
    let insert = noticed!(
        "INSERT INTO keys (id, of, algorithm, state, since, sealed) \
         SELECT $1, $2, $3, $4, $5, $6 WHERE $4 NOT IN ('next', 'active') OR NOT EXISTS \
         (SELECT FROM keys WHERE of = $2 AND algorithm = $3 AND state = $4) \
         ON CONFLICT DO NOTHING RETURNING 1"
    );
    let params: Params<'_> = &[
        &Text(&key.id),
        &key.of.as_str(),
        &Text(&key.algorithm),
        &key.state.as_str(),
        &to_sql(key.since),
        &key.sealed,
    ];
    let written = changed(&transaction, insert, params).await?;
    transaction.commit().await?;
    Ok(written)
}

pub(super) async fn shift(
    sql: &Connection,
    id: &str,
    (from, to): (KeyState, KeyState),
    now: Timestamp,
) -> Result<Written, StoreError> {
    let update = noticed!(
        "UPDATE keys SET state = $3, since = $4, \
         sealed = CASE $3 WHEN 'retired' THEN '' ELSE sealed END \
         WHERE id = $1 AND state = $2 RETURNING 1"
    );
    let (from, to, now) = (from.as_str(), to.as_str(), to_sql(now));
    changed(sql, update, &[&Text(id), &from, &to, &now]).await
}
