//! What is measured: started with its own store in its own directory on free loopback ports, and
//! stopped by its own process id.

pub mod backing;
pub mod bare;
pub mod peer;
pub mod tenure;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use self::backing::Place;
use crate::http::Endpoint;
use crate::load::{Client, Plan};

/// A token service that runs, with live sessions to refresh.
#[derive(Debug)]
pub struct Service {
    /// Its name in tables.
    pub name: String,
    /// Its token endpoint.
    pub token_endpoint: Endpoint,
    /// The client that the sessions belong to.
    pub client: Client,
    /// One refresh token per session.
    pub sessions: Vec<String>,
    /// Versions, signing algorithm and durability.
    pub settings: BTreeMap<String, String>,
    /// Its store, where that is a process of its own.
    pub store: Option<StoreProcess>,
    /// Where it keeps its records, if it can be started there again.
    place: Option<Place>,
    server: Child,
    directory: TempDir,
}

/// What a service that was killed leaves behind; gone once it is dropped.
#[derive(Debug)]
pub struct Remains {
    place: Option<Place>,
    directory: TempDir,
}

/// The process of a store, which outlives the service.
#[derive(Debug, Clone, Copy)]
pub struct StoreProcess {
    /// Its process id; its descendants belong to it.
    pub pid: u32,
    /// Where it listens.
    pub port: u16,
}

impl Remains {
    /// Its directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where it kept its records, if it can be started there again.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

impl Service {
    /// A run of so much load on it.
    pub fn plan(&self, warm_up: Duration, measured: Duration) -> Plan {
        Plan {
            endpoint: self.token_endpoint.clone(),
            client: self.client.clone(),
            server_pids: self.server.id().into_iter().collect(),
            store_pids: self.store.iter().map(|store| store.pid).collect(),
            store_port: self.store.map(|store| store.port),
            warm_up,
            measured,
        }
    }

    /// Where it keeps its records, if it can be started there again.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Its directory: the store, and what it said.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills the server and waits for its end.
    pub async fn stop(mut self) -> Result<Remains> {
        self.server.kill().await?;
        Ok(Remains {
            place: self.place,
            directory: self.directory,
        })
    }
}

/// What a program that was started says once it is ready.
async fn first_line(child: &mut Child) -> Result<String> {
    let stdout = child.stdout.take().context("stdout is not piped")?;
    let line = BufReader::new(stdout).lines().next_line().await?;
    line.context("it ended before it was ready")
}

// Tenure is not asked to choose a port and say which: one is found for it.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn loopback(port: u16, path: &str) -> String {
    format!("http://127.0.0.1:{port}{path}")
}

/// The file system that holds `directory`, as `/proc/mounts` names it: on tmpfs a sync costs nothing.
pub fn file_system(directory: &Path) -> Result<String> {
    let directory: PathBuf = directory.canonicalize()?;
    let mounts = fs::read_to_string("/proc/mounts")?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let holding = mounts.filter(|(point, _)| directory.starts_with(point));
    let (_, kind) = holding
        .max_by_key(|(point, _)| point.len())
        .context("no mount point")?;
    Ok(kind.to_owned())
}
