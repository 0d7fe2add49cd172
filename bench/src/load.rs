//! The closed loop: every worker has one connection and its own sessions, and walks round and round
//! through them, always presenting the refresh token that the last answer brought.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use form_urlencoded::byte_serialize;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http::{Connection, Endpoint};
use crate::memory;
use crate::spent::Spent;

/// A worker whose connection fails this often in a row stops: the server is gone.
const MAX_FAILURES_IN_A_ROW: u32 = 10;

/// What is loaded, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The token endpoint.
    pub endpoint: Endpoint,
    /// The client that the refresh tokens were issued to.
    pub client: Client,
    /// Processes whose CPU time and memory, with their descendants', are the server's.
    pub server_pids: Vec<u32>,
    /// The same of its store, where that is another process.
    pub store_pids: Vec<u32>,
    /// Where the store listens, if it does.
    pub store_port: Option<u16>,
    /// Load before the measurement: connections open, code compiled, caches full.
    pub warm_up: Duration,
    /// Length of the measurement.
    pub measured: Duration,
}

/// An OAuth client; with a secret it authenticates by HTTP Basic (RFC 6749 section 2.3.1).
#[derive(Clone)]
pub struct Client {
    /// The client identifier.
    pub id: String,
    /// The client secret; public clients have none.
    pub secret: Option<String>,
}

/// What one run measured. Only answers with a usable access token are refreshes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Connections, each with one request in flight.
    pub workers: usize,
    /// Measured time in seconds.
    pub seconds: f64,
    /// Successful refreshes.
    pub refreshes: u64,
    /// Successful refreshes per second.
    pub refreshes_per_second: f64,
    /// Median latency of a successful refresh in microseconds.
    pub p50_us: u64,
    /// 99th percentile in microseconds.
    pub p99_us: u64,
    /// 99.9th percentile in microseconds.
    pub p999_us: u64,
    /// Everything else, by status and OAuth error code; the warm-up's errors are counted too.
    pub errors: BTreeMap<String, u64>,
    /// Sessions that ended with `invalid_grant`; no later run uses them.
    pub sessions_lost: usize,
    /// CPU time of the server's and the store's processes per refresh in microseconds.
    pub server_cpu_us: Option<f64>,
    /// The store's part of it; absent where the store is no process of its own.
    pub store_cpu_us: Option<f64>,
    /// Peak resident memory of the server's processes during the measurement, in MiB.
    pub server_mib: Option<f64>,
    /// The same of the store's; memory that its processes share counts once per process.
    pub store_mib: Option<f64>,
    /// Bytes that server and store wrote to the disk per refresh, where the kernel tells.
    pub disk_bytes: Option<f64>,
    /// Payload between clients and server per refresh, both ways, HTTP included; where `ss` is there.
    pub client_bytes: Option<f64>,
    /// Payload between server and store per refresh, both ways.
    pub store_bytes: Option<f64>,
    /// CPU time of the generator per refresh in microseconds.
    pub generator_cpu_us: f64,
}

