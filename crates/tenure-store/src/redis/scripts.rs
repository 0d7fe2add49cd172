//! The scripts: one per transition, run by their hash.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, Script as Source, ServerErrorKind, cmd};

use super::error::trouble;
use super::link::Link;
use crate::StoreError;

/// A script and its hash.
#[derive(Debug)]
pub(super) struct Script {
    code: &'static str,
    source: Source,
}

macro_rules! script {
    ($name:ident, $($file:literal),+) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            let code = concat!($(include_str!(concat!("scripts/", $file))),+);
            Script { code, source: Source::new(code) }
        });
    };
}

script!(CREATE, "position.lua", "create.lua");
script!(REVOKE, "position.lua", "revoke.lua");
script!(SPARE, "position.lua", "spare.lua");
script!(DELETE, "position.lua", "delete.lua");
script!(ADVANCE, "advance.lua");
script!(NOTE, "note.lua");
script!(ADD, "add.lua");
script!(REPLACE, "replace.lua");
script!(DROP, "drop.lua");
script!(CHECK, "check.lua");
script!(FURTHER, "further.lua");

/// A script with its keys and arguments.
#[derive(Clone, Debug)]
pub(super) struct Call {
    script: &'static Script,
    keys: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

impl Script {
    /// A call of it.
    pub(super) fn call(&'static self, keys: &[&str]) -> Call {
        Call {
            script: self,
            keys: keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
            arguments: Vec::with_capacity(16),
        }
    }
}

impl Call {
    pub(super) fn key(mut self, key: &str) -> Self {
        self.keys.push(key.as_bytes().to_vec());
        self
    }

    pub(super) fn bytes(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn number(self, argument: u64) -> Self {
        self.bytes(argument.to_string())
    }

    /// Runs it; a server that does not have the script (restarted, flushed, another one) is given
    /// it.
    pub(super) async fn run<T: FromRedisValue>(&self, link: &Link) -> Result<T, StoreError> {
        let answer = link.try_ask(&self.by_hash()).await;
        match answer {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                link.ask(&self.by_code()).await
            }
            answer => answer.map_err(|error| trouble(&error)),
        }
    }

    /// Runs many of one slot in one go, in order.
    pub(super) async fn run_all(
        calls: &[Self],
        link: &Link,
    ) -> Result<Vec<redis::Value>, StoreError> {
        let mut pipeline = Pipeline::with_capacity(calls.len());
        let mut sent: Vec<&str> = Vec::new();
        for call in calls {
            let hash = call.script.source.get_hash();
            if sent.contains(&hash) {
                pipeline.add_command(call.by_hash());
            } else {
                pipeline.add_command(call.by_code());
                sent.push(hash);
            }
        }
        link.all(&pipeline).await
    }

    fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", self.script.source.get_hash())
    }

    fn by_code(&self) -> Cmd {
        self.command("EVAL", self.script.code)
    }

    fn command(&self, how: &str, script: &str) -> Cmd {
        let mut command = cmd(how);
        command.arg(script).arg(self.keys.len());
        for part in self.keys.iter().chain(&self.arguments) {
            command.arg(part.as_slice());
        }
        command
    }
}
