//! The control: the same failover under the rule without its seventh line.

#[path = "../support/line_7.rs"]
mod line_7;

use std::sync::Arc;

use tenure_core::secret::Secret;
use tenure_lab::postgres::Postgres;
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{START, session};
use tenure_store::{PostgresOptions, Store};

use self::line_7::{refreshed, signed_out_without_line_7};
use crate::{DATABASE, Pair};

const SESSIONS: u64 = 10;

/// Refreshes while the replica receives nothing; all but the last of them are what line 7 is for.
const LOST: u64 = 3;

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
    let server = Presenter::new(&store);
    let mut tokens = Vec::new();
    for n in 0..SESSIONS {
        store.create(&session(n)).await.unwrap();
        tokens.push(server.first_token(&session(n)));
    }
    refreshed(&server, &mut tokens, 2).await;
    pair.primary.caught_up(&pair.replica).await.unwrap();
    pair.replica.suspend_walreceiver().await.unwrap();
    refreshed(&server, &mut tokens, LOST).await;
    pair.fail_over().await;

    let store = open(Postgres::url_of(&[&pair.replica], DATABASE)).await;
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
        "{LOST} rotations lost: without line 7 {signed_out} of {half} sessions ended, with it {}",
        half - stayed
    );
    assert_eq!((signed_out, stayed), (half, half));
}
