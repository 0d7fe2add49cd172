//! `GET /metrics`: Prometheus exposition (OpenMetrics text).

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/metrics", get(handle))
}

async fn handle(State(state): State<Shared>) -> Response {
    let text = state.metrics.text(&state);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
