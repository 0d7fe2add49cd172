//! Signs in, refreshes and signs out as fast as the store allows, and says what was acknowledged;
//! later, checks that all of it is still there. For tests that kill it or cut its power.
//!
//! `store-hammer --data DIR [--log FILE] [--seed N] [--dangerous-synchronous-off]` prints, until it is
//! killed:
//!
//! ```text
//! created N          the session N is durable
//! token N TOKEN      a refresh was answered with this token
//! revoking N         the end of N was asked for
//! revoked N          and acknowledged
//! ```
//!
//! `store-hammer --data DIR --check` reads such lines and prints one line of JSON.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tenure_core::lineage::{Cut, EndCause, Revocation, Row};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{START, lineage, session_of};
use tenure_store::{Sqlite, SqliteOptions, Store, StoreError, Synchronous};
use tokio::task::JoinSet;

/// Tasks at once: enough for groups of several writes.
const TASKS: u64 = 24;

/// A check of many sessions must not fill the writer's queue.
const CHECKED_AT_ONCE: usize = 1000;

/// Longer than the late window, so that the ring never fills with young entries.
const STEP: Duration = Duration::from_secs(61);

type Failure = Box<dyn Error + Send + Sync>;

struct Arguments {
    options: SqliteOptions,
    seed: u64,
    check: bool,
}

impl Arguments {
    fn parse() -> Result<Self, Failure> {
        let mut arguments = std::env::args().skip(1);
        let mut parsed = Self {
            options: SqliteOptions::new("tenure-data"),
            seed: 0,
            check: false,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--data" => parsed.options.dir = PathBuf::from(value()?),
                "--log" => parsed.options.journal = Some(PathBuf::from(value()?)),
                "--seed" => parsed.seed = value()?.parse()?,
                "--check" => parsed.check = true,
                "--dangerous-synchronous-off" => {
                    parsed.options.synchronous = Synchronous::DangerousOff;
                }
                unknown => return Err(format!("unknown argument {unknown}").into()),
            }
        }
        Ok(parsed)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse()?;
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&arguments.options)?);
    if arguments.check {
        let expected = Expected::read(std::io::stdin().lines())?;
        println!("{}", expected.check(&store).await?);
        return Ok(());
    }
    let mut rng = Rng::with_seed(arguments.seed);
    // Sessions of another run have other numbers.
    let run = rng.u64(1..1 << 30) << 32;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (store, rng) = (Arc::clone(&store), rng.fork());
        tasks.spawn(async move { hammer(&store, rng, run | task << 24).await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

/// Only an error ends it.
async fn hammer(store: &Arc<dyn Store>, mut rng: Rng, first: u64) -> Result<(), Failure> {
    let server = Presenter::new(store);
    for n in first.. {
        let row = row(n);
        store.create(&row).await?;
        println!("created {n}");
        let mut token = server.first_token(&row);
        let mut now = START;
        for _ in 0..rng.u8(0..12) {
            now = now + STEP;
            token = match server.present(&token, rng.u64(..), now).await? {
                Heard::Token(token) => token,
                other => return Err(format!("session {n}: {other:?}").into()),
            };
            println!("token {n} {}", token.expose());
        }
        if rng.bool() {
            println!("revoking {n}");
            end(store, &row, now, rng.bool()).await?;
            println!("revoked {n}");
        }
    }
    Ok(())
}

/// Each session has a subject of its own.
fn row(n: u64) -> Row {
    session_of(&format!("user-{n}"), n)
}

/// By itself, or with all of its subject.
async fn end(
    store: &Arc<dyn Store>,
    row: &Row,
    now: Timestamp,
    all: bool,
) -> Result<(), StoreError> {
    let cause = EndCause::LoggedOut;
    if all {
        let cut = Cut { before: now, cause };
        store.revoke_subject(&row.grant.subject, cut, None).await?;
    } else {
        store
            .revoke(row.lineage, Revocation { at: now, cause })
            .await?;
    }
    Ok(())
}

/// What was acknowledged of a session.
#[derive(Clone, Default)]
struct Session {
    token: Option<Secret>,
    refreshes: u64,
    revoking: bool,
    revoked: bool,
}

struct Expected {
    sessions: HashMap<u64, Session>,
}

/// What became of a session.
enum Fate {
    Kept,
    /// Acknowledged, and not there.
    LostCreate,
    /// Acknowledged, and still alive.
    LostRevoke,
    /// There, and its newest token is refused.
    Stuck,
}

impl Expected {
    fn read(lines: impl Iterator<Item = Result<String, std::io::Error>>) -> Result<Self, Failure> {
        let mut sessions: HashMap<u64, Session> = HashMap::new();
        for line in lines {
            let line = line?;
            let mut words = line.split(' ');
            let (what, n) = (words.next(), words.next().unwrap_or_default().parse()?);
            let session = sessions.entry(n).or_default();
            match what {
                Some("created") => {}
                Some("token") => {
                    session.token = words.next().map(Secret::new);
                    session.refreshes += 1;
                }
                Some("revoking") => session.revoking = true,
                Some("revoked") => session.revoked = true,
                _ => return Err(format!("not a line of this program: {line}").into()),
            }
        }
        Ok(Self { sessions })
    }

    /// Presents the newest acknowledged token of every session.
    async fn check(&self, store: &Arc<dyn Store>) -> Result<serde_json::Value, Failure> {
        let mut waiting = self.sessions.iter();
        let mut tasks = JoinSet::new();
        let (mut lost_creates, mut lost_revokes, mut stuck) = (0, 0, 0);
        loop {
            for (&n, session) in waiting.by_ref().take(CHECKED_AT_ONCE - tasks.len()) {
                let (store, session) = (Arc::clone(store), session.clone());
                tasks.spawn(async move { fate(&store, n, &session).await });
            }
            let Some(fate) = tasks.join_next().await else {
                break;
            };
            match fate?? {
                Fate::Kept => {}
                Fate::LostCreate => lost_creates += 1,
                Fate::LostRevoke => lost_revokes += 1,
                Fate::Stuck => stuck += 1,
            }
        }
        let sessions = self.sessions.values();
        Ok(serde_json::json!({
            "created": self.sessions.len(),
            "refreshed": sessions.clone().map(|session| session.refreshes).sum::<u64>(),
            "revoked": sessions.filter(|session| session.revoked).count(),
            "lost_creates": lost_creates,
            "lost_revokes": lost_revokes,
            "stuck": stuck,
        }))
    }
}

async fn fate(store: &Arc<dyn Store>, n: u64, session: &Session) -> Result<Fate, StoreError> {
    let Some(loaded) = store.load(lineage(n)).await? else {
        return Ok(Fate::LostCreate);
    };
    if session.revoked {
        let logged = store.logged_end(lineage(n)).await?;
        let both = loaded.row.revoked.is_some() && logged.is_some();
        return Ok(if both { Fate::Kept } else { Fate::LostRevoke });
    }
    let server = Presenter::new(store);
    let token = session
        .token
        .clone()
        .unwrap_or_else(|| server.first_token(&row(n)));
    let later = START + STEP * 1000;
    Ok(match server.present(&token, n, later).await? {
        Heard::Token(_) => Fate::Kept,
        // Asked for, and not acknowledged before the end of the process: it may stand or not.
        Heard::Ended(EndCause::LoggedOut) if session.revoking => Fate::Kept,
        _ => Fate::Stuck,
    })
}