impl Report {
    /// 99th percentile in milliseconds.
    pub fn p99_ms(&self) -> f64 {
        float(self.p99_us) / 1000.0
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The `Authorization` header line; empty for a public client.
    pub fn authorization(&self) -> String {
        let Some(secret) = &self.secret else {
            return String::new();
        };
        let encode = |part: &str| byte_serialize(part.as_bytes()).collect::<String>();
        let credentials =
            BASE64_STANDARD.encode(format!("{}:{}", encode(&self.id), encode(secret)));
        format!("Authorization: Basic {credentials}\r\n")
    }

    fn form(&self) -> String {
        let mut form = "grant_type=refresh_token".to_owned();
        if self.secret.is_none() {
            form.push_str("&client_id=");
            form.extend(byte_serialize(self.id.as_bytes()));
        }
        form.push_str("&refresh_token=");
        form
    }
}

/// Warms up, measures, and leaves in `sessions` the refresh tokens that are live now.
pub async fn run(plan: &Plan, workers: usize, sessions: &mut Vec<String>) -> Result<Report> {
    ensure!(workers > 0, "a run needs a worker");
    ensure!(
        sessions.len() >= workers,
        "{} sessions for {workers} workers",
        sessions.len()
    );
    let before = sessions.len();
    let crew = deal(plan, workers, sessions);
    let crew = work(crew, plan.warm_up).await?;
    let mut crew: Vec<Worker> = crew.into_iter().map(Worker::forget_latencies).collect();

    memory::forget_peaks(&plan.all_pids())?;
    let start = (Instant::now(), Spent::until_now(plan)?);
    crew = work(crew, plan.measured).await?;
    let seconds = start.0.elapsed().as_secs_f64();
    let after = Spent::until_now(plan)?;

    let mut report = summarise(&crew, seconds)?;
    *sessions = crew
        .into_iter()
        .flat_map(|worker| worker.sessions)
        .collect();
    report.sessions_lost = before - sessions.len();
    after.charge(&start.1, plan, &mut report);
    if !plan.server_pids.is_empty() {
        report.server_mib = Some(memory::peak_mib(&plan.server_pids)?);
    }
    if !plan.store_pids.is_empty() {
        report.store_mib = Some(memory::peak_mib(&plan.store_pids)?);
    }
    Ok(report)
}

/// Presents the token of every session once, unmeasured. The first presentation of a new session's
/// token may cost a server less than any later one: to Tenure it is the head already.
pub async fn present_all(plan: &Plan, workers: usize, sessions: &mut Vec<String>) -> Result<()> {
    let mut tasks: JoinSet<Worker> = deal(plan, workers, sessions)
        .into_iter()
        .map(Worker::round)
        .collect();
    sessions.clear();
    while let Some(worker) = tasks.join_next().await {
        let worker = worker.context("a worker panicked")?;
        ensure!(worker.errors.is_empty(), "errors: {:?}", worker.errors);
        sessions.extend(worker.sessions);
    }
    Ok(())
}

impl Plan {
    /// Of the server and its store.
    pub(crate) fn all_pids(&self) -> Vec<u32> {
        [self.server_pids.as_slice(), &self.store_pids].concat()
    }
}

struct Worker {
    connection: Connection,
    headers: Arc<str>,
    form: Arc<str>,
    sessions: VecDeque<String>,
    // A list, not a histogram each: 64 histograms would push the server out of the shared caches.
    latencies_us: Vec<u32>,
    errors: BTreeMap<String, u64>,
}

enum Outcome {
    Refreshed(Option<String>),
    Refused { kind: String, ended: bool },
}

fn deal(plan: &Plan, workers: usize, sessions: &[String]) -> Vec<Worker> {
    let headers: Arc<str> = format!(
        "{}Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n",
        plan.client.authorization()
    )
    .into();
    let form: Arc<str> = plan.client.form().into();
    let worker = |first| Worker {
        connection: Connection::new(plan.endpoint.clone()),
        headers: Arc::clone(&headers),
        form: Arc::clone(&form),
        sessions: sessions
            .iter()
            .skip(first)
            .step_by(workers)
            .cloned()
            .collect(),
        latencies_us: Vec::new(),
        errors: BTreeMap::new(),
    };
    (0..workers).map(worker).collect()
}

async fn work(crew: Vec<Worker>, duration: Duration) -> Result<Vec<Worker>> {
    let end = Instant::now() + duration;
    let mut tasks: JoinSet<Worker> = crew.into_iter().map(|worker| worker.until(end)).collect();
    let mut back = Vec::with_capacity(tasks.len());
    while let Some(worker) = tasks.join_next().await {
        back.push(worker.context("a worker panicked")?);
    }
    Ok(back)
}

impl Worker {
    async fn until(mut self, end: Instant) -> Self {
        let mut failures = 0;
        while failures < MAX_FAILURES_IN_A_ROW && Instant::now() < end {
            let Some(token) = self.sessions.pop_front() else {
                break;
            };
            failures = if self.present(token).await {
                0
            } else {
                failures + 1
            };
        }
        self
    }

    /// Presents the token of every session once.
    async fn round(mut self) -> Self {
        for _ in 0..self.sessions.len() {
            if let Some(token) = self.sessions.pop_front() {
                self.present(token).await;
            }
        }
        self
    }

