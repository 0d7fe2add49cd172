//! Incident I5 once more: the backend as two worker processes behind a balancer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tempfile::TempDir;
use tenure_client::{EndCause, Error, Reason, State as SessionState};
use tenure_lab::foreign::{Backend, Storage};
use tokio::net::TcpListener;

use crate::bench::{Device, failure, token};
use crate::memory_cache::{LIFETIME, backend, camel_case, credentials, snake_case};

/// Sends each request to the other worker.
#[derive(Clone)]
struct Balancer {
    workers: [String; 2],
    turn: Arc<AtomicUsize>,
    http: reqwest::Client,
}

impl Balancer {
    /// Its URL; it runs until the test's runtime ends.
    async fn start(workers: &[Backend; 2]) -> String {
        let balancer = Self {
            workers: [workers[0].url(), workers[1].url()],
            turn: Arc::default(),
            http: client(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(pass_on).with_state(balancer);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }
}

async fn pass_on(State(balancer): State<Balancer>, request: Request) -> Response {
    let turn = balancer.turn.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 65536).await.unwrap();
    let url = format!("{}{}", balancer.workers[turn % 2], parts.uri.path());
    let mut request = balancer.http.request(parts.method, url).body(body);
    for name in ["authorization", "content-type"] {
        if let Some(value) = parts.headers.get(name) {
            request = request.header(name, value);
        }
    }
    let Ok(answer) = request.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let kind = answer.headers().get("content-type").cloned();
    let status = answer.status();
    let mut passed_on = (status, answer.bytes().await.unwrap()).into_response();
    if let Some(kind) = kind {
        passed_on.headers_mut().insert("content-type", kind);
    }
    passed_on
}

/// Workers die here, and a connection kept to one would fail with it.
fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy();
    client.pool_max_idle_per_host(0).build().unwrap()
}

/// Two processes with the same storage, or none where Python's packages are missing.
fn workers(storage: Storage<'_>) -> Option<[Backend; 2]> {
    Some([backend(storage)?, backend(storage)?])
}

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn broken_a_worker_does_not_know_what_the_other_issued() {
    let Some(mut workers) = workers(Storage::Memory) else {
        return;
    };
    let url = Balancer::start(&workers).await;
    let device = Device::new();
    let session = device.open(&url, "web", snake_case()).await;
    let signed_in = session.sign_in_at("/auth/login", &credentials()).await;
    signed_in.unwrap();
    let refresh_token = device.kept().unwrap();

    device.watch.pass(LIFETIME);
    let reason = Reason::Ended(EndCause::Unknown);
    assert_eq!(failure(&session).await, Error::SignInRequired { reason });
    assert_eq!(session.state(), SessionState::SignedOut { reason });
    let told = "\"POST /auth/refresh HTTP/1.1\" 401";
    workers[1]
        .server()
        .output()
        .wait_for(told, DEADLINE)
        .unwrap();

    // The session is over for the client, and lives in the other worker: answers to one and the
    // same token differ from turn to turn.
    let mut answers = Vec::new();
    for _ in 0..4 {
        let body = serde_json::json!({ "refresh_token": refresh_token });
        let request = client().post(format!("{url}/auth/refresh")).json(&body);
        answers.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(answers, [200, 401, 200, 401]);
}

#[tokio::test]
async fn fixed_every_worker_refreshes_what_any_of_them_issued() {
    for (routes, login) in [
        (snake_case(), "/auth/login"),
        (camel_case(), "/api/auth/login"),
    ] {
        let home = TempDir::new().unwrap();
        let store = home.path().join("cache.db");
        let Some(mut workers) = workers(Storage::File(&store)) else {
            return;
        };
        let url = Balancer::start(&workers).await;
        let device = Device::new();
        let session = device.open(&url, "web", routes).await;
        session.sign_in_at(login, &credentials()).await.unwrap();
        let mut before = token(&session).await;
        for turn in 0..6 {
            device.watch.pass(LIFETIME);
            let refreshed = token(&session).await;
            assert_ne!(refreshed, before, "{login}, turn {turn}");
            before = refreshed;
            // One after the other is replaced, as a deployment does it.
            workers[turn % 2].server().restart().unwrap();
        }
        for worker in &mut workers {
            let told = "/auth/refresh HTTP/1.1\" 200";
            worker.server().output().wait_for(told, DEADLINE).unwrap();
            assert!(!worker.server().output().contains("Using memory cache"));
        }
    }
}

#[tokio::test]
async fn fixed_one_worker_that_is_down_costs_no_session() {
    let home = TempDir::new().unwrap();
    let store = home.path().join("cache.db");
    let Some(mut workers) = workers(Storage::File(&store)) else {
        return;
    };
    let url = Balancer::start(&workers).await;
    let device = Device::new();
    let session = device.open(&url, "web", snake_case()).await;
    let signed_in = session.sign_in_at("/auth/login", &credentials()).await;
    signed_in.unwrap();
    workers[1].server().kill9().unwrap();
    device.watch.pass(LIFETIME);
    assert!(matches!(failure(&session).await, Error::Transient { .. }));
    device.watch.pass(60);
    assert!(!token(&session).await.is_empty(), "the other one answers");
}
