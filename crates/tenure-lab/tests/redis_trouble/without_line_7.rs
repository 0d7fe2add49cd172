//! The control: the same failover under the rule without its seventh line.

#[path = "../support/line_7.rs"]
mod line_7;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tenure_core::secret::Secret;
use tenure_lab::redis::{Engine, Options, Sentinels};
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{START, session};
use tenure_store::{Redis, RedisOptions, Sqlite, SqliteOptions, Store};

use self::line_7::{refreshed, signed_out_without_line_7};
use crate::bench::engines;

const SESSIONS: u64 = 10;

/// Refreshes while the replica receives nothing; all but the last of them are what line 7 is for.
const LOST: u64 = 3;

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
        let server = Presenter::new(&store);
        let mut tokens = Vec::new();
        for n in 0..SESSIONS {
            store.create(&session(n)).await.unwrap();
            tokens.push(server.first_token(&session(n)));
        }
        refreshed(&server, &mut tokens, 2).await;
        group.primary().wait_for_replicas(1).unwrap();
        group.hold_replicas_back().unwrap();
        refreshed(&server, &mut tokens, LOST).await;
        drop((server, store));
        group.fail_over().unwrap();

        let store = open(group.url(), data.path()).await;
        let half = tokens.len() / 2;
        let mut signed_out = 0;
        for token in &tokens[half..] {
            signed_out += usize::from(signed_out_without_line_7(&store, token).await);
        }
        let server = Presenter::new(&store);
        let mut stayed = 0;
        for token in &tokens[..half] {
            let heard = server.present(token, 200, START).await.unwrap();
            stayed += usize::from(matches!(heard, Heard::Token(_)));
        }
        println!(
            "{engine:?}, {LOST} rotations lost: without line 7 {signed_out} of {half} sessions ended, \
             with it {}",
            half - stayed
        );
        assert_eq!((signed_out, stayed), (half, half));
    }
}
