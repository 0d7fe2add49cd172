//! A service behind a reverse proxy that can fail, as users meet it: the proxy's URL is the issuer.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::actor::{FirstParty, OAuthClient, http};
use crate::process::{Launch, Port, Server, tenure_binary};
use crate::proxy::{Exchange, FaultProxy};

/// The account that `serve --dev` brings.
pub const EMAIL: &str = "demo@example.com";

/// Its password.
pub const PASSWORD: &str = "demo-password";

/// The public client that `serve --dev` brings.
pub const CLIENT: &str = "demo";

/// The confidential client that `serve --dev` brings.
pub const API: &str = "demo-api";

/// Its secret.
pub const API_SECRET: &str = "demo-secret";

/// How long after its retirement a token of [`CLIENT`] may still be a late duplicate, in seconds.
pub const LATE_WINDOW: u64 = 60;

/// `tenure serve --dev` with a data directory of its own, and a fault proxy in front of it.
#[derive(Debug)]
pub struct Deployment {
    /// The service.
    pub server: Server,
    /// What users talk to.
    pub proxy: FaultProxy,
    directory: TempDir,
}

impl Deployment {
    /// Starts both.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(|launch, _| Ok(launch)).await
    }

    /// Starts both; `adjust` adds to the launch and may write files into the given directory,
    /// which is not the data directory.
    ///
    /// # Errors
    /// When one of them does not start, or `adjust` fails.
    pub async fn start_with(
        adjust: impl FnOnce(Launch, &Path) -> anyhow::Result<Launch>,
    ) -> anyhow::Result<Self> {
        let directory = TempDir::new()?;
        let port = Port::reserve()?;
        let proxy = FaultProxy::start(port.address()).await?;
        let launch = Launch::tenure(&directory.path().join("data"))?
            .env("TENURE_ISSUER", proxy.url())
            .on(port);
        let server = adjust(launch, directory.path())?.start()?;
        Ok(Self {
            server,
            proxy,
            directory,
        })
    }

    /// `iss`, which is the proxy's URL.
    pub fn issuer(&self) -> String {
        self.proxy.url()
    }

    /// A directory for files of the test; the data directory is `data` in it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The public client.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn app(&self) -> anyhow::Result<OAuthClient> {
        OAuthClient::new(self.issuer(), CLIENT)
    }

    /// The confidential client, which may introspect.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn api(&self) -> anyhow::Result<OAuthClient> {
        Ok(OAuthClient::new(self.issuer(), API)?.with_secret(API_SECRET))
    }

    /// The public client on the JSON routes.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn first_party(&self) -> anyhow::Result<FirstParty> {
        FirstParty::new(self.issuer(), CLIENT)
    }

    /// Whether an access or refresh token is active, by introspection.
    ///
    /// # Errors
    /// When introspection fails or says neither.
    pub async fn is_active(&self, token: &str) -> anyhow::Result<bool> {
        let described = self.api()?.introspect(token).await?;
        let active = described.get("active").and_then(Value::as_bool);
        active.ok_or_else(|| anyhow::anyhow!("introspection said {described}"))
    }

    /// An access token of [`API`] for the admin routes.
    ///
    /// # Errors
    /// When none is issued.
    pub async fn admin_token(&self) -> anyhow::Result<String> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "tenure:admin"),
        ];
        Ok(self.api()?.token(&form).await.granted()?.access_token)
    }

    /// The audit trail of [`EMAIL`], newest first, as the admin API tells it.
    ///
    /// # Errors
    /// When the service does not answer with a success.
    pub async fn audit(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/admin/audit?email={EMAIL}", self.issuer());
        let asked = http()?.get(url).bearer_auth(self.admin_token().await?);
        let mut answer: Value = asked.send().await?.error_for_status()?.json().await?;
        let events = answer
            .get_mut("events")
            .and_then(Value::as_array_mut)
            .map(std::mem::take);
        events.ok_or_else(|| anyhow::anyhow!("the answer has no events"))
    }

    /// A counter of `/metrics`; one that has not been counted yet is 0.
    ///
    /// # Errors
    /// When the service does not answer.
    pub async fn count(&self, name: &str, labels: &[(&str, &str)]) -> anyhow::Result<u64> {
        let value = self.server.metrics().await?.value(name, labels);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counters of a test are small and never negative"
        )]
        Ok(value.unwrap_or_default() as u64)
    }

    /// The exchanges so far with this path.
    pub fn exchanges(&self, path: &str) -> Vec<Exchange> {
        let mut log = self.proxy.log();
        log.retain(|exchange| exchange.path == path);
        log
    }

    /// The `tenure` command line beside the service, with `arguments`, then `--dev` and `--data`.
    ///
    /// # Errors
    /// When there is no binary.
    pub fn tenure(&self, arguments: &[&str]) -> anyhow::Result<tokio::process::Command> {
        let mut command = tokio::process::Command::new(tenure_binary()?);
        command
            .args(arguments)
            .args(["--dev", "--data"])
            .arg(self.directory.path().join("data"))
            .kill_on_drop(true);
        Ok(command)
    }
}
