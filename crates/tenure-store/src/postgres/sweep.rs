//! Deletes what nobody can need any more.
//!
//! An index by expiry would make every refresh pay for it, since a refresh moves the idle limit. So
//! the sweep reads the table from where it last stopped, a slice per call; only the deletions take
//! locks, few at a time, and never wait for one: a row that somebody holds is left for the next lap.

use tenure_core::id::LineageId;
use tenure_core::time::Timestamp;
use tokio_postgres::Row as Columns;
use uuid::Uuid;

use super::Postgres;
use super::codec::{seconds_to_sql, time, to_sql, value};
use super::pool::Connection;
use crate::device::KEEP_EXPIRED;
use crate::log::deletion_entries;
use crate::record::KEEP_ENDED;
use crate::{Purged, SessionLog as _, StoreError};

/// Rows that one call looks at: some tens of milliseconds of one connection.
const SLICE: u32 = 20_000;

/// Deletions in one statement: a few milliseconds.
const STEP: usize = 256;

/// Mirrors `record::is_purgeable`; after a restore, also not for one idle period, in which the
/// holders of tokens that are ahead of the row come back. $1: now; $2: how long ended ones are kept;
/// $3: when the database was restored, or 0.
macro_rules! purgeable {
    () => {
        "($1 > expires_absolute OR $1 > head_since + 2 * idle OR $1 > revoked_at + $2) \
         AND ($3::bigint = 0 OR $1 > $3 + idle)"
    };
}

impl Postgres {
    pub(super) async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        let sql = self.durable.lend().await?;
        let restored_at = restored_at(&sql, now).await?;
        let after = *self.swept_to.lock();
        let (found, next) = find(&sql, after, (now, restored_at), limit).await?;
        drop(sql);
        *self.swept_to.lock() = next;
        let mut sessions = 0;
        for step in found.chunks(STEP) {
            sessions += self.delete(step, (now, restored_at)).await?;
        }
        let mut left = u64::from(limit).saturating_sub(sessions);
        let sql = self.durable.lend().await?;
        let mut tickets = 0;
        for (delete, end) in [
            (TICKETS, to_sql(now)),
            (DEVICES, to_sql(now.minus(KEEP_EXPIRED))),
        ] {
            let deleted = delete_expired(&sql, delete, end, left).await?;
            left = left.saturating_sub(deleted);
            tickets += deleted;
        }
        if self.log.is_separate() {
            self.compact(now, limit).await?;
        }
        Ok(Purged { sessions, tickets })
    }

    /// Deletes those of the sessions that still are purgeable and that nobody is writing to.
    async fn delete(
        &self,
        lineages: &[Uuid],
        (now, restored_at): (Timestamp, i64),
    ) -> Result<u64, StoreError> {
        let delete = concat!(
            "DELETE FROM sessions WHERE lineage IN (SELECT lineage FROM sessions \
             WHERE lineage = ANY($4) AND ",
            purgeable!(),
            " FOR UPDATE SKIP LOCKED) RETURNING lineage, expires_absolute"
        );
        let (now, keep) = (to_sql(now), seconds_to_sql(KEEP_ENDED));
        let transaction = self.durable.begin().await?;
        let deleted = transaction
            .rows(delete, &[&now, &keep, &restored_at, &lineages])
            .await?;
        let gone = |columns: &Columns| {
            let lineage = LineageId(value(columns, 0)?);
            Ok((lineage, time(columns, 1)?))
        };
        let gone: Vec<_> = deleted
            .iter()
            .map(gone)
            .collect::<Result<_, StoreError>>()?;
        self.log
            .append(&transaction, &deletion_entries(&gone))
            .await?;
        transaction.commit().await?;
        Ok(gone.len() as u64)
    }
}

/// The sessions of one slice that may go, at most `limit`, and where the next slice begins; `None` at
/// the end of the table.
async fn find(
    sql: &Connection,
    after: Option<LineageId>,
    (now, restored_at): (Timestamp, i64),
    limit: u32,
) -> Result<(Vec<Uuid>, Option<LineageId>), StoreError> {
    let query = concat!(
        "WITH slice AS MATERIALIZED (SELECT lineage, ",
        purgeable!(),
        " AS may_go FROM sessions WHERE lineage > $4 ORDER BY lineage LIMIT $5::bigint) \
         (SELECT lineage, true FROM slice WHERE may_go ORDER BY lineage LIMIT $6) UNION ALL \
         (SELECT lineage, false FROM slice ORDER BY lineage OFFSET $5 - 1 LIMIT 1)"
    );
    let after = after.map_or(Uuid::nil(), |lineage| lineage.0);
    let (now, keep) = (to_sql(now), seconds_to_sql(KEEP_ENDED));
    let (slice, most) = (i64::from(SLICE), i64::from(limit));
    let rows = sql
        .rows(query, &[&now, &keep, &restored_at, &after, &slice, &most])
        .await?;
    let (mut found, mut end) = (Vec::new(), None);
    for row in &rows {
        let lineage: Uuid = value(row, 0)?;
        if value(row, 1)? {
            found.push(lineage);
        } else {
            end = Some(LineageId(lineage));
        }
    }
    let next = if found.len() == limit as usize {
        found.last().copied().map(LineageId)
    } else {
        end
    };
    Ok((found, next))
}

/// When the database was found to be a restored one, 0 for never. The store has no clock of its own,
/// so the first sweep after the replay dates it.
async fn restored_at(sql: &Connection, now: Timestamp) -> Result<i64, StoreError> {
    let date = "UPDATE meta SET value = $1 WHERE name = 'restored_at' AND value = -1";
    sql.change(date, &[&to_sql(now)]).await?;
    let read = "SELECT value FROM meta WHERE name = 'restored_at'";
    let found = sql.row(read, &[]).await?;
    found.map_or(Ok(0), |columns| value(&columns, 0))
}

const TICKETS: &str = "DELETE FROM tickets WHERE (kind, hash) IN (SELECT kind, hash FROM tickets \
    WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";

const DEVICES: &str = "DELETE FROM devices WHERE code IN (SELECT code FROM devices \
    WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";

async fn delete_expired(
    sql: &Connection,
    delete: &'static str,
    end: i64,
    limit: u64,
) -> Result<u64, StoreError> {
    let mut total = 0;
    while total < limit {
        let step = (limit - total).min(STEP as u64);
        let deleted = sql.change(delete, &[&end, &step.cast_signed()]).await?;
        total += deleted;
        if deleted < step {
            break;
        }
    }
    Ok(total)
}
