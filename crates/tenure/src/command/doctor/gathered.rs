//! What one run of the doctor has before it.

use tenure_core::time::Timestamp;
use tenure_doctor::case::Inputs;
use tenure_doctor::deployment::Check;
use tenure_doctor::logs::Logs;
use tenure_doctor::{Clue, Evidence, collect};

/// What the commands gathered. The raw inputs never leave the process.
pub(crate) struct Gathered {
    /// For [`collect`].
    pub(crate) inputs: Inputs,
    /// What was read from logs while they streamed by.
    pub(crate) logs: Logs,
    /// What was asked of a deployment.
    pub(crate) deployment: Vec<Check>,
    /// What could not be read, and why.
    pub(crate) unread: Vec<Clue>,
}

impl Gathered {
    /// Nothing yet, at this moment.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self {
            inputs: Inputs {
                now,
                ..Inputs::default()
            },
            logs: Logs::default(),
            deployment: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// What is known by it.
    pub(crate) fn evidence(self) -> Evidence {
        let mut evidence = collect(&self.inputs);
        evidence.logs = self.logs;
        evidence.deployment.extend(self.deployment);
        evidence.unread.extend(self.unread);
        evidence
    }
}
