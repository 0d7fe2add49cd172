//! Labelled cases: what a doctor would have had before it, and the cause that was really there.

use std::fmt;

use serde::{Deserialize, Serialize};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;

use crate::exchange::Exchange;
use crate::redact;

mod play;
mod tally;

pub use play::Played;
pub use tally::{Goal, Judged, Tally, measure};

/// One case of the corpus. One JSON file each; texts are as they were found, with throwaway tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique, in kebab-case: system, then fault (`nginx-underscore-header`).
    pub id: String,
    /// `client`, `edge`, `gateway`, `verifier`, `framework`, `session` or `healthy`.
    pub family: String,
    /// What was done to the system, in a sentence.
    pub fault: String,
    /// Ids of the causes that are right, the best first. Empty for a healthy case.
    pub expected: Vec<String>,
    /// Whether the evidence that settles the cause is among the inputs, so that `Confirmed` can be asked for.
    pub settling: bool,
    /// Where the case is from.
    pub origin: Origin,
    /// What the doctor is given.
    pub inputs: Inputs,
}

/// Where a case is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Recorded from a running system; its names and versions.
    Recorded(String),
    /// Written after a documented answer; its source.
    Documented(String),
}

/// What a doctor is given; each may be absent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inputs {
    /// The moment at which the doctor looks, in seconds.
    pub now: Timestamp,
    /// The token that the client presents, as found (with its blanks and quotes).
    pub token: Option<Secret>,
    /// A kept old token.
    pub old_token: Option<Secret>,
    /// A token of another user or client.
    pub other_token: Option<Secret>,
    /// Keys of the verifier's side: a JWKS, a discovery document, a PEM (`*.pem`), or a shared secret (`*.secret`).
    pub keys: Vec<Text>,
    /// The request of the client.
    pub target: Option<Target>,
    /// The answers of the probes that were recorded. What is not here cannot be asked.
    pub exchanges: Vec<Exchange>,
    /// Configuration files, templates, `.env` files; AWS answers as `aws/SERVICE/OPERATION.json`.
    pub files: Vec<Text>,
    /// Log files and HAR files.
    pub logs: Vec<Text>,
}

/// A named text, like a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// File name; its ending counts.
    pub name: String,
    /// Content.
    pub text: String,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (…)", self.name)
    }
}

/// What the client requests. `Debug` leaves out what the URL may hide.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The whole URL.
    pub url: String,
    /// The method, in capitals.
    #[serde(default = "get")]
    pub method: String,
    /// The origin of the web page that sends it, where it is a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The token issuer's URL, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, redact::url(&self.url))
    }
}

fn get() -> String {
    "GET".to_owned()
}
