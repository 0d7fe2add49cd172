//! PyPI `ministack`, which plays Amazon Cognito.

use std::fmt;
use std::process::Stdio;

use anyhow::Context;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{folder, package};
use crate::process::{Launch, Port, Server};

/// The running emulator, checking secrets and signatures as AWS does, and botocore to administer it.
pub struct CognitoEmulator {
    server: Server,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _admin: Child,
    _home: TempDir,
}

impl CognitoEmulator {
    /// Why it cannot be run here, if it cannot.
    pub fn obstacle() -> Option<String> {
        let needed = [".venv/bin/python", ".venv/bin/ministack"];
        needed.into_iter().find_map(|part| package(part).err())
    }

    /// Starts it on a free port; nothing else of AWS, and no other port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> anyhow::Result<Self> {
        let port = Port::reserve()?;
        let number = port.address().port().to_string();
        let home = tempfile::tempdir()?;
        let program = package(".venv/bin/ministack").map_err(anyhow::Error::msg)?;
        let server = Launch::new(program)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", number)
            .env("SERVICES", "cognito-idp")
            .env("AUTH", "true")
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .env("HOME", home.path())
            .on(port)
            .ready_when("Running on http://{listen}")
            .start()?;
        let mut admin = Command::new(package(".venv/bin/python").map_err(anyhow::Error::msg)?)
            .arg(folder().join("cognito.py"))
            .arg(server.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start python")?;
        let answers = admin.stdout.take().context("no stdout")?;
        Ok(Self {
            server,
            commands: admin.stdin.take().context("no stdin")?,
            answers: BufReader::new(answers).lines(),
            _admin: admin,
            _home: home,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Carries out one action of the API, such as `CreateUserPool`, with an administrator's
    /// signature.
    ///
    /// # Errors
    /// When the emulator refuses it.
    pub async fn admin(&mut self, action: &str, with: &Value) -> anyhow::Result<Value> {
        let line = format!("{}\n", json!({ "do": action, "with": with }));
        self.commands.write_all(line.as_bytes()).await?;
        self.commands.flush().await?;
        let answer = self.answers.next_line().await?;
        let answer = answer.with_context(|| format!("{action} failed; see stderr"))?;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl fmt::Debug for CognitoEmulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CognitoEmulator").finish_non_exhaustive()
    }
}
