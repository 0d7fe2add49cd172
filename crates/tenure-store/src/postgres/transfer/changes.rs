//! Sessions that somebody has written.

use serde::{Deserialize, Serialize};
use tenure_core::id::LineageId;
use uuid::Uuid;

use super::super::codec::value;
use super::super::pool::Connection;
use super::super::sessions::{CHANGED, loaded};
use crate::transfer::{after, cursor};
use crate::{Changes, Cursor, Record, StoreError};

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
    let rows = sql
        .rows(CHANGED, &[&written_by, &last, &i64::from(limit)])
        .await?;
    let found: Vec<_> = rows.iter().map(loaded).collect::<Result<_, _>>()?;
    let last = found.last().map(|loaded| loaded.row.lineage);
    let more = found.len() as u64 >= u64::from(limit);
    let since = match last {
        Some(last) if more => Since {
            pass: Some((next, last)),
            ..since
        },
        _ => Since {
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
        more,
    })
}

/// The oldest transaction that has not ended.
async fn oldest(sql: &Connection) -> Result<i64, StoreError> {
    let row = sql
        .once("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        .await?;
    value(&row, 0)
}
