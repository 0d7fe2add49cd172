//! `tenure-fill`: sessions in bulk, over the interface by which a deployment moves to another store.
//!
//! Each has refreshed often enough for its row to be as large as rows become. Nobody holds their
//! tokens: they are what a store carries beside the sessions that a load generator refreshes.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::rand;
use clap::Parser;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{Device, Grant, KeyHash, RING, Retired, Row, RowSecret, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;
use tenure_store::{Loaded, Place, Record, Store, StoreUrl, open};
use tokio::task::JoinSet;

const DAY: Duration = Duration::from_hours(24);
const IDLE: Duration = Duration::from_hours(30 * 24);
const ABSOLUTE: Duration = Duration::from_hours(365 * 24);

/// Sessions that are handed over at once.
const PAGE: u64 = 1000;
/// Pages under way.
const AT_ONCE: usize = 4;
/// Devices of one user.
const DEVICES: u64 = 3;

/// Adds sessions to a store that no server has open, and prints how many it took and how long.
#[derive(Debug, Parser)]
struct Arguments {
    /// `sqlite:DIRECTORY`, `postgres://…` or `redis://…`
    #[arg(long, env = "TENURE_STORE_URL", hide_env_values = true)]
    store: String,
    /// The SQL store beside Redis
    #[arg(long, env = "TENURE_STORE_SQL", hide_env_values = true)]
    sql: Option<String>,
    /// How many
    #[arg(long)]
    sessions: u64,
    /// Their absolute limit passed a day ago
    #[arg(long)]
    expired: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let sql = arguments.sql.as_deref().map(StoreUrl::parse).transpose()?;
    let place = Place::at(&StoreUrl::parse(&arguments.store)?, sql.as_ref())?;
    let store = open(&place).await?;
    let start = SystemTime::now();
    let now = Timestamp(start.duration_since(UNIX_EPOCH)?.as_secs());
    let created = if arguments.expired {
        now.minus(ABSOLUTE + DAY)
    } else {
        now.minus(DAY)
    };
    let added = fill(&store, arguments.sessions, created).await?;
    let seconds = start.elapsed()?.as_secs_f64();
    ensure!(
        added == arguments.sessions,
        "the store took {added} of them"
    );
    writeln!(std::io::stdout(), "{added} sessions in {seconds:.1} s")?;
    Ok(())
}

async fn fill(store: &Arc<dyn Store>, sessions: u64, created: Timestamp) -> Result<u64> {
    let mut added = 0;
    let mut pages = JoinSet::new();
    let mut first = 0;
    while first < sessions || !pages.is_empty() {
        if first < sessions && pages.len() < AT_ONCE {
            let size = PAGE.min(sessions - first);
            let records = (first..first + size).map(|number| record(number, created));
            let records: Vec<Record> = records.collect::<Result<_>>()?;
            let store = Arc::clone(store);
            pages.spawn(async move { store.import(&records).await });
            first += size;
        } else if let Some(page) = pages.join_next().await {
            added += page??;
        }
    }
    Ok(added)
}

fn record(number: u64, created: Timestamp) -> Result<Record> {
    let grant = Grant {
        subject: Subject::new(format!("filler-{}", number / DEVICES)),
        client: ClientId::new("demo"),
        scope: Scope::parse("profile offline_access"),
        audience: vec!["http://127.0.0.1:8420".to_owned()],
        auth_time: created,
    };
    let lineage = LineageId::new(created, random()?);
    let (secret, first) = (RowSecret(random()?), TokenId(random()?));
    let mut row = Row::new(lineage, secret, first, grant, (IDLE, ABSOLUTE), created);
    row.device = Device {
        label: Some("Ana's phone".to_owned()),
        ip_prefix: Some("192.0.2.0/24".to_owned()),
        user_agent: Some("Example/4.2 (Phone; like a usual user agent)".to_owned()),
    };
    row.head.generation = u32::try_from(RING)?;
    row.head.uses = vec![KeyHash::of(&number.to_be_bytes())];
    for _ in 0..RING {
        let id = TokenId(random()?);
        row.ring.push(Retired { id, at: created });
    }
    let row = Loaded { row, cut: None };
    Ok(Record::Session(Box::new(row)))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok().context("no randomness")?;
    Ok(bytes)
}
