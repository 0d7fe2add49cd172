//! What is measured: started with its own store in its own directory on free loopback ports, and
//! stopped by its own process id.

pub mod peer;
pub mod tenure;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::process::Child;

use crate::http::Endpoint;
use crate::load::Client;

/// A token service that runs, with live sessions to refresh.
#[derive(Debug)]
pub struct Service {
    /// Its name in tables.
    pub name: &'static str,
    /// Its token endpoint.
    pub token_endpoint: Endpoint,
    /// The client that the sessions belong to.
    pub client: Client,
    /// One refresh token per session.
    pub sessions: Vec<String>,
    /// Versions, signing algorithm and durability.
    pub settings: BTreeMap<String, String>,
    children: Vec<Child>,
    directory: TempDir,
}

impl Service {
    /// The processes whose CPU time is the service's: itself and its store.
    pub fn pids(&self) -> Vec<u32> {
        self.children.iter().filter_map(Child::id).collect()
    }

    /// Its directory: the store, and what it said.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills the processes and waits for their end; the directory is gone once the answer is dropped.
    pub async fn stop(mut self) -> Result<TempDir> {
        for child in &mut self.children {
            child.kill().await?;
        }
        Ok(self.directory)
    }
}

// Neither Redis nor Tenure is asked to choose a port and say which: one is found for them.
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
