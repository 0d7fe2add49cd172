//! The store of a service, opened beside it by an administrator's command.

use std::sync::Arc;

use tenure_core::time::Timestamp;
use tenure_server::Clock;
use tenure_server::config::{self, Config, Inputs, Purpose};
use tenure_store::{Sqlite, SqliteOptions, Store};

use crate::cli::Place;
use crate::failure::Failure;

/// What a command works on. A running service notices what it does within a second.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    clock: Clock,
}

impl Beside {
    /// Reads the configuration and opens its store.
    pub(crate) fn open(place: Place) -> Result<Self, Failure> {
        let config = config::load(&Inputs::of_process(place.flags(), Purpose::Beside))?.config;
        let mut options = SqliteOptions::new(&config.data);
        options.journal.clone_from(&config.store.revocation_log);
        let store = Arc::new(Sqlite::open(&options)?);
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
