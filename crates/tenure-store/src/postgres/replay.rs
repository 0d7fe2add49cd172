//! The session log into a database that lacks some of it.

use tenure_core::id::LineageId;
use tenure_core::lineage::Revocation;
use uuid::Uuid;

use super::codec::to_sql;
use super::log::{self, Heads, Log};
use super::pool::Connection;
use super::{meta, sessions};
use crate::{Entry, Position, Shard, StoreError};

/// Entries in one transaction.
const PAGE: u32 = 500;

/// What a replay did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Carried {
    pub(super) entries: u64,
    pub(super) sessions: u64,
    pub(super) ends: u64,
    /// Of which the log does not tell enough to make them again.
    pub(super) lost_sessions: u64,
}

/// Everything that a database lacks of its log.
pub(super) struct Replay<'a> {
    store: &'a Connection,
    log: &'a Log,
    carried: Carried,
}

impl<'a> Replay<'a> {
    pub(super) fn new(store: &'a Connection, log: &'a Log) -> Self {
        let carried = Carried::default();
        Self {
            store,
            log,
            carried,
        }
    }

    pub(super) async fn run(mut self) -> Result<Carried, StoreError> {
        if self.log.is_given_away().await? {
            for cut in self.log.cuts().await? {
                apply(self.store, &cut, &mut Carried::default()).await?;
            }
            return Ok(self.carried);
        }
        let (heads, applied) = (self.log.heads().await?, self.applied().await?);
        for (&shard, &head) in &heads {
            if applied.get(&shard).is_none_or(|done| *done < head) {
                self.shard(shard).await?;
            }
        }
        let ahead = |(shard, done): &(Shard, u64)| heads.get(shard).is_none_or(|head| head < done);
        let ahead: Heads = applied.into_iter().filter(ahead).collect();
        if !ahead.is_empty() {
            self.log.raise(&ahead).await?;
        }
        Ok(self.carried)
    }

    async fn applied(&self) -> Result<Heads, StoreError> {
        let sql = "SELECT shard, position FROM log_applied WHERE position > 0";
        log::heads(self.store.rows(sql, &[]).await?)
    }

    /// Page by page, each a transaction that other servers may come between.
    async fn shard(&mut self, shard: Shard) -> Result<(), StoreError> {
        loop {
            self.store.batch("BEGIN").await?;
            let before = self.carried;
            match self.page(shard).await {
                Ok(true) => self.store.batch("COMMIT").await?,
                Ok(false) => return self.store.batch("COMMIT").await,
                // Who ends a session locks its row first, and its shard then.
                Err(StoreError::Busy(why)) if why.ends_with("(40P01)") => {
                    self.carried = before;
                    self.store.batch("ROLLBACK").await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether there may be more.
    async fn page(&mut self, shard: Shard) -> Result<bool, StoreError> {
        let applied = lock_applied(self.store, &[shard]).await?;
        let at = applied.get(&shard).copied().unwrap_or_default();
        let entries = self.log.after(Position { shard, at }, PAGE).await?;
        let Some((last, _)) = entries.last() else {
            return Ok(false);
        };
        for (_, entry) in &entries {
            apply(self.store, entry, &mut self.carried).await?;
        }
        note_applied(self.store, &Heads::from([(shard, last.at)])).await?;
        Ok(true)
    }
}

/// How far the shards are carried out; nobody else carries out any of them before the transaction
/// ends.
pub(super) async fn lock_applied(
    transaction: &Connection,
    shards: &[Shard],
) -> Result<Heads, StoreError> {
    let shards: Vec<i16> = shards.iter().copied().map(log::number).collect();
    // In ascending order, so that two of these never wait for each other.
    let sql =
        "SELECT shard, position FROM log_applied WHERE shard = ANY($1) ORDER BY shard FOR UPDATE";
    log::heads(transaction.rows(sql, &[&shards]).await?)
}

pub(super) async fn note_applied(
    transaction: &Connection,
    heads: &Heads,
) -> Result<(), StoreError> {
    let (shards, positions) = log::columns(heads);
    let sql = "UPDATE log_applied a SET position = n.position \
         FROM unnest($1::smallint[], $2::bigint[]) n (shard, position) WHERE a.shard = n.shard";
    transaction.change(sql, &[&shards, &positions]).await?;
    Ok(())
}

/// Carries out what lies after a position and before another one: entries of a writer whose commit
/// failed after it had appended them.
pub(super) async fn carry_out(
    transaction: &Connection,
    log: &Log,
    mut after: Position,
    before: u64,
) -> Result<(), StoreError> {
    loop {
        let mut entries = log.after(after, PAGE).await?;
        entries.retain(|(position, _)| position.at < before);
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        after = *last;
        for (_, entry) in &entries {
            apply(transaction, entry, &mut Carried::default()).await?;
        }
    }
}

/// Carries out an entry; a second time changes nothing.
async fn apply(store: &Connection, entry: &Entry, carried: &mut Carried) -> Result<(), StoreError> {
    carried.entries += 1;
    match entry {
        Entry::Created { lineage, at, begun } => {
            // Its holder is ahead of the row as it began, and is adopted.
            if let Some(begun) = begun {
                let row = begun.row(*lineage, *at);
                carried.sessions += u64::from(sessions::insert_missing(store, &row).await?);
            } else if !exists(store, *lineage).await? {
                carried.lost_sessions += 1;
            }
        }
        Entry::Revoked { lineage, why } => {
            if sessions::end(store, *lineage, *why).await? {
                carried.ends += 1;
            } else if !exists(store, *lineage).await? {
                remember(store, *lineage, *why).await?;
            }
        }
        Entry::Cut { subject, cut, keep } => {
            sessions::set_cut(store, subject, *cut, *keep).await?;
            meta::bump(store).await?;
        }
        Entry::Deleted { lineages, .. } => {
            let lineages: Vec<Uuid> = lineages.iter().map(|lineage| lineage.0).collect();
            let sql = "WITH forgotten AS (DELETE FROM lost_ends WHERE lineage = ANY($1)) \
                 DELETE FROM sessions WHERE lineage = ANY($1)";
            store.change(sql, &[&lineages]).await?;
        }
    }
    Ok(())
}

async fn exists(store: &Connection, lineage: LineageId) -> Result<bool, StoreError> {
    let sql = "SELECT FROM sessions WHERE lineage = $1";
    Ok(store.row(sql, &[&lineage.0]).await?.is_some())
}

async fn remember(
    store: &Connection,
    lineage: LineageId,
    why: Revocation,
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO lost_ends (lineage, at, cause) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    store
        .change(sql, &[&lineage.0, &to_sql(why.at), &why.cause.as_str()])
        .await?;
    Ok(())
}
