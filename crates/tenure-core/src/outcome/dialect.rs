//! What kinds of refresh endpoints call things.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Granted, Outcome};
use crate::lineage::EndCause;
use crate::secret::{Secret, is_blank};
use crate::time::Timestamp;

/// The names in the JSON answers of one kind of refresh endpoint.
///
/// Fields are paths with dots, such as `AuthenticationResult.AccessToken`. A field that is blank
/// (empty, whitespace, `null`, `"undefined"`, not text) counts as absent. To change a few names:
///
/// ```
/// use tenure_core::outcome::{Dialect, ErrorPattern};
///
/// let dialect = Dialect {
///     access_token: "data.token".into(),
///     ends: vec![ErrorPattern::code("SESSION_EXPIRED")].into(),
///     ..Dialect::CAMEL_CASE
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Field of the access token.
    pub access_token: Cow<'static, str>,
    /// Field of the refresh token.
    pub refresh_token: Cow<'static, str>,
    /// Field of the access token's lifetime in seconds, a number or text.
    pub expires_in: Cow<'static, str>,
    /// Field of the moment when the access token ends, used where there is no lifetime: seconds or
    /// milliseconds since 1970, or a date and time as in RFC 3339, UTC where it names no zone.
    pub expires_at: Option<Cow<'static, str>>,
    /// Field of the error code.
    pub error: Cow<'static, str>,
    /// Field of the text that explains the error.
    pub message: Option<Cow<'static, str>>,
    /// Statuses under which an error is believed to come from the service itself: 400 and 401 (RFC
    /// 6749 section 5.2). Under any other, a firewall or a proxy may be speaking.
    pub statuses: Cow<'static, [u16]>,
    /// Errors that end the session.
    pub ends: Cow<'static, [ErrorPattern]>,
    /// Errors that a repetition of the request repeats: somebody has to change something.
    pub misconfigured: Cow<'static, [ErrorPattern]>,
}

/// Which errors are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPattern {
    /// The error code, exactly. AWS puts a namespace and `#` in front of it, which is ignored.
    pub code: Cow<'static, str>,
    /// How the text that explains it begins, in upper or lower case; `None`: whatever it says.
    pub message: Option<Cow<'static, str>>,
}

impl ErrorPattern {
    /// All errors with this code.
    pub const fn code(code: &'static str) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: None,
        }
    }

    /// Errors with this code whose text begins so.
    pub const fn saying(code: &'static str, message: &'static str) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: Some(Cow::Borrowed(message)),
        }
    }

    fn matches(&self, refusal: &Refusal) -> bool {
        let begins = |start: &str| {
            let text = refusal.message.as_deref().unwrap_or_default();
            let head = text.get(..start.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(start))
        };
        self.code == refusal.code && self.message.as_deref().is_none_or(begins)
    }
}

/// An error in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error code.
    pub code: String,
    /// The text that explains it.
    pub message: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{} ({message})", self.code),
            None => f.write_str(&self.code),
        }
    }
}

/// Enough for a sentence or two.
const LONGEST_MESSAGE: usize = 300;

/// RFC 6749 section 5.2, RFC 8707 section 2, RFC 9449 sections 5 and 8.
const OUR_FAULT: [ErrorPattern; 8] = [
    ErrorPattern::code("invalid_client"),
    ErrorPattern::code("invalid_dpop_proof"),
    ErrorPattern::code("invalid_request"),
    ErrorPattern::code("invalid_scope"),
    ErrorPattern::code("invalid_target"),
    ErrorPattern::code("unauthorized_client"),
    ErrorPattern::code("unsupported_grant_type"),
    ErrorPattern::code("use_dpop_nonce"),
];

impl Dialect {
    /// RFC 6749 sections 5.1 and 5.2.
    pub const OAUTH2: Self = Self {
        access_token: Cow::Borrowed("access_token"),
        refresh_token: Cow::Borrowed("refresh_token"),
        expires_in: Cow::Borrowed("expires_in"),
        expires_at: None,
        error: Cow::Borrowed("error"),
        message: Some(Cow::Borrowed("error_description")),
        statuses: Cow::Borrowed(&[400, 401]),
        ends: Cow::Borrowed(&[ErrorPattern::code("invalid_grant")]),
        misconfigured: Cow::Borrowed(&OUR_FAULT),
    };

