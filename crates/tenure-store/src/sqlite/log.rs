//! The session log for a store that keeps its sessions elsewhere.
//!
//! Its entries are in the revocation log too, each with its position, so that a restored older
//! database gets them back before it gives a position out twice.

use std::collections::HashMap;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row as Columns, params};
use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{Cut, Revocation};
use tenure_core::time::Timestamp;
use uuid::Uuid;

use super::codec::{cut, to_sql};
use super::writer::Group;
use super::{Sqlite, meta, sessions};
use crate::log::Facts;
use crate::{Entry, Position, SessionLog, Shard, StoreError};

#[async_trait]
impl SessionLog for Sqlite {
    async fn id(&self) -> Result<String, StoreError> {
        let id = self.readers.read(|sql| meta::read(sql, meta::LOG_ID))?;
        Ok(format!("{id:016x}"))
    }

    fn place(&self) -> String {
        self.files.database.display().to_string()
    }

    async fn append(&self, entries: &[(Shard, Entry)]) -> Result<Vec<Position>, StoreError> {
        let entries = entries.to_vec();
        self.writer
            .transaction(move |group| {
                // A commit that failed may have left positions in the log: they are taken.
                group.catch_up()?;
                entries
                    .iter()
                    .map(|(shard, entry)| append(group, *shard, entry))
                    .collect()
            })
            .await
    }

    async fn raise(&self, least: &[Position]) -> Result<bool, StoreError> {
        let heads: HashMap<Shard, u64> = self.heads().await?.into_iter().map(pair).collect();
        let head = |shard| heads.get(&shard).copied().unwrap_or_default();
        let lower = least.iter().filter(|least| head(least.shard) < least.at);
        let lower: Vec<Position> = lower.copied().collect();
        if lower.is_empty() {
            return Ok(false);
        }
        self.writer
            .transaction(move |group| {
                // What the revocation log has comes in below.
                group.catch_up()?;
                let mut raised = false;
                for least in &lower {
                    raised |= raise(group.sql, *least)?;
                }
                Ok(raised)
            })
            .await
    }

    async fn heads(&self) -> Result<Vec<Position>, StoreError> {
        self.readers.read(|sql| {
            let mut query = sql.prepare_cached("SELECT shard, position FROM log_heads")?;
            let heads = query.query_map((), position)?;
            Ok(heads.collect::<Result<_, _>>()?)
        })
    }

