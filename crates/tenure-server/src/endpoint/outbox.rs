//! `GET /dev/outbox`: with `--dev`, the mails of this process. JSON for `Accept: application/json`.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::error::Fault;
use crate::mail::Mail;
use crate::page::respond;
use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/dev/outbox", get(handle))
}

#[derive(Template)]
#[template(path = "outbox.html")]
struct Page {
    mails: Vec<Mail>,
}

async fn handle(State(state): State<Shared>, headers: HeaderMap) -> Result<Response, Fault> {
    let mails = state.mailer.outbox();
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if !accept.is_some_and(|accept| accept.starts_with("application/json")) {
        return respond(StatusCode::OK, &Page { mails }, &[]);
    }
    let mail = |mail: &Mail| json!({ "to": mail.to, "subject": mail.subject, "text": mail.text });
    let mails: Vec<_> = mails.iter().map(mail).collect();
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(json!({ "mails": mails }))).into_response())
}
