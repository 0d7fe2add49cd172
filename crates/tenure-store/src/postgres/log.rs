//! The session log in PostgreSQL: in the database of the sessions, or in one of its own.
//!
//! Of its own sessions PostgreSQL keeps a log only where that is a database of its own: one that
//! falls back together with them tells nothing that they do not. A store that keeps its sessions in
//! Redis writes one in either case.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_core::id::LineageId;
use tenure_core::lineage::Revocation;
use uuid::Uuid;

use super::codec::{Text, to_sql};
use super::pool::{Connection, Pool, Transaction};
use super::replay;
use crate::log::{Facts, shards_of};
use crate::{Entry, Position, Shard, StoreError};

/// The log's database.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) pool: Pool,
    place: String,
    is_separate: bool,
    is_for_another: AtomicBool,
    is_for_itself: AtomicBool,
}

/// The newest position of each shard.
pub(super) type Heads = BTreeMap<Shard, u64>;

impl Log {
    /// Over connections to the database that has its tables.
    pub(super) fn new(pool: Pool, place: &str, is_separate: bool) -> Self {
        Self {
            pool,
            place: place.to_owned(),
            is_separate,
            is_for_another: AtomicBool::new(false),
            is_for_itself: AtomicBool::new(false),
        }
    }

    /// Whether it stands apart from the database of the sessions.
    pub(super) fn is_separate(&self) -> bool {
        self.is_separate
    }

    /// Where it is, without a password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Tells it from every other.
    pub(super) async fn id(&self) -> Result<i64, StoreError> {
        let sql = "SELECT value FROM log_meta WHERE name = 'id'";
        let row = self.pool.lend().await?.row(sql, &[]).await?;
        let row = row.ok_or_else(|| StoreError::Damaged("the session log has no id".to_owned()))?;
        Ok(row.try_get(0)?)
    }

    /// Writes a marker; fails while the log takes no write.
    pub(super) async fn mark(&self) -> Result<(), StoreError> {
        let sql = "INSERT INTO log_meta (name, value) VALUES ('check', 1) \
             ON CONFLICT (name) DO UPDATE SET value = log_meta.value + 1";
        self.pool.lend().await?.change(sql, &[]).await.map(drop)
    }

    /// Whether it stands apart, and is on the server of the sessions all the same: then it tells of
    /// a dump that was restored, and is lost, or falls back, with that server.
    pub(super) async fn shares_the_server(&self, store: &Connection) -> Result<bool, StoreError> {
        if !self.is_separate {
            return Ok(false);
        }
        // The identifier alone is the same on a copy of the server's files.
        let sql = "SELECT system_identifier, extract(epoch FROM pg_postmaster_start_time())::text \
             FROM pg_control_system()";
        let instance = |row: Option<tokio_postgres::Row>| -> Result<_, StoreError> {
            let read = |row: tokio_postgres::Row| -> Result<(i64, String), StoreError> {
                Ok((row.try_get(0)?, row.try_get(1)?))
            };
            row.map(read).transpose()
        };
        let here = instance(store.row(sql, &[]).await?)?;
        Ok(here == instance(self.pool.lend().await?.row(sql, &[]).await?)?)
    }

    /// Appends what a transaction of the store did, where the log is a separate one; after its
    /// statements, right before its commit.
    ///
    /// The transaction holds the rows of the shards in `log_applied` until it commits, so what the
    /// database has of a shard is always a beginning of the log. A commit that fails after this
    /// leaves entries that the next writer of the shard, or the next start, makes good: nobody was
    /// promised them, and to end a session that its user asked to end is never wrong.
    pub(super) async fn append(
        &self,
        transaction: &Transaction,
        entries: &[(Shard, Entry)],
    ) -> Result<(), StoreError> {
        if !self.is_separate || entries.is_empty() {
            return Ok(());
        }
        self.take_back(transaction).await?;
        let shards = shards_of(entries).into_iter().collect::<Vec<_>>();
        let applied = replay::lock_applied(transaction, &shards).await?;
        let mut written = self.write(entries).await?;
        if behind(&written, &applied) {
            // The log's own database came back older than it was: what was written now must stand
            // after everything that this one has.
            self.raise(&applied).await?;
            written = self.write(entries).await?;
        }
        let (mut first, mut last) = (Heads::new(), Heads::new());
        for position in written {
            first.entry(position.shard).or_insert(position.at);
            last.insert(position.shard, position.at);
        }
        for (shard, at) in first {
            let from = applied.get(&shard).copied().unwrap_or_default();
            if from + 1 < at {
                replay::carry_out(transaction, self, Position { shard, at: from }, at).await?;
            }
        }
        replay::note_applied(transaction, &last).await
    }

