//! The control: the same failover under the rule without its seventh line.

#[path = "../support/line_7.rs"]
mod line_7;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tenure_core::secret::Secret;
use tenure_lab::redis::{Engine, Options, Sentinels};
use tenure_store::{Redis, RedisOptions, Sqlite, SqliteOptions, Store};

use self::line_7::{LOST, line_7_decides, refreshed, signed_in};
use crate::bench::engines;

async fn open(url: String, data: &Path) -> Arc<dyn Store> {
    let sql = Arc::new(Sqlite::open(&SqliteOptions::new(data)).unwrap());
    let options = RedisOptions::new(Secret::new(url));
    Arc::new(Redis::open(&options, sql.clone(), sql).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn users_ahead_of_redis_would_be_signed_out_as_thieves() {
    for engine in engines(Engine::Redis7) {
        let mut group = Sentinels::start(engine, Options::default(), 1).unwrap();
        let data = TempDir::new().unwrap();
        let store = open(group.url(), data.path()).await;
        let (server, mut tokens) = signed_in(&store).await;
        group.primary().wait_for_replicas(1).unwrap();
        group.hold_replicas_back().unwrap();
        refreshed(&server, &mut tokens, LOST).await;
        drop((server, store));
        group.fail_over().unwrap();

        let store = open(group.url(), data.path()).await;
        line_7_decides(&store, &tokens, &format!("{engine:?}")).await;
    }
}
