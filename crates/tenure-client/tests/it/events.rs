//! What the log says, and what it does not.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Bench, failure, token};
use crate::service::Plan;

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
    bench.clock.pass(900);
    let body = r#"{"error":"invalid_grant","tenure_reason":"expired_idle"}"#;
    bench.service.plan([Plan::Instead(400, "X: y", body)]);
    failure(&session).await;

    let text = log.text();
    for event in [
        r#""message":"bootstrap_started""#,
        r#""message":"store_read","found":"missing""#,
        r#""message":"store_write","ok":true,"bytes":"#,
        r#""message":"refresh_started","reason":"expired""#,
        r#""message":"refresh_failed","class":"transient","will_clear":false"#,
        r#""message":"degraded","cause":"status 503""#,
        r#""message":"refresh_succeeded","rotated":true"#,
        r#""message":"refresh_failed","class":"definitive","will_clear":true"#,
        r#""message":"session_cleared","reason":"expired_idle""#,
    ] {
        assert!(text.contains(event), "{event} is missing in\n{text}");
    }
    let keys = bench.service.refreshes(3).await;
    let keys = keys.iter().map(|refresh| refresh.key.as_str());
    let secrets = ["access-1", "access-2", "refresh-1", "refresh-2", "right"];
    for secret in secrets.into_iter().chain(keys) {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
    assert!(text.contains("access-0 refresh-0"), "the canary was found");
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
