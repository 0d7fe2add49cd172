//! Trouble that a store gets into while the service runs: our trouble, never the user's.

use reqwest::Response;
use serde_json::{Value, json};
use tenure_lab::deployment::{CLIENT, EMAIL, PASSWORD};
use tenure_lab::postgres::{self, Options, Postgres, ROLE};
use tenure_lab::process::{Launch, Server};
use tenure_lab::redis::{self, Engine, Redis};

use crate::bench::{Bench, http};

/// A service on the store of a bench.
pub(crate) struct Running<'b> {
    pub(crate) server: Server,
    bench: &'b Bench,
}

impl<'b> Running<'b> {
    pub(crate) fn start(bench: &'b Bench) -> anyhow::Result<Self> {
        Self::start_in(bench, "data")
    }

    /// With this data directory.
    pub(crate) fn start_in(bench: &'b Bench, data: &str) -> anyhow::Result<Self> {
        let mut launch = Launch::tenure(&bench.directory.path().join(data))?;
        for (name, value) in bench.environment() {
            launch = launch.env(name, value);
        }
        let server = launch.env("TENURE_LOG", "trace").start()?;
        Ok(Self { server, bench })
    }

    /// `/health/ready`.
    pub(crate) async fn ready(&self) -> (u16, Value) {
        let url = format!("{}/health/ready", self.server.url());
        let answer = http().get(url).send().await.unwrap();
        let (status, body) = (answer.status().as_u16(), answer.text().await.unwrap());
        self.bench.keeps_quiet(&body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// Until the store is back, which a pool of connections finds out by using it.
    async fn recovered(&self) {
        let mut last = Value::Null;
        for _ in 0..200 {
            let (status, ready) = self.ready().await;
            if status == 200 {
                return;
            }
            last = ready;
        }
        panic!("it does not recover: {last}");
    }

    /// Presents a refresh token.
    pub(crate) async fn refresh(&self, token: &str) -> Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT),
            ("refresh_token", token),
        ];
        let url = format!("{}/oauth2/token", self.server.url());
        http().post(url).form(&form).send().await.unwrap()
    }

    /// Whoever asks for anything is told to come back.
    async fn is_in_trouble(&self, token: &str) {
        for answer in [self.refresh(token).await, login(self).await] {
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.text().await.unwrap();
            assert_eq!(status, 503, "{body}");
            assert!(headers.contains_key("retry-after"), "{headers:?}");
            self.bench.keeps_quiet(&body);
        }
        let (status, ready) = self.ready().await;
        assert_eq!(status, 503, "{ready}");
    }

    /// Nobody was signed out by the trouble, and nothing that was said has the password.
    async fn goes_on(self, token: &str) {
        self.recovered().await;
        let answer = self.refresh(token).await;
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{body}");
        let said = self.server.output().lines().join("\n");
        self.bench.keeps_quiet(&said);
    }
}

/// Signs the demo account in.
pub(crate) async fn login(running: &Running<'_>) -> Response {
    let body = json!({ "email": EMAIL, "password": PASSWORD, "client_id": CLIENT });
    let url = format!("{}/api/auth/login", running.server.url());
    http().post(url).json(&body).send().await.unwrap()
}

/// A refresh token whose first presentation is a write.
async fn signed_in(running: &Running<'_>) -> String {
    let first = first_token(running).await;
    refresh_token(running.refresh(&first).await).await
}

/// A refresh token whose presentation is a read.
async fn first_token(running: &Running<'_>) -> String {
    refresh_token(login(running).await).await
}

async fn refresh_token(answer: Response) -> String {
    let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
    answer["refresh_token"].as_str().unwrap().to_owned()
}

async fn own_postgres() -> Option<(Postgres, String)> {
    if !postgres::installed().unwrap() {
        return None;
    }
    let server = Postgres::start(&Options::default()).unwrap();
    let database = server.fresh_database().await.unwrap();
    Some((server, database))
}

#[tokio::test]
async fn postgresql_that_stops_is_503_and_goes_on_when_it_is_back() {
    let Some((mut server, database)) = own_postgres().await else {
        return;
    };
    let bench = Bench::store(&server.url(&database));
    let running = Running::start(&bench).unwrap();
    let token = signed_in(&running).await;
    server.stop().unwrap();
    running.is_in_trouble(&token).await;
    server.restart().unwrap();
    running.goes_on(&token).await;
}

