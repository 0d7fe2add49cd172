//! Incident I5: refresh tokens in the memory of one process.
//!
//! `foreign_servers/memory_cache.rs` has the backend of the incident itself. Here the service is in
//! its place: it does not do that silently, and on every durable store it does not do it at all.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tenure_lab::actor::{FirstParty, TokenAnswer};
use tenure_lab::crowd::User;
use tenure_lab::deployment::{CLIENT, EMAIL, PASSWORD};
use tenure_lab::postgres::{self, Postgres};
use tenure_lab::process::{Launch, Port, Server, tenure_binary};
use tenure_lab::redis::{Engine, Options, Redis};
use tenure_lab::round_robin::RoundRobin;
use tenure_lab::skip;

const DAY: u64 = 24 * 3600;
const PATIENCE: Duration = Duration::from_secs(30);

/// Servers of one service, and the balancer that users talk to.
struct Workers {
    each: Vec<Server>,
    balancer: RoundRobin,
    _home: TempDir,
}

impl Workers {
    /// `count` servers with one data directory; `arguments` and `store` choose the store.
    async fn start(count: usize, arguments: &[&str], store: &[(&str, &str)]) -> Self {
        let home = TempDir::new().unwrap();
        let ports: Vec<_> = (0..count).map(|_| Port::reserve().unwrap()).collect();
        let addresses: Vec<SocketAddr> = ports.iter().map(Port::address).collect();
        let balancer = RoundRobin::start(addresses).await.unwrap();
        let launch = |port| {
            let launch = Launch::tenure(&home.path().join("data")).unwrap();
            let launch = launch
                .args(arguments)
                .env("TENURE_ISSUER", balancer.url())
                .env("TENURE_LOG", "debug");
            let with = |launch: Launch, (name, value): &(&str, &str)| launch.env(name, value);
            store.iter().fold(launch, with).on(port).start().unwrap()
        };
        let each = ports.into_iter().map(launch).collect();
        Self {
            each,
            balancer,
            _home: home,
        }
    }

    fn app(&self) -> FirstParty {
        FirstParty::new(self.balancer.url(), CLIENT).unwrap()
    }

    /// Days pass; every day each server is killed and started again, and the user refreshes at each.
    async fn keep_a_user_for_days(&mut self) {
        let app = self.app();
        let user = User::sign_in(&app).await.unwrap();
        let mut token = user.token;
        for day in 1..=3 {
            for at in 0..self.each.len() {
                self.each[at].restart().unwrap();
                // The clock of --dev starts from the host's.
                self.each[at].advance_clock(day * DAY).await.unwrap();
                for _ in 0..=self.each.len() {
                    let answer = app.refresh(&token).await.granted().unwrap();
                    answer.refresh().unwrap().clone_into(&mut token);
                }
            }
        }
        app.logout(&token).await.unwrap();
        for _ in &self.each {
            let refused = app.refresh(&token).await.refused().unwrap();
            assert_eq!(refused.tenure_reason.as_deref(), Some("logged_out"));
        }
    }

