//! Three servers over one PostgreSQL database are one service: concurrent use, kills, upgrades, keys,
//! passwords.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and print the figures that they counted"
)]

mod keys;
mod kills;
mod one_token;
mod password;
mod schema;

use tenure_lab::postgres::{self, Postgres};
use tenure_lab::servers::Servers;

const COUNT: usize = 3;

/// Servers over a database of their own.
struct Service {
    servers: Servers,
    postgres: &'static Postgres,
    database: String,
}

/// `None` is a counted skip.
async fn start() -> Option<Service> {
    let postgres = postgres::shared().unwrap()?;
    let database = postgres.fresh_database().await.unwrap();
    let url = postgres.url(&database);
    let store = [
        ("TENURE_STORE_URL", &*url),
        ("TENURE_STORE_POOL", "4"),
        ("TENURE_LOG", "info,tenure_server=debug"),
    ];
    let servers = Servers::start(COUNT, &store).await.unwrap();
    Some(Service {
        servers,
        postgres,
        database,
    })
}

impl Service {
    /// The first column of the first row, as PostgreSQL prints it.
    async fn value(&self, sql: &str) -> String {
        self.postgres.value(&self.database, sql).await.unwrap()
    }

    /// Runs statements as the database's superuser.
    async fn run(&self, sql: &str) {
        self.postgres.rows(&self.database, sql).await.unwrap();
    }
}