#[tokio::test]
async fn a_changed_password_of_postgresql_is_503() {
    let Some((server, database)) = own_postgres().await else {
        return;
    };
    let bench = Bench::store(&server.url(&database));
    let running = Running::start(&bench).unwrap();
    let token = signed_in(&running).await;
    let change = async |password: &str| {
        let change = format!(
            "ALTER ROLE {ROLE} PASSWORD '{password}'; SELECT pg_terminate_backend(pid) \
             FROM pg_stat_activity WHERE usename = '{ROLE}'"
        );
        let client = server.connect("postgres").await.unwrap();
        client.batch_execute(&change).await.unwrap();
    };
    change("another-password").await;
    running.is_in_trouble(&token).await;
    change(server.password()).await;
    running.goes_on(&token).await;
}

#[tokio::test]
async fn postgresql_that_becomes_read_only_is_503() {
    let Some((server, database)) = own_postgres().await else {
        return;
    };
    let bench = Bench::store(&server.url(&database));
    let running = Running::start(&bench).unwrap();
    let token = signed_in(&running).await;
    server
        .configure("default_transaction_read_only", "on")
        .unwrap();
    running.is_in_trouble(&token).await;
    server
        .configure("default_transaction_read_only", "off")
        .unwrap();
    running.goes_on(&token).await;
}

fn own_redis() -> Redis {
    Redis::start(Engine::Redis7, redis::Options::default()).unwrap()
}

#[tokio::test]
async fn redis_that_stops_is_503_and_goes_on_when_it_is_back() {
    let mut server = own_redis();
    let bench = Bench::store(&server.url());
    let running = Running::start(&bench).unwrap();
    let token = signed_in(&running).await;
    server.kill9().unwrap();
    running.is_in_trouble(&token).await;
    server.restart().unwrap();
    running.goes_on(&token).await;
}

#[tokio::test]
async fn a_changed_password_of_redis_is_503() {
    let server = own_redis();
    let bench = Bench::store(&server.url());
    let running = Running::start(&bench).unwrap();
    let token = signed_in(&running).await;
    let lab = [
        "ACL",
        "SETUSER",
        "lab",
        "on",
        ">lab-password",
        "~*",
        "&*",
        "+@all",
    ];
    server.command::<String>(&lab).unwrap();
    let change = |password: &str| {
        let password = format!(">{password}");
        as_lab(
            &server,
            &["ACL", "SETUSER", "default", "resetpass", &password],
        );
    };
    change("another-password");
    // A connection that is open stays signed in.
    as_lab(&server, &["CLIENT", "KILL", "USER", "default"]);
    running.is_in_trouble(&token).await;
    change(server.password());
    running.goes_on(&token).await;
}

fn as_lab(server: &Redis, words: &[&str]) {
    let url = format!("redis://lab:lab-password@{}", server.address());
    let mut connection = ::redis::Client::open(url)
        .unwrap()
        .get_connection()
        .unwrap();
    let mut command = ::redis::cmd(words[0]);
    command.arg(&words[1..]).exec(&mut connection).unwrap();
}

#[tokio::test]
async fn redis_that_becomes_a_replica_is_503() {
    let (server, other) = (own_redis(), own_redis());
    let bench = Bench::store(&server.url());
    let running = Running::start(&bench).unwrap();
    let token = first_token(&running).await;
    let port = other.port().to_string();
    server
        .command::<String>(&["REPLICAOF", "127.0.0.1", &port])
        .unwrap();
    running.is_in_trouble(&token).await;
    server
        .command::<String>(&["REPLICAOF", "NO", "ONE"])
        .unwrap();
    running.goes_on(&token).await;
}

#[tokio::test]
async fn redis_that_may_evict_sessions_is_not_ready() {
    let server = own_redis();
    let bench = Bench::store(&server.url());
    let running = Running::start(&bench).unwrap();
    let token = signed_in(&running).await;
    let policy = |name: &str| {
        let change = ["CONFIG", "SET", "maxmemory-policy", name];
        server.command::<String>(&change).unwrap();
    };
    policy("allkeys-lru");
    let (status, ready) = running.ready().await;
    assert_eq!(status, 503, "{ready}");
    let error = ready["store"]["error"].as_str().unwrap();
    assert!(error.contains("allkeys-lru"), "{error}");
    policy("noeviction");
    running.goes_on(&token).await;
}
