//! The peer: npm `oidc-provider` on Redis, set up in its own favour.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tenure_lab::redis::Redis;
use tokio::process::Command;
use tokio::time::timeout;

use super::{Service, StoreProcess, first_line, loopback};
use crate::http::Endpoint;
use crate::load::Client;

/// Minting the peer's sessions is part of its start.
const MINT_LIMIT: Duration = Duration::from_mins(5);

/// Which of the programs that the peer needs are missing on this machine.
pub async fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    for program in ["npm", "redis-server"] {
        let mut command = Command::new(program);
        command
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if command
            .status()
            .await
            .is_err_and(|error| error.kind() == ErrorKind::NotFound)
        {
            missing.push(program);
        }
    }
    missing
}

/// Starts the peer of `source` (installed with npm if it is not yet) on a Redis of its own, set up as the one that
/// Tenure is measured on, with that many sessions.
pub async fn start(source: &Path, root: &Path, redis: &Redis, sessions: usize) -> Result<Service> {
    let node = source.join("node_modules/node/bin/node");
    if !node.exists() {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund"])
            .current_dir(source)
            .stdout(Stdio::null());
        ensure!(
            npm.status().await?.success(),
            "npm ci failed in {}",
            source.display()
        );
    }
    let directory = tempfile::tempdir_in(root)?;
    let tokens = directory.path().join("tokens");
    let mut command = Command::new(node);
    command
        .arg("server.mjs")
        .args([redis.port().to_string(), sessions.to_string()])
        .env("REDIS_PASSWORD", redis.password());
    command
        .arg(&tokens)
        .current_dir(source)
        .env("NODE_ENV", "production");
    let mut server = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let ready = timeout(MINT_LIMIT, first_line(&mut server)).await;
    let ready: PeerReady = serde_json::from_str(&ready.context("the peer did not start")??)?;
    Ok(Service {
        name: "oidc-provider, Redis".to_owned(),
        token_endpoint: Endpoint::parse(&loopback(ready.port, &ready.token_path))?,
        client: Client {
            id: "bench".into(),
            secret: None,
        },
        sessions: fs::read_to_string(tokens)?
            .lines()
            .map(ToOwned::to_owned)
            .collect(),
        settings: ready.settings,
        store: Some(StoreProcess {
            pid: redis.process().pid().context("Redis ended")?,
            port: redis.port(),
        }),
        place: None,
        server,
        directory,
    })
}

#[derive(Deserialize)]
struct PeerReady {
    port: u16,
    token_path: String,
    settings: BTreeMap<String, String>,
}