    async fn after(
        &self,
        after: Position,
        limit: u32,
    ) -> Result<Vec<(Position, Entry)>, StoreError> {
        self.list(move |sql| {
            let mut query = sql.prepare_cached(
                "SELECT shard, position, body FROM session_log \
                 WHERE shard = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
            )?;
            let params = params![after.shard.0, signed(after.at), limit];
            let found = query.query_map(params, |columns| {
                Ok((position(columns)?, body(columns, 2)?))
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn end_of(&self, lineage: LineageId) -> Result<Option<Revocation>, StoreError> {
        self.readers.read(|sql| {
            let mut query = sql.prepare_cached(
                "SELECT body FROM session_log WHERE lineage = ?1 AND kind = 'revoked' \
                 ORDER BY position LIMIT 1",
            )?;
            let entry = query.query_row([lineage.0.as_bytes()], |columns| body(columns, 0));
            Ok(match entry.optional()? {
                Some(Entry::Revoked { why, .. }) => Some(why),
                _ => None,
            })
        })
    }

    async fn entries_of(&self, lineage: LineageId) -> Result<Vec<Entry>, StoreError> {
        self.readers.read(|sql| {
            // A cut stands in the shard of its subject without the session that it spares.
            let mut query = sql.prepare_cached(
                "SELECT position, body FROM session_log WHERE lineage = ?1 \
                 UNION SELECT position, body FROM session_log \
                 WHERE kind = 'cut' AND shard = ?2 AND subject = \
                     (SELECT subject FROM session_log WHERE lineage = ?1 AND kind = 'created') \
                 ORDER BY position",
            )?;
            let params = params![lineage.0.as_bytes(), Shard::of(lineage).0];
            let found = query.query_map(params, |columns| body(columns, 1))?;
            let mut entries: Vec<Entry> = found.collect::<Result<_, _>>()?;
            entries.retain(|entry| entry.concerns(lineage));
            Ok(entries)
        })
    }

    async fn cut_of(&self, subject: &Subject) -> Result<Option<Cut>, StoreError> {
        self.readers.read(|sql| {
            let mut query =
                sql.prepare_cached("SELECT before, cause FROM cuts WHERE subject = ?1")?;
            let found = query.query_row([subject.as_str()], |columns| cut(columns, 0));
            Ok(found.optional()?.flatten())
        })
    }

    async fn set_cut(&self, subject: &Subject, cut: Cut) -> Result<(), StoreError> {
        let subject = subject.clone();
        self.writer
            .transaction(move |group| sessions::set_cut(group.sql, &subject, cut, None))
            .await
    }

    async fn sessions_of(&self, subject: &Subject) -> Result<Vec<LineageId>, StoreError> {
        let subject = subject.clone();
        self.list(move |sql| {
            let mut query = sql.prepare_cached(
                "SELECT DISTINCT lineage FROM session_log \
                 WHERE subject = ?1 AND kind = 'created' ORDER BY lineage",
            )?;
            let found = query.query_map([subject.as_str()], lineage)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn unlisted(&self, lineages: &[LineageId]) -> Result<Vec<LineageId>, StoreError> {
        let lineages = lineages.to_vec();
        self.list(move |sql| {
            let mut query = sql.prepare_cached(
                "SELECT 1 FROM session_log WHERE lineage = ?1 AND kind = 'created'",
            )?;
            let mut unlisted = Vec::new();
            for lineage in &lineages {
                if !query.exists([lineage.0.as_bytes()])? {
                    unlisted.push(*lineage);
                }
            }
            Ok(unlisted)
        })
        .await
    }

    async fn sessions(
        &self,
        after: Option<LineageId>,
        limit: u32,
    ) -> Result<Vec<LineageId>, StoreError> {
        let after = after.map_or_else(Vec::new, |after| after.0.as_bytes().to_vec());
        self.list(move |sql| {
            let mut query = sql.prepare_cached(
                "SELECT DISTINCT lineage FROM session_log \
                 WHERE lineage > ?1 AND kind = 'created' ORDER BY lineage LIMIT ?2",
            )?;
            let found = query.query_map(params![after, limit], lineage)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn compact(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let removed = self
            .writer
            .write(move |group| {
                let mut delete = group.sql.prepare_cached(
                    "DELETE FROM session_log WHERE (shard, position) IN \
                     (SELECT shard, position FROM session_log WHERE until < ?1 LIMIT ?2)",
                )?;
                Ok(delete.execute(params![to_sql(now), limit])? as u64)
            })
            .await?;
        self.compact_log().await;
        Ok(removed)
    }
}

fn append(group: &mut Group<'_>, shard: Shard, entry: &Entry) -> Result<Position, StoreError> {
    let mut next = group.sql.prepare_cached(
        "INSERT INTO log_heads (shard, position) VALUES (?1, 1) \
         ON CONFLICT DO UPDATE SET position = position + 1 RETURNING shard, position",
    )?;
    let next = next.query_row([shard.0], position)?;
    add(group.sql, next, entry)?;
    group.log_at(next, entry.clone());
    Ok(next)
}

/// An entry of the revocation log that was written with its position. A second time changes nothing.
pub(super) fn replay(sql: &Connection, at: Position, entry: &Entry) -> Result<(), StoreError> {
    if let Entry::Cut { subject, cut, .. } = entry {
        sessions::set_cut(sql, subject, *cut, None)?;
    }
    if raise(sql, at)? {
        add(sql, at, entry)?;
    }
    Ok(())
}

/// Whether the shard had not got as far.
fn raise(sql: &Connection, to: Position) -> Result<bool, StoreError> {
    let mut raise = sql.prepare_cached(
        "INSERT INTO log_heads (shard, position) VALUES (?1, ?2) \
         ON CONFLICT DO UPDATE SET position = excluded.position \
         WHERE excluded.position > log_heads.position",
    )?;
    Ok(raise.execute(params![to.shard.0, signed(to.at)])? > 0)
}

fn pair(head: Position) -> (Shard, u64) {
    (head.shard, head.at)
}

fn add(sql: &Connection, at: Position, entry: &Entry) -> Result<(), StoreError> {
    forget_superseded(sql, at.shard, entry)?;
    let facts = Facts::of(at.shard, entry);
    let lineage = facts.lineage.map(|lineage| lineage.0.into_bytes());
    let body = serde_json::to_string(entry).map_err(std::io::Error::from)?;
    sql.prepare_cached(
        "INSERT INTO session_log (shard, position, lineage, subject, kind, at, until, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, \
         coalesce(?7, (SELECT max(until) FROM session_log WHERE lineage = ?3)), ?8)",
    )?
    .execute(params![
        at.shard.0,
        signed(at.at),
        lineage,
        facts.subject.map(Subject::as_str),
        facts.kind,
        facts.at.map(to_sql),
        facts.until.map(to_sql),
        body,
    ])?;
    Ok(())
}

/// Removes what nobody needs once this entry stands: the beginning and the end of a session that was
/// deleted, and a cut before a later one.
fn forget_superseded(sql: &Connection, shard: Shard, entry: &Entry) -> Result<(), StoreError> {
    match entry {
        Entry::Deleted { lineages, .. } => {
            let mut delete = sql.prepare_cached("DELETE FROM session_log WHERE lineage = ?1")?;
            for lineage in lineages {
                delete.execute([lineage.0.as_bytes()])?;
            }
        }
        Entry::Cut { subject, cut, .. } => {
            sql.prepare_cached(
                "DELETE FROM session_log \
                 WHERE subject = ?1 AND kind = 'cut' AND shard = ?2 AND at <= ?3",
            )?
            .execute(params![subject.as_str(), shard.0, to_sql(cut.before)])?;
        }
        Entry::Created { .. } | Entry::Revoked { .. } => {}
    }
    Ok(())
}

fn position(columns: &Columns<'_>) -> rusqlite::Result<Position> {
    let at: i64 = columns.get(1)?;
    Ok(Position {
        shard: Shard(columns.get(0)?),
        at: at.cast_unsigned(),
    })
}

fn lineage(columns: &Columns<'_>) -> rusqlite::Result<LineageId> {
    Ok(LineageId(Uuid::from_bytes(columns.get(0)?)))
}

fn body(columns: &Columns<'_>, at: usize) -> rusqlite::Result<Entry> {
    super::codec::word(columns, at, |text| serde_json::from_str(text).ok())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
