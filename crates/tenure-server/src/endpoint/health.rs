//! `GET /health/live` and `/health/ready`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use serde_json::json;
use tenure_core::lineage::Clock;

use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/health/live", get(async || StatusCode::OK))
}

/// For the operator's eyes: it names the store's place.
pub(crate) fn detailed_routes() -> Router<Shared> {
    Router::new().route("/health/ready", get(ready))
}

/// Ready means: the store takes writes, there are keys to sign with, and the clock is believed.
async fn ready(State(state): State<Shared>) -> Response {
    let store = state.store.check().await;
    let clock_trusted = state.clock.trust() == Clock::Trusted;
    let is_ready = store.is_ok() && clock_trusted;
    let described = &state.described;
    let body = json!({
        "ready": is_ready,
        "issuer": state.config.load().issuer,
        "store": {
            "kind": described.kind,
            "place": described.place,
            "durable": described.durable,
            "revoke_durability": described.revoke_durability,
            "error": store.err().map(|error| error.to_string()),
        },
        "keys": { "signing": state.keys.load().signing_kid() },
        "clock": {
            "source": if state.config.load().dev { "host + virtual offset" } else { "host" },
            "trusted": clock_trusted,
            "offset_seconds": state.clock.offset(),
        },
    });
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
