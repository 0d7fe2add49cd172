//! A process with a session, for tests that stop and kill it.
//!
//! `session-process ISSUER CLIENT VAULT WALL [without-RULE]` opens the session in the directory `VAULT`.
//! Its clock shows `WALL` milliseconds since 1970 and moves only when it is told to. One order per
//! line of input, one JSON object per line of output:
//!
//! | order | answer |
//! |---|---|
//! | `sign-in EMAIL PASSWORD` | `{"signed_in":true}` |
//! | `ask TASKS` | `{"tokens":[FINGERPRINT, …]}`, once each task has its token |
//! | `sign-out` | `{"signed_out":"Revoked"}`, `"Pending"` or `"Nothing"` |
//! | `settle` | `{"settled":STATE}`, once nothing is under way |
//! | `advance MILLIS` | `{"advanced":MILLIS}` |
//! | `hold PLACE` | at that place `{"held":PLACE}`, and then the process stands still |
//! | `go` | takes `hold` back: `{"going":true}` |
//!
//! Instead of an answer: `{"failed":KIND, "why":TEXT, "retry_after":MILLIS}`. Unasked:
//! `{"opened":STATE}` at the start, `{"lock":"held"}` or `{"lock":"busy"}`, and `{"at":PLACE}` for
//! every fail point it passes. A place is the last change that the vault was asked for, and the
//! fail point: `keep.mid_write`. At the end of its input the process ends.

use std::io::{BufRead as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};
use tenure_client::{
    Change, Clock, Config, Error, FileVault, Found, Lease, Millis, Record, Secret, Session, Vault,
    VaultFault,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

const FAIL_POINTS: [&str; 6] = [
    "mid_write",
    "before_fsync",
    "after_fsync",
    "before_send",
    "after_send",
    "after_receive",
];

fn main() -> anyhow::Result<()> {
    for point in FAIL_POINTS {
        fail::cfg_callback(point, move || reached(point)).map_err(anyhow::Error::msg)?;
    }
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        // Tokio moves a paused clock by itself while nothing but timers is left, except while a
        // blocking task runs.
        let (_running, ended) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || ended.recv());
        serve(&Session::open(config()?).await?, orders()).await
    })
}

fn config() -> anyhow::Result<Config> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (issuer, client, vault, wall, without) = match arguments.as_slice() {
        [issuer, client, vault, wall] => (issuer, client, vault, wall, None),
        [issuer, client, vault, wall, without] => (issuer, client, vault, wall, Some(without)),
        _ => bail!("usage: session-process ISSUER CLIENT VAULT WALL [without-RULE]"),
    };
    let without = without.map(|without| match without.as_str() {
        "without-lock" => Ok(Without::Lock),
        "without-intent" => Ok(Without::Intent),
        "without-outbox" => Ok(Without::Outbox),
        unknown => bail!("no control is {unknown}"),
    });
    let vault = Observed {
        vault: FileVault::new(vault),
        without: without.transpose()?,
        begun: Mutex::default(),
    };
    let config = Config::new(issuer, client, vault)?;
    let clock = OrderedClock {
        start: Millis(wall.parse()?),
        since: Instant::now(),
    };
    // Nobody waits for the next attempt by a clock that stands still.
    Ok(config.clock(clock).patience(Duration::ZERO))
}

/// Lines of input. A thread of its own reads them, so that their end is heard even at a place where
/// the process stands still.
fn orders() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
        #[expect(clippy::exit, reason = "the main thread may stand still for ever")]
        std::process::exit(0);
    });
    receiver
}

async fn serve(session: &Session, mut orders: UnboundedReceiver<String>) -> anyhow::Result<()> {
    say(&json!({ "opened": format!("{:?}", session.state()) }));
    while let Some(order) = orders.recv().await {
        let words: Vec<&str> = order.split(' ').collect();
        match words.as_slice() {
            ["advance", millis] => {
                let millis = millis.parse()?;
                tokio::time::advance(Duration::from_millis(millis)).await;
                say(&json!({ "advanced": millis }));
            }
            ["hold", place] => (*place).clone_into(&mut locked(&HOLD)),
            ["go"] => {
                locked(&HOLD).clear();
                say(&json!({ "going": true }));
            }
            ["ask", tasks] => begin(ask(session.clone(), tasks.parse()?)),
            ["sign-in", email, password] => {
                let (email, password) = ((*email).to_owned(), Secret::new(*password));
                begin(sign_in(session.clone(), email, password));
            }
            ["sign-out"] => begin(sign_out(session.clone())),
            ["settle"] => begin(settle(session.clone())),
            _ => bail!("unknown order {order:?}"),
        }
    }
    Ok(())
}

/// Carries the order out beside the orders to come.
fn begin(work: impl Future<Output = Result<Value, Error>> + Send + 'static) {
    tokio::spawn(async move { say(&work.await.unwrap_or_else(|error| failed(&error))) });
}

