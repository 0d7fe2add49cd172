//! `POST /dev/clock`: with `--dev`, moves the service's clock forward, so that an app's handling of
//! expiry can be tried without waiting for it.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::extract::JsonBody;
use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/dev/clock", post(handle))
}

/// A step of more than ten years is a typing error.
const LONGEST_STEP: u64 = 10 * 365 * 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    advance_seconds: u64,
}

async fn handle(
    State(state): State<Shared>,
    JsonBody(step): JsonBody<Step>,
) -> Result<Json<Value>, Fault> {
    if step.advance_seconds > LONGEST_STEP {
        return Err(Fault::InvalidRequest(
            "advance_seconds is at most ten years".to_owned(),
        ));
    }
    match state.clock.advance(step.advance_seconds) {
        Ok(true) => Ok(Json(
            json!({ "now": state.now(), "offset_seconds": state.clock.offset() }),
        )),
        Ok(false) => Err(Fault::NotFound("the clock moves with --dev only")),
        Err(error) => Err(Fault::unavailable(format!("the clock's file: {error}"))),
    }
}
