//! Several servers of one issuer over one store, behind a balancer.

use std::path::Path;

use tempfile::TempDir;

use crate::actor::{FirstParty, OAuthClient};
use crate::deployment::{API, API_SECRET, CLIENT};
use crate::process::{Launch, Port, Server, tenure_binary};
use crate::round_robin::RoundRobin;

/// What sealed keys in the shared store are opened with.
const MASTER_SECRET: &str = "the master secret that all servers of this test have";

/// A test's requests all come from one network, in minutes of virtual time that last a second.
const NO_LIMITS: [(&str, &str); 4] = [
    ("TENURE_LIMITS_LOGIN_PER_MINUTE", "1000000"),
    ("TENURE_LIMITS_TOKEN_PER_MINUTE", "1000000"),
    ("TENURE_LIMITS_AGAIN_PER_MINUTE", "1000000"),
    ("TENURE_LIMITS_DEVICE_PER_MINUTE", "1000000"),
];

/// `tenure serve --dev` several times. What they share is the store, the master secret and the
/// issuer, which is the balancer's URL.
#[derive(Debug)]
pub struct Servers {
    /// The servers.
    pub each: Vec<Server>,
    balancer: RoundRobin,
    store: Vec<(String, String)>,
    directory: TempDir,
}

impl Servers {
    /// Starts `count` servers, one after the other. `store` is the environment that names the store:
    /// `TENURE_STORE_URL` and what belongs to it.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn start(count: usize, store: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_with(count, store, |launch, _| Ok(launch)).await
    }

    /// [`start`](Self::start); `adjust` adds to each launch and may write files into the given
    /// directory, which is no data directory.
    ///
    /// # Errors
    /// When one of them does not start, or `adjust` fails.
    pub async fn start_with(
        count: usize,
        store: &[(&str, &str)],
        adjust: impl Fn(Launch, &Path) -> anyhow::Result<Launch>,
    ) -> anyhow::Result<Self> {
        let directory = TempDir::new()?;
        let ports: Vec<Port> = (0..count)
            .map(|_| Port::reserve())
            .collect::<Result<_, _>>()?;
        let addresses = ports.iter().map(Port::address).collect();
        let mut servers = Self {
            each: Vec::new(),
            balancer: RoundRobin::start(addresses).await?,
            store: store
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            directory,
        };
        for port in ports {
            let launch = servers.launch()?.on(port);
            let launch = adjust(launch, servers.directory.path())?;
            servers.each.push(launch.start()?);
        }
        Ok(servers)
    }

    /// One more server, as it would be launched.
    ///
    /// # Errors
    /// When there is no `tenure` binary and it cannot be built.
    pub fn launch(&self) -> anyhow::Result<Launch> {
        let data = format!("data-{}", self.each.len());
        let launch = Launch::tenure(&self.directory.path().join(data))?
            .env("TENURE_ISSUER", self.issuer())
            .env("TENURE_MASTER_SECRET", MASTER_SECRET);
        let store = self.store.iter().map(|(name, value)| (&**name, &**value));
        Ok(store
            .chain(NO_LIMITS)
            .fold(launch, |launch, (name, value)| launch.env(name, value)))
    }

    /// `iss`, which is the balancer's URL.
    pub fn issuer(&self) -> String {
        self.balancer.url()
    }

    /// The public client, at the balancer.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn app(&self) -> anyhow::Result<OAuthClient> {
        OAuthClient::new(self.issuer(), CLIENT)
    }

    /// The confidential client, which may introspect, at the balancer.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn api(&self) -> anyhow::Result<OAuthClient> {
        Ok(OAuthClient::new(self.issuer(), API)?.with_secret(API_SECRET))
    }

    /// The public client on the JSON routes, at the balancer.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn first_party(&self) -> anyhow::Result<FirstParty> {
        FirstParty::new(self.issuer(), CLIENT)
    }

    /// Moves the virtual clocks of all servers forward.
    ///
    /// # Errors
    /// When one of them does not answer with a success.
    pub async fn advance_clock(&self, seconds: u64) -> anyhow::Result<()> {
        for server in &self.each {
            server.advance_clock(seconds).await?;
        }
        Ok(())
    }

    /// The sum of a counter of `/metrics` over the servers; one that has not been counted yet is 0.
    ///
    /// # Errors
    /// When one of them does not answer.
    pub async fn count(&self, name: &str, labels: &[(&str, &str)]) -> anyhow::Result<u64> {
        let mut sum = 0.0;
        for server in &self.each {
            sum += server
                .metrics()
                .await?
                .value(name, labels)
                .unwrap_or_default();
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counters of a test are small and never negative"
        )]
        Ok(sum as u64)
    }

    /// A directory for files of the test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The `tenure` command line beside the first server, with `arguments`, then `--dev` and `--data`.
    ///
    /// # Errors
    /// When there is no binary.
    pub fn tenure(&self, arguments: &[&str]) -> anyhow::Result<tokio::process::Command> {
        let mut command = tokio::process::Command::new(tenure_binary()?);
        command
            .args(arguments)
            .args(["--dev", "--data"])
            .arg(self.directory.path().join("data-0"))
            .env("TENURE_ISSUER", self.issuer())
            .env("TENURE_MASTER_SECRET", MASTER_SECRET)
            .envs(self.store.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        Ok(command)
    }
}
