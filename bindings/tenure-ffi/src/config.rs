//! What a session needs to know before it is opened.

use std::sync::Arc;

use tenure_client::{FileVault, MemoryVault};

use crate::http::ForeignTransport;
use crate::vault::foreign_vault;
use crate::{Endpoint, KeyValue, TenureError, Transport};

/// The service, the client, the vault; and what stands in for the defaults.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Config {
    /// An https URL, or http on loopback.
    pub issuer: String,
    /// A public client of the service.
    pub client_id: String,
    /// Where the session lives between two runs of the program.
    pub vault: Vault,
    /// Scopes to ask for at sign-in, separated by spaces; `openid offline_access` if absent.
    #[uniffi(default = None)]
    pub scope: Option<String>,
    /// URLs of APIs whose origins the access token may go to, besides the issuer's.
    #[uniffi(default = [])]
    pub origins: Vec<String>,
    /// What kind of service the issuer is; [`Endpoint::OAuth2`] if absent.
    #[uniffi(default = None)]
    pub endpoint: Option<Endpoint>,
    /// The program's own HTTP client; the library's if absent.
    #[uniffi(default = None)]
    pub transport: Option<Arc<dyn Transport>>,
}

/// Where a session lives between two runs of a program.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Vault {
    /// Two files of mode 0600 in a directory; several processes may share it.
    Directory {
        /// Made if it does not exist.
        path: String,
    },
    /// Nowhere: for tests, and for programs that live no longer than their session.
    Memory,
    /// The program's own store of small values, such as an OS keystore.
    Foreign {
        /// The store.
        values: Arc<dyn KeyValue>,
        /// A directory for what is no secret: the lock that processes share, and the marker that
        /// tells "locked" from "never signed in".
        directory: String,
    },
}

impl Config {
    pub(crate) fn into_client(self) -> Result<tenure_client::Config, TenureError> {
        let (issuer, client_id) = (&self.issuer, &self.client_id);
        let mut config = match self.vault {
            Vault::Directory { path } => {
                tenure_client::Config::new(issuer, client_id, FileVault::new(path))
            }
            Vault::Memory => tenure_client::Config::new(issuer, client_id, MemoryVault::new()),
            Vault::Foreign { values, directory } => {
                tenure_client::Config::new(issuer, client_id, foreign_vault(values, directory))
            }
        }?;
        if let Some(scope) = &self.scope {
            config = config.scope(scope);
        }
        for origin in &self.origins {
            config = config.allow(origin)?;
        }
        if let Some(endpoint) = self.endpoint {
            config = endpoint.apply(config)?;
        }
        if let Some(transport) = self.transport {
            config = config.transport(ForeignTransport::new(transport));
        }
        Ok(config)
    }
}
