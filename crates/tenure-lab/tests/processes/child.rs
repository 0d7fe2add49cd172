//! `session-process`, as a test sees it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};

/// One process with a session. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// The places it has passed since it was last asked for something.
    passed: Vec<String>,
}

/// Far longer than a debug build on a busy machine needs for anything.
const PATIENCE: Duration = Duration::from_mins(2);

impl Child {
    /// Starts it and waits until it has opened its session.
    pub(crate) async fn start(arguments: &[&OsStr]) -> Self {
        let mut process = Command::new(program())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut child = Self {
            process,
            input,
            lines,
            passed: Vec::new(),
        };
        child.says("opened").await;
        child
    }

    /// Gives it an order, without waiting.
    pub(crate) async fn order(&mut self, order: &str) {
        let line = format!("{order}\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
    }

    /// Orders so many tasks to ask for a token.
    pub(crate) async fn ask(&mut self, tasks: usize) {
        self.passed.clear();
        self.order(&format!("ask {tasks}")).await;
    }

    /// Waits for a message with this key, past what it tells unasked.
    pub(crate) async fn says(&mut self, key: &str) -> Value {
        loop {
            let message = self.message().await.expect("it ended");
            if let Some(value) = message.get(key) {
                return value.clone();
            }
            let unasked = message.get("at").is_some() || message.get("lock").is_some();
            assert!(unasked, "waited for {key:?}, heard {message}");
        }
    }

    /// Waits for tokens or for `failed`, past what it tells unasked.
    pub(crate) async fn answer(&mut self) -> Result<Vec<String>, Value> {
        loop {
            let message = self.message().await.expect("it ended");
            if let Some(tokens) = message.get("tokens") {
                return Ok(serde_json::from_value(tokens.clone()).unwrap());
            }
            if message.get("failed").is_some() {
                return Err(message);
            }
        }
    }

    /// Waits until it gets to `place`, to stand still there where it was told so; or until it fails
    /// before that.
    pub(crate) async fn reaches(&mut self, place: &str, held: bool) -> Result<(), Value> {
        let key = if held { "held" } else { "at" };
        loop {
            let message = self.message().await.expect("it ended");
            if message.get(key).is_some_and(|reached| reached == place) {
                return Ok(());
            }
            if message.get("failed").is_some() {
                return Err(message);
            }
            assert!(message.get("tokens").is_none(), "never at {place}");
        }
    }

    /// SIGKILL; returns the places it had passed since it was last asked for something.
    pub(crate) async fn kill(mut self) -> Vec<String> {
        self.process.start_kill().unwrap();
        while self.message().await.is_some() {}
        self.process.wait().await.unwrap();
        self.passed
    }

    /// SIGSTOP.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// The next line of output; `None` at its end.
    async fn message(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line());
        let line = line.await.expect("it said nothing for minutes");
        let message: Value = serde_json::from_str(&line.unwrap()?).unwrap();
        if let Some(place) = message.get("at").and_then(Value::as_str) {
            self.passed.push(place.to_owned());
        }
        Some(message)
    }
}

/// The program, built from the present source; `TENURE_BUILT` says that it is.
fn program() -> PathBuf {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        if std::env::var_os("TENURE_BUILT").is_none() {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let example = ["--package", "tenure-lab", "--example", "session-process"];
            let mut build = std::process::Command::new(cargo);
            let built = build.args(["build", "--quiet"]).args(example).status();
            assert!(
                built.unwrap().success(),
                "cargo could not build session-process"
            );
        }
        let test = std::env::current_exe().unwrap();
        test.ancestors()
            .nth(2)
            .unwrap()
            .join("examples/session-process")
    });
    PROGRAM.clone()
}
