//! The control: the same failover under the rule without its seventh line.

#[path = "../support/line_7.rs"]
mod line_7;

use std::sync::Arc;

use tenure_core::secret::Secret;
use tenure_lab::postgres::Postgres;
use tenure_store::{PostgresOptions, Store};

use self::line_7::{LOST, line_7_decides, refreshed, signed_in};
use crate::{DATABASE, Pair};

async fn open(url: String) -> Arc<dyn Store> {
    let options = PostgresOptions::new(Secret::new(url));
    Arc::new(tenure_store::Postgres::open(&options).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_ahead_of_the_store_would_be_signed_out_as_thieves() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    let store = open(pair.primary.url(DATABASE)).await;
    let (server, mut tokens) = signed_in(&store).await;
    pair.primary.caught_up(&pair.replica).await.unwrap();
    pair.replica.suspend_walreceiver().await.unwrap();
    refreshed(&server, &mut tokens, LOST).await;
    pair.fail_over().await;

    let store = open(Postgres::url_of(&[&pair.replica], DATABASE)).await;
    line_7_decides(&store, &tokens, "PostgreSQL").await;
}
