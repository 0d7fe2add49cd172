//! What an answer of the refresh endpoint means for a session.
//!
//! One rule: only a well-formed OAuth error that names the grant, on 400 or 401 (or where the
//! service's dialect has its errors), ends a session.
//! Whatever else goes wrong is the network's, the server's or the configuration's fault, and the
//! user stays signed in.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::Dialect;
use crate::lineage::EndCause;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The longest `Retry-After` that is obeyed: a longer one would be a sign-out by another name.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The parts of an HTTP answer that count.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The `Retry-After` header as sent: seconds or a date (RFC 9110 section 10.2.3).
    pub retry_after: Option<&'a str>,
    /// The body, complete.
    pub body: &'a [u8],
}

/// What the client must do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// New tokens.
    Granted(Granted),
    /// The session is over, and the server says why (`tenure_reason`; otherwise `Unknown`).
    Definitive(EndCause),
    /// Nothing is known to be wrong with the session: try again later.
    Transient {
        /// What went wrong.
        trouble: Trouble,
        /// How long the server asks to wait, at most [`LONGEST_RETRY_AFTER`].
        retry_after: Option<Duration>,
    },
    /// The request itself is wrong and will be until somebody changes something: the error code
    /// and the service's explanation. The session is kept.
    Misconfigured(String),
}

/// The tokens of a successful answer; nothing in it is blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token; `None` where the presented one stays in use.
    pub refresh_token: Option<Secret>,
    /// Lifetime of the access token, where stated and not zero.
    pub expires_in: Option<Duration>,
}

/// Why an attempt failed without saying anything about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No answer in time.
    Timeout,
    /// The service's name has no address now.
    Dns,
    /// No connection: refused, unreachable, or closed before anything was sent.
    Connection,
    /// The connection broke before the answer was complete; the service may have done its part.
    Lost,
    /// TLS could not be agreed on.
    Tls,
    /// A status that says nothing about the grant.
    Status(u16),
    /// An answer that cannot be read, or a success without an access token.
    Unintelligible,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("no answer in time"),
            Self::Dns => f.write_str("name not found"),
            Self::Connection => f.write_str("no connection"),
            Self::Lost => f.write_str("connection lost before the answer was complete"),
            Self::Tls => f.write_str("TLS failed"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Unintelligible => f.write_str("unintelligible answer"),
        }
    }
}

/// Judges one answer, or the trouble that stood in its place.
///
/// `now` turns moments into lengths of time, so it is best the answer's own `Date`.
pub fn classify(reply: &Result<Answer<'_>, Trouble>, dialect: &Dialect, now: Timestamp) -> Outcome {
    let answer = match reply {
        Ok(answer) => answer,
        Err(trouble) => return Outcome::transient(*trouble),
    };
    let says = serde_json::from_slice::<Value>(answer.body).ok();
    let verdict = says.and_then(|says| {
        let success = matches!(answer.status, 200..=299);
        let granted = success.then(|| dialect.granted(&says, now)).flatten();
        granted.or_else(|| {
            let believed = dialect.statuses.contains(&answer.status);
            believed.then(|| dialect.refused(&says)).flatten()
        })
    });
    verdict.unwrap_or_else(|| Outcome::Transient {
        trouble: match answer.status {
            200..=299 => Trouble::Unintelligible,
            status => Trouble::Status(status),
        },
        retry_after: answer.retry_after.and_then(|text| retry_after(text, now)),
    })
}

impl Outcome {
    pub(super) fn transient(trouble: Trouble) -> Self {
        Self::Transient {
            trouble,
            retry_after: None,
        }
    }
}

/// Reads `Retry-After` in both forms of RFC 9110 section 10.2.3, capped.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => date(text)?.since(now),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// Reads an HTTP date in any of the forms of RFC 9110 section 5.6.7.
pub fn date(text: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp(since_epoch.as_secs()))
}

#[cfg(test)]
mod tests;
