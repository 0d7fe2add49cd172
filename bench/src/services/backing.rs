//! The stores under the services: started on free loopback ports, set up for measuring.

use std::fmt::{self, Debug, Formatter};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;
use tempfile::TempDir;
use tenure_lab::postgres::{self, Postgres};
use tenure_lab::redis::{self, Append, Engine, Redis};

use super::StoreProcess;

/// A durable store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
pub enum Kind {
    /// Embedded, synchronous=FULL
    Sqlite,
    /// PostgreSQL 15, synchronous_commit=on, fsync on
    Postgres,
    /// Redis 7, appendfsync everysec; accounts, keys and the session log in SQLite
    Redis,
}

impl Kind {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        }
    }
}

/// A store that runs, empty at first. Dropping it ends it.
#[derive(Debug)]
pub enum Backing {
    /// No process: a file per service.
    Sqlite,
    /// A server; a database per service.
    Postgres(Postgres),
    /// A server for all; the keys tell them apart.
    Redis(Redis, TempDir),
}

/// Where one service keeps its records: a URL, which may hold a password.
#[derive(Clone)]
pub struct Place(String);

impl Place {
    /// For a child's environment.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Debug for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Place(…)")
    }
}

impl Backing {
    /// Starts it with its data under `root`.
    pub fn start(kind: Kind, root: &Path) -> Result<Self> {
        match kind {
            Kind::Sqlite => Ok(Self::Sqlite),
            Kind::Postgres => {
                ensure!(postgres::installed()?, "PostgreSQL 15 is not installed");
                Ok(Self::Postgres(Postgres::start(&measured_postgres(root))?))
            }
            Kind::Redis => {
                let directory = tempfile::tempdir_in(root)?;
                Ok(Self::Redis(start_redis(directory.path())?, directory))
            }
        }
    }

    /// Its process, if it has one.
    pub fn process(&self) -> Result<Option<StoreProcess>> {
        let (pid, port) = match self {
            Self::Sqlite => return Ok(None),
            Self::Postgres(server) => (server.pid(), server.port()),
            Self::Redis(server, _) => (server.process().pid(), server.port()),
        };
        let pid = pid.context("the store ended")?;
        Ok(Some(StoreProcess { pid, port }))
    }

    /// A place for one service, which has nobody else's sessions in it.
    pub async fn place(&self, directory: &Path) -> Result<Place> {
        Ok(Place(match self {
            Self::Sqlite => format!("sqlite:{}", directory.display()),
            Self::Postgres(server) => server.url(&server.fresh_database().await?),
            Self::Redis(server, _) => server.url(),
        }))
    }

    /// Which store it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
            Self::Redis(..) => Kind::Redis,
        }
    }
}

/// As an operator of some memory sets it up; the rest are the defaults, which sync every commit.
fn measured_postgres(root: &Path) -> postgres::Options {
    let options = postgres::Options {
        fsync: true,
        directory: Some(root.to_owned()),
        ..postgres::Options::default()
    };
    options
        .with("shared_buffers", "1GB")
        .with("max_wal_size", "8GB")
        .with("synchronous_commit", "on")
}

/// With an append-only file in `directory`, synced every second.
pub fn start_redis(directory: &Path) -> Result<Redis> {
    let options = redis::Options {
        append: Append::EverySecond,
        directory: Some(directory.to_owned()),
        ..redis::Options::default()
    };
    let server = Redis::start(Engine::Redis7, options)?;
    // A rewrite of the file in the middle of a run would charge a whole second of CPU to it.
    let never = ["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"];
    server.command::<String>(&never)?;
    Ok(server)
}
