//! Redis and Valkey beside a SQL store: the cases of every store on each kind of server, and what
//! only a store that forgets can get wrong.

mod encryption;
mod log;
mod loss;
mod start;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tempfile::TempDir;
use tenure_core::secret::Secret;
use tenure_lab::postgres;
use tenure_lab::redis::{Cluster, Engine, Options, Redis as Server};
use tenure_store::conformance::Fixture;
use tenure_store::{
    OpenError, Postgres, PostgresOptions, Redis, RedisOptions, SessionLog, Sqlite, SqliteOptions,
    Store, Wait, store_conformance,
};

mod redis_7 {
    use super::*;

    store_conformance!({
        let Some(fixture) = alone(Engine::Redis7, Wait::default()).await else {
            return;
        };
        fixture
    });
}

mod valkey_8 {
    use super::*;

    store_conformance!({
        let wait = Wait {
            local: true,
            ..Wait::default()
        };
        let Some(fixture) = alone(Engine::Valkey8, wait).await else {
            return;
        };
        fixture
    });
}

mod cluster {
    use super::*;

    store_conformance!({
        let Some(fixture) = in_a_cluster().await else {
            return;
        };
        fixture
    });
}

/// What the log decides, with the log on another server; the rest of PostgreSQL has its own cases.
mod beside_postgres {
    use super::*;

    store_conformance! {
        {
            let Some(fixture) = beside_postgres().await else {
                return;
            };
            fixture
        };
        sessions {
            a_session_reads_back_as_it_was_created,
            a_lineage_is_created_once,
            a_session_ends_once,
            the_log_knows_the_ends_only,
            a_judge_sees_the_session_and_gets_what_it_wants_written,
        }
        races {
            a_logout_between_read_and_write_wins,
            sixty_four_presentations_of_one_token_leave_one_branch,
            sixty_four_sessions_move_at_once,
            a_write_that_fails_alone_fails_alone,
            sixty_four_ends_of_one_session_end_it_once,
            refreshes_and_a_logout_at_once_end_the_session,
        }
        subjects {
            sessions_are_listed_newest_first,
            ending_a_subject_ends_all_its_sessions,
            ending_a_subject_spares_the_kept_session,
            a_cut_is_seen_by_a_session_created_after_it,
            a_kept_session_is_not_spared_from_a_later_cut,
            an_earlier_cut_does_not_replace_a_later_one,
            a_session_of_another_subject_is_not_kept,
        }
        sweep {
            sessions_go_after_their_absolute_limit,
            ended_sessions_go_after_a_day,
            a_sweep_stops_at_its_limit,
        }
    }
}

/// `None` is a counted skip.
fn is_here(engine: Engine) -> Option<Engine> {
    engine.or_skip().unwrap()
}

pub(crate) async fn alone(engine: Engine, wait: Wait) -> Option<Fixture> {
    let server = Server::shared(is_here(engine)?).unwrap();
    let options = RedisOptions {
        wait,
        ..options(&server.url())
    };
    let side = Side::new();
    let store = side.open(&options).await.unwrap();
    Some(Fixture::new(store, (side, server)))
}

async fn in_a_cluster() -> Option<Fixture> {
    let cluster = shared_cluster(is_here(Engine::Valkey8)?);
    let side = Side::new();
    let store = side.open(&options(&cluster.url())).await.unwrap();
    Some(Fixture::new(store, (side, cluster)))
}

async fn beside_postgres() -> Option<Fixture> {
    let server = Server::shared(is_here(Engine::Redis7)?).unwrap();
    let database = postgres::shared().unwrap()?;
    let name = database.fresh_database().await.unwrap();
    let url = Secret::new(database.url(&name));
    let few_connections = PostgresOptions {
        pool: 8,
        ..PostgresOptions::new(url)
    };
    let sql = Arc::new(Postgres::open(&few_connections).await.unwrap());
    let log: Arc<dyn SessionLog> = Arc::clone(&sql) as _;
    let store = Redis::open(&options(&server.url()), sql, log)
        .await
        .unwrap();
    Some(Fixture::new(store, server))
}

/// Lives as long as a case holds it.
fn shared_cluster(engine: Engine) -> Arc<Cluster> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock();
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let cluster = Cluster::start(engine, &Options::default(), false).unwrap();
    let cluster = Arc::new(cluster);
    *shared = Arc::downgrade(&cluster);
    cluster
}

/// Keys of its own at this server.
fn options(url: &str) -> RedisOptions {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    RedisOptions {
        prefix: format!("case-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        ..RedisOptions::new(Secret::new(url))
    }
}

/// The SQL side.
struct Side {
    sqlite: Arc<Sqlite>,
    dir: TempDir,
}

impl Side {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(&SqliteOptions::new(dir.path())).unwrap();
        Self {
            sqlite: Arc::new(sqlite),
            dir,
        }
    }

    fn log(&self) -> Arc<dyn SessionLog> {
        Arc::clone(&self.sqlite) as _
    }

    async fn open(&self, options: &RedisOptions) -> Result<Redis, OpenError> {
        let sql: Arc<dyn Store> = Arc::clone(&self.sqlite) as _;
        Redis::open(options, sql, self.log()).await
    }
}
