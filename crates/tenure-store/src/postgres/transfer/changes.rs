//! Sessions that somebody has written.

use serde::{Deserialize, Serialize};
use tenure_core::id::LineageId;
use uuid::Uuid;

use super::super::codec::value;
use super::super::pool::Connection;
use super::super::sessions::{CHANGED, loaded};
use crate::transfer::{after, cursor};
use crate::{Changes, Cursor, Record, StoreError};

/// Rows that one call looks at: far fewer than a statement has time for.
const SLICE: i64 = 20_000;

/// Where the changes go on.
#[derive(Serialize, Deserialize)]
struct Since {
    /// Transactions before this one had ended.
    transaction: i64,
    /// In the middle of a pass: where the next one begins, and how far this one is.
    pass: Option<(i64, LineageId)>,
}

/// Each row tells which transaction wrote it (`xmin`): those that had not ended when the last pass
/// began wrote whatever is new. It reads all rows, and writes nothing down for that.
pub(in super::super) async fn changes(
    sql: &Connection,
    since: Option<&Cursor>,
    limit: u32,
) -> Result<Changes, StoreError> {
    let Some(since) = after::<Since>(since)? else {
        let transaction = oldest(sql).await?;
        let since = Since {
            transaction,
            pass: None,
        };
        return Ok(Changes::from_now(cursor(&since)?));
    };
    let (next, last) = match since.pass {
        Some((next, last)) => (next, last.0),
        None => (oldest(sql).await?, Uuid::nil()),
    };
    // A row holds the lower half of the number.
    let written_by = (since.transaction & i64::from(u32::MAX)).to_string();
    let slice = end_of_slice(sql, last).await?;
    let end = slice.unwrap_or(Uuid::max());
    let rows = sql
        .rows(CHANGED, &[&written_by, &last, &i64::from(limit), &end])
        .await?;
    let found: Vec<_> = rows.iter().map(loaded).collect::<Result<_, _>>()?;
    let last = if found.len() as u64 >= u64::from(limit) {
        found.last().map(|loaded| loaded.row.lineage)
    } else {
        slice.map(LineageId)
    };
    let since = match last {
        Some(last) => Since {
            pass: Some((next, last)),
            ..since
        },
        None => Since {
            transaction: next,
            pass: None,
        },
    };
    let records = found
        .into_iter()
        .map(|loaded| Record::Session(Box::new(loaded)));
    Ok(Changes {
        records: records.collect(),
        next: Some(cursor(&since)?),
        more: last.is_some(),
    })
}

/// The last row of the slice that begins after a lineage; `None` where the table ends before.
async fn end_of_slice(sql: &Connection, after: Uuid) -> Result<Option<Uuid>, StoreError> {
    let query = "SELECT lineage FROM sessions WHERE lineage > $1 \
        ORDER BY lineage OFFSET $2::bigint - 1 LIMIT 1";
    let row = sql.row(query, &[&after, &SLICE]).await?;
    row.map(|row| value(&row, 0)).transpose()
}

/// The oldest transaction that has not ended.
async fn oldest(sql: &Connection) -> Result<i64, StoreError> {
    let row = sql
        .once("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        .await?;
    value(&row, 0)
}