    /// What was logged while another store kept the sessions is not carried out here: whoever moves
    /// them here logs them anew.
    async fn take_back(&self, transaction: &Transaction) -> Result<(), StoreError> {
        if self.is_for_itself.load(Ordering::Relaxed) {
            return Ok(());
        }
        let sql = "UPDATE log_meta SET value = 0 WHERE name = 'sessions_elsewhere' AND value <> 0";
        if self.pool.lend().await?.change(sql, &[]).await? > 0 {
            replay::note_applied(transaction, &self.heads().await?).await?;
        }
        self.is_for_itself.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Notes that another store keeps the sessions: then a replay makes no rows of them here.
    pub(super) async fn give_away(&self) -> Result<(), StoreError> {
        if self.is_for_another.load(Ordering::Relaxed) {
            return Ok(());
        }
        let sql = "INSERT INTO log_meta (name, value) VALUES ('sessions_elsewhere', 1) \
             ON CONFLICT (name) DO UPDATE SET value = 1 WHERE log_meta.value <> 1";
        self.pool.lend().await?.change(sql, &[]).await?;
        self.is_for_another.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether another store keeps the sessions.
    pub(super) async fn is_given_away(&self) -> Result<bool, StoreError> {
        let sql = "SELECT FROM log_meta WHERE name = 'sessions_elsewhere' AND value = 1";
        Ok(self.pool.lend().await?.row(sql, &[]).await?.is_some())
    }

    /// Appends in a transaction of its own, durable before it returns; the positions in order of the
    /// entries.
    pub(super) async fn write(
        &self,
        entries: &[(Shard, Entry)],
    ) -> Result<Vec<Position>, StoreError> {
        let shards: Vec<i16> = shards_of(entries).into_iter().map(number).collect();
        let tidies = entries.iter().any(|(_, entry)| supersedes(entry));
        if shards.len() == 1 && !tidies {
            return insert(&*self.pool.lend().await?, entries).await;
        }
        let transaction = self.pool.begin().await?;
        // In ascending order, so that two of these never wait for each other.
        let lock = "SELECT FROM log_heads WHERE shard = ANY($1) ORDER BY shard FOR UPDATE";
        transaction.rows(lock, &[&shards]).await?;
        if tidies {
            forget_superseded(&transaction, entries).await?;
        }
        let written = insert(&transaction, entries).await?;
        transaction.commit().await?;
        Ok(written)
    }

    /// The newest position of every shard that has one.
    pub(super) async fn heads(&self) -> Result<Heads, StoreError> {
        let sql = "SELECT shard, position FROM log_heads WHERE position > 0";
        heads(self.pool.lend().await?.rows(sql, &[]).await?)
    }

    /// Lets the next position of each shard be past these.
    pub(super) async fn raise(&self, least: &Heads) -> Result<(), StoreError> {
        let raised = self.raise_heads(least).await?;
        if raised > 0 {
            tracing::error!(
                shards = raised,
                place = self.place,
                "the session log came back older than it was: sign-ins and sign-outs that it lost are \
                 in the database, but would be lost with it; back the database up now"
            );
        }
        Ok(())
    }

    /// As [`Self::raise`], for whoever keeps the sessions elsewhere; how many shards were lower.
    pub(super) async fn raise_heads(&self, least: &Heads) -> Result<u64, StoreError> {
        let (shards, positions) = columns(least);
        let sql = "UPDATE log_heads h SET position = n.position \
             FROM unnest($1::smallint[], $2::bigint[]) n (shard, position) \
             WHERE h.shard = n.shard AND h.position < n.position";
        let lent = self.pool.lend().await?;
        lent.change(sql, &[&shards, &positions]).await
    }

    /// Entries of a shard after a position, oldest first.
    pub(super) async fn after(
        &self,
        position: Position,
        limit: u32,
    ) -> Result<Vec<(Position, Entry)>, StoreError> {
        let sql = "SELECT position, body FROM session_log WHERE shard = $1 AND position > $2 \
             ORDER BY position LIMIT $3";
        let shard = position.shard;
        let lent = self.pool.lend().await?;
        let (number, at) = (number(shard), signed(position.at));
        let rows = lent.rows(sql, &[&number, &at, &i64::from(limit)]).await?;
        let entry = |row: tokio_postgres::Row| {
            let at = row.try_get::<_, i64>(0)?.cast_unsigned();
            Ok((Position { shard, at }, parsed(row.try_get(1)?)?))
        };
        rows.into_iter().map(entry).collect()
    }

    /// How a session ended.
    pub(super) async fn end_of(
        &self,
        lineage: LineageId,
    ) -> Result<Option<Revocation>, StoreError> {
        let sql = "SELECT body FROM session_log WHERE lineage = $1 AND kind = 'revoked' \
             ORDER BY position LIMIT 1";
        let row = self.pool.lend().await?.row(sql, &[&lineage.0]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(match parsed(row.try_get(0)?)? {
            Entry::Revoked { why, .. } => Some(why),
            _ => None,
        })
    }

    /// What it has of one session.
    pub(super) async fn entries_of(&self, lineage: LineageId) -> Result<Vec<Entry>, StoreError> {
        // A cut stands in the shard of its subject without the session that it spares.
        let sql = "SELECT position, body FROM session_log WHERE lineage = $1 \
             UNION SELECT position, body FROM session_log \
             WHERE kind = 'cut' AND shard = $2 AND subject IN \
                 (SELECT subject FROM session_log WHERE lineage = $1 AND kind = 'created') \
             ORDER BY position";
        let lent = self.pool.lend().await?;
        let shard = number(Shard::of(lineage));
        let rows = lent.rows(sql, &[&lineage.0, &shard]).await?;
        let entry = |row: tokio_postgres::Row| parsed(row.try_get(1)?);
        let mut entries: Vec<Entry> = rows.into_iter().map(entry).collect::<Result<_, _>>()?;
        entries.retain(|entry| entry.concerns(lineage));
        Ok(entries)
    }

    /// Every cut in it.
    pub(super) async fn cuts(&self) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT body FROM session_log WHERE kind = 'cut'";
        let rows = self.pool.lend().await?.rows(sql, &[]).await?;
        let entry = |row: tokio_postgres::Row| parsed(row.try_get(0)?);
        rows.into_iter().map(entry).collect()
    }
}

/// Whether it makes earlier entries useless.
fn supersedes(entry: &Entry) -> bool {
    matches!(entry, Entry::Deleted { .. } | Entry::Cut { .. })
}

/// Removes what nobody needs once these entries stand: the beginning and the end of a session that
/// was deleted, and a cut before a later one.
async fn forget_superseded(log: &Connection, entries: &[(Shard, Entry)]) -> Result<(), StoreError> {
    for (shard, entry) in entries {
        match entry {
            Entry::Deleted { lineages, .. } => {
                let lineages: Vec<Uuid> = lineages.iter().map(|lineage| lineage.0).collect();
                let sql = "DELETE FROM session_log WHERE lineage = ANY($1)";
                log.change(sql, &[&lineages]).await?;
            }
            Entry::Cut { subject, cut, .. } => {
                let sql = "DELETE FROM session_log \
                     WHERE subject = $1 AND kind = 'cut' AND shard = $2 AND at <= $3";
                let before = to_sql(cut.before);
                log.change(sql, &[&Text(subject.as_str()), &number(*shard), &before])
                    .await?;
            }
            Entry::Created { .. } | Entry::Revoked { .. } => {}
        }
    }
    Ok(())
}

async fn insert(log: &Connection, entries: &[(Shard, Entry)]) -> Result<Vec<Position>, StoreError> {
    let lines = Lines::of(entries)?;
    let sql = "WITH entry AS ( \
             SELECT *, row_number() OVER (PARTITION BY shard ORDER BY place) AS nth \
             FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], \
                 $6::bigint[], $7::text[]) WITH ORDINALITY \
                 AS e (shard, lineage, subject, kind, at, until, body, place) \
         ), head AS ( \
             UPDATE log_heads h SET position = h.position + n.count \
             FROM unnest($8::smallint[], $9::bigint[]) n (shard, count) WHERE h.shard = n.shard \
             RETURNING h.shard, h.position - n.count AS before \
         ) \
         INSERT INTO session_log (shard, position, lineage, subject, kind, at, until, body) \
         SELECT shard, before + nth, lineage, subject, kind, at, \
             coalesce(until, (SELECT max(l.until) FROM session_log l WHERE l.lineage = entry.lineage)), \
             body \
         FROM entry JOIN head USING (shard) RETURNING shard, position";
    let (shards, counts) = columns(&lines.counts);
    let rows = log
        .rows(
            sql,
            &[
                &lines.shards,
                &lines.lineages,
                &lines.subjects,
                &lines.kinds,
                &lines.ats,
                &lines.untils,
                &lines.bodies,
                &shards,
                &counts,
            ],
        )
        .await?;
    in_order(entries, rows)
}

/// The positions of a shard were given out in the order of its entries.
fn in_order(
    entries: &[(Shard, Entry)],
    rows: Vec<tokio_postgres::Row>,
) -> Result<Vec<Position>, StoreError> {
    let mut written: BTreeMap<Shard, Vec<u64>> = BTreeMap::new();
    for row in rows {
        let shard = shard(row.try_get(0)?)?;
        let at = row.try_get::<_, i64>(1)?.cast_unsigned();
        written.entry(shard).or_default().push(at);
    }
    for positions in written.values_mut() {
        positions.sort_unstable_by(|a, b| b.cmp(a));
    }
    let position = |(shard, _): &(Shard, Entry)| {
        let at = written.get_mut(shard).and_then(Vec::pop);
        let at = at.ok_or_else(|| StoreError::Damaged(format!("shard {} has no head", shard.0)))?;
        Ok(Position { shard: *shard, at })
    };
    entries.iter().map(position).collect()
}

/// Entries, column by column.
#[derive(Default)]
struct Lines<'a> {
    shards: Vec<i16>,
    lineages: Vec<Option<Uuid>>,
    subjects: Vec<Option<Text<'a>>>,
    kinds: Vec<&'static str>,
    ats: Vec<Option<i64>>,
    untils: Vec<Option<i64>>,
    bodies: Vec<String>,
    counts: Heads,
}

impl<'a> Lines<'a> {
    fn of(entries: &'a [(Shard, Entry)]) -> Result<Self, StoreError> {
        let mut lines = Self::default();
        for (shard, entry) in entries {
            lines.add(*shard, entry);
            let body = serde_json::to_string(entry);
            lines
                .bodies
                .push(body.map_err(|why| StoreError::Damaged(why.to_string()))?);
        }
        Ok(lines)
    }

