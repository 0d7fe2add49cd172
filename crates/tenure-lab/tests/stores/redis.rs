//! Redis and Valkey beside a SQL store: the cases of every store on each kind of server, and what
//! only a store that forgets can get wrong.

mod log;
mod loss;
mod start;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tempfile::TempDir;
use tenure_core::secret::Secret;
use tenure_lab::redis::{Cluster, Engine, Options, Redis as Server};
use tenure_lab::skip;
use tenure_store::conformance::Fixture;
use tenure_store::{
    OpenError, Redis, RedisOptions, SessionLog, Sqlite, SqliteOptions, Store, Wait,
    store_conformance,
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

/// `None` is a counted skip.
fn is_here(engine: Engine) -> Option<Engine> {
    let Some(obstacle) = engine.obstacle() else {
        return Some(engine);
    };
    skip(&obstacle).unwrap();
    None
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
