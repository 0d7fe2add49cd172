//! The service as a whole: opened once, reloaded while it runs.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use tenure_store::{Description, StoreError};
use tokio::task::JoinHandle;

use crate::accounts;
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{KeyRing, Master, RotateError, rotate};
use crate::limit::Limiters;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::password::Passwords;
use crate::router::{monitor_router, router};
use crate::state::{AppState, Shared};
use crate::watch::{announce, watch};

/// How often a running server looks whether another process changed keys or accounts.
const NOTICE_EVERY: Duration = Duration::from_secs(1);

/// How often keys are judged, limits forgotten, and expired sessions removed.
const TIDY_EVERY: Duration = Duration::from_secs(20);

/// Sessions removed per step, so that no step holds the writer for long.
const PURGE_STEP: u32 = 500;

/// After a step it pauses for so many times as long as the step took.
const PURGE_PAUSE: u32 = 3;

/// A running token service.
#[derive(Clone, Debug)]
pub struct Service {
    state: Shared,
}

/// Why the service cannot start; exit code 2, with the fix in the text.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] tenure_store::OpenError),
    /// The store opened and then failed.
    #[error(transparent)]
    StoreTrouble(#[from] StoreError),
    /// Keys cannot be loaded.
    #[error(transparent)]
    Keys(#[from] RotateError),
    /// The master secret is unusable.
    #[error("the master secret is too short: give at least 32 bytes")]
    Master,
    /// The mail server's URL does not parse.
    #[error("smtp.url: {0}")]
    Mail(String),
}

impl Service {
    /// Opens the store, makes or loads the keys, and, with `dev`, adds the demo account.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let claim = config.store.claim()?;
        let store = tenure_store::open(&config.store).await?;
        let master = Master::new(&config.master_secret).ok_or(OpenError::Master)?;
        let clock = if config.dev {
            Clock::adjustable(config.data.join("dev-clock"))
        } else {
            Clock::system()
        };
        let now = clock.now();
        rotate(store.as_ref(), &master, &config, false, now).await?;
        let keys = KeyRing::load(store.as_ref(), &master).await?;
        if config.dev {
            accounts::add_demo_user(store.as_ref(), now).await?;
        }
        let state = AppState {
            described: ArcSwap::from_pointee(store.describe()),
            limits: ArcSwap::from_pointee(Limiters::new(&config.limits)),
            passwords: Passwords::new(config.limits.password_workers),
            mailer: Mailer::new(&config).map_err(OpenError::Mail)?,
            metrics: Metrics::new(store.as_ref()),
            keys: ArcSwap::from_pointee(keys),
            config: ArcSwap::from_pointee(config),
            store,
            clock,
            master,
            _claim: claim,
        };
        announce(&state.described.load());
        state.compare_clocks().await?;
        Ok(Self {
            state: Arc::new(state),
        })
    }

    /// Every route, without those of [`Service::monitor_router`] where [`Config::monitor_listen`] is set.
    pub fn router(&self) -> Router {
        router(Arc::clone(&self.state))
    }

    /// `/metrics` and `/health/ready` only, for [`Config::monitor_listen`].
    pub fn monitor_router(&self) -> Router {
        monitor_router(Arc::clone(&self.state))
    }

    /// What the store was when it was last looked at.
    pub fn store(&self) -> Arc<Description> {
        self.state.described.load_full()
    }

    /// `kid` of the key that signs.
    pub fn signing_kid(&self) -> String {
        self.state.keys.load().signing_kid().to_owned()
    }

    /// Takes over what a reload may change: clients, lifetimes, rate limits.
    pub fn reload(&self, config: Config) {
        let clients = config.clients.len();
        if config.limits != self.state.config.load().limits {
            let limits = Limiters::new(&config.limits);
            self.state.limits.store(Arc::new(limits));
        }
        self.state.config.store(Arc::new(config));
        tracing::info!(event = "config_reloaded", clients);
    }

    /// Starts the background jobs: key rotation, noticing changes, purging, watching the store. They
    /// end when the handles are aborted or the runtime stops.
    pub fn spawn_jobs(&self) -> Vec<JoinHandle<()>> {
        vec![
            tokio::spawn(notice_changes(Arc::clone(&self.state))),
            tokio::spawn(tidy(Arc::clone(&self.state))),
            tokio::spawn(watch(Arc::clone(&self.state))),
        ]
    }
}

async fn notice_changes(state: Shared) {
    let mut known = state.store.version().await.ok();
    let mut every = tokio::time::interval(NOTICE_EVERY);
    loop {
        // A store that says nothing, or whose word is lost, is asked.
        tokio::select! {
            _ = every.tick() => {}
            () = state.store.changed() => {}
        }
        let Ok(version) = state.store.version().await else {
            continue;
        };
        if known != Some(version) {
            match state.reload_keys().await {
                Ok(()) => {
                    known = Some(version);
                    let keys = state.keys.load_full();
                    let (signing, mac) = (keys.signing_kid(), keys.macs().writing());
                    tracing::debug!(event = "keys_reloaded", signing, %mac);
                }
                Err(error) => tracing::error!(event = "keys_not_reloaded", ?error),
            }
        }
    }
}

async fn tidy(state: Shared) {
    let mut every = tokio::time::interval(TIDY_EVERY);
    loop {
        every.tick().await;
        state.limits.load().forget_idle();
        rotate_due(&state).await;
        purge(&state).await;
    }
}

/// A clock in doubt must not retire a key: every token under it would be unknown for good.
async fn rotate_due(state: &AppState) {
    let Ok(now) = state.believed_now() else {
        return;
    };
    let config = state.config.load_full();
    match rotate(state.store.as_ref(), &state.master, &config, false, now).await {
        Ok(true) => {
            if let Err(error) = state.reload_keys().await {
                tracing::error!(event = "keys_not_reloaded", ?error);
            }
        }
        Ok(false) => {}
        Err(error) => tracing::error!(event = "keys_not_rotated", %error),
    }
}

/// A clock in doubt must not delete anybody's session.
async fn purge(state: &AppState) {
    while let Ok(now) = state.believed_now() {
        let begun = state.clock.monotonic();
        match state.store.purge(now, PURGE_STEP).await {
            Ok(purged) if purged.sessions + purged.tickets == 0 => break,
            Ok(purged) => {
                tracing::debug!(
                    event = "purged",
                    sessions = purged.sessions,
                    tickets = purged.tickets
                );
            }
            Err(error) => {
                tracing::error!(event = "purge_failed", %error);
                break;
            }
        }
        // The store belongs to refreshes first; nobody waits for a purge.
        let took = state.clock.monotonic().saturating_sub(begun);
        tokio::time::sleep(took * PURGE_PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
