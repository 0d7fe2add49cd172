//! A database beside its session log, before it is opened.

use std::sync::Arc;

use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::Cut;
use tenure_core::secret::Secret;
use uuid::Uuid;

use super::address::Address;
use super::codec::{Text, cut, time_or_null, value};
use super::fence::REPLAY;
use super::log::{self, Heads, Log};
use super::pool::{Commit, Connection, Pool, Primary};
use super::start::{self, refusal};
use super::{Postgres, PostgresOptions};
use crate::restore::{Lacking, Standing};
use crate::{OpenError, Position, RestoreReport, StoreError};

/// Sessions looked up, and entries read, at a time.
const PAGE: u32 = 1000;

impl Postgres {
    /// What a restored or promoted database lacks, without writing.
    pub async fn restore_check(options: &PostgresOptions) -> Result<RestoreReport, OpenError> {
        let address = Address::parse(&options.url)?;
        let mut store = start::connect(&address).await?;
        if !has_table(&store, &address, "meta").await? {
            let fix = "name the database that was restored";
            return Err(address.refused("there are no tables of Tenure", fix));
        }
        let log = match &options.log {
            Some(url) => existing(url, options.pool).await?,
            None => None,
        };
        store.allow(REPLAY);
        let patience = store.batch("SET statement_timeout = 0").await;
        patience.map_err(|error| refusal(&address, &error))?;
        let report = check(&store, log.as_ref(), address.place()).await;
        report.map_err(|error| refusal(&address, &error))
    }
}

/// The log as it is there; `None` where its database has none yet.
async fn existing(url: &Secret, pool: usize) -> Result<Option<Log>, OpenError> {
    let address = Arc::new(Address::parse(url)?);
    let first = start::connect(&address).await?;
    if !has_table(&first, &address, "log_heads").await? {
        return Ok(None);
    }
    let pool = Pool::new(
        Arc::clone(&address),
        Commit::Durable,
        pool,
        Arc::new(Primary),
    )
    .map_err(|error| refusal(&address, &error))?;
    Ok(Some(Log::new(pool, address.place(), true)))
}

async fn has_table(
    connection: &Connection,
    address: &Address,
    name: &str,
) -> Result<bool, OpenError> {
    let sql = "SELECT to_regclass($1) IS NOT NULL";
    let failed = |error| refusal(address, &error);
    let found = connection.row(sql, &[&name]).await.map_err(failed)?;
    found.map_or(Ok(false), |columns| value(&columns, 0).map_err(failed))
}

async fn check(
    store: &Connection,
    log: Option<&Log>,
    place: &str,
) -> Result<RestoreReport, StoreError> {
    let mut report = RestoreReport {
        database: place.to_owned(),
        ..RestoreReport::default()
    };
    let newest = "SELECT greatest((SELECT greatest(max(created_at), max(head_since), \
         max(revoked_at)) FROM sessions), (SELECT max(at) FROM audit))";
    if let Some(columns) = store.row(newest, &[]).await? {
        report.database_newest = time_or_null(&columns, 0)?;
    }
    let Some(log) = log else { return Ok(report) };
    report.log = Some(log.place().to_owned());
    let lacking = read(store, log, &mut report).await?;
    for page in lacking.lineages().chunks(PAGE as usize) {
        compare(store, &lacking, page, &mut report).await?;
    }
    for subject in lacking.cuts.keys() {
        lacking.compare_cut(subject, cut_here(store, subject).await?, &mut report);
    }
    Ok(report)
}

/// Everything in the log that the database has not seen.
async fn read(
    store: &Connection,
    log: &Log,
    report: &mut RestoreReport,
) -> Result<Lacking, StoreError> {
    let sql = "SELECT value FROM meta WHERE name = 'log'";
    let known = store.row(sql, &[]).await?;
    let known: Option<i64> = known.map(|columns| value(&columns, 0)).transpose()?;
    let applied = "SELECT shard, position FROM log_applied";
    let applied = log::heads(store.rows(applied, &[]).await?)?;
    let heads = log.heads().await?;
    let is_same = known == Some(log.id().await?);
    let has_all = |(shard, at): (&_, &u64)| *at <= heads.get(shard).copied().unwrap_or_default();
    report.log_continues = is_same && applied.iter().all(has_all);
    let from = if is_same { applied } else { Heads::new() };
    let mut lacking = Lacking::default();
    for (&shard, &head) in &heads {
        let at = from.get(&shard).copied().unwrap_or_default();
        let mut after = Position { shard, at };
        while after.at < head {
            let entries = log.after(after, PAGE).await?;
            let Some((last, _)) = entries.last() else {
                break;
            };
            after = *last;
            for (_, entry) in &entries {
                lacking.note(entry, report);
            }
        }
    }
    Ok(lacking)
}

async fn compare(
    store: &Connection,
    lacking: &Lacking,
    page: &[LineageId],
    report: &mut RestoreReport,
) -> Result<(), StoreError> {
    let lineages: Vec<Uuid> = page.iter().map(|lineage| lineage.0).collect();
    let sql = "SELECT s.lineage IS NULL, s.revoked_at IS NULL \
         FROM unnest($1::uuid[]) WITH ORDINALITY AS n (lineage, place) \
         LEFT JOIN sessions s ON s.lineage = n.lineage ORDER BY n.place";
    let found = store.rows(sql, &[&lineages]).await?;
    for (lineage, columns) in page.iter().zip(&found) {
        let here = match (value(columns, 0)?, value(columns, 1)?) {
            (true, _) => Standing::Missing,
            (false, true) => Standing::Alive,
            (false, false) => Standing::Ended,
        };
        lacking.compare(*lineage, here, report);
    }
    Ok(())
}

async fn cut_here(store: &Connection, subject: &Subject) -> Result<Option<Cut>, StoreError> {
    let sql = "SELECT before, cause FROM cuts WHERE subject = $1";
    let row = store.row(sql, &[&Text(subject.as_str())]).await?;
    row.map_or(Ok(None), |columns| cut(&columns, 0))
}
