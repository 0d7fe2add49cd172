//! Refreshes while somebody guesses passwords as fast as the service answers.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http::{Connection, Endpoint};
use crate::load::{self, Plan, Report};

/// Connections that refresh.
const WORKERS: usize = 16;
/// Connections that sign in with a wrong password.
const GUESSERS: usize = 16;

/// The answer to a wrong password: one hash was computed for it.
const HASHED: &str = "401";

/// The same refreshes without and with the flood, one after the other.
#[derive(Debug, Serialize)]
pub struct Flood {
    /// Without.
    pub alone: Report,
    /// With.
    pub flooded: Report,
    /// Connections that sign in with a wrong password, each with one request in flight.
    pub guessers: usize,
    /// Wrong passwords refused per second, each after a hash.
    pub hashes_per_second: f64,
    /// What the sign-ins were answered, by status.
    pub answers: BTreeMap<String, u64>,
}

impl Flood {
    /// Measures both, each as `plan` says; server CPU is not attributed, because hashes are no
    /// refreshes.
    pub async fn measure(plan: &Plan, sessions: &mut Vec<String>) -> Result<Self> {
        let plan = Plan {
            server_pids: Vec::new(),
            store_pids: Vec::new(),
            ..plan.clone()
        };
        let alone = load::run(&plan, WORKERS, sessions).await?;
        let answers = Arc::new(Mutex::new(BTreeMap::new()));
        let start = Instant::now();
        let login = plan.endpoint.at("/api/auth/login");
        let guessers: JoinSet<()> = (0..GUESSERS)
            .map(|number| guess(number, login.clone(), Arc::clone(&answers)))
            .collect();
        let flooded = load::run(&plan, WORKERS, sessions).await?;
        drop(guessers);
        let answers = std::mem::take(&mut *answers.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Self {
            alone,
            flooded,
            guessers: GUESSERS,
            hashes_per_second: per_second(&answers, start.elapsed()),
            answers,
        })
    }

    /// Refreshes per second with the flood, as a part of those without.
    pub fn throughput_kept(&self) -> f64 {
        self.flooded.refreshes_per_second / self.alone.refreshes_per_second
    }

    /// 99th percentile with the flood, divided by that without.
    pub fn p99_times(&self) -> f64 {
        self.flooded.p99_ms() / self.alone.p99_ms()
    }
}

impl Display for Flood {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{WORKERS} workers, alone and while {} connections sign in with wrong passwords",
            self.guessers
        )?;
        for (name, run) in [("alone", &self.alone), ("flooded", &self.flooded)] {
            let (speed, p99) = (run.refreshes_per_second, run.p99_ms());
            let errors = run.errors.values().sum::<u64>();
            writeln!(
                f,
                "{name:>7}: {speed:>7.0} refreshes/s, p99 {p99:.2} ms, {errors} errors"
            )?;
        }
        let (kept, times) = (self.throughput_kept(), self.p99_times());
        writeln!(f, "  ratio: {kept:.2}x refreshes/s, {times:.2}x p99")?;
        writeln!(f, " hashes: {:.0}/s", self.hashes_per_second)?;
        let others = self.answers.iter().filter(|(kind, _)| *kind != HASHED);
        others.into_iter().try_for_each(|(kind, count)| {
            writeln!(f, "         {count} sign-ins answered with {kind}")
        })
    }
}

/// Half the guesses are at an account that exists. Ends with its connection.
async fn guess(number: usize, login: Endpoint, answers: Arc<Mutex<BTreeMap<String, u64>>>) {
    let mut connection = Connection::new(login);
    for attempt in 0_u64.. {
        let email = if attempt % 2 == 0 {
            "demo@example.com".to_owned()
        } else {
            format!("nobody-{number}-{attempt}@example.com")
        };
        let password = format!("wrong-{number}-{attempt}");
        let body = serde_json::json!({ "email": email, "password": password, "client_id": "demo" });
        let answer = connection
            .post("Content-Type: application/json\r\n", &body.to_string())
            .await;
        let kind = match &answer {
            Ok(answer) => answer.status.to_string(),
            Err(error) => format!("connection: {}", error.kind()),
        };
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(kind).or_default() += 1;
        if answer.is_err() {
            return;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn per_second(answers: &BTreeMap<String, u64>, elapsed: Duration) -> f64 {
    answers.get(HASHED).copied().unwrap_or_default() as f64 / elapsed.as_secs_f64()
}
