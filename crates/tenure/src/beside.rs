//! The store of a service, opened beside it by an administrator's command.

use std::sync::Arc;

use tenure_core::time::Timestamp;
use tenure_server::Clock;
use tenure_server::config::{self, Config, Inputs, Purpose};
use tenure_store::Store;

use crate::cli::Place;
use crate::failure::Failure;

/// What a command works on. A running service notices what it does within a second.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
}

impl Beside {
    /// Reads the configuration and opens its store.
    pub(crate) async fn open(place: Place) -> Result<Self, Failure> {
        let config = config::load(&Inputs::of_process(place.flags(), Purpose::Beside))?.config;
        let store = tenure_store::open(&config.store).await?;
        let clock = if config.dev {
            Clock::adjustable(config.data.join("dev-clock"))
        } else {
            Clock::system()
        };
        Ok(Self {
            config,
            store,
            clock,
        })
    }

    /// Now, as the service sees it.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
