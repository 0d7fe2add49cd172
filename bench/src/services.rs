//! Starts what is measured, each with its own store in its own directory on free loopback ports, and
//! stops it by its own process id.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::http::{Connection, Endpoint};
use crate::load::Client;

const START_LIMIT: Duration = Duration::from_secs(30);
/// Minting the peer's sessions is part of its start.
const MINT_LIMIT: Duration = Duration::from_mins(5);
const MINT_BATCH: usize = 1000;

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
    _directory: TempDir,
}

impl Service {
    /// The processes whose CPU time is the service's: itself and its store.
    pub fn pids(&self) -> Vec<u32> {
        self.children.iter().filter_map(Child::id).collect()
    }

    /// Kills the processes and waits for their end; the directory goes with them.
    pub async fn stop(mut self) -> Result<()> {
        for child in &mut self.children {
            child.kill().await?;
        }
        Ok(())
    }
}

/// Which of the programs that the peer needs are missing on this machine.
pub async fn missing_for_peer() -> Vec<&'static str> {
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

/// Starts Redis and the peer of `source` (installed with npm if it is not yet), with that many sessions.
pub async fn start_peer(source: &Path, root: &Path, sessions: usize) -> Result<Service> {
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
    let (redis, redis_port) = start_redis(directory.path())?;
    let tokens = directory.path().join("tokens");
    let mut command = Command::new(node);
    command
        .arg("server.mjs")
        .args([redis_port.to_string(), sessions.to_string()]);
    command
        .arg(&tokens)
        .current_dir(source)
        .env("NODE_ENV", "production");
    let mut server = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let ready = timeout(MINT_LIMIT, first_line(&mut server)).await;
    let ready: PeerReady = serde_json::from_str(&ready.context("the peer did not start")??)?;
    Ok(Service {
        name: "oidc-provider, Redis",
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
        children: vec![server, redis],
        _directory: directory,
    })
}

/// Starts `tenure serve --dev` on SQLite, with that many sessions of its client `demo`.
pub async fn start_tenure(
    program: &Path,
    config: Option<&Path>,
    root: &Path,
    sessions: usize,
) -> Result<Service> {
    let directory = tempfile::tempdir_in(root)?;
    let port = free_port()?;
    let log = directory.path().join("log");
    let mut command = Command::new(program);
    command.args([
        "serve",
        "--dev",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--data",
    ]);
    command.arg(directory.path().join("data"));
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let log_file = File::create(&log)?;
    command
        .stdout(log_file.try_clone()?)
        .stderr(log_file)
        .kill_on_drop(true);
    let mut server = command
        .spawn()
        .with_context(|| format!("{}", program.display()))?;
    let ready = wait_until_ready(&mut server, port).await.with_context(|| {
        format!(
            "tenure said: {}",
            fs::read_to_string(log).unwrap_or_default()
        )
    })?;
    Ok(Service {
        name: "Tenure, SQLite",
        token_endpoint: Endpoint::parse(&loopback(port, "/oauth2/token"))?,
        client: Client {
            id: "demo".into(),
            secret: None,
        },
        sessions: mint_tenure(&loopback(port, ""), sessions).await?,
        settings: BTreeMap::from([
            ("version".to_owned(), version_of(program).await?),
            ("ready".to_owned(), ready),
        ]),
        children: vec![server],
        _directory: directory,
    })
}

/// Issues that many sessions of the client `demo` through the admin API at `base`, 1000 per call,
/// and returns their refresh tokens.
pub async fn mint_tenure(base: &str, count: usize) -> Result<Vec<String>> {
    let admin = Client {
        id: "demo-api".into(),
        secret: Some("demo-secret".into()),
    };
    let mut token = Connection::new(Endpoint::parse(&format!("{base}/oauth2/token"))?);
    let headers = format!(
        "{}Content-Type: application/x-www-form-urlencoded\r\n",
        admin.authorization()
    );
    let form = "grant_type=client_credentials&scope=tenure%3Aadmin";
    let granted: AdminToken = post(&mut token, &headers, form).await?;

    let mut admin = Connection::new(Endpoint::parse(&format!("{base}/admin/sessions"))?);
    let bearer = granted.access_token;
    let headers = format!("Authorization: Bearer {bearer}\r\nContent-Type: application/json\r\n");
    let mut tokens = Vec::with_capacity(count);
    while tokens.len() < count {
        let body = serde_json::json!({
            "subject": format!("bench-user-{}", tokens.len() / MINT_BATCH),
            "client_id": "demo",
            "count": MINT_BATCH.min(count - tokens.len()),
        });
        let issued: Issued = post(&mut admin, &headers, &body.to_string()).await?;
        ensure!(
            !issued.sessions.is_empty(),
            "the admin API issued no session"
        );
        tokens.extend(
            issued
                .sessions
                .into_iter()
                .map(|session| session.refresh_token),
        );
    }
    Ok(tokens)
}

#[derive(Deserialize)]
struct PeerReady {
    port: u16,
    token_path: String,
    settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct AdminToken {
    access_token: String,
}

#[derive(Deserialize)]
struct Issued {
    sessions: Vec<IssuedSession>,
}

#[derive(Deserialize)]
struct IssuedSession {
    refresh_token: String,
}

fn start_redis(directory: &Path) -> Result<(Child, u16)> {
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
        .arg(directory);
    command.args([
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--save",
        "",
    ]);
    // A rewrite of the log in the middle of a run would charge a whole second of CPU to it.
    command.args([
        "--auto-aof-rewrite-percentage",
        "0",
        "--logfile",
        "redis.log",
    ]);
    Ok((command.kill_on_drop(true).spawn()?, port))
}

async fn first_line(child: &mut Child) -> Result<String> {
    let stdout = child.stdout.take().context("stdout is not piped")?;
    let line = BufReader::new(stdout).lines().next_line().await?;
    line.context("it ended before it was ready")
}

async fn wait_until_ready(server: &mut Child, port: u16) -> Result<String> {
    let mut probe = Connection::new(Endpoint::parse(&loopback(port, "/health/ready"))?);
    let ready = async {
        loop {
            if let Some(status) = server.try_wait()? {
                bail!("it ended with {status}");
            }
            if let Ok(answer) = probe.get("").await
                && answer.status == 200
            {
                return Ok(String::from_utf8_lossy(&answer.body).trim().to_owned());
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(START_LIMIT, ready)
        .await
        .context("it was not ready in time")?
}

async fn post<T: for<'de> Deserialize<'de>>(
    connection: &mut Connection,
    headers: &str,
    body: &str,
) -> Result<T> {
    let answer = connection.post(headers, body).await?;
    if !(200..300).contains(&answer.status) {
        bail!(
            "{}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
    }
    Ok(serde_json::from_slice(&answer.body)?)
}

async fn version_of(program: impl AsRef<OsStr>) -> Result<String> {
    let output = Command::new(program).arg("--version").output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
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
