//! What a running service knows of its store: whether it takes writes, what it promises now, and
//! whether its clock agrees.

use std::sync::Arc;
use std::time::Duration;

use tenure_store::{Description, StoreError};

use crate::state::{AppState, Shared};

/// How often a store is looked at that no monitoring asks about.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What an operator should put right, or knowingly accept; none of it keeps a service from running.
pub fn shortcomings(store: &Description) -> Vec<&'static str> {
    let forgets = "an acknowledged sign-in or sign-out may not survive a power cut";
    let primary_only = "revocations are primary-only: a failover, or a restored backup, can lose an \
                        acknowledged sign-out; give store.revocation_log another database, or the \
                        primary a synchronous standby";
    [
        (!store.durable, forgets),
        (store.revoke_durability == "primary-only", primary_only),
    ]
    .into_iter()
    .filter_map(|(is_so, text)| is_so.then_some(text))
    .collect()
}

impl AppState {
    /// Asks the store to write and read, notes what it is now, and compares the clocks.
    pub(crate) async fn look_at_store(&self) -> Result<(), StoreError> {
        let checked = self.store.check().await;
        // A store that takes no writes may still tell the time: a difference that is gone is not to
        // outlive its cause.
        let compared = self.compare_clocks().await;
        self.describe_again();
        checked.and(compared)
    }

    pub(crate) async fn compare_clocks(&self) -> Result<(), StoreError> {
        let asked = self.clock.host();
        if let Some(told) = self.store.clock().await? {
            self.clock.compare(asked, told);
        }
        Ok(())
    }

    fn describe_again(&self) {
        let now = self.store.describe();
        let before = self.described.load_full();
        if *before == now {
            return;
        }
        let promised =
            |of: &Description| (of.kind, of.durable, of.revoke_durability, of.place.clone());
        if promised(&before) != promised(&now) {
            announce(&now);
        }
        self.described.store(Arc::new(now));
    }
}

/// Says in the log what the store is, and what it lacks.
pub(crate) fn announce(store: &Description) {
    let Description {
        kind,
        durable,
        revoke_durability,
        ..
    } = *store;
    let place = &store.place;
    tracing::info!(event = "store", kind, place, durable, revoke_durability);
    for shortcoming in shortcomings(store) {
        tracing::warn!(
            event = "store_degraded",
            kind,
            durable,
            revoke_durability,
            shortcoming
        );
    }
}

/// Looks at the store for as long as the service runs.
pub(crate) async fn watch(state: Shared) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    // It was looked at when it was opened.
    every.reset();
    loop {
        every.tick().await;
        if let Err(error) = state.look_at_store().await {
            tracing::error!(event = "store_failed", %error);
        }
    }
}
