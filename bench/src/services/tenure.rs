//! Tenure: `tenure serve --dev` on any of its stores.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::backing::{Backing, Kind, Place};
use super::{Remains, Service, free_port, loopback};
use crate::http::{Connection, Endpoint};
use crate::load::{self, Client};
use crate::memory;

const START_LIMIT: Duration = Duration::from_mins(1);
/// How late an answer to a probe may be noticed: far below the budget of a start.
const PROBE_EVERY: Duration = Duration::from_millis(1);
const MINT_BATCH: usize = 1000;
/// Connections over which every new session presents its first token.
const FIRST_PRESENTERS: usize = 64;

/// The program and its configuration file.
#[derive(Debug, Clone, Copy)]
pub struct Tenure<'a> {
    /// A release build of `tenure`.
    pub program: &'a Path,
    /// `--config`.
    pub config: &'a Path,
    /// What it keeps its records in.
    pub backing: &'a Backing,
}

/// What one start on existing data took.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// From the spawn to the first 200 of `/health/live`.
    pub first_answer: Duration,
    /// Resident memory once it is ready, in MiB.
    pub resident_mib: f64,
}

impl Tenure<'_> {
    /// Starts it in a new directory under `root`, with that many sessions of its client `demo`,
    /// each of which has refreshed once.
    pub async fn start(&self, root: &Path, sessions: usize) -> Result<Service> {
        let directory = tempfile::tempdir_in(root)?;
        let place = self.backing.place(&directory.path().join("data")).await?;
        let mut service = self.serve(directory, place).await?;
        let base = loopback(service.token_endpoint.port(), "");
        let mut tokens = mint(&base, sessions).await?;
        let plan = service.plan(Duration::ZERO, Duration::ZERO);
        load::present_all(&plan, FIRST_PRESENTERS.min(sessions), &mut tokens).await?;
        service.sessions = tokens;
        Ok(service)
    }

    /// Starts it again where another one was, whose clients hold these tokens.
    pub async fn resume(&self, remains: Remains, sessions: Vec<String>) -> Result<Service> {
        let place = remains.place.context("it has no place")?;
        let mut service = self.serve(remains.directory, place).await?;
        service.sessions = sessions;
        Ok(service)
    }

    async fn serve(&self, directory: TempDir, place: Place) -> Result<Service> {
        let port = free_port()?;
        let mut server = self.spawn(directory.path(), &place, port)?;
        let ready = wait_for("/health/ready", &mut server, port).await;
        let ready = ready.with_context(|| said(directory.path()))?;
        Ok(Service {
            name: format!("Tenure, {}", self.backing.kind().name()),
            token_endpoint: Endpoint::parse(&loopback(port, "/oauth2/token"))?,
            client: Client {
                id: "demo".into(),
                secret: None,
            },
            sessions: Vec::new(),
            settings: BTreeMap::from([
                ("version".to_owned(), self.version().await?),
                ("ready".to_owned(), ready),
            ]),
            store: self.backing.process()?,
            place: Some(place),
            server,
            directory,
        })
    }

    /// Starts it once more with what a service that was killed left behind, and kills it again.
    pub async fn restart(&self, remains: &Remains) -> Result<Start> {
        let directory = remains.directory.path();
        let place = remains.place.as_ref().context("it has no place")?;
        let port = free_port()?;
        let start = Instant::now();
        let mut server = self.spawn(directory, place, port)?;
        let live = wait_for("/health/live", &mut server, port).await;
        let first_answer = start.elapsed();
        live.with_context(|| said(directory))?;
        wait_for("/health/ready", &mut server, port).await?;
        let pid = server.id().context("it ended")?;
        let resident_mib = memory::resident_mib(pid)?;
        server.kill().await?;
        Ok(Start {
            first_answer,
            resident_mib,
        })
    }

    fn spawn(&self, directory: &Path, place: &Place, port: u16) -> Result<Child> {
        let listen = format!("127.0.0.1:{port}");
        let log = File::create(directory.join("log"))?;
        let mut command = Command::new(self.program);
        command
            .args(["serve", "--dev", "--listen", &listen, "--data"])
            .arg(directory.join("data"));
        command.arg("--config").arg(self.config);
        // SQLite is in the data directory.
        if self.backing.kind() != Kind::Sqlite {
            command.env("TENURE_STORE_URL", place.expose());
        }
        command
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        command
            .spawn()
            .with_context(|| format!("{}", self.program.display()))
    }

    async fn version(&self) -> Result<String> {
        let output = Command::new(self.program).arg("--version").output().await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Without `openid`, like the peer's: a refresh then signs one token, not an ID token beside it.
const SCOPE: &str = "profile offline_access";

/// Issues that many sessions of the client `demo` through the admin API at `base`, 1000 per call,
/// and returns their refresh tokens.
pub async fn mint(base: &str, count: usize) -> Result<Vec<String>> {
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
            "scope": SCOPE,
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

fn said(directory: &Path) -> String {
    let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
    format!("tenure said: {log}")
}

/// The body of the first 200 at `path`.
async fn wait_for(path: &str, server: &mut Child, port: u16) -> Result<String> {
    let mut probe = Connection::new(Endpoint::parse(&loopback(port, path))?);
    let answer = async {
        loop {
            if let Some(status) = server.try_wait()? {
                bail!("it ended with {status}");
            }
            if let Ok(answer) = probe.get("").await
                && answer.status == 200
            {
                return Ok(String::from_utf8_lossy(&answer.body).trim().to_owned());
            }
            sleep(PROBE_EVERY).await;
        }
    };
    timeout(START_LIMIT, answer)
        .await
        .context("it did not answer in time")?
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
