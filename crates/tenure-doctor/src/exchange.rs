//! One request and what came back.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tenure_core::time::Timestamp;

use crate::probe::Probe;

/// A probe that was sent, with its answer.
///
/// In [`crate::Evidence`] every text of it has passed redaction; in a recording of the corpus, which
/// holds throwaway tokens only, it is as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Which probe.
    pub probe: Probe,
    /// What was sent.
    pub request: Sent,
    /// What came back.
    pub result: Result<Answer, Failure>,
    /// When it was sent, by the doctor's clock, in seconds.
    pub at: Timestamp,
    /// Milliseconds until the whole answer was there, or until it failed.
    #[serde(default)]
    pub took_ms: u64,
    /// The address that it was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// A request. `Debug` leaves the values of header fields out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The method, in capitals.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Header fields in their order; names in lower case.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Bytes of body.
    #[serde(default)]
    pub body_bytes: u64,
}

/// An HTTP answer. `Debug` leaves the values of header fields and the body out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields in their order; names in lower case.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The first [`Self::BODY`] bytes of the body, as text; [`Self::DOCUMENT`] of what an issuer publishes or issues.
    #[serde(default)]
    pub body: String,
    /// Bytes of body in all, as far as they were read.
    #[serde(default)]
    pub body_bytes: u64,
}

impl Sent {
    /// The first field of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        field(&self.headers, name)
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (…)", self.method)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (…)", self.status)
    }
}

impl Answer {
    /// Bytes of a body that are kept.
    pub const BODY: usize = 4096;

    /// Bytes that are kept of metadata, keys and token answers, which are needed whole.
    pub const DOCUMENT: usize = 256 * 1024;

    /// Bytes after which a body is not read on.
    pub const ENOUGH: u64 = 1 << 20;

    /// The first field of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        field(&self.headers, name)
    }

    /// GraphQL services answer 200 and say in `errors` that nobody is signed in, or that it is not allowed.
    pub(crate) fn refuses_in_body(&self) -> bool {
        if self.status != 200 || !self.body.contains("\"errors\"") {
            return false;
        }
        let Ok(body) = serde_json::from_str::<serde_json::Value>(&self.body) else {
            return false;
        };
        let nothing = |data: &serde_json::Value| {
            let empty = |map: &serde_json::Map<_, _>| map.values().all(serde_json::Value::is_null);
            data.is_null() || data.as_object().is_some_and(empty)
        };
        let away = |error: &serde_json::Value| {
            let code = error.pointer("/extensions/code");
            let code = code.and_then(serde_json::Value::as_str);
            code.is_some_and(|code| AWAY.contains(&code.to_ascii_lowercase().as_str()))
        };
        let errors = body.get("errors").and_then(serde_json::Value::as_array);
        body.get("data").is_none_or(nothing) && errors.is_some_and(|all| all.iter().any(away))
    }
}

/// Codes of Apollo's and Hasura's errors; in lower case.
const AWAY: [&str; 8] = [
    "unauthenticated",
    "unauthorized",
    "forbidden",
    "access-denied",
    "invalid-jwt",
    "invalid-headers",
    "jwt-invalid-claims",
    "jwt-missing-role-claims",
];

fn field<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

/// No HTTP answer came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Nothing within the time allowed.
    Timeout,
    /// The port is closed.
    Refused,
    /// The connection ended before the answer was complete.
    Reset,
    /// The name has no address.
    Dns,
    /// TLS was not agreed on, and why.
    Tls(String),
    /// What came back is not HTTP.
    Malformed(String),
    /// No route to the address.
    Unreachable,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("nothing came back within the time allowed"),
            Self::Refused => f.write_str("the connection was refused: nothing listens there"),
            Self::Reset => f.write_str("the connection ended before the answer was complete"),
            Self::Dns => f.write_str("the host name has no address"),
            Self::Tls(why) => write!(f, "TLS was not agreed on: {why}"),
            Self::Malformed(why) => write!(f, "what came back is not HTTP: {why}"),
            Self::Unreachable => f.write_str("there is no way to the address (no network?)"),
        }
    }
}
