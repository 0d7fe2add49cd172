//! Cookie mode: the refresh token lives in a cookie that scripts cannot read.

use axum::response::Response;
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use tenure_core::secret::Secret;
use url::Url;

use crate::config::Client;
use crate::endpoint::token::answer;
use crate::error::Fault;
use crate::session::Tokens;
use crate::state::AppState;

/// Where the refresh token travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// In the body.
    #[default]
    Bearer,
    /// In a cookie, and never in the body.
    Cookie,
}

impl Mode {
    /// Before tokens are given in this mode: refuses what another site may have made the browser
    /// send. To what is in the body a browser adds nothing by itself.
    pub(super) fn check(
        self,
        state: &AppState,
        headers: &HeaderMap,
        client: Option<&Client>,
    ) -> Result<(), Fault> {
        match self {
            Self::Bearer => Ok(()),
            Self::Cookie => check_origin(state, headers, client),
        }
    }
}

/// The token answer of the mode.
pub(super) fn deliver(state: &AppState, mode: Mode, mut tokens: Tokens) -> Result<Response, Fault> {
    if mode == Mode::Bearer {
        return Ok(answer(tokens));
    }
    let refresh_token = tokens.refresh_token.take();
    let lifetime = tokens.refresh_expires_in.unwrap_or_default();
    let mut response = answer(tokens);
    if let Some(token) = refresh_token {
        let cookie = set(state, token.expose(), lifetime)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The refresh token of the cookie.
pub(super) fn read(state: &AppState, headers: &HeaderMap) -> Option<Secret> {
    let name = name(state);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name && !cookie.value().is_empty())
        .map(|cookie| Secret::new(cookie.value()))
}

/// The answer, and the browser forgets the cookie.
pub(super) fn cleared(state: &AppState, mut response: Response) -> Result<Response, Fault> {
    response
        .headers_mut()
        .append(header::SET_COOKIE, set(state, "", 0)?);
    Ok(response)
}

/// A form or link cannot carry the
/// header; a script of another origin would have to ask first, and is not answered.
fn check_origin(
    state: &AppState,
    headers: &HeaderMap,
    client: Option<&Client>,
) -> Result<(), Fault> {
    if headers
        .get("x-tenure-csrf")
        .is_none_or(|value| value != "1")
    {
        return Err(Fault::Forbidden(
            "cookie mode takes the header X-Tenure-CSRF: 1",
        ));
    }
    let refused = Err(Fault::Forbidden("the request comes from another site"));
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let Some(origin) = text("origin") else {
        let site = text("sec-fetch-site").unwrap_or("none");
        return if matches!(site, "same-origin" | "none") {
            Ok(())
        } else {
            refused
        };
    };
    let own = Url::parse(&state.config.load().issuer)
        .is_ok_and(|issuer| issuer.origin().ascii_serialization() == origin);
    let allowed =
        client.is_some_and(|client| client.allowed_origins.iter().any(|one| one == origin));
    if own || allowed { Ok(()) } else { refused }
}

/// `__Host-` pins the cookie to this host and to TLS; browsers refuse it on plain loopback HTTP.
fn name(state: &AppState) -> &'static str {
    if is_secure(state) {
        "__Host-tenure_refresh"
    } else {
        "tenure_refresh"
    }
}

fn is_secure(state: &AppState) -> bool {
    state.config.load().issuer.starts_with("https://")
}

fn set(state: &AppState, value: &str, lifetime_seconds: u64) -> Result<HeaderValue, Fault> {
    let lifetime = i64::try_from(lifetime_seconds).unwrap_or(i64::MAX);
    let cookie = Cookie::build((name(state), value))
        .path("/")
        .http_only(true)
        .secure(is_secure(state))
        .same_site(SameSite::Strict)
        .max_age(cookie::time::Duration::seconds(lifetime));
    let mut value = HeaderValue::from_str(&cookie.to_string())
        .map_err(|_| Fault::unavailable("the cookie is no header value"))?;
    value.set_sensitive(true);
    Ok(value)
}
