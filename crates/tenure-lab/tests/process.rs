//! The process harness with a shell script in the place of the service.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod support;

use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use tempfile::TempDir;
use tenure_lab::process::{Launch, Server};

const NOW: Duration = Duration::from_secs(30);

/// Says that it listens, then waits on a pipe that never ends; SIGTERM makes it leave with 3.
const SCRIPT: &str = r#"
trap 'echo leaving >&2; exit 3' TERM
trap 'echo reloaded' HUP
mkfifo "$1/pipe" 2>/dev/null
exec 3<>"$1/pipe"
echo "started with $MODE"
echo "INFO listening on http://$2"
while :; do read -r line <&3 && echo "heard $line"; done
"#;

fn script(dir: &TempDir, text: &str) -> Launch {
    let args = [
        "-c",
        text,
        "script",
        dir.path().to_str().unwrap(),
        "{listen}",
    ];
    Launch::new("sh").args(args).env("MODE", "port {listen}")
}

fn start(dir: &TempDir) -> Server {
    script(dir, SCRIPT).start().unwrap()
}

#[test]
fn a_program_is_ready_when_it_says_so_and_its_output_is_kept() {
    let dir = TempDir::new().unwrap();
    let server = start(&dir);
    let listen = server.listen();
    assert!(server.url().ends_with(&listen));
    let expected = [
        format!("started with port {listen}"),
        format!("INFO listening on http://{listen}"),
    ];
    assert_eq!(server.output().lines(), expected);
    std::fs::write(dir.path().join("pipe"), "a line\n").unwrap();
    assert_eq!(
        server.output().wait_for("heard", NOW).unwrap(),
        "heard a line"
    );
}

#[test]
fn terminate_lets_the_program_end_and_kill9_does_not() {
    let dir = TempDir::new().unwrap();
    let mut server = start(&dir);
    let listen = server.listen();
    assert_eq!(server.terminate().unwrap().code(), Some(3));
    assert!(server.output().contains("leaving"));
    assert!(server.terminate().is_err(), "it has ended");

    server.restart().unwrap();
    assert_eq!(server.listen(), listen);
    server.kill9().unwrap();
    server.restart().unwrap();
    server.restart().unwrap();
    assert_eq!(
        server
            .output()
            .lines()
            .iter()
            .filter(|line| line.contains("leaving"))
            .count(),
        1
    );
    assert_eq!(
        server
            .output()
            .lines()
            .iter()
            .filter(|line| line.contains("listening"))
            .count(),
        4
    );
}

#[test]
fn a_suspended_program_goes_on_where_it_stopped() {
    let dir = TempDir::new().unwrap();
    let server = start(&dir);
    let stat = format!("/proc/{}/stat", server.pid().unwrap());
    let state = || {
        std::fs::read_to_string(&stat)
            .unwrap()
            .split(' ')
            .nth(2)
            .map(str::to_owned)
    };
    server.suspend().unwrap();
    // The kernel stops it before the signal call returns, or at its next instruction.
    while state().as_deref() != Some("T") {
        std::thread::yield_now();
    }
    server.resume().unwrap();
    server.hang_up().unwrap();
    server.output().wait_for("reloaded", NOW).unwrap();
}

#[test]
fn a_program_that_ends_or_stays_silent_fails_with_its_output() {
    let dir = TempDir::new().unwrap();
    let error = script(&dir, "echo no such option >&2; exit 2")
        .start()
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("before it closed its output"), "{text}");
    assert!(text.contains("no such option"), "{text}");
    assert!(Launch::new("/no/such/program").start().is_err());
}

#[test]
fn a_dropped_program_is_gone() {
    let dir = TempDir::new().unwrap();
    let server = start(&dir);
    let pid = server.pid().unwrap();
    drop(server);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[tokio::test]
async fn the_clock_and_the_metrics_are_reached_over_http() {
    let dir = TempDir::new().unwrap();
    let server = start(&dir);
    let (_, stub) = support::serve(&server.listen(), |request| async move {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        match (request.uri().path(), body.as_str()) {
            ("/dev/clock", r#"{"advance_seconds":61}"#) => Response::default(),
            ("/metrics", "") => Response::new(Full::from("refreshes_total{v=\"again\"} 5\n")),
            _ => Response::builder()
                .status(400)
                .body(Full::from("what?"))
                .unwrap(),
        }
    })
    .await;
    server.advance_clock(61).await.unwrap();
    assert!(
        server
            .advance_clock(62)
            .await
            .unwrap_err()
            .to_string()
            .contains("what?")
    );
    let metrics = server.metrics().await.unwrap();
    assert_eq!(
        metrics.value("refreshes_total", &[("v", "again")]),
        Some(5.0)
    );
    stub.abort();
}
