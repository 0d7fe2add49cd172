//! What every handler shares.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tenure_core::id::ClientId;
use tenure_core::time::Timestamp;
use tenure_store::{AuditEvent, Claim, Description, Store};

use crate::clock::Clock;
use crate::config::{Client, Config};
use crate::error::Fault;
use crate::keys::{KeyRing, Master};
use crate::limit::Limiters;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::password::Passwords;

/// One running service.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) config: ArcSwap<Config>,
    pub(crate) store: Arc<dyn Store>,
    /// What the store was when it was last looked at.
    pub(crate) described: ArcSwap<Description>,
    pub(crate) clock: Clock,
    pub(crate) master: Master,
    pub(crate) keys: ArcSwap<KeyRing>,
    pub(crate) limits: ArcSwap<Limiters>,
    pub(crate) passwords: Passwords,
    pub(crate) mailer: Mailer,
    pub(crate) metrics: Metrics,
    /// That no other process serves a place which only one may serve.
    pub(crate) _claim: Option<Claim>,
}

/// The handle that axum clones for each request.
pub(crate) type Shared = Arc<AppState>;

impl AppState {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Now, where somebody is refused or something is begun or ended by it; our trouble while the
    /// clock is in doubt.
    pub(crate) fn believed_now(&self) -> Result<Timestamp, Fault> {
        match self.clock.doubt() {
            None => Ok(self.now()),
            Some(doubt) => Err(Fault::unavailable(format!(
                "this server doubts its clock: {doubt}"
            ))),
        }
    }

    /// Whether somebody is refused by the time: our trouble only where it would refuse while the
    /// clock is in doubt.
    pub(crate) fn time_refuses(&self, refuses: impl Fn(Timestamp) -> bool) -> Result<bool, Fault> {
        Ok(refuses(self.now()) && refuses(self.believed_now()?))
    }

    /// A registered client.
    pub(crate) fn client(&self, id: &ClientId) -> Option<Arc<Client>> {
        self.config.load().client(id).cloned()
    }

    /// Appends to the audit trail. An event that cannot be written is logged instead: it must not
    /// turn an answer that is already decided into an error.
    pub(crate) async fn audit(&self, event: AuditEvent) {
        if let Err(error) = self.store.record(std::slice::from_ref(&event)).await {
            tracing::error!(event = "audit_lost", lost = event.event, %error);
        }
    }

    /// Loads the keys again, where the store has others than this process.
    pub(crate) async fn reload_keys(&self) -> Result<(), Fault> {
        let ring = KeyRing::load(self.store.as_ref(), &self.master)
            .await
            .map_err(|error| Fault::unavailable(error.to_string()))?;
        self.keys.store(Arc::new(ring));
        Ok(())
    }
}
