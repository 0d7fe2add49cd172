//! What `Session::access_token()` costs while its token is good: by 1 and by 16 tasks at once, next to
//! a token behind a mutex and one behind an `arc-swap`, which look at the same two clocks with the
//! standard library and know nothing else.
//!
//! Prints CPU per call (all threads) from short turns in which the contenders alternate: a busy machine
//! slows all alike. Fails where the session needs 100 ns or more.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench fails like a test, and prints its figures"
)]

use std::future::Future;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use rustix::time::{ClockId, clock_gettime};
use tenure_client::{
    AccessToken, Config, MemoryVault, Millis, Secret, Session, Transport, Trouble,
};
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, yield_now};

const CROWDS: [u64; 2] = [1, 16];
const TURNS: usize = 31;
/// Calls of one turn, shared by its tasks.
const CALLS: u64 = 1 << 20;
/// Calls between two breaks in which other tasks run.
const STRETCH: u64 = 256;
const BUDGET: f64 = 100.0;

/// As long as a real one.
fn token() -> String {
    "x".repeat(900)
}

/// A service that signs in whoever asks.
#[derive(Debug)]
struct Service;

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>, Trouble> {
        let token = token();
        let body = if request.uri().path().starts_with("/.well-known") {
            r#"{"issuer":"https://id.example.com","token_endpoint":"https://id.example.com/token"}"#
                .to_owned()
        } else {
            format!(r#"{{"access_token":"{token}","refresh_token":"r","expires_in":86400}}"#)
        };
        Ok(Response::new(body.into()))
    }
}

async fn session() -> Session {
    let config = Config::new("https://id.example.com", "app", MemoryVault::new()).unwrap();
    let session = Session::open(config.transport(Service)).await.unwrap();
    let password = Secret::new("right");
    session.sign_in_password("demo", password).await.unwrap();
    session
}

/// The least that a token at hand needs: itself, and until when it is good by two clocks.
#[derive(Clone)]
struct Held {
    token: AccessToken,
    wall: SystemTime,
    mono: Instant,
}

impl Held {
    #[expect(clippy::disallowed_methods, reason = "clocks are what is measured")]
    fn new() -> Self {
        let day = Duration::from_hours(24);
        Self {
            token: AccessToken {
                token: Secret::new(token()),
                expires_at: Millis(u64::MAX),
            },
            wall: SystemTime::now() + day,
            mono: Instant::now() + day,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "clocks are what is measured")]
    fn good(&self) -> Option<AccessToken> {
        let good = SystemTime::now() < self.wall && Instant::now() < self.mono;
        good.then(|| self.token.clone())
    }
}

fn behind_a_mutex(held: &Mutex<Held>) -> AccessToken {
    held.lock().unwrap().good().unwrap()
}

fn behind_an_arc_swap(held: &ArcSwap<Held>) -> AccessToken {
    held.load().good().unwrap()
}

/// User and system time of all threads so far.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}

/// CPU per call in nanoseconds, of `tasks` tasks that call at once.
async fn turn<F, C>(tasks: u64, call: C) -> f64
where
    C: Fn() -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let before = cpu();
    let mut crowd = JoinSet::new();
    for _ in 0..tasks {
        crowd.spawn(call());
    }
    crowd.join_all().await;
    let spent = cpu().saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "a million is far from 2^52")]
    let calls = CALLS as f64;
    spent.as_secs_f64() * 1e9 / calls
}

/// One contender's share of a turn.
macro_rules! share {
    ($tasks:expr, $held:expr, $call:expr) => {{
        let held = $held.clone();
        turn($tasks, move || {
            let held = held.clone();
            async move {
                for _ in 0..CALLS / $tasks / STRETCH {
                    for _ in 0..STRETCH {
                        let token: AccessToken = $call(&held).await;
                        assert!(token.expires_at > Millis(0));
                        black_box(token);
                    }
                    yield_now().await;
                }
            }
        })
        .await
    }};
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap()
}

async fn compare(tasks: u64) -> f64 {
    let session = session().await;
    let mutex = Arc::new(Mutex::new(Held::new()));
    let swap = Arc::new(ArcSwap::from_pointee(Held::new()));
    let [mut ours, mut locked, mut swapped] = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        ours.push(share!(tasks, session, async |session: &Session| session
            .access_token()
            .await
            .unwrap()));
        locked.push(share!(tasks, mutex, async |held: &Arc<Mutex<Held>>| {
            behind_a_mutex(held)
        }));
        swapped.push(share!(tasks, swap, async |held: &Arc<ArcSwap<Held>>| {
            behind_an_arc_swap(held)
        }));
    }
    let [ours, locked, swapped] = [ours, locked, swapped].map(|mut figures| median(&mut figures));
    println!("{tasks:>5} | {ours:>13.1} | {locked:>14.1} | {swapped:>18.1}");
    ours
}

fn main() {
    let runtime = Runtime::new().unwrap();
    println!("CPU per call in ns, median of {TURNS} turns of {CALLS} calls");
    println!("tasks | Session       | behind a mutex | behind an arc-swap");
    for tasks in CROWDS {
        let ours = runtime.block_on(runtime.spawn(compare(tasks))).unwrap();
        assert!(ours < BUDGET, "{ours} ns is over the budget of {BUDGET} ns");
    }
}