async fn ask(session: Session, tasks: usize) -> Result<Value, Error> {
    let mut asking = JoinSet::new();
    for _ in 0..tasks {
        let session = session.clone();
        asking.spawn(async move { session.access_token().await });
    }
    let tokens: Result<Vec<_>, _> = asking.join_all().await.into_iter().collect();
    let tokens = tokens?.into_iter();
    let fingerprints: Vec<_> = tokens.map(|token| token.token.fingerprint()).collect();
    Ok(json!({ "tokens": fingerprints }))
}

async fn sign_in(session: Session, email: String, password: Secret) -> Result<Value, Error> {
    session.sign_in_password(&email, password).await?;
    Ok(json!({ "signed_in": true }))
}

async fn sign_out(session: Session) -> Result<Value, Error> {
    let how = session.sign_out().await?;
    Ok(json!({ "signed_out": format!("{how:?}") }))
}

async fn settle(session: Session) -> Result<Value, Error> {
    session.settled().await;
    Ok(json!({ "settled": format!("{:?}", session.state()) }))
}

fn failed(error: &Error) -> Value {
    let (kind, retry_after) = match error {
        Error::Transient { retry_after, .. } => ("transient", Millis::from(*retry_after).0),
        Error::SignInRequired { .. } => ("sign_in_required", 0),
        Error::StorageUnavailable(_) => ("storage_unavailable", 0),
        _ => ("misconfigured", 0),
    };
    json!({ "failed": kind, "why": error.to_string(), "retry_after": retry_after })
}

/// In one write, so that a kill cuts no line.
fn say(message: &Value) {
    let line = format!("{message}\n");
    let mut stdout = std::io::stdout().lock();
    // Without a listener there is nobody left to tell.
    if stdout
        .write_all(line.as_bytes())
        .and_then(|()| stdout.flush())
        .is_err()
    {
        drop(stdout);
    }
}

/// The last change that the vault was asked for.
static CHANGE: Mutex<&'static str> = Mutex::new("nothing");
/// Where to stand still.
static HOLD: Mutex<String> = Mutex::new(String::new());

fn reached(point: &str) {
    let change = *locked(&CHANGE);
    let place = format!("{change}.{point}");
    say(&json!({ "at": place }));
    if *locked(&HOLD) == place {
        say(&json!({ "held": place }));
        loop {
            std::thread::park();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both clocks follow tokio's, which is paused.
#[derive(Debug)]
struct OrderedClock {
    start: Millis,
    since: Instant,
}

impl Clock for OrderedClock {
    fn wall(&self) -> Millis {
        self.start + self.mono()
    }

    fn mono(&self) -> Millis {
        self.since.elapsed().into()
    }
}

/// What a control leaves out of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    /// Refreshes without the cross-process lock.
    Lock,
    /// Writes the intent down only with the answer.
    Intent,
    /// Keeps the revocations that are still to be sent in memory only.
    Outbox,
}

/// A vault that tells what is done to it.
#[derive(Debug)]
struct Observed {
    vault: FileVault,
    without: Option<Without>,
    /// The intent that only this process knows.
    begun: Mutex<Option<Change>>,
}

impl Observed {
    fn only_remember(&self, begin: &Change) -> Result<Record, VaultFault> {
        let Found::Record(mut record) = self.vault.load()? else {
            return self.vault.update(begin);
        };
        // So that the same places are passed as with the intent.
        if let Some(provider) = record.provider.clone() {
            self.vault.update(&Change::Discovered(provider))?;
        }
        begin.apply(&mut record);
        *locked(&self.begun) = Some(begin.clone());
        Ok(*record)
    }
}

impl Vault for Observed {
    fn load(&self) -> Result<Found, VaultFault> {
        self.vault.load()
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        let name = match change {
            Change::Begin { .. } => "begin",
            Change::Keep { .. } => "keep",
            Change::End { .. } => "end",
            Change::SignOut => "sign_out",
            Change::Revoked(_) => "revoked",
            _ => "other",
        };
        *locked(&CHANGE) = name;
        match (self.without, change) {
            (Some(Without::Intent), Change::Begin { .. }) => self.only_remember(change),
            (Some(Without::Intent), Change::Keep { .. }) => {
                if let Some(begun) = locked(&self.begun).take() {
                    self.vault.update(&begun)?;
                }
                self.vault.update(change)
            }
            (Some(Without::Outbox), Change::SignOut) => {
                let record = self.vault.update(change)?;
                for revocation in &record.outbox {
                    self.vault
                        .update(&Change::Revoked(revocation.token.clone()))?;
                }
                Ok(record)
            }
            _ => self.vault.update(change),
        }
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        // The patience of whoever waits has begun before the next order is looked at.
        say(&json!({ "lock": "busy" }));
        self.vault.lock()
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        if self.without == Some(Without::Lock) {
            return Ok(Some(Lease::new(())));
        }
        let lease = self.vault.try_lock()?;
        if lease.is_some() {
            say(&json!({ "lock": "held" }));
        }
        Ok(lease)
    }
}
