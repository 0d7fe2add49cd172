//! The example of the guide for backends, run as its own process; and the guide shows that example.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tenure_client::{Clock as _, SystemClock};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::bench::Bench;
use crate::service::Plan;

/// Killed when dropped.
struct Backend {
    url: String,
    _process: Child,
}

impl Backend {
    async fn start(bench: &Bench) -> Self {
        let mut process = Command::new(example().await)
            .env("API_URL", &bench.service.url)
            .env("TENURE_VAULT", bench.vault().directory())
            .env("LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("started");
        let output = process.stdout.take().expect("piped");
        let mut lines = BufReader::new(output).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let url = line.strip_prefix("listening on ").expect("an address");
        Self {
            url: url.to_owned(),
            _process: process,
        }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build();
        let request = client.expect("a client").get(format!("{}{path}", self.url));
        let answer = request.send().await.expect("answered");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }
}

/// Cargo builds examples before it runs all tests of a package; a test that runs alone sees to it.
async fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let profile = test.ancestors().nth(2).expect("a target directory");
    if std::env::var_os("TENURE_BUILT").is_none() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = Command::new(cargo)
            .args(["build", "--quiet", "--package", "tenure-client"])
            .args(["--example", "axum_backend"])
            .status();
        assert!(build.await.expect("cargo").success());
    }
    profile.join("examples/axum_backend")
}

#[tokio::test]
async fn the_backend_of_the_guide_calls_the_api_with_its_session_and_survives_a_refusal() {
    let bench = Bench::at(SystemClock::new().wall()).await;
    let session = bench.open().await;
    let signed_in = session.sign_in_password("demo@example.com", crate::service::password());
    signed_in.await.expect("signed in");

    let backend = Backend::start(&bench).await;
    assert_eq!(backend.get("/feed").await, (200, "thing".to_owned()));
    bench.service.plan([Plan::Instead(401, "X: y", "")]);
    assert_eq!(backend.get("/feed").await, (200, "thing".to_owned()));
    assert_eq!(
        bench.service.calls(),
        ["Bearer access-1", "Bearer access-1", "Bearer access-2"]
    );
    let (status, text) = backend.get("/health").await;
    assert_eq!(status, 200, "{text}");

    session.sign_out().await.expect("signed out");
    drop(backend);
    assert_eq!(bench.record().tokens, None, "one vault, two processes");
}

#[test]
fn the_guide_shows_the_example_that_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| std::fs::read_to_string(&path).expect("readable");
    let example = read(root.join("examples/axum_backend.rs"));
    let guide = read(root.join("../../docs/guides/axum-backend.md"));
    // What only the lints of this repository want is left out.
    let shown: Vec<_> = example
        .lines()
        .filter(|line| !line.starts_with("//!") && !line.starts_with("#!["))
        .collect();
    let shown = shown.join("\n");
    let block = format!("```rust\n{}\n```", shown.trim());
    assert!(guide.contains(&block), "the guide must show:\n{block}");
}
