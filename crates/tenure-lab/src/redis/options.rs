//! Which server, and how it keeps its data.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::process::find;
use crate::skip;

/// A program that speaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Debian's own: no `WAITAOF`.
    Redis7,
    /// From Debian's backports: with `WAITAOF`.
    Valkey8,
}

impl Engine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Redis7, Self::Valkey8];

    /// Why it cannot be run here, if it cannot.
    pub fn obstacle(self) -> Option<String> {
        self.find().err().map(|why| why.to_string())
    }

    /// The engine where it can be run here; where it cannot, a counted skip.
    ///
    /// # Errors
    /// When the skip cannot be counted.
    pub fn or_skip(self) -> anyhow::Result<Option<Self>> {
        let Some(obstacle) = self.obstacle() else {
            return Ok(Some(self));
        };
        skip(&obstacle)?;
        Ok(None)
    }

    pub(super) fn find(self) -> anyhow::Result<PathBuf> {
        let program = match self {
            Self::Redis7 => "redis-server",
            Self::Valkey8 => "valkey-server",
        };
        find(program)
            .with_context(|| format!("{program} is not installed; run cargo xtask setup as root"))
    }
}

/// The append-only file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Append {
    /// There is none: what it holds is gone with the process.
    Off,
    /// `appendfsync everysec`: a power cut takes up to a second or two.
    EverySecond,
    /// `appendfsync always`.
    Always,
}

/// How a server is set up. The default keeps an append-only file, synced every second, and evicts
/// nothing.
#[derive(Clone, Debug)]
pub struct Options {
    /// The append-only file.
    pub append: Append,
    /// `maxmemory-policy`.
    pub eviction: &'static str,
    /// Where the data are, if not beside the configuration.
    pub directory: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            append: Append::EverySecond,
            eviction: "noeviction",
            directory: None,
        }
    }
}

impl Options {
    /// Lines of a configuration file for a server whose home is `home`.
    pub(super) fn lines(&self, home: &Path) -> Vec<String> {
        let directory = self.directory.as_deref().unwrap_or(home);
        let (append, sync) = match self.append {
            Append::Off => ("no", "no"),
            Append::EverySecond => ("yes", "everysec"),
            Append::Always => ("yes", "always"),
        };
        vec![
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", directory.display()),
            "save \"\"".to_owned(),
            format!("appendonly {append}"),
            format!("appendfsync {sync}"),
            format!("maxmemory-policy {}", self.eviction),
            // The default waits 5 s for more replicas.
            "repl-diskless-sync-delay 0".to_owned(),
        ]
    }
}
