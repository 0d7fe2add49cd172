//! The rule without its seventh line, over a real store: the control of a store that lost rotations.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenure_core::lineage::{
    Asked, Clock, EndCause, MacKey, MacKeys, Policy, Revocation, Rules, TokenId, Verdict, decide,
};
use tenure_core::secret::Secret;
use tenure_store::conformance::START;
use tenure_store::conformance::presenter::Presenter;
use tenure_store::{Loaded, Store};

/// What a server would answer that takes a client ahead of the store for a thief; line 8 is what is
/// left to it.
pub(crate) async fn signed_out_without_line_7(store: &Arc<dyn Store>, token: &Secret) -> bool {
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
