//! What the log says, and what it does not.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value};
use tempfile::TempDir;
use tenure_client::{
    ChunkedVault, Config, EVENTS, EventKind, KeyValue, MemoryVault, Session, Transport, Trouble,
    VaultFault, Zeroizing,
};
use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Bench, failure, token};
use crate::calls::call;
use crate::service::{Plan, password};

#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// One line of the log: the event's name and its fields.
struct Line {
    name: String,
    fields: Map<String, Value>,
}

fn lines(text: &str) -> Vec<Line> {
    let of_session = |line: Value| {
        let target = line["target"].as_str()?;
        let mut fields = line["fields"].as_object()?.clone();
        let name = fields.remove("message")?.as_str()?.to_owned();
        target
            .starts_with("tenure_client")
            .then_some(Line { name, fields })
    };
    let lines = text.lines();
    let lines = lines.map(|line| serde_json::from_str(line).expect("JSON"));
    lines.filter_map(of_session).collect()
}

/// Alone in a process, because whether an event is worth recording is decided once for all threads.
#[tokio::test]
async fn every_decision_has_a_name_and_no_secret_is_told() {
    if std::env::var_os("TENURE_TEST_ALONE").is_none() {
        return alone("events::every_decision_has_a_name_and_no_secret_is_told").await;
    }
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first");
    tracing::info!(canary = "access-0 refresh-0", "planted");

    let (bench, session) = Bench::expired().await;
    bench.service.plan([Plan::Instead(503, "X: y", "")]);
    failure(&session).await;
    bench.clock.pass(60);
    token(&session).await;
    drop(bench.open().await);
    bench.clock.sleep(60);
    be_refused(&bench, &session).await;
    bench.clock.pass(900);
    let body = r#"{"error":"invalid_grant","tenure_reason":"expired_idle"}"#;
    bench.service.plan([Plan::Instead(400, "X: y", body)]);
    failure(&session).await;
    fail_to_store(&bench).await;
    lose_an_answer().await;
    meet_a_stranger(&bench).await;
    ask_in_vain_about_a_device().await;

    let text = log.text();
    for event in [
        r#""message":"bootstrap_started""#,
        r#""message":"store_read","found":"missing""#,
        r#""message":"store_write","ok":true,"bytes":"#,
        r#""message":"refresh_started","reason":"expired""#,
        r#""message":"refresh_failed","class":"transient","will_clear":false"#,
        r#""message":"degraded","cause":"status 503""#,
        r#""message":"refresh_succeeded","rotated":true"#,
        r#""message":"clock_jumped","seconds":60"#,
        r#""message":"refresh_started","reason":"refused""#,
        r#""message":"auth_retry","status":401"#,
        r#""message":"auth_retry_exhausted","status":403,"had_fresh_token":true"#,
        r#""message":"refused","hint":""#,
        r#""message":"refresh_failed","class":"definitive","will_clear":true"#,
        r#""message":"session_cleared","reason":"expired_idle""#,
        r#""message":"store_write","ok":false,"bytes":0"#,
    ] {
        assert!(text.contains(event), "{event} is missing in\n{text}");
    }
    compare_with_the_table(&text);
    let keys = bench.service.refreshes(4).await;
    let keys = keys.iter().map(|refresh| refresh.key.as_str());
    let secrets = ["access-1", "access-2", "refresh-1", "refresh-2", "right"];
    for secret in secrets.into_iter().chain(keys) {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
    assert!(text.contains("access-0 refresh-0"), "the canary was found");
}

/// At a service that does not retire on use, and takes the repetition for theft.
async fn lose_an_answer() {
    let bench = Bench::new().await;
    bench.service.books().retire_on_use = false;
    let session = bench.open().await;
    let signed_in = session.sign_in_password("demo@example.com", password());
    signed_in.await.expect("signed in");
    bench.clock.pass(900);
    let body = r#"{"error":"invalid_grant"}"#;
    bench
        .service
        .plan([Plan::Lose, Plan::Instead(400, "X: y", body)]);
    failure(&session).await;
    bench.clock.pass(60);
    failure(&session).await;
}

/// A call that is refused, repeated with a new token, and refused again.
async fn be_refused(bench: &Bench, session: &Session) {
    let named = "WWW-Authenticate: Bearer error=\"invalid_token\"";
    bench.service.plan([
        Plan::Instead(401, "X: y", ""),
        Plan::Obey,
        Plan::Instead(403, named, ""),
    ]);
    assert_eq!(call(session, &bench.service).await, 403);
}

/// Somebody guesses the address where a sign-in waits for its browser.
async fn meet_a_stranger(bench: &Bench) {
    let session = Session::open(bench.config_with(MemoryVault::new())).await;
    let sign_in = session.expect("opened").sign_in_code().await;
    let sign_in = sign_in.expect("begun");
    let url = format!("{}?code=guessed&state=guessed", sign_in.redirect_uri());
    let finish = tokio::spawn(sign_in.finish());
    let answer = reqwest::get(url).await.expect("a page");
    assert_eq!(answer.status(), 400);
    finish.abort();
}

/// Begins a sign-in by device, and is out of reach ever after.
#[derive(Debug)]
struct OutOfReach;

#[async_trait]
impl Transport for OutOfReach {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>, Trouble> {
        let body = match request.uri().path() {
            "/device" => {
                r#"{"device_code":"d","user_code":"WDJB-MJHT","expires_in":600,"interval":5,
                "verification_uri":"https://id.example.com/device"}"#
            }
            "/token" => return Err(Trouble::Timeout),
            _ => {
                r#"{"issuer":"https://id.example.com",
                "token_endpoint":"https://id.example.com/token",
                "device_authorization_endpoint":"https://id.example.com/device"}"#
            }
        };
        Ok(Response::new(body.into()))
    }
}

