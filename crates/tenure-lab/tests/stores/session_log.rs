//! The session log in PostgreSQL: the cases of every log, in the database of the sessions and in one
//! of its own.

use tenure_core::secret::Secret;
use tenure_lab::postgres::{self, Postgres as Server};
use tenure_store::conformance::session_log::LogFixture;
use tenure_store::{Postgres, PostgresOptions};

mod beside_the_sessions {
    tenure_store::session_log_conformance!({
        let Some(fixture) = Box::pin(super::fixture(false)).await else {
            return;
        };
        fixture
    });
}

mod of_its_own {
    tenure_store::session_log_conformance!({
        let Some(fixture) = Box::pin(super::fixture(true)).await else {
            return;
        };
        fixture
    });
}

/// `None` is a counted skip.
async fn fixture(separate: bool) -> Option<LogFixture> {
    let server = postgres::shared().unwrap()?;
    let one = databases(server, separate).await;
    let log = open(server, &one).await;
    let other = open(server, &one).await;
    let apart = open(server, &databases(server, separate).await).await;
    Some(LogFixture::new(log, other, apart, ()))
}

/// Of the sessions, and of their log.
async fn databases(server: &Server, separate: bool) -> (String, Option<String>) {
    let sessions = server.fresh_database().await.unwrap();
    if !separate {
        return (sessions, None);
    }
    (sessions, Some(server.fresh_database().await.unwrap()))
}

async fn open(server: &Server, (sessions, log): &(String, Option<String>)) -> Postgres {
    let url = |database: &String| Secret::new(server.url(database));
    let options = PostgresOptions {
        log: log.as_ref().map(url),
        pool: 4,
        ..PostgresOptions::new(url(sessions))
    };
    Postgres::open(&options).await.unwrap()
}
