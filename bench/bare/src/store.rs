//! The same conditional update on three stores.

mod postgres;
mod redis;
mod sqlite;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand;
use uuid::Uuid;

use self::postgres::Postgres;
use self::redis::Redis;
use self::sqlite::Sqlite;

/// What a refresh overwrites each time, of the size it has once a session was refreshed 16 times.
const RING: [u8; 256] = [9; 256];
const USES: [u8; 4] = [7; 4];

/// What it does not touch, of the usual sizes.
const SECRET: [u8; 16] = [3; 16];
const SUBJECT: &str = "bench-user-0";
const CLIENT: &str = "demo";
const AUDIENCE: &str = r#"["http://127.0.0.1:8420"]"#;
const IP_PREFIX: &str = "127.0.0.0/24";
const AUTH_TIME: i64 = 1_800_000_000;
const IDLE: i64 = 30 * 24 * 3600;

/// What a client holds: its session, and the head that a refresh must find there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) lineage: Uuid,
    pub(crate) head: [u8; 8],
}

impl Held {
    fn new() -> Self {
        let lineage = Uuid::now_v7();
        let head = random();
        Self { lineage, head }
    }

    /// 16 hexadecimal digits of the head after 32 of the session.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let (lineage, head) = token.split_at_checked(32)?;
        Some(Self {
            lineage: Uuid::try_parse(lineage).ok()?,
            head: u64::from_str_radix(head, 16).ok()?.to_be_bytes(),
        })
    }

    /// After a refresh.
    pub(crate) fn next(self) -> Self {
        let head = random();
        Self { head, ..self }
    }
}

impl Display for Held {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = u64::from_be_bytes(self.head);
        write!(f, "{}{head:016x}", self.lineage.simple())
    }
}

/// Zero where the system has no randomness, which no measurement survives: every token is the same.
fn random() -> [u8; 8] {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).ok();
    bytes
}

/// The stores by their URL's scheme.
pub(crate) enum Store {
    Sqlite(Sqlite),
    Postgres(Postgres),
    Redis(Redis),
}

impl Store {
    pub(crate) async fn open(url: &str, pool: usize) -> Result<Self> {
        let (scheme, rest) = url.split_once(':').context("a store is scheme:place")?;
        Ok(match scheme {
            "sqlite" => Self::Sqlite(Sqlite::open(rest.as_ref())?),
            "postgres" | "postgresql" => Self::Postgres(Postgres::open(url, pool).await?),
            "redis" => Self::Redis(Redis::open(url).await?),
            other => bail!("{other}: no such store"),
        })
    }

    /// Adds sessions in bulk.
    pub(crate) async fn fill(&self, count: usize) -> Result<Vec<Held>> {
        let sessions: Vec<Held> = (0..count).map(|_| Held::new()).collect();
        match self {
            Self::Sqlite(store) => store.fill(&sessions)?,
            Self::Postgres(store) => store.fill(&sessions).await?,
            Self::Redis(store) => store.fill(&sessions).await?,
        }
        Ok(sessions)
    }

    /// Versions and durability, as the store itself states them.
    pub(crate) async fn settings(&self) -> Result<BTreeMap<String, String>> {
        match self {
            Self::Sqlite(store) => store.settings(),
            Self::Postgres(store) => store.settings().await,
            Self::Redis(store) => store.settings().await,
        }
    }

    /// Puts `next` in the head's place where the head is the one held; whether it was.
    pub(crate) async fn advance(&self, held: Held, next: [u8; 8], load: bool) -> Result<bool> {
        match self {
            Self::Sqlite(store) => store.advance(held, next, load).await,
            Self::Postgres(store) => store.advance(held, next, load).await,
            Self::Redis(store) => store.advance(held, next, load).await,
        }
    }
}
