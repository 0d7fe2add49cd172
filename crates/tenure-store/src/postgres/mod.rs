//! PostgreSQL: many servers, one truth.
//!
//! Every method is one conditional statement where that is enough, else one transaction (READ
//! COMMITTED) that locks what it decides about. Commits wait for the disk, and for a synchronous
//! standby where there is one; only refreshes may be told not to.

mod accounts;
mod address;
mod audit;
mod codec;
mod devices;
mod error;
mod facts;
mod fence;
mod keys;
mod listen;
mod log;
mod meta;
mod migrate;
mod pool;
mod pools;
mod present;
mod replay;
mod restore;
mod session_log;
mod sessions;
mod start;
mod store;
mod sweep;
mod tickets;
mod tls;
mod transfer;

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tenure_core::id::LineageId;
use tenure_core::secret::Secret;

use crate::groups::Groups;
use crate::tally::Tally;
use crate::{Description, OpenError};
use address::Address;
use facts::Settings;
use fence::Fence;
use listen::Listener;
use log::Log;
use pool::{Commit, Pool, Primary};
use pools::Pools;
use present::InGroups;
use start::refusal;

/// How to reach the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`. Without `sslmode` the
    /// server's certificate is verified (`verify-full`), except on this machine (`disable`).
    pub url: Secret,
    /// Another database for the session log, best on another machine; absent: in this one.
    pub log: Option<Secret>,
    /// Whether a refresh waits until it is durable.
    pub advance: Advance,
    /// Most connections; where refreshes do not wait for the disk, half as many again for what does.
    /// One more listens, and those of the session log come on top.
    pub pool: usize,
}

/// Whether a refresh waits until it is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Advance {
    /// It does (`synchronous_commit=on`).
    #[default]
    Durable,
    /// It does not (`synchronous_commit=off`): a crash loses the last fraction of a second of
    /// refreshes, which signs nobody out.
    Asynchronous,
}

impl PostgresOptions {
    /// The durable defaults at a URL.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            log: None,
            advance: Advance::Durable,
            pool: 16,
        }
    }
}

/// Sessions, accounts, keys and the audit trail in a PostgreSQL database that any number of servers
/// share.
///
/// `create` and `revoke` are acknowledged when they are durable (`synchronous_commit=on`, whatever
/// the database's default is). A slow or exhausted database is [`StoreError::Busy`] within seconds.
///
/// [`StoreError::Busy`]: crate::StoreError::Busy
#[derive(Debug)]
pub struct Postgres {
    address: Arc<Address>,
    settings: Settings,
    fence: Fence,
    presentations: Groups<InGroups>,
    /// For what is read and written for one presentation.
    refresh: Pool,
    /// For everything else.
    durable: Pool,
    log: Arc<Log>,
    listener: Listener,
    description: RwLock<Description>,
    tally: Tally,
    /// Where the next slice of the sweep begins.
    swept_to: Mutex<Option<LineageId>>,
}

impl Postgres {
    /// Connects, migrates, and carries out what the session log knows and the database does not.
    pub async fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let address = Arc::new(Address::parse(&options.url)?);
        let mut first = start::connect(&address).await?;
        migrate::STORE.migrate(&mut first, &address).await?;
        migrate::LOG.migrate(&mut first, &address).await?;
        let log = Arc::new(open_log(options, &address).await?);
        let fence = Fence::new(Arc::clone(&address), Arc::clone(&log));
        let failed = |error| refusal(&address, &error);
        fence.catch_up().await.map_err(failed)?;
        let pools = Pools::new(options, &address, &fence).map_err(failed)?;
        let log_shares_the_server = log.shares_the_server(&first).await.map_err(failed)?;
        if log_shares_the_server {
            tracing::warn!(
                place = address.place(),
                log = log.place(),
                "session_log_on_the_same_server: it tells of a dump that was restored, and is lost, or \
                 falls back, with the server of the sessions; put it on another server"
            );
        }
        let settings = Settings {
            sslmode: address.protection().as_str(),
            log_shares_the_server,
            advance: options.advance,
            pools: pools.sizes,
            log: log.is_separate().then(|| log.place().to_owned()),
        };
        let described = Self::described(&address, &settings, &first).await;
        Ok(Self {
            description: RwLock::new(described.map_err(failed)?),
            listener: Listener::start(Arc::clone(&address)),
            tally: Tally::default(),
            swept_to: Mutex::default(),
            presentations: pools.presentations,
            refresh: pools.refresh,
            durable: pools.durable,
            address,
            settings,
            fence,
            log,
        })
    }

    /// How far the tables are, of the store and of its session log, without changing anything.
    pub async fn schemas(options: &PostgresOptions) -> Result<Vec<crate::Schema>, OpenError> {
        let store = Address::parse(&options.url)?;
        let log = Address::parse(options.log.as_ref().unwrap_or(&options.url))?;
        let tables = [
            ("store", &migrate::STORE, store),
            ("session log", &migrate::LOG, log),
        ];
        let mut schemas = Vec::new();
        for (of, schema, address) in tables {
            let connection = start::connect(&address).await?;
            let (found, latest) = schema.compare(&connection, &address).await?;
            let place = address.place().to_owned();
            schemas.push(crate::Schema {
                of,
                place,
                found,
                latest,
            });
        }
        Ok(schemas)
    }

    /// The session log, for one that keeps sessions elsewhere.
    fn log(&self) -> &Log {
        &self.log
    }
}

/// The log beside the sessions, or in the database that is named for it.
async fn open_log(options: &PostgresOptions, store: &Arc<Address>) -> Result<Log, OpenError> {
    let address = match &options.log {
        None => Arc::clone(store),
        Some(url) => {
            let address = Address::parse(url)?;
            if address.place() == store.place() {
                let problem = "the revocation log is in the database of the sessions, and would fall back with it";
                return Err(address.refused(
                    problem,
                    "name another database for it, best on another machine, or none",
                ));
            }
            let mut first = start::connect(&address).await?;
            migrate::LOG.migrate(&mut first, &address).await?;
            Arc::new(address)
        }
    };
    let place = address.place().to_owned();
    let pool = Pool::new(
        Arc::clone(&address),
        Commit::Durable,
        options.pool,
        Arc::new(Primary),
    )
    .map_err(|error| refusal(&address, &error))?;
    Ok(Log::new(pool, &place, options.log.is_some()))
}
