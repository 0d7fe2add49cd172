//! `POST /api/auth/magic-link/redeem`: a link becomes a session.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::HeaderMap;
use serde::Deserialize;
use tenure_core::secret::Secret;

use super::checked_label;
use super::client::first_party;
use super::cookie::{Mode, deliver};
use super::magic::{open, redeem};
use crate::error::Fault;
use crate::extract::{Caller, JsonBody};
use crate::state::Shared;

pub(super) fn routes() -> Router<Shared> {
    let methods =
        post(handle).fallback(async || Fault::MethodNotAllowed("redeem a link with POST"));
    Router::new().route("/api/auth/magic-link/redeem", methods)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    token: Secret,
    device_label: Option<String>,
    #[serde(default)]
    mode: Mode,
}

/// Everything that can be wrong with the request is found before the link is used up.
async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, Fault> {
    state.limits.load().token(caller.network)?;
    let opened = open(&state, &body.token).await?;
    first_party(&state, &headers, &opened.client.id)?;
    body.mode.check(&state, &headers, Some(&opened.client))?;
    let label = checked_label(body.device_label)?;
    let tokens = redeem(&state, &caller, &body.token, &opened, label).await?;
    deliver(&state, body.mode, tokens)
}
