//! `POST /api/auth/logout`.

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest as _, FromRequestParts as _, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::{HeaderMap, Request, StatusCode, header};
use serde::Deserialize;
use tenure_core::lineage::{EndCause, Row};
use tenure_core::secret::Secret;

use super::cookie::{self, Mode};
use crate::endpoint::revoke::session_of;
use crate::error::Fault;
use crate::extract::{Bearer, Caller, JsonBody};
use crate::session::{End, end};
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let methods = post(handle).fallback(async || Fault::MethodNotAllowed("sign out with POST"));
    Router::new().route("/api/auth/logout", methods)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Logout {
    refresh_token: Option<Secret>,
    #[serde(default)]
    mode: Mode,
}

/// Ends the session of the refresh token in the body or the cookie, else of the access token. Any
/// authentic token of the session ends it, retired ones too; an unknown one is over anyway.
async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response, Fault> {
    let (mut parts, body) = request.into_parts();
    let bearer = Bearer::from_request_parts(&mut parts, &state).await;
    let headers = parts.headers.clone();
    let logout = read(Request::from_parts(parts, body)).await?;
    if logout.mode == Mode::Cookie {
        return with_cookie(&state, &caller, &headers).await;
    }
    let presented = logout
        .refresh_token
        .filter(|token| !token.expose().trim().is_empty());
    if let Some(token) = presented {
        if let Some(loaded) = session_of(&state, token.expose(), None).await? {
            log_out(&state, &caller, &loaded.row).await?;
        }
    } else {
        let Bearer(claims) = bearer?;
        if let Some(row) = claims.session(&state).await? {
            log_out(&state, &caller, &row).await?;
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A request with an access token needs no body.
async fn read(request: Request<Body>) -> Result<Logout, Fault> {
    if !request.headers().contains_key(header::CONTENT_TYPE) {
        return Ok(Logout::default());
    }
    let JsonBody(logout) = JsonBody::from_request(request, &()).await?;
    Ok(logout)
}

async fn with_cookie(
    state: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Response, Fault> {
    let session = match cookie::read(state, headers) {
        Some(token) => session_of(state, token.expose(), None).await?,
        None => None,
    };
    let client = session
        .as_ref()
        .and_then(|loaded| state.client(&loaded.row.grant.client));
    Mode::Cookie.check(state, headers, client.as_deref())?;
    if let Some(loaded) = session {
        log_out(state, caller, &loaded.row).await?;
    }
    cookie::cleared(state, StatusCode::NO_CONTENT.into_response())
}

async fn log_out(state: &AppState, caller: &Caller, row: &Row) -> Result<(), Fault> {
    end(state, caller, End::of(row, EndCause::LoggedOut))
        .await
        .map(|_| ())
}
