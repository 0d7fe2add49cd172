//! A Node program that is steered line by line: a JSON command in, a JSON answer out, with the result
//! in `ok` or what went wrong in `failed`.

use std::process::Stdio;

use anyhow::Context;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The running program; killed when dropped.
pub(crate) struct Steered {
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    process: Child,
}

impl Steered {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start node")?;
        let commands = process.stdin.take().context("no stdin")?;
        let answers = process.stdout.take().context("no stdout")?;
        Ok(Self {
            commands,
            answers: BufReader::new(answers).lines(),
            process,
        })
    }

    /// The answer to one command; `Err` inside is what the program says went wrong.
    pub(crate) async fn ask(&mut self, command: &Value) -> anyhow::Result<Result<Value, Value>> {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await?;
        self.commands.flush().await?;
        self.answer().await
    }

    /// The next answer, asked for or not.
    pub(crate) async fn answer(&mut self) -> anyhow::Result<Result<Value, Value>> {
        let answer = self.answers.next_line().await?;
        let answer = answer.context("the node process ended")?;
        let mut answer: Value = serde_json::from_str(&answer).context(answer)?;
        Ok(match answer.get_mut("failed").map(Value::take) {
            Some(failed) => Err(failed),
            None => Ok(answer.get_mut("ok").map(Value::take).unwrap_or_default()),
        })
    }

    /// Says that no command follows, and waits for the end.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        drop(self.commands);
        self.process.wait().await?;
        Ok(())
    }
}
