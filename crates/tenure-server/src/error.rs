//! Every refusal, by culprit, and the one map of them to the wire.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use tenure_core::lineage::EndCause;
use tenure_store::StoreError;

/// Our own trouble passes soon; a client that waits this long rarely waits twice.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// RFC 6749 section 5.2.
    InvalidRequest(String),
    /// The client did not prove who it is; `basic` where it tried the `Authorization` header.
    InvalidClient { basic: bool, why: &'static str },
    /// The grant is definitively over, and why.
    InvalidGrant {
        cause: Option<EndCause>,
        why: &'static str,
    },
    /// RFC 6749 section 5.2.
    InvalidScope(String),
    /// RFC 8707 section 2.
    InvalidTarget(String),
    /// RFC 6749 section 5.2.
    UnauthorizedClient(&'static str),
    /// RFC 6749 section 5.2.
    UnsupportedGrantType(String),
    /// RFC 8628 section 3.5.
    Device(DeviceFault),
    /// No token at all: the challenge names no error (RFC 6750 section 3.1).
    NoToken,
    /// This access token is bad, and why.
    InvalidToken(&'static str),
    /// The token is good; the named scope is not in it.
    InsufficientScope(&'static str),
    /// E-mail and password do not match an account.
    WrongCredentials,
    /// The caller is known and may not do this.
    Forbidden(&'static str),
    /// There is no such thing.
    NotFound(&'static str),
    /// It exists already.
    Conflict(&'static str),
    /// The path is right, the method is not.
    MethodNotAllowed(&'static str),
    /// Longer than any real request.
    TooLarge,
    /// Another `Content-Type` is expected.
    UnsupportedMediaType(&'static str),
    /// Slow down.
    TooMany { retry_after: Duration },
    /// Our trouble, never the user's.
    Unavailable { retry_after: Duration, why: String },
}

/// Why a device gets no tokens (RFC 8628 section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceFault {
    /// Nobody has decided.
    Pending,
    /// Nobody has decided, and the device asks too often.
    SlowDown,
    /// The person said no.
    Denied,
    /// Nobody has decided in time.
    Expired,
}

impl DeviceFault {
    fn wire(self) -> (&'static str, &'static str) {
        match self {
            Self::Pending => (
                "authorization_pending",
                "nobody has allowed this device yet; ask again after the interval",
            ),
            Self::SlowDown => (
                "slow_down",
                "nobody has allowed this device yet; the interval is five seconds longer from now on",
            ),
            Self::Denied => ("access_denied", "the user did not allow it"),
            Self::Expired => ("expired_token", "the device code has expired; begin again"),
        }
    }
}

impl Fault {
    /// Our trouble; says when to come back.
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable {
            retry_after: RETRY_AFTER,
            why: why.into(),
        }
    }

    /// The grant is over for `cause`.
    pub(crate) fn ended(cause: EndCause) -> Self {
        let why = match cause {
            EndCause::ExpiredIdle => "the session was not used for its idle limit",
            EndCause::ExpiredAbsolute => "the session reached its absolute lifetime",
            EndCause::LoggedOut => "the user signed out",
            EndCause::RevokedByUser => "the user ended this session from another device",
            EndCause::RevokedByAdmin => "an administrator ended this session",
            EndCause::CredentialsChanged => "the password was changed",
            EndCause::AccountDisabled => "the account is disabled",
            EndCause::ClientRemoved => "the client is no longer registered",
            EndCause::TheftDetected => "this sign-in was copied: two holders of one token went on",
            EndCause::Unknown => "the refresh token is not known here",
        };
        Self::InvalidGrant {
            cause: Some(cause),
            why,
        }
    }

    fn wire(&self) -> Wire<'_> {
        use StatusCode as S;
        match self {
            Self::InvalidRequest(why) => Wire::new(S::BAD_REQUEST, "invalid_request", why),
            Self::InvalidClient { why, .. } => Wire::new(S::UNAUTHORIZED, "invalid_client", why),
            Self::InvalidGrant { why, .. } => Wire::new(S::BAD_REQUEST, "invalid_grant", why),
            Self::InvalidScope(why) => Wire::new(S::BAD_REQUEST, "invalid_scope", why),
            Self::InvalidTarget(why) => Wire::new(S::BAD_REQUEST, "invalid_target", why),
            Self::UnauthorizedClient(why) => Wire::new(S::BAD_REQUEST, "unauthorized_client", why),
            Self::UnsupportedGrantType(why) => {
                Wire::new(S::BAD_REQUEST, "unsupported_grant_type", why)
            }
            Self::Device(fault) => {
                let (error, why) = fault.wire();
                Wire::new(S::BAD_REQUEST, error, why)
            }
            Self::NoToken => Wire::new(S::UNAUTHORIZED, "", ""),
            Self::InvalidToken(why) => Wire::new(S::UNAUTHORIZED, "invalid_token", why),
            Self::InsufficientScope(_) => Wire::new(
                S::FORBIDDEN,
                "insufficient_scope",
                "the token lacks a scope",
            ),
            Self::WrongCredentials => Wire::new(
                S::UNAUTHORIZED,
                "invalid_credentials",
                "wrong e-mail or password",
            ),
            Self::Forbidden(why) => Wire::new(S::FORBIDDEN, "access_denied", why),
            Self::NotFound(why) => Wire::new(S::NOT_FOUND, "not_found", why),
            Self::Conflict(why) => Wire::new(S::CONFLICT, "conflict", why),
            Self::MethodNotAllowed(why) => {
                Wire::new(S::METHOD_NOT_ALLOWED, "method_not_allowed", why)
            }
            Self::TooLarge => Wire::new(
                S::PAYLOAD_TOO_LARGE,
                "invalid_request",
                "the body exceeds 64 KiB",
            ),
            Self::UnsupportedMediaType(why) => {
                Wire::new(S::UNSUPPORTED_MEDIA_TYPE, "invalid_request", why)
            }
            Self::TooMany { .. } => Wire::new(
                S::TOO_MANY_REQUESTS,
                "slow_down",
                "too many requests; see Retry-After",
            ),
            Self::Unavailable { why, .. } => {
                Wire::new(S::SERVICE_UNAVAILABLE, "temporarily_unavailable", why)
            }
        }
    }

    fn challenge(&self, wire: &Wire<'_>) -> Option<String> {
        let Wire {
            error, description, ..
        } = wire;
        match self {
            Self::InvalidClient { basic: true, .. } => Some("Basic realm=\"tenure\"".to_owned()),
            Self::NoToken => Some("Bearer realm=\"tenure\"".to_owned()),
            Self::InvalidToken(_) | Self::Forbidden(_) | Self::WrongCredentials => Some(format!(
                "Bearer realm=\"tenure\", error=\"{error}\", error_description=\"{description}\""
            )),
            Self::InsufficientScope(scope) => Some(format!(
                "Bearer realm=\"tenure\", error=\"{error}\", error_description=\"{description}\", scope=\"{scope}\""
            )),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after } | Self::Unavailable { retry_after, .. } => {
                Some(retry_after.as_secs().max(1))
            }
            _ => None,
        }
    }

    fn cause(&self) -> Option<EndCause> {
        match self {
            Self::InvalidGrant { cause, .. } => *cause,
            _ => None,
        }
    }
}

struct Wire<'a> {
    status: StatusCode,
    error: &'static str,
    description: &'a str,
}

impl<'a> Wire<'a> {
    fn new(status: StatusCode, error: &'static str, description: &'a str) -> Self {
        Self {
            status,
            error,
            description,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if let Self::Unavailable { why, .. } = &self {
            tracing::error!(event = "unavailable", why, "answered 503");
        }
        let wire = self.wire();
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge(&wire)
            && let Ok(challenge) = HeaderValue::from_str(&challenge)
        {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if wire.error.is_empty() {
            return (wire.status, headers).into_response();
        }
        let mut body = json!({ "error": wire.error, "error_description": wire.description });
        if let (Some(cause), Some(fields)) = (self.cause(), body.as_object_mut()) {
            fields.insert("tenure_reason".to_owned(), cause.as_str().into());
        }
        (wire.status, headers, Json(body)).into_response()
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error.to_string())
    }
}
