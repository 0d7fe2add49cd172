//! `POST /api/auth/refresh`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::HeaderMap;
use serde::Deserialize;
use tenure_core::id::ClientId;
use tenure_core::secret::Secret;

use super::client::named;
use super::cookie::{self, Mode, deliver};
use crate::endpoint::token::{idempotency_key, key_claims};
use crate::error::Fault;
use crate::extract::{Caller, JsonBody};
use crate::session::{self, Refresh};
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let methods = post(handle).fallback(async || Fault::MethodNotAllowed("refresh with POST"));
    Router::new().route("/api/auth/refresh", methods)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    refresh_token: Option<Secret>,
    client_id: Option<ClientId>,
    tenure_claims: Option<String>,
    #[serde(default)]
    mode: Mode,
}

/// A refusal leaves the cookie alone: it may already be that of a newer sign-in in another tab.
async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, Fault> {
    state.limits.load().token(caller.network)?;
    let client = named(&state, &headers, body.client_id.as_ref())?;
    let named_client = client.as_ref().map(|client| &*client.0);
    body.mode.check(&state, &headers, named_client)?;
    let presented = presented(&state, &headers, body.mode, body.refresh_token)?;
    let ask = Refresh {
        presented,
        client,
        key: idempotency_key(&headers)?,
        claims: key_claims(body.tenure_claims.as_deref())?,
        scope: None,
        resources: Vec::new(),
        caller,
    };
    let tokens = session::refresh(&state, ask).await?;
    deliver(&state, body.mode, tokens)
}

fn presented(
    state: &AppState,
    headers: &HeaderMap,
    mode: Mode,
    in_body: Option<Secret>,
) -> Result<Secret, Fault> {
    let refused = |why: &str| Err(Fault::InvalidRequest(why.to_owned()));
    // An app that lost its token must not be told that the session is over.
    let in_body = in_body.filter(|token| !token.expose().trim().is_empty());
    match (mode, in_body) {
        (Mode::Bearer, Some(token)) => Ok(token),
        (Mode::Bearer, None) => refused("the field refresh_token is missing"),
        (Mode::Cookie, Some(_)) => {
            refused("in cookie mode the refresh token is in the cookie only")
        }
        (Mode::Cookie, None) => match cookie::read(state, headers) {
            Some(token) => Ok(token),
            None => refused("the request has no refresh cookie"),
        },
    }
}