    /// Keeps what is to be presented next; whether there was an answer.
    async fn present(&mut self, token: String) -> bool {
        let start = Instant::now();
        let outcome = self.refresh(&token).await;
        let latency = start.elapsed().as_micros();
        let answered = outcome.is_ok();
        match outcome {
            Ok(Outcome::Refreshed(successor)) => {
                self.latencies_us
                    .push(u32::try_from(latency).unwrap_or(u32::MAX));
                self.sessions.push_back(successor.unwrap_or(token));
            }
            Ok(Outcome::Refused { kind, ended }) => {
                *self.errors.entry(kind).or_default() += 1;
                if !ended {
                    self.sessions.push_back(token);
                }
            }
            Err(error) => {
                *self
                    .errors
                    .entry(format!("connection: {}", error.kind()))
                    .or_default() += 1;
                self.sessions.push_back(token);
            }
        }
        answered
    }

    async fn refresh(&mut self, token: &str) -> std::io::Result<Outcome> {
        let mut form = String::with_capacity(self.form.len() + token.len());
        form.push_str(&self.form);
        form.extend(byte_serialize(token.as_bytes()));
        let answer = self.connection.post(&self.headers, &form).await?;
        Ok(classify(answer.status, &answer.body))
    }

    fn forget_latencies(mut self) -> Self {
        self.latencies_us.clear();
        self
    }
}

#[derive(Deserialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
}

fn classify(status: u16, body: &[u8]) -> Outcome {
    if status == 200 {
        return match serde_json::from_slice::<TokenAnswer<'_>>(body) {
            Ok(answer) if looks_like_a_jwt(answer.access_token) => {
                Outcome::Refreshed(answer.refresh_token.filter(|token| !token.is_empty()))
            }
            _ => Outcome::Refused {
                kind: "200 without a JWT access token".into(),
                ended: false,
            },
        };
    }
    let error = serde_json::from_slice::<ErrorAnswer>(body).map(|answer| answer.error);
    let error = error.unwrap_or_default();
    let ended = error == "invalid_grant";
    Outcome::Refused {
        kind: format!("{status} {error}").trim_end().to_owned(),
        ended,
    }
}

// RFC 7519: three base64url segments, the first of them a JSON object (`{"` encodes as `eyJ`).
fn looks_like_a_jwt(token: &str) -> bool {
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let mut segments = token.split('.');
    token.starts_with("eyJ")
        && segments
            .by_ref()
            .take(3)
            .filter(|part| !part.is_empty())
            .count()
            == 3
        && segments.next().is_none()
        && token.bytes().all(|byte| byte == b'.' || base64url(byte))
}

fn summarise(crew: &[Worker], seconds: f64) -> Result<Report> {
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut errors = BTreeMap::new();
    for worker in crew {
        for latency in &worker.latencies_us {
            latencies.record(u64::from(*latency))?;
        }
        for (kind, count) in &worker.errors {
            *errors.entry(kind.clone()).or_default() += count;
        }
    }
    Ok(Report {
        workers: crew.len(),
        seconds,
        refreshes: latencies.len(),
        refreshes_per_second: float(latencies.len()) / seconds,
        p50_us: latencies.value_at_quantile(0.5),
        p99_us: latencies.value_at_quantile(0.99),
        p999_us: latencies.value_at_quantile(0.999),
        errors,
        ..Report::default()
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_base64url_segments_look_like_a_jwt() {
        assert!(looks_like_a_jwt("eyJhbGciOiJFUzI1NiJ9.e30.c2ln-_"));
        for other in [
            "",
            "opaque",
            "eyJ.e30",
            "eyJ..x",
            "eyJ.a.b.c",
            "eyJ.a.b ",
            "abc.e30.c2ln",
        ] {
            assert!(!looks_like_a_jwt(other), "{other:?} was taken for a JWT");
        }
    }

    #[test]
    fn basic_credentials_are_form_encoded_first() {
        let client = Client {
            id: "a b".into(),
            secret: Some("c:d".into()),
        };
        let credentials = BASE64_STANDARD.encode("a+b:c%3Ad");
        assert_eq!(
            client.authorization(),
            format!("Authorization: Basic {credentials}\r\n")
        );
    }
}
