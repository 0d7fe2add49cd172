//! Waiting, in virtual time and without sockets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tenure_client::{
    Clock, Config, Error, Lease, MemoryVault, Millis, Policy, Secret, Session, State, SystemClock,
    Transport, Trouble, Vault as _,
};

const METADATA: &str = r#"{"issuer":"https://id.example.com","tenure_rotation":"retire_on_use",
    "token_endpoint":"https://id.example.com/token"}"#;

/// Answers from a script; then with new tokens.
#[derive(Clone, Debug, Default)]
struct Script {
    trouble: Arc<Mutex<VecDeque<Trouble>>>,
    refreshes: Arc<Mutex<Vec<Millis>>>,
    clock: Option<Arc<dyn Clock>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>, Trouble> {
        if request.uri().path() == "/.well-known/openid-configuration" {
            return Ok(Response::new(Bytes::from(METADATA)));
        }
        if request.uri().path() == "/token" {
            let now = self.clock.as_ref().expect("set").mono();
            self.refreshes.lock().expect("not poisoned").push(now);
            if let Some(trouble) = self.trouble.lock().expect("not poisoned").pop_front() {
                return Err(trouble);
            }
        }
        let turn = self.refreshes.lock().expect("not poisoned").len();
        let tokens =
            format!(r#"{{"access_token":"a{turn}","refresh_token":"r{turn}","expires_in":900}}"#);
        Ok(Response::new(Bytes::from(tokens)))
    }
}

/// The system's clock, whose monotonic half tokio's virtual time moves; the wall clock follows it.
#[derive(Clone, Debug)]
struct VirtualClock(SystemClock);

impl Clock for VirtualClock {
    fn wall(&self) -> Millis {
        Millis(1_700_000_000_000) + self.0.mono()
    }

    fn mono(&self) -> Millis {
        self.0.mono()
    }
}

struct Stage {
    script: Script,
    vault: MemoryVault,
    session: Session,
}

async fn signed_in(policy: Policy, patience: Duration) -> Stage {
    let clock = VirtualClock(SystemClock::new());
    let script = Script {
        clock: Some(Arc::new(clock.clone())),
        ..Script::default()
    };
    let vault = MemoryVault::new();
    let config = Config::new("https://id.example.com", "app", vault.clone()).expect("good");
    let config = config
        .transport(script.clone())
        .clock(clock)
        .policy(policy)
        .patience(patience);
    let session = Session::open(config).await.expect("opened");
    let signed_in = session.sign_in_password("demo@example.com", Secret::new("right"));
    signed_in.await.expect("signed in");
    Stage {
        script,
        vault,
        session,
    }
}

impl Stage {
    fn trouble(&self, times: usize) {
        let mut trouble = self.script.trouble.lock().expect("not poisoned");
        trouble.extend(std::iter::repeat_n(Trouble::Connection, times));
    }

    fn refreshes(&self) -> Vec<Millis> {
        self.script.refreshes.lock().expect("not poisoned").clone()
    }

    async fn pass(&self, seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    fn lease(&self) -> Lease {
        self.vault.try_lock().expect("memory").expect("free")
    }
}

#[tokio::test(start_paused = true)]
async fn a_patient_caller_waits_for_the_next_attempt() {
    let stage = signed_in(Policy::default(), Duration::from_mins(10)).await;
    stage.pass(900).await;
    stage.trouble(3);
    let token = stage.session.access_token().await.expect("a token");
    assert_eq!(token.token.expose(), "a4");
    assert_eq!(stage.refreshes().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_impatient_caller_is_told_and_the_session_recovers_by_itself() {
    let stage = signed_in(Policy::default(), Duration::ZERO).await;
    stage.pass(900).await;
    stage.trouble(2);
    let told = stage.session.access_token().await.expect_err("told");
    assert!(matches!(told, Error::Transient { .. }));
    let mut states = stage.session.subscribe();
    let active = states.wait_for(|state| matches!(state, State::Active { .. }));
    active.await.expect("alive");
    assert_eq!(stage.refreshes().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn unasked_attempts_come_to_an_end_and_a_caller_starts_them_again() {
    let stage = signed_in(Policy::default(), Duration::ZERO).await;
    stage.pass(900).await;
    stage.trouble(50);
    stage.session.access_token().await.expect_err("told");
    // Far longer than all waits of the budget together.
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    let attempts = stage.refreshes();
    assert_eq!(attempts.len(), 11, "the caller's and ten more");
    let longest = attempts.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest <= Some(Millis(60_500)), "{longest:?}");
    stage.session.access_token().await.expect_err("told");
    assert_eq!(stage.refreshes().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn ten_seconds_after_a_suspended_owner_this_process_goes_on() {
    let stage = signed_in(Policy::default(), Duration::ZERO).await;
    stage.pass(900).await;
    let lease = stage.lease();
    let before = stage.script.clock.as_ref().expect("set").mono();
    stage.session.access_token().await.expect("a token");
    let waited = stage.refreshes()[0] - before;
    assert!(
        (Millis(10_000)..Millis(10_100)).contains(&waited),
        "{waited:?}"
    );
    drop(lease);
}

#[tokio::test(start_paused = true)]
async fn behind_a_suspended_owner_a_valid_token_is_handed_out_after_two_seconds() {
    let stage = signed_in(Policy::default(), Duration::ZERO).await;
    stage.pass(860).await;
    let lease = stage.lease();
    let before = stage.script.clock.as_ref().expect("set").mono();
    let token = stage.session.access_token().await.expect("a token");
    let waited = stage.script.clock.as_ref().expect("set").mono() - before;
    assert_eq!(token.token.expose(), "a0");
    assert!(
        (Millis(2_000)..Millis(2_100)).contains(&waited),
        "{waited:?}"
    );
    drop(lease);
    stage.session.settled().await;
    let token = stage.session.access_token().await.expect("a token");
    assert_eq!(token.token.expose(), "a1");
}

#[tokio::test(start_paused = true)]
async fn in_the_background_a_token_is_renewed_before_it_ends() {
    let policy = Policy {
        background: true,
        ..Policy::default()
    };
    let stage = signed_in(policy, Duration::ZERO).await;
    let start = stage.script.clock.as_ref().expect("set").mono();
    let mut states = stage.session.subscribe();
    for _ in 0..2 {
        let refreshing = states.wait_for(|state| *state == State::Refreshing);
        refreshing.await.expect("alive");
        let active = states.wait_for(|state| matches!(state, State::Active { .. }));
        active.await.expect("alive");
    }
    let first = stage.refreshes()[0] - start;
    assert!(
        (Millis(839_000)..Millis(847_000)).contains(&first),
        "{first:?}"
    );
}
