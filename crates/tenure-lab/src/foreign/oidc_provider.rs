//! npm `oidc-provider` with strict rotation, for clients of Tenure's.

use anyhow::Context;
use serde::Deserialize;

use super::{folder, package};
use crate::actor::http;
use crate::process::{Launch, Port, Server};

/// A running provider. A refresh token is good once there; a second use revokes the whole grant.
///
/// It knows the public client `app`, and `server` with [`OidcProvider::SECRET`].
#[derive(Debug)]
pub struct OidcProvider {
    server: Server,
}

/// Tokens of a new session.
#[derive(Deserialize)]
pub struct Minted {
    /// Good for 900 seconds.
    pub access_token: String,
    /// Good once.
    pub refresh_token: String,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted").finish_non_exhaustive()
    }
}

impl OidcProvider {
    /// The secret of the client `server`.
    pub const SECRET: &str = "a secret: with + signs";

    /// Why it cannot be run here, if it cannot.
    pub fn obstacle() -> Option<String> {
        let needed = ["node_modules/node/bin/node", "node_modules/oidc-provider"];
        needed.into_iter().find_map(|part| package(part).err())
    }

    /// Starts it on `port`. To its clients it is `issuer`, which may be a proxy in front of it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(port: Port, issuer: &str) -> anyhow::Result<Self> {
        let node = package("node_modules/node/bin/node").map_err(anyhow::Error::msg)?;
        let script = folder().join("oidc-provider.mjs");
        let launch = Launch::new(node).args([script]).args(["{listen}", issuer]);
        let server = launch.on(port).start()?;
        Ok(Self { server })
    }

    /// Signs somebody in at `client`.
    ///
    /// # Errors
    /// When the provider does not answer with tokens.
    pub async fn tokens(&self, client: &str) -> anyhow::Result<Minted> {
        let url = format!("{}/lab/tokens?client={client}", self.server.url());
        let answer = http()?.post(url).send().await?.error_for_status()?;
        answer.json().await.context("no tokens")
    }
}
