//! The hammer as a child process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::Deserialize;

/// What `store-hammer --check` prints.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) created: u64,
    pub(crate) refreshed: u64,
    pub(crate) revoked: u64,
    pub(crate) lost_creates: u64,
    pub(crate) lost_revokes: u64,
    pub(crate) stuck: u64,
}

impl Report {
    pub(crate) fn losses(&self) -> u64 {
        self.lost_creates + self.lost_revokes + self.stuck
    }
}

/// The program, built from the present source; `TENURE_BUILT` says that it is.
pub(crate) fn hammer() -> PathBuf {
    if std::env::var_os("TENURE_BUILT").is_none() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let example = ["--package", "tenure-store", "--example", "store-hammer"];
        let built = Command::new(cargo)
            .args(["build", "--quiet"])
            .args(example)
            .status()
            .unwrap();
        assert!(built.success(), "cargo could not build store-hammer");
    }
    let test = std::env::current_exe().unwrap();
    test.ancestors()
        .nth(2)
        .unwrap()
        .join("examples/store-hammer")
}

/// A hammering process.
pub(crate) struct Hammer {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Hammer {
    pub(crate) fn start(program: &Path, data: &Path, seed: u64, more: &[&str]) -> Self {
        let mut child = Command::new(program)
            .arg("--data")
            .arg(data)
            .args(["--seed", &seed.to_string()])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Reads so many acknowledgements, kills the process, and answers them together with those
    /// that it had written and nobody had read.
    pub(crate) fn kill_after(mut self, acknowledgements: usize) -> Vec<String> {
        let mut said = String::new();
        for _ in 0..acknowledgements {
            let read = self.output.read_line(&mut said).unwrap();
            assert!(read > 0, "the hammer stopped by itself");
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.output.read_to_string(&mut said).unwrap();
        // A line without its end was not written completely: it acknowledges nothing.
        let complete = said.rfind('\n').map_or("", |end| &said[..end]);
        complete.lines().map(str::to_owned).collect()
    }
}

impl Drop for Hammer {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// Opens the store again and checks everything that was ever acknowledged; the error is what the
/// program said where it could not open it.
pub(crate) fn check(
    program: &Path,
    data: &Path,
    more: &[&str],
    said: &[String],
) -> Result<Report, String> {
    let mut child = Command::new(program)
        .arg("--data")
        .arg(data)
        .arg("--check")
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = said.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    // It reads nothing where it cannot open the store; its output tells.
    let _ = input.write_all(lines.as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}
