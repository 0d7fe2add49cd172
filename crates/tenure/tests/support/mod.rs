//! A directory of its own, and the program run in it.

#![expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "test code; each test file uses its own part of this"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// The program, without the caller's configuration.
pub fn tenure() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TENURE_") {
            command.env_remove(name);
        }
    }
    command.env("TENURE_LOG", "off");
    command
}

fn ended(mut command: Command, stdin: &str) -> Ended {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without reading.
    let _gone = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a signal to a process.
pub fn kill(pid: u32, signal: &str) {
    let pid = pid.to_string();
    let mut kill = Command::new("kill");
    assert!(kill.args(["-s", signal, &pid]).status().unwrap().success());
}

/// Says that a test cannot run here, where `cargo xtask test` counts it.
pub fn skip(why: &str) {
    println!("SKIP: {why}");
    if let Some(path) = std::env::var_os("TENURE_SKIPS") {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.create(true).append(true).open(path).unwrap();
        writeln!(file, "{why}").unwrap();
    }
}

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A working directory.
#[derive(Debug)]
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = tenure();
        command
            .current_dir(self.0.path())
            .env("TENURE_HOME", self.path("home"))
            .args(args);
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, "")
    }

    /// Runs it to its end with something on stdin.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Ended {
        ended(self.command(args), stdin)
    }

    /// Runs it under another name.
    pub fn run_as(
        &self,
        program: &Path,
        args: &[&str],
        stdin: &str,
        variables: &[(&str, &str)],
    ) -> Ended {
        let mut command = Command::new(program);
        command
            .current_dir(self.0.path())
            .env("TENURE_HOME", self.path("home"))
            .envs(variables.iter().copied())
            .args(args);
        ended(command, stdin)
    }

    /// Signs the demo account in.
    pub fn sign_in(&self, serving: &Serving, more: &[&str]) {
        let login = [
            "login",
            "--password",
            "--user",
            "demo@example.com",
            "--issuer",
        ];
        let args = [&login[..], &[&serving.url], more].concat();
        self.ok_with(&args, "demo-password\n");
    }

    /// Runs it, which must succeed; answers its stdout.
    pub fn ok(&self, args: &[&str]) -> String {
        self.ok_with(args, "")
    }

    /// Runs it with something on stdin, which must succeed; answers its stdout.
    pub fn ok_with(&self, args: &[&str], stdin: &str) -> String {
        let ended = self.run_with(args, stdin);
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.stderr);
        ended.stdout
    }

    /// Starts the service on a free port and waits until it listens.
    pub fn serve(&self, args: &[&str]) -> Serving {
        self.start(args, "off")
    }

    /// Another service, with data of its own.
    pub fn serve_elsewhere(&self) -> Serving {
        self.serve(&["--dev", "--data", "other-data"])
    }

    /// The same, with a log to read.
    pub fn serve_with_log(&self, args: &[&str]) -> Serving {
        self.start(args, "info")
    }

    fn start(&self, args: &[&str], log: &str) -> Serving {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command
            .args(args)
            .env("TENURE_LOG", log)
            .stdout(Stdio::piped());
        command.stderr(if log == "off" {
            Stdio::inherit()
        } else {
            Stdio::piped()
        });
        let mut child = command.spawn().unwrap();
        let log = child.stderr.take().map(BufReader::new);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let start = said.len();
            assert_ne!(
                stdout.read_line(&mut said).unwrap(),
                0,
                "it ended after\n{said}"
            );
            if let Some((_, url)) = said[start..].trim().split_once("listening on ") {
                break url.to_owned();
            }
        };
        Serving {
            child,
            stdout,
            log,
            said,
            url,
        }
    }

    /// Marks the database as one that only a later program can read.
    pub fn pretend_newer(&self) {
        let sql = rusqlite::Connection::open(self.path("tenure-data/tenure.db")).unwrap();
        let changed = sql
            .execute("UPDATE meta SET value = 9999 WHERE name = 'min_reader'", [])
            .unwrap();
        assert_eq!(changed, 1);
    }
}

/// A running service; killed when dropped.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: Option<BufReader<ChildStderr>>,
    said: String,
    pub url: String,
}

impl Serving {
    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        kill(self.child.id(), name);
    }

    /// What it has said on stdout so far.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Reads the log up to the next line of this event; answers the line.
    pub fn wait_for_log(&mut self, event: &str) -> String {
        let log = self.log.as_mut().expect("started with a log");
        let wanted = format!("\"event\":\"{event}\"");
        loop {
            let mut line = String::new();
            assert_ne!(
                log.read_line(&mut line).unwrap(),
                0,
                "the log ended without {event}"
            );
            if line.contains(&wanted) {
                return line;
            }
        }
    }

    /// Stops it as a supervisor does; answers what it said on stdout.
    pub fn stop(mut self) -> String {
        self.signal("TERM");
        self.stdout.read_to_string(&mut self.said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        std::mem::take(&mut self.said)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
