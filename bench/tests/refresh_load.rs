//! The generator and the minting against a stub that rotates strictly.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a stub that fails must fail its test"
)]

mod stub;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use stub::{Answer, Behaviour, Stub};
use tenure_bench::http::Endpoint;
use tenure_bench::load::{self, Client, Plan, Report};
use tenure_bench::services::tenure::mint;

async fn load(
    sessions: usize,
    workers: usize,
    behaviour: Behaviour,
) -> (Stub, Report, Vec<String>) {
    let stub = Stub::start(sessions, behaviour);
    let plan = Plan {
        endpoint: Endpoint::parse(&stub.url("/token")).unwrap(),
        client: Client {
            id: "bench".into(),
            secret: None,
        },
        server_pids: vec![std::process::id()],
        store_pids: Vec::new(),
        store_port: None,
        warm_up: Duration::ZERO,
        measured: Duration::from_millis(200),
    };
    let mut tokens = stub.tokens();
    let report = load::run(&plan, workers, &mut tokens).await.unwrap();
    tokens.sort();
    (stub, report, tokens)
}

fn live(stub: &Stub) -> Vec<String> {
    let mut tokens = stub.tokens();
    tokens.sort();
    tokens
}

#[tokio::test]
async fn every_answer_replaces_the_token_that_was_presented() {
    let (stub, report, kept) = load(40, 4, |_| Answer::Rotate).await;
    assert_eq!(report.errors, BTreeMap::new());
    assert_eq!(stub.with(|state| state.replays), 0);
    assert_eq!(stub.with(|state| state.refreshes as u64), report.refreshes);
    assert!(
        report.refreshes > 40,
        "the workers never went round: {report:?}"
    );
    assert!(report.p50_us <= report.p99_us && report.p99_us <= report.p999_us);
    assert_eq!(kept, live(&stub));
}

#[tokio::test]
async fn every_session_belongs_to_one_connection() {
    let (stub, _, _) = load(40, 4, |_| Answer::Rotate).await;
    let visitors = stub.with(|state| state.visitors.clone());
    assert_eq!(visitors.len(), 40);
    assert!(visitors.values().all(|connections| connections.len() == 1));
    let connections: std::collections::HashSet<_> = visitors.into_values().flatten().collect();
    assert_eq!(connections.len(), 4);
}

#[tokio::test]
async fn errors_are_counted_by_kind_and_only_an_ended_session_is_left_out() {
    let (stub, report, kept) = load(5, 1, |session| match session {
        0 => Answer::Refuse("503 Service Unavailable", "temporarily_unavailable"),
        1 => Answer::Refuse("429 Too Many Requests", "slow_down"),
        2 => Answer::Refuse("400 Bad Request", "invalid_grant"),
        3 => Answer::OpaqueAccessToken,
        _ => Answer::Rotate,
    })
    .await;
    assert_eq!(report.errors["400 invalid_grant"], 1);
    assert_eq!(report.sessions_lost, 1);
    for repeated in [
        "503 temporarily_unavailable",
        "429 slow_down",
        "200 without a JWT access token",
    ] {
        assert!(
            report.errors[repeated] > 1,
            "{repeated} in {:?}",
            report.errors
        );
    }
    assert_eq!(report.errors.len(), 4);
    assert!(!kept.contains(&"s2.0".to_owned()));
    assert_eq!(kept.len(), 4);
    assert_eq!(stub.with(|state| state.refreshes as u64), report.refreshes);
}

#[tokio::test]
async fn chunks_and_closed_connections_lose_no_answer() {
    let (stub, report, kept) = load(6, 2, |session| match session % 3 {
        0 => Answer::RotateChunked,
        1 => Answer::RotateAndClose,
        _ => Answer::Rotate,
    })
    .await;
    assert_eq!(report.errors, BTreeMap::new());
    assert!(report.refreshes > 6);
    assert_eq!(kept, live(&stub));
}

#[tokio::test]
async fn a_server_that_is_gone_ends_the_run_with_errors() {
    let mut tokens = vec!["a".to_owned()];
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let plan = Plan {
        endpoint: Endpoint::parse(&format!("http://{closed}/token")).unwrap(),
        client: Client {
            id: "bench".into(),
            secret: None,
        },
        server_pids: Vec::new(),
        store_pids: Vec::new(),
        store_port: None,
        warm_up: Duration::ZERO,
        measured: Duration::from_mins(1),
    };
    let report = load::run(&plan, 1, &mut tokens).await.unwrap();
    assert_eq!(report.refreshes, 0);
    assert_eq!(report.errors["connection: connection refused"], 10);
    assert_eq!(tokens, ["a"]);
}

#[test]
fn the_program_keeps_the_live_tokens_in_its_file() {
    let stub = Stub::start(8, |_| Answer::Rotate);
    let directory = tempfile::tempdir().unwrap();
    let (tokens, secret) = (
        directory.path().join("tokens"),
        directory.path().join("secret"),
    );
    std::fs::write(&tokens, stub.tokens().join("\n")).unwrap();
    std::fs::write(&secret, "a secret\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_refresh-load"))
        .args([
            "--url",
            &stub.url("/token"),
            "--client-id",
            "bench",
            "--json",
        ])
        .args(["--workers", "1,2", "--seconds", "0.1", "--warm-up", "0.05"])
        .args(["--server-pid", &std::process::id().to_string(), "--tokens"])
        .arg(&tokens)
        .arg("--client-secret-file")
        .arg(&secret)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let reports: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&reports[0]["workers"], &reports[1]["workers"]),
        (&1.into(), &2.into())
    );
    assert!(reports[1]["server_cpu_us"].is_number());
    assert!(reports[1]["server_mib"].as_f64().unwrap() > 1.0);
    let file = std::fs::read_to_string(&tokens).unwrap();
    let mut kept: Vec<&str> = file.lines().collect();
    kept.sort_unstable();
    assert_eq!(kept, live(&stub));
    // Authenticated by the header, so the form names no client.
    let forms = stub.with(|state| state.forms.clone());
    assert_eq!(
        forms,
        ["grant_type=refresh_token&refresh_token".to_owned()].into()
    );
}

#[tokio::test]
async fn sessions_are_minted_through_the_admin_api() {
    let stub = Stub::start(0, |_| Answer::Rotate);
    let tokens = mint(&stub.url(""), 2500).await.unwrap();
    let distinct: std::collections::HashSet<_> = tokens.iter().collect();
    assert_eq!(distinct.len(), 2500);
    assert_eq!(tokens[2499], "bench-user-2.499");
}