/// In virtual time, which sockets would not bear: on a thread and a runtime of its own.
async fn ask_in_vain_about_a_device() {
    let asking = async {
        let config = Config::new("https://id.example.com", "app", MemoryVault::new());
        let config = config.expect("good").transport(OutOfReach);
        let session = Session::open(config).await.expect("opened");
        let sign_in = session.sign_in_device().await.expect("begun");
        let waiting = tokio::time::timeout(Duration::from_mins(1), sign_in.wait());
        waiting.await.expect_err("no decision");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let thread = tokio::task::spawn_blocking(move || runtime.expect("built").block_on(asking));
    thread.await.expect("no panic");
}

/// Keystores that refuse one thing each.
#[derive(Clone, Debug, Default)]
struct Stubborn {
    values: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    writes: bool,
}

impl KeyValue for Stubborn {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        let values = self.values.lock().expect("not poisoned");
        Ok(values.get(name).cloned().map(Zeroizing::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        if !self.writes {
            return Err(VaultFault::Unavailable("full".into()));
        }
        let mut values = self.values.lock().expect("not poisoned");
        values.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    fn remove(&self, _name: &str) -> Result<(), VaultFault> {
        Err(VaultFault::Unavailable("stuck".into()))
    }

    fn limit(&self) -> usize {
        64
    }
}

/// One keystore takes no write, the other keeps what should go.
async fn fail_to_store(bench: &Bench) {
    let directory = TempDir::new().expect("a directory");
    for writes in [false, true] {
        let store = Stubborn {
            writes,
            ..Stubborn::default()
        };
        let place = directory.path().join(writes.to_string());
        let vault = ChunkedVault::new(store, "session", place);
        let session = Session::open(bench.config_with(vault)).await;
        let session = session.expect("opened");
        let signed_in = session.sign_in_password("demo@example.com", password());
        assert_eq!(signed_in.await.is_ok(), writes);
        // The next record in the same place is shorter.
        for _ in 0..2 {
            drop(session.sign_out().await);
        }
    }
}

/// Nothing is told that the table does not have, and nothing in the table is never told.
fn compare_with_the_table(text: &str) {
    let lines = lines(text);
    for line in &lines {
        let kind = EVENTS.iter().find(|kind| kind.name == line.name);
        let kind = kind.unwrap_or_else(|| panic!("{} is not in the table", line.name));
        for field in line.fields.keys() {
            let known = kind.fields.iter().any(|(name, _)| name == field);
            assert!(known, "{}: {field} is not in the table", line.name);
        }
    }
    for kind in EVENTS {
        let told = |line: &&Line| line.name == kind.name;
        assert!(
            lines.iter().any(|line| told(&line)),
            "{} is never told",
            kind.name
        );
        for (field, _) in kind.fields {
            let mut told = lines.iter().filter(told);
            let there = told.any(|line| line.fields.contains_key(*field));
            assert!(there, "{}: {field} is never told", kind.name);
        }
    }
}

/// `TENURE_WRITE_DOCS=1` writes it anew.
#[test]
fn the_page_of_events_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let page = page();
    if std::env::var_os("TENURE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let written = std::fs::read_to_string(&path).expect("readable");
    assert_eq!(written, page, "run this test with TENURE_WRITE_DOCS=1");
}

const PREFACE: &str = "# Events

What a session of `tenure-client` writes to `tracing`, in the order of its life. The name is the
message of the event; names and fields are an interface and stay as they are. No field holds a
secret: tokens appear as the beginning of a hash.

This page is made from the table in `crates/tenure-client/src/events.rs`; a test fails where they
differ, and another where an event of the table is never written or one outside of it is.
";

fn page() -> String {
    let sections: Vec<_> = EVENTS.iter().map(section).collect();
    format!("{PREFACE}{}", sections.concat())
}

fn section(kind: &EventKind) -> String {
    let (name, level, meaning) = (kind.name, kind.level, kind.meaning.trim());
    let fields = kind.fields.iter();
    let rows = fields.map(|(field, about)| format!("| `{field}` | {} |\n", about.trim()));
    let rows = rows.collect::<Vec<_>>().concat();
    let table = if rows.is_empty() {
        rows
    } else {
        format!("\n| field | what it says |\n|---|---|\n{rows}")
    };
    format!("\n## `{name}`\n\n{level}. {meaning}\n{table}")
}

async fn alone(name: &str) {
    let output = tokio::process::Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", name, "--nocapture"])
        .env("TENURE_TEST_ALONE", "1")
        .output()
        .await
        .expect("started");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "{said}");
}
