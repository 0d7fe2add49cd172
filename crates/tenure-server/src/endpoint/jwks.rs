//! `GET /oauth2/jwks`: the public signing keys (RFC 7517).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header;

use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/oauth2/jwks", get(handle))
}

/// Cached for less than the time a new key is published before it signs.
async fn handle(State(state): State<Shared>) -> Response {
    let distribute = state.config.load().keys.distribute.as_secs();
    let max_age = format!("public, max-age={}", (distribute / 2).min(300));
    (
        [(header::CACHE_CONTROL, max_age)],
        Json(state.keys.load().jwks()),
    )
        .into_response()
}
