//! Eight processes on one profile, in real time, with access tokens of ten seconds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::shell::{Shell, deployment};

const LIFETIME: u64 = 10;

/// A token is replaced when half of its life is left, a tenth of that more or less.
const SHORTEST: u64 = LIFETIME / 2;

/// How often each process asks.
const EVERY: Duration = Duration::from_millis(500);

fn seconds() -> u64 {
    if std::env::var_os("TENURE_FULL").is_some() {
        60
    } else {
        12
    }
}

/// A long-running agent: its token comes from the socket, kept fresh in the background.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    async fn start(shell: &Shell) -> Self {
        let script = "echo $TENURE_SOCKET; read until_the_end";
        let mut command = shell.program("tenure");
        command.args(["exec", "--socket", "--", "sh", "-c", script]);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let socket = PathBuf::from(lines.next_line().await.unwrap().unwrap());
        Self { child, socket }
    }

    async fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().await.unwrap();
        assert!(!self.socket.exists());
    }
}

/// `GET /token` on the socket.
async fn asked(socket: &PathBuf) -> String {
    let stream = UnixStream::connect(socket).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("/token").header("host", "tenure");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert!(body["expires_in"].as_u64().unwrap() <= LIFETIME);
    body["access_token"].as_str().unwrap().to_owned()
}

/// When a token was issued.
fn issued(token: &str) -> u64 {
    let claims = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["iat"].as_u64().unwrap()
}

#[tokio::test]
async fn eight_processes_on_one_profile_make_one_refresh_per_lifetime() {
    let deployment = deployment(LIFETIME).await;
    let shell = Shell::new(&deployment);
    shell.sign_in().await;
    let seen = used_by_eight(&shell).await;

    let refreshes = deployment.exchanges("/oauth2/token");
    let (tokens, answers) = (seen.len(), seen.values().sum::<u32>());
    println!(
        "8 processes, {} s, tokens of {LIFETIME} s: {} refreshes for {tokens} tokens in {answers} answers",
        seconds(),
        refreshes.len()
    );
    assert_eq!(
        refreshes.len(),
        tokens - 1,
        "the first came with the sign-in"
    );
    assert!(
        refreshes
            .iter()
            .all(|refresh| refresh.upstream_status == Some(200))
    );
    let counted = deployment
        .count("tenure_refreshes_total", &[])
        .await
        .unwrap();
    assert_eq!(usize::try_from(counted).unwrap(), refreshes.len());
    assert_eq!(
        deployment
            .count("tenure_sign_outs_total", &[])
            .await
            .unwrap(),
        0
    );
    let mut issued: Vec<_> = seen.keys().map(|token| issued(token)).collect();
    issued.sort_unstable();
    // Both ends of the span are rounded to whole seconds.
    let early = issued
        .windows(2)
        .find(|pair| pair[1] - pair[0] < SHORTEST - 1);
    assert_eq!(early, None, "{issued:?}");
    assert!(
        tokens > usize::try_from(seconds() / LIFETIME).unwrap(),
        "{issued:?}"
    );
}

/// Four long-running agents and four that run a command for each token; answers the tokens with how
/// often each was seen.
async fn used_by_eight(shell: &Shell) -> BTreeMap<String, u32> {
    let mut seen = BTreeMap::from([(shell.token().await, 1)]);
    let mut agents = Vec::new();
    for _ in 0..4 {
        agents.push(Agent::start(shell).await);
    }
    let mut processes = JoinSet::new();
    for agent in 0..8 {
        let socket = agents.get(agent).map(|agent| agent.socket.clone());
        processes.spawn(asks(shell.clone(), socket));
    }
    for tokens in processes.join_all().await {
        for token in tokens {
            *seen.entry(token).or_insert(0) += 1;
        }
    }
    for agent in agents {
        agent.end().await;
    }
    // The last refresh may have been for nobody.
    seen.entry(shell.token().await).or_insert(1);
    seen
}

/// Asks again and again, through the socket or with a command of its own each time.
async fn asks(shell: Shell, socket: Option<PathBuf>) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = tokio::time::sleep(Duration::from_secs(seconds()));
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return tokens,
            _ = ticks.tick() => {}
        }
        tokens.push(match &socket {
            Some(socket) => asked(socket).await,
            None => shell.token().await,
        });
    }
}
