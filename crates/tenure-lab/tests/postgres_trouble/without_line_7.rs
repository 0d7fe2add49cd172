//! The control: the same failover under the rule without its seventh line.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenure_core::lineage::EndCause;
use tenure_core::lineage::{
    Asked, Clock, MacKey, MacKeys, Policy, Revocation, Rules, TokenId, Verdict, decide,
};
use tenure_core::secret::Secret;
use tenure_lab::postgres::Postgres;
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{START, session};
use tenure_store::{Loaded, PostgresOptions, Store};

use crate::{DATABASE, Pair};

const SESSIONS: u64 = 10;

/// Refreshes while the replica receives nothing; all but the last of them are what line 7 is for.
const LOST: u64 = 3;

async fn open(url: String) -> Arc<dyn Store> {
    let options = PostgresOptions::new(Secret::new(url));
    Arc::new(tenure_store::Postgres::open(&options).await.unwrap())
}

/// What a server would answer that takes a client ahead of the store for a thief; line 8 is what is
/// left to it.
async fn signed_out_without_line_7(store: &Arc<dyn Store>, token: &Secret) -> bool {
    let keys = MacKeys::new(MacKey::new(&[42; 32]), Vec::new(), Vec::new());
    let token = keys.read(token.expose()).unwrap();
    let lineage = token.content().lineage;
    let judged = Arc::new(Mutex::new(None));
    let note = Arc::clone(&judged);
    let judge = move |loaded: Option<Loaded>| {
        let Loaded { row, cut } = loaded.unwrap();
        let asked = Asked {
            client: None,
            key: None,
            claims: None,
            fresh: TokenId([9; 8]),
            now: START,
            clock: Clock::Trusted,
            cut,
        };
        let rules = Rules::new(Policy::RetireOnUse, Duration::from_mins(15));
        *note.lock() = Some(decide(Ok(&token), Some(&row), &asked, &rules));
        None
    };
    store.present(lineage, Arc::new(judge)).await.unwrap();
    let verdict = judged.lock().take().unwrap();
    if matches!(verdict, Verdict::Ahead(_)) {
        let cause = EndCause::TheftDetected;
        let end = Revocation { at: START, cause };
        store.revoke(lineage, end).await.unwrap();
        return true;
    }
    false
}

/// Each session refreshes `times` times.
async fn refreshed(server: &Presenter, tokens: &mut [Secret], times: u64) {
    for round in 0..times {
        for token in tokens.iter_mut() {
            let heard = server.present(token, 100 + round, START).await.unwrap();
            *token = heard.token();
        }
    }
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
