//! npm `openid-client`, steered line by line: a JSON command in, a JSON answer out.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use super::folder;
use crate::process::find;
use crate::steered::Steered;

/// One Node process that is one client of one issuer.
pub struct NodeClient {
    process: Steered,
}

/// How `openid-client` describes a failure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodeError {
    /// The library's own code, such as `OAUTH_RESPONSE_BODY_ERROR`.
    pub code: Option<String>,
    /// What went wrong.
    pub message: String,
    /// The HTTP status, where there was a readable answer.
    pub status: Option<u16>,
    /// `error` of the answer.
    pub error: Option<String>,
    /// `tenure_reason` of the answer.
    pub reason: Option<String>,
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for NodeError {}

impl NodeClient {
    /// Why it cannot be run here, if it cannot.
    pub fn obstacle() -> Option<String> {
        if find("node").is_none() {
            return Some("openid-client needs node, which is not installed".to_owned());
        }
        let folder = folder();
        (!folder.join("node_modules/openid-client").exists()).then(|| {
            format!(
                "openid-client is not installed; run npm ci in {}",
                folder.display()
            )
        })
    }

    /// Starts a client and lets it read the issuer's metadata.
    ///
    /// # Errors
    /// When Node does not start, or the discovery fails.
    pub async fn discover(issuer: &str, id: &str, secret: Option<&str>) -> anyhow::Result<Self> {
        let script = folder().join("openid-client.mjs");
        let process = Steered::start(Command::new("node").arg(script))?;
        let mut client = Self { process };
        let discover =
            json!({ "do": "discover", "issuer": issuer, "client_id": id, "client_secret": secret });
        client.command(&discover).await??;
        Ok(client)
    }

    /// Sends one command of `openid-client.mjs`, and answers what came of it.
    ///
    /// # Errors
    /// When the process is gone or its answer is not understood.
    pub async fn command(&mut self, command: &Value) -> anyhow::Result<Result<Value, NodeError>> {
        Ok(match self.process.ask(command).await? {
            Err(failed) => Err(serde_json::from_value(failed)?),
            Ok(value) => Ok(value),
        })
    }
}

impl fmt::Debug for NodeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeClient").finish_non_exhaustive()
    }
}
