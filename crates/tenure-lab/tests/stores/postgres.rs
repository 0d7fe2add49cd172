//! PostgreSQL: the cases of every store, and what only a database of its own can get wrong.

mod between;
mod encryption;
mod migration;
mod refusals;
mod standby;
mod statements;

use tenure_core::secret::Secret;
use tenure_lab::postgres::{self, Postgres as Server};
use tenure_store::conformance::Fixture;
use tenure_store::{OpenError, Postgres, PostgresOptions, store_conformance};

/// Few connections: many tests share the server.
const POOL: usize = 8;

store_conformance!({
    let Some((store, _)) = fresh().await else {
        return;
    };
    Fixture::new(store, ())
});

/// A store in an empty database of the shared server, and the database's name.
pub(crate) async fn fresh() -> Option<(Postgres, String)> {
    let server = server()?;
    let database = server.fresh_database().await.unwrap();
    Some((open(server, &database).await.unwrap(), database))
}

/// `None` is a counted skip.
fn server() -> Option<&'static Server> {
    postgres::shared().unwrap()
}

async fn open(server: &Server, database: &str) -> Result<Postgres, OpenError> {
    let url = Secret::new(server.url(database));
    Postgres::open(&PostgresOptions {
        pool: POOL,
        ..PostgresOptions::new(url)
    })
    .await
}
