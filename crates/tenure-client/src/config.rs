//! What a session needs to know before it is opened.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::session::{Found, Policy};
use url::{Host, Origin, Url};

use crate::{Clock, Error, HttpTransport, OAuth2, RefreshEndpoint, SystemClock, Transport, Vault};

/// The service, the client, the vault; and what stands in for the defaults.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) endpoint: Arc<dyn RefreshEndpoint>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Policy,
    pub(crate) scope: String,
    pub(crate) origins: Vec<Origin>,
    pub(crate) patience: Duration,
}

impl Config {
    /// A public client `client_id` of the service `issuer`, an https URL or http on loopback.
    pub fn new(issuer: &str, client_id: &str, vault: impl Vault) -> Result<Self, Error> {
        let url = endpoint(issuer)?;
        Ok(Self {
            issuer: issuer.trim_end_matches('/').to_owned(),
            client_id: client_id.to_owned(),
            vault: Arc::new(vault),
            transport: Arc::new(HttpTransport::new()?),
            endpoint: Arc::new(OAuth2::new()),
            clock: Arc::new(SystemClock::new()),
            policy: Policy::default(),
            scope: "openid offline_access".into(),
            origins: vec![url.origin()],
            patience: Duration::from_secs(5),
        })
    }

    /// The service and the client of the session that `vault` holds; `None` where it holds none.
    /// Blocks while it reads.
    pub fn saved(vault: impl Vault) -> Result<Option<Self>, Error> {
        let Found::Record(record) = vault.load()? else {
            return Ok(None);
        };
        let session = record.tokens.is_some() || !record.outbox.is_empty();
        let provider = record.provider.filter(|_| session);
        provider
            .map(|provider| Self::new(&provider.issuer, &provider.client_id, vault))
            .transpose()
    }

    /// The issuer, without a slash at its end.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Scopes to ask for at sign-in, separated by spaces (default `openid offline_access`).
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.scope);
        self
    }

    /// Lets access tokens go to the origin of `url`, https or loopback, besides the issuer's.
    pub fn allow(mut self, url: &str) -> Result<Self, Error> {
        self.origins.push(endpoint(url)?.origin());
        Ok(self)
    }

    /// When to refresh and how long to wait after a failure.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How long a caller waits for the next attempt after a transient failure, instead of being
    /// told (default 5 s). Zero: every failure is told at once.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Another way to speak HTTP.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Arc::new(transport);
        self
    }

    /// Another kind of refresh endpoint.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl RefreshEndpoint) -> Self {
        self.endpoint = Arc::new(endpoint);
        self
    }

    /// Another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

/// Accepts https, and http on loopback, where nobody is in between (RFC 8252 section 8.3).
pub(crate) fn endpoint(text: &str) -> Result<Url, Error> {
    let url: Url = text
        .parse()
        .map_err(|error| Error::Misconfigured(format!("{text}: {error}")))?;
    if url.scheme() == "https" || (url.scheme() == "http" && loopback(&url)) {
        return Ok(url);
    }
    let needs = "needs https (http is for loopback only)";
    Err(Error::Misconfigured(format!("{text} {needs}")))
}

pub(crate) fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn plain_http_goes_to_loopback_only() {
        for good in [
            "https://id.example.com",
            "http://127.0.0.1:8420",
            "http://127.8.9.1",
            "http://[::1]:1",
            "http://localhost:3000/x",
        ] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "id.example.com",
            "",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
