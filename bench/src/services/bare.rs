//! The limit: `tenure-bare`, which only updates a row where its head is as expected, and signs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use super::backing::Backing;
use super::{Service, first_line, loopback};
use crate::http::Endpoint;
use crate::load::Client;

/// Filling its store is part of its start.
const FILL_LIMIT: Duration = Duration::from_mins(5);

/// Its routes, and what each does beside the signature.
pub const ROUTES: [(&str, &str); 2] = [
    ("/update", "conditional update"),
    ("/load-update", "load + conditional update"),
];

/// Starts the program on the store with that many sessions; its endpoint is the first route.
pub async fn start(
    program: &Path,
    root: &Path,
    backing: &Backing,
    sessions: usize,
) -> Result<Service> {
    let directory = tempfile::tempdir_in(root)?;
    let tokens = directory.path().join("tokens");
    let mut command = Command::new(program);
    let place = backing.place(directory.path()).await?;
    command
        .env("BARE_STORE_URL", place.expose())
        .args(["--sessions", &sessions.to_string(), "--tokens"])
        .arg(&tokens);
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = command
        .spawn()
        .with_context(|| format!("{}", program.display()))?;
    let ready = timeout(FILL_LIMIT, first_line(&mut server)).await;
    let ready: Ready = serde_json::from_str(&ready.context("tenure-bare did not start")??)?;
    let [(route, _), ..] = ROUTES;
    let tokens = fs::read_to_string(tokens)?;
    Ok(Service {
        name: format!("bare, {}", backing.kind().name()),
        token_endpoint: Endpoint::parse(&loopback(ready.port, route))?,
        client: Client {
            id: "bare".into(),
            secret: None,
        },
        sessions: tokens.lines().map(ToOwned::to_owned).collect(),
        settings: ready.settings,
        store: backing.process()?,
        place: Some(place),
        server,
        directory,
    })
}

#[derive(Deserialize)]
struct Ready {
    port: u16,
    settings: BTreeMap<String, String>,
}
