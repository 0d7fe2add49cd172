//! PostgreSQL: many servers, one truth.

mod address;
mod error;
mod log;
mod migrate;
mod pool;
mod start;
mod tls;

use tenure_core::secret::Secret;

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
    /// Most connections for refreshes.
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