    /// The same in `camelCase`, as routes written by hand in JavaScript have it, with
    /// `accessExpiresAt` where there is no `expiresIn`.
    pub const CAMEL_CASE: Self = Self {
        access_token: Cow::Borrowed("accessToken"),
        refresh_token: Cow::Borrowed("refreshToken"),
        expires_in: Cow::Borrowed("expiresIn"),
        expires_at: Some(Cow::Borrowed("accessExpiresAt")),
        error: Cow::Borrowed("error"),
        message: Some(Cow::Borrowed("message")),
        statuses: Cow::Borrowed(&[400, 401]),
        ends: Cow::Borrowed(&[ErrorPattern::code("invalid_grant")]),
        misconfigured: Cow::Borrowed(&OUR_FAULT),
    };

    /// The same, for a service that names its errors under `status`, too: Auth0 says `invalid_grant`
    /// under 403, GitHub `bad_refresh_token` under 200.
    #[must_use]
    pub fn also_under(mut self, status: u16) -> Self {
        self.statuses.to_mut().push(status);
        self
    }

    /// The error that `body` names; `None` where it is no JSON or names none.
    pub fn refusal(&self, body: &[u8]) -> Option<Refusal> {
        self.named(&serde_json::from_slice(body).ok()?)
    }

    /// What a 2xx says. `now`, by the server's clock, turns a moment into a lifetime.
    pub(super) fn granted(&self, answer: &Value, now: Timestamp) -> Option<Outcome> {
        Some(Outcome::Granted(Granted {
            access_token: text(answer, &self.access_token).map(Secret::new)?,
            refresh_token: text(answer, &self.refresh_token).map(Secret::new),
            expires_in: self.lifetime(answer, now),
        }))
    }

    /// What an answer under one of the statuses says.
    pub(super) fn refused(&self, answer: &Value) -> Option<Outcome> {
        let refusal = self.named(answer)?;
        if self.ends.iter().any(|end| end.matches(&refusal)) {
            let reason = text(answer, "tenure_reason").and_then(EndCause::parse);
            return Some(Outcome::Definitive(reason.unwrap_or(EndCause::Unknown)));
        }
        let ours = self.misconfigured.iter().any(|ours| ours.matches(&refusal));
        ours.then(|| Outcome::Misconfigured(refusal.to_string()))
    }

    fn lifetime(&self, answer: &Value, now: Timestamp) -> Option<Duration> {
        let stated = at(answer, &self.expires_in).and_then(number);
        stated.and_then(positive).or_else(|| {
            let ends = moment(at(answer, self.expires_at.as_deref()?)?)?;
            let left = ends.checked_sub(Duration::from_secs(now.0))?;
            (!left.is_zero()).then_some(left)
        })
    }

    fn named(&self, answer: &Value) -> Option<Refusal> {
        let code = text(answer, &self.error)?;
        let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
        let message = self.message.as_deref().and_then(|path| text(answer, path));
        Some(Refusal {
            code: code.to_owned(),
            message: message.map(line),
        })
    }
}

/// Follows `path`, a name after the other.
fn at<'a>(answer: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(answer, |value, name| value.get(name))
}

fn text<'a>(answer: &'a Value, path: &str) -> Option<&'a str> {
    let text = at(answer, path)?.as_str()?;
    (!is_blank(text)).then_some(text)
}

/// For logs and screens: on one line, and not a whole page.
fn line(text: &str) -> String {
    let shown = text.chars().filter(|shown| !shown.is_control());
    shown.take(LONGEST_MESSAGE).collect()
}

/// A number, or text that is one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Time since 1970.
fn moment(value: &Value) -> Option<Duration> {
    if let Some(number) = number(value) {
        // As seconds it would be in the year 5138, as milliseconds in March 1973.
        return positive(if number < 1e11 { number } else { number / 1e3 });
    }
    let text = value.as_str()?.trim();
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let moment = parse(text).or_else(|| parse(&format!("{text}Z")))?;
    u64::try_from(moment.unix_timestamp())
        .ok()
        .map(Duration::from_secs)
}

fn positive(seconds: f64) -> Option<Duration> {
    let length = Duration::try_from_secs_f64(seconds).ok();
    length.filter(|length| !length.is_zero())
}

#[cfg(test)]
mod tests;
