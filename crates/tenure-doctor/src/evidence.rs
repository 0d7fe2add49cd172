//! What is known, with its source; nothing in it is secret.

use std::fmt;

use serde::{Deserialize, Serialize};
use tenure_core::time::Timestamp;

use crate::deployment::Check;
use crate::drift::Belief;
use crate::exchange::{Answer, Exchange};
use crate::keys::KeySet;
use crate::logs::Logs;
use crate::probe::Probe;
use crate::token::{Role, Token};

/// All that the collectors found. Serialises without secrets; `doctor report` reads it back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// The moment at which the doctor looked.
    pub now: Timestamp,
    /// Probes and their answers, in the order in which they were sent.
    pub exchanges: Vec<Exchange>,
    /// Tokens, taken apart.
    pub tokens: Vec<Token>,
    /// Keys of the verifier's side.
    pub keys: Vec<KeySet>,
    /// Who believes what.
    pub beliefs: Vec<Belief>,
    /// What logs say.
    pub logs: Logs,
    /// Checks of a Tenure deployment.
    pub deployment: Vec<Check>,
    /// What was given and could not be read, and why.
    pub unread: Vec<Clue>,
}

impl Evidence {
    /// A probe that was sent, with what came back.
    pub fn exchange(&self, probe: Probe) -> Option<&Exchange> {
        self.exchanges
            .iter()
            .find(|exchange| exchange.probe == probe)
    }

    /// The answer to a probe, where it was sent and answered.
    pub fn answer(&self, probe: Probe) -> Option<&Answer> {
        self.exchange(probe)?.result.as_ref().ok()
    }

    /// The answers to these probes, where each was sent and answered.
    pub fn all_answered<const N: usize>(&self, probes: [Probe; N]) -> Option<[&Answer; N]> {
        let answers: Vec<_> = probes
            .iter()
            .filter_map(|probe| self.answer(*probe))
            .collect();
        answers.try_into().ok()
    }

    /// Whether a probe was sent, answered or not.
    pub fn sent(&self, probe: Probe) -> bool {
        self.exchange(probe).is_some()
    }

    /// The token of this role, where one was given.
    pub fn token(&self, role: Role) -> Option<&Token> {
        self.tokens.iter().find(|token| token.role == role)
    }

    /// Whether there is anything to judge by.
    pub fn looked_at_anything(&self) -> bool {
        let understood = |file: &crate::logs::LogFile| file.understood > 0;
        !(self.exchanges.is_empty()
            && self.tokens.is_empty()
            && self.beliefs.is_empty()
            && self.deployment.is_empty())
            || self.logs.files.iter().any(understood)
    }
}

/// Where a fact is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The token that was given.
    Token,
    /// The answer to a probe.
    Probe(Probe),
    /// A key file, by name.
    Keys(String),
    /// A file, by name, and a line (from 1) where there is one.
    File(String, Option<u64>),
    /// A log file, by name, and a line (from 1).
    Log(String, u64),
    /// An AWS operation, `service:Operation`.
    Aws(String),
    /// A route of a Tenure deployment.
    Deployment(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token => f.write_str("token"),
            Self::Probe(probe) => write!(f, "probe {probe} ({})", probe.id()),
            Self::Keys(name) | Self::File(name, None) => f.write_str(name),
            Self::File(name, Some(line)) | Self::Log(name, line) => write!(f, "{name}:{line}"),
            Self::Aws(operation) => write!(f, "AWS {operation}"),
            Self::Deployment(route) => f.write_str(route),
        }
    }
}

/// One finding that speaks for or against a cause, in a sentence without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    /// The sentence.
    pub says: String,
    /// Where it is from.
    pub source: Source,
    /// When it happened, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Clue {
    /// A finding of which it is not known when it happened.
    pub fn new(says: impl Into<String>, source: Source) -> Self {
        Self {
            says: says.into(),
            source,
            at: None,
        }
    }
}
