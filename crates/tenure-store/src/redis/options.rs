//! Where the server is, and how much it promises.

use std::time::Duration;

use tenure_core::secret::Secret;

/// Where sessions, tickets and device authorizations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisOptions {
    /// `redis://`, `redis+sentinel://` or `redis+cluster://`, with `rediss` for TLS; it may hold a
    /// password. `valkey` means the same.
    pub url: Secret,
    /// Begins every key, so that several services can share a server: letters, digits, `-`, `_`,
    /// `.` and `:`.
    pub prefix: String,
    /// What a create or a revocation waits for.
    pub wait: Wait,
}

impl RedisOptions {
    /// The defaults at a URL.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            prefix: "tenure".to_owned(),
            wait: Wait::default(),
        }
    }
}

/// What a create or a revocation waits for before it is acknowledged, beside the session log, which
/// alone is what nothing is lost by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Replicas that have to have it (`WAIT`, `WAITAOF`).
    pub replicas: u32,
    /// Whether it has to be in the append-only file of the primary (`WAITAOF`), and of the replicas.
    pub local: bool,
    /// How long it waits before it says that it failed.
    pub timeout: Duration,
}

impl Default for Wait {
    fn default() -> Self {
        Self {
            replicas: 0,
            local: false,
            timeout: Duration::from_secs(1),
        }
    }
}

impl Wait {
    /// Whether there is anything to wait for.
    pub(super) fn is_needed(self) -> bool {
        self.local || self.replicas > 0
    }
}

/// What an operator should know of it.
impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.local, self.replicas) {
            (false, 0) => f.write_str("none"),
            (false, replicas) => write!(f, "WAIT {replicas}"),
            (true, replicas) => write!(f, "WAITAOF 1 {replicas}"),
        }
    }
}