    fn add(&mut self, shard: Shard, entry: &'a Entry) {
        let facts = Facts::of(shard, entry);
        self.shards.push(number(shard));
        self.lineages.push(facts.lineage.map(|lineage| lineage.0));
        self.subjects
            .push(facts.subject.map(|subject| Text(subject.as_str())));
        self.kinds.push(facts.kind);
        self.ats.push(facts.at.map(to_sql));
        self.untils.push(facts.until.map(to_sql));
        *self.counts.entry(shard).or_default() += 1;
    }
}

/// Whether any of the positions is not after what is carried out.
fn behind(written: &[Position], applied: &Heads) -> bool {
    let passed = |at: &Position| applied.get(&at.shard).is_some_and(|done| at.at <= *done);
    written.iter().any(passed)
}

pub(super) fn heads(rows: Vec<tokio_postgres::Row>) -> Result<Heads, StoreError> {
    let head = |row: tokio_postgres::Row| {
        let at = row.try_get::<_, i64>(1)?.cast_unsigned();
        Ok((shard(row.try_get(0)?)?, at))
    };
    rows.into_iter().map(head).collect()
}

/// Shards and positions as two columns.
pub(super) fn columns(heads: &Heads) -> (Vec<i16>, Vec<i64>) {
    heads
        .iter()
        .map(|(shard, at)| (number(*shard), signed(*at)))
        .unzip()
}

fn parsed(body: &str) -> Result<Entry, StoreError> {
    serde_json::from_str(body).map_err(|why| StoreError::Damaged(format!("session log: {why}")))
}

fn shard(number: i16) -> Result<Shard, StoreError> {
    let shard = u16::try_from(number);
    shard
        .map(Shard)
        .map_err(|_| StoreError::Damaged(format!("shard {number} of the session log")))
}

/// There are 1024.
pub(super) fn number(shard: Shard) -> i16 {
    shard.0.cast_signed()
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
