//! `GET /health/live` and `/health/ready`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use serde_json::{Map, Value, json};

use crate::state::Shared;
use crate::watch::shortcomings;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/health/live", get(async || StatusCode::OK))
}

/// For the operator's eyes: it names the store's place.
pub(crate) fn detailed_routes() -> Router<Shared> {
    Router::new().route("/health/ready", get(ready))
}

/// Ready means: the store takes writes, there are keys to sign with, and the clock is believed and
/// agrees with the store's.
async fn ready(State(state): State<Shared>) -> Response {
    let store = state.look_at_store().await;
    let doubt = state.clock.doubt();
    let is_ready = store.is_ok() && doubt.is_none();
    let described = state.described.load();
    let facts: Map<_, _> = described
        .facts
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    let body = json!({
        "ready": is_ready,
        "issuer": state.config.load().issuer,
        "store": {
            "kind": described.kind,
            "place": described.place,
            "durable": described.durable,
            "revoke_durability": described.revoke_durability,
            "facts": facts,
            "warnings": shortcomings(&described),
            "error": store.err().map(|error| error.to_string()),
        },
        "keys": { "signing": state.keys.load().signing_kid() },
        "clock": {
            "source": if state.config.load().dev { "host + virtual offset" } else { "host" },
            "trusted": doubt.is_none(),
            "doubt": doubt.map(|doubt| doubt.to_string()),
            "offset_seconds": state.clock.offset(),
            "store_ahead_seconds": state.clock.store_difference(),
        },
    });
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