    fn refreshes_say(&self, text: &str) -> bool {
        let each = self.each.iter();
        each.flat_map(|server| server.output().lines())
            .any(|line| line.contains(r#""event":"refresh""#) && line.contains(text))
    }

    async fn readiness(&self) -> Value {
        let url = format!("{}/health/ready", self.each[0].url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_in_memory_a_restart_forgets_the_session_and_the_service_says_so_everywhere() {
    let memory = ["--dangerous-memory-store"];
    let mut workers = Workers::start(1, &memory, &[]).await;
    let app = workers.app();
    let mut user = app.login(EMAIL, PASSWORD).await.granted().unwrap();
    user = app
        .refresh(user.refresh().unwrap())
        .await
        .granted()
        .unwrap();

    let said = workers.each[0].output();
    assert!(said.contains("THE STORE IS IN MEMORY"), "{said}");
    let refreshed = said.wait_for(r#""event":"refresh""#, PATIENCE).unwrap();
    let names_store = refreshed.contains(r#""store":"memory","durable":false"#);
    assert!(names_store, "{refreshed}");
    let ready = workers.readiness().await;
    assert_eq!(ready["store"]["kind"], "memory");
    assert_eq!(ready["store"]["durable"], false);

    workers.each[0].restart().unwrap();
    let refused = app.refresh(user.refresh().unwrap()).await.refused();
    // The key that signed the token is gone as well: the service cannot even say that it is over.
    assert_eq!(refused.unwrap().status, 503, "the session came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_two_servers_in_memory_answer_differently() {
    let memory = ["--dangerous-memory-store"];
    let workers = Workers::start(2, &memory, &[]).await;
    let app = workers.app();
    let user = app.login(EMAIL, PASSWORD).await.granted().unwrap();
    let mut granted = 0;
    for _ in 0..6 {
        match app.refresh(user.refresh().unwrap()).await {
            TokenAnswer::Granted(_) => granted += 1,
            TokenAnswer::Refused(refusal) => assert_eq!(refusal.status, 503, "{refusal:?}"),
            TokenAnswer::Lost(why) => panic!("{why}"),
        }
    }
    assert_eq!(
        granted, 3,
        "the server that does not know the session granted too"
    );
}

/// What `serve` says on a store that it does not get.
fn refused(url: &str) -> String {
    let home = TempDir::new().unwrap();
    let output = Command::new(tenure_binary().unwrap())
        .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
        .arg(home.path().join("data"))
        .env("TENURE_STORE_URL", url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    println!("{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(!said.to_lowercase().contains("memory"), "{said}");
    said
}

#[test]
fn fixed_a_store_that_is_not_there_stops_the_start_instead_of_being_replaced() {
    // Kept, so that nobody else listens there meanwhile.
    let port = Port::reserve().unwrap();
    let closed = port.address();
    for url in [
        format!("redis://:hunter2@{closed}/"),
        format!("postgres://tenure:hunter2@{closed}/tenure"),
    ] {
        assert!(refused(&url).contains(&closed.to_string()));
    }
}

#[test]
fn fixed_a_web_server_where_redis_should_be_stops_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let mut client = client;
            // Whoever asks hangs up with this answer.
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let said = refused(&format!("redis://:hunter2@{address}/"));
    assert!(said.contains("neither Redis nor Valkey"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_on_sqlite_two_workers_keep_the_user_over_restarts() {
    let mut workers = Workers::start(2, &[], &[]).await;
    workers.keep_a_user_for_days().await;
    assert_eq!(workers.readiness().await["store"]["durable"], true);
    assert!(!workers.refreshes_say(r#""durable":false"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_on_postgresql_two_workers_keep_the_user_over_restarts() {
    let Some(postgres) = postgres() else {
        return;
    };
    let database = postgres.fresh_database().await.unwrap();
    let store = [("TENURE_STORE_URL", &*postgres.url(&database))];
    let mut workers = Workers::start(2, &[], &store).await;
    workers.keep_a_user_for_days().await;
    assert_eq!(workers.readiness().await["store"]["durable"], true);
    assert!(!workers.refreshes_say(r#""durable":false"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_on_redis_and_sqlite_one_worker_keeps_the_user_over_restarts() {
    let Some(mut redis) = redis() else {
        return;
    };
    let url = redis.url();
    let mut workers = Workers::start(1, &[], &[("TENURE_STORE_URL", &url)]).await;
    workers.keep_a_user_for_days().await;
    redis.restart().unwrap();
    workers.keep_a_user_for_days().await;
    assert_eq!(workers.readiness().await["store"]["durable"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_on_redis_and_postgresql_two_workers_keep_the_user_over_restarts() {
    let (Some(mut redis), Some(postgres)) = (redis(), postgres()) else {
        return;
    };
    let database = postgres.fresh_database().await.unwrap();
    let store = [
        ("TENURE_STORE_URL", &*redis.url()),
        ("TENURE_STORE_SQL", &*postgres.url(&database)),
    ];
    let mut workers = Workers::start(2, &[], &store).await;
    workers.keep_a_user_for_days().await;
    redis.restart().unwrap();
    workers.keep_a_user_for_days().await;
    assert_eq!(workers.readiness().await["store"]["durable"], true);
}

/// One that syncs, as an operator has it: without, it would not be called durable.
fn postgres() -> Option<Postgres> {
    let options = postgres::Options {
        fsync: true,
        ..postgres::Options::default()
    };
    let is_here = postgres::installed().unwrap();
    is_here.then(|| Postgres::start(&options).unwrap())
}

fn redis() -> Option<Redis> {
    let engine = Engine::Redis7;
    if let Some(why) = engine.obstacle() {
        skip(&why).unwrap();
        return None;
    }
    Some(Redis::start(engine, Options::default()).unwrap())
}
