//! The rule without its seventh line, over a real store: the control of a store that lost rotations.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenure_core::lineage::{
    Asked, Clock, EndCause, MacKey, MacKeys, Policy, Revocation, Rules, TokenId, Verdict, decide,
};
use tenure_core::secret::Secret;
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{START, session};
use tenure_store::{Loaded, Store};

/// Refreshes that the store loses; all but the last of them are what line 7 is for.
pub(crate) const LOST: u64 = 3;

const SESSIONS: u64 = 10;

/// Sessions that have refreshed twice, and their tokens.
pub(crate) async fn signed_in(store: &Arc<dyn Store>) -> (Presenter, Vec<Secret>) {
    let server = Presenter::new(store);
    let mut tokens = Vec::new();
    for n in 0..SESSIONS {
        store.create(&session(n)).await.unwrap();
        tokens.push(server.first_token(&session(n)));
    }
    refreshed(&server, &mut tokens, 2).await;
    (server, tokens)
}

/// One half of the sessions comes back without line 7, and every one is ended; the other half with
/// it, and every one stays.
pub(crate) async fn line_7_decides(store: &Arc<dyn Store>, tokens: &[Secret], what: &str) {
    let half = tokens.len() / 2;
    let mut signed_out = 0;
    for token in &tokens[half..] {
        signed_out += usize::from(signed_out_without_line_7(store, token).await);
    }
    let server = Presenter::new(store);
    let mut stayed = 0;
    for token in &tokens[..half] {
        let heard = server.present(token, 200, START).await.unwrap();
        stayed += usize::from(matches!(heard, Heard::Token(_)));
    }
    println!(
        "{what}, {LOST} rotations lost: without line 7 {signed_out} of {half} sessions ended, with it {}",
        half - stayed
    );
    assert_eq!((signed_out, stayed), (half, half));
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
pub(crate) async fn refreshed(server: &Presenter, tokens: &mut [Secret], times: u64) {
    for round in 0..times {
        for token in tokens.iter_mut() {
            let heard = server.present(token, 100 + round, START).await.unwrap();
            *token = heard.token();
        }
    }
}
