use std::process::Stdio;

use anyhow::Context;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How a program ended that was run to its end.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// What it wrote on stdout.
    pub stdout: String,
    /// What it wrote on stderr.
    pub stderr: String,
}

impl Ended {
    /// Runs the command with this text on its stdin.
    ///
    /// # Errors
    /// When it does not start, or writes what is not UTF-8.
    pub async fn of(command: &mut Command, stdin: &str) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut pipe = child.stdin.take().context("no stdin")?;
        // It may have ended without reading.
        let _gone = pipe.write_all(stdin.as_bytes()).await;
        drop(pipe);
        let output = child.wait_with_output().await?;
        Ok(Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// Asserts that it ended with this code and said these words on stderr.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn told(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{words}: {}", self.stderr);
        assert!(self.stderr.contains(words), "{words}: {}", self.stderr);
    }
}
