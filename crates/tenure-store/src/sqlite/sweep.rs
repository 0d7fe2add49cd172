//! Deletes sessions that nobody can need any more.
//!
//! An index by expiry would make every refresh pay for it, since a refresh moves the idle limit. So
//! the sweep reads the table from where it last stopped, a slice per call, beside the writer; only
//! the deletions, each checked again, go through it, few at a time.

use rusqlite::{Connection, OptionalExtension as _, named_params};
use tenure_core::id::LineageId;
use tenure_core::time::Timestamp;
use uuid::Uuid;

use super::codec::{seconds_to_sql, time, to_sql};
use super::meta;
use super::writer::Group;
use crate::record::KEEP_ENDED;
use crate::{Entry, StoreError};

/// Rows that one call looks at: some tens of milliseconds on a thread of its own.
const SLICE: u32 = 50_000;

/// Deletions in one queued write: other writes wait for a fraction of a millisecond.
pub(super) const STEP: usize = 16;

/// Mirrors `record::is_purgeable`; after a restore, also not for one idle period, in which the
/// holders of tokens that are ahead of the row come back.
macro_rules! purgeable {
    () => {
        "(:now > expires_absolute OR :now > head_since + 2 * idle OR :now > revoked_at + :keep) \
         AND (:restored_at = 0 OR :now > :restored_at + idle)"
    };
}

/// What one slice holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Sessions to delete.
    pub(super) lineages: Vec<LineageId>,
    /// Where the next slice begins; `None` at the end of the table.
    pub(super) next: Option<LineageId>,
}

pub(super) fn find(
    sql: &Connection,
    after: Option<LineageId>,
    (now, restored_at): (Timestamp, i64),
    limit: usize,
) -> Result<Found, StoreError> {
    let mut query = sql.prepare_cached(concat!(
        "SELECT lineage, ",
        purgeable!(),
        " FROM sessions WHERE lineage > :after ORDER BY lineage LIMIT :slice"
    ))?;
    let mut rows = query.query(named_params! {
        ":after": after.map(|lineage| lineage.0.into_bytes().to_vec()).unwrap_or_default(),
        ":slice": SLICE,
        ":now": to_sql(now),
        ":keep": seconds_to_sql(KEEP_ENDED),
        ":restored_at": restored_at,
    })?;
    let mut found = Found::default();
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let lineage = LineageId(Uuid::from_bytes(row.get(0)?));
        seen += 1;
        found.next = Some(lineage);
        if row.get::<_, Option<bool>>(1)?.unwrap_or_default() {
            found.lineages.push(lineage);
            if found.lineages.len() == limit {
                return Ok(found);
            }
        }
    }
    if seen < SLICE {
        found.next = None;
    }
    Ok(found)
}

/// Deletes those of the sessions that still are purgeable.
pub(super) fn delete(
    group: &mut Group<'_>,
    lineages: &[LineageId],
    (now, restored_at): (Timestamp, i64),
) -> Result<u64, StoreError> {
    let mut delete = group.sql.prepare_cached(concat!(
        "DELETE FROM sessions WHERE lineage = :lineage AND ",
        purgeable!(),
        " RETURNING expires_absolute"
    ))?;
    let mut deleted = Vec::with_capacity(lineages.len());
    let mut until = None;
    for lineage in lineages {
        let params = named_params! {
            ":lineage": lineage.0.as_bytes(),
            ":now": to_sql(now),
            ":keep": seconds_to_sql(KEEP_ENDED),
            ":restored_at": restored_at,
        };
        let limit = delete.query_row(params, |columns| time(columns, 0));
        if let Some(limit) = limit.optional()? {
            until = until.max(Some(limit));
            deleted.push(*lineage);
        }
    }
    let count = deleted.len() as u64;
    if count > 0 {
        group.log(Entry::Deleted {
            lineages: deleted,
            until,
        });
    }
    Ok(count)
}

/// When the store was found to be a restored one, 0 for never. The store has no clock, so the first
/// sweep after the replay dates it.
pub(super) fn date_restore(group: &Group<'_>, now: Timestamp) -> Result<i64, StoreError> {
    meta::write(group.sql, meta::RESTORED_AT, to_sql(now))?;
    Ok(to_sql(now))
}
