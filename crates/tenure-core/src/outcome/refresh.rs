//! What an answer of the refresh endpoint means for a session.
//!
//! One rule: only a well-formed OAuth error that names the grant, on 400 or 401, ends a session.
//! Whatever else goes wrong is the network's, the server's or the configuration's fault, and the
//! user stays signed in.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::lineage::EndCause;
use crate::secret::{Secret, is_blank};
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

/// What a kind of refresh endpoint calls things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Field of the access token.
    pub access_token: &'static str,
    /// Field of the refresh token.
    pub refresh_token: &'static str,
    /// Field of the access token's lifetime in seconds.
    pub expires_in: &'static str,
    /// Field of the error code.
    pub error: &'static str,
    /// Error codes that end the session.
    pub ends: &'static [&'static str],
}

impl Dialect {
    /// RFC 6749 sections 5.1 and 5.2.
    pub const OAUTH2: Self = Self {
        access_token: "access_token",
        refresh_token: "refresh_token",
        expires_in: "expires_in",
        error: "error",
        ends: &["invalid_grant"],
    };
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
    /// The request itself is wrong and will be until somebody changes something: the OAuth error
    /// code. The session is kept.
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
    /// No connection: DNS, refused, reset.
    Connection,
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
            Self::Connection => f.write_str("no connection"),
            Self::Tls => f.write_str("TLS failed"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Unintelligible => f.write_str("unintelligible answer"),
        }
    }
}

/// Judges one answer, or the trouble that stood in its place.
///
/// `now` turns a `Retry-After` date into a wait.
pub fn classify(reply: &Result<Answer<'_>, Trouble>, dialect: &Dialect, now: Timestamp) -> Outcome {
    let answer = match reply {
        Ok(answer) => answer,
        Err(trouble) => return Outcome::transient(*trouble),
    };
    let fields = serde_json::from_slice::<Map<String, Value>>(answer.body).ok();
    let verdict = match answer.status {
        200..=299 => fields.and_then(|fields| granted(&fields, dialect)),
        400 | 401 => fields.and_then(|fields| refused(&fields, dialect)),
        _ => None,
    };
    verdict.unwrap_or_else(|| Outcome::Transient {
        trouble: match answer.status {
            200..=299 => Trouble::Unintelligible,
            status => Trouble::Status(status),
        },
        retry_after: answer.retry_after.and_then(|text| retry_after(text, now)),
    })
}

impl Outcome {
    fn transient(trouble: Trouble) -> Self {
        Self::Transient {
            trouble,
            retry_after: None,
        }
    }
}

fn granted(fields: &Map<String, Value>, dialect: &Dialect) -> Option<Outcome> {
    Some(Outcome::Granted(Granted {
        access_token: secret(fields, dialect.access_token)?,
        refresh_token: secret(fields, dialect.refresh_token),
        expires_in: fields.get(dialect.expires_in).and_then(lifetime),
    }))
}

fn refused(fields: &Map<String, Value>, dialect: &Dialect) -> Option<Outcome> {
    let error = text(fields, dialect.error)?;
    if dialect.ends.contains(&error) {
        let reason = text(fields, "tenure_reason").and_then(EndCause::parse);
        return Some(Outcome::Definitive(reason.unwrap_or(EndCause::Unknown)));
    }
    OUR_FAULT
        .contains(&error)
        .then(|| Outcome::Misconfigured(error.to_owned()))
}

/// Errors that a retry repeats: RFC 6749 section 5.2, RFC 8707 section 2, RFC 9449 sections 5 and 8.
const OUR_FAULT: [&str; 8] = [
    "invalid_client",
    "invalid_dpop_proof",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
    "use_dpop_nonce",
];

fn secret(fields: &Map<String, Value>, name: &str) -> Option<Secret> {
    text(fields, name).map(Secret::new)
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = fields.get(name)?.as_str()?;
    (!is_blank(text)).then_some(text)
}

/// Seconds as a number or, as some servers send them, as text.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|lifetime| !lifetime.is_zero())
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
