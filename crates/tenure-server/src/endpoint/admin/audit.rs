//! `GET /admin/audit`: why was this user signed out?

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, header};
use serde_json::json;
use tenure_core::id::Subject;
use tenure_core::time::Timestamp;
use tenure_store::AuditQuery;

use super::operator::Operator;
use crate::error::Fault;
use crate::extract::{Fields, QueryFields};
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let methods = get(handle).fallback(async || Fault::MethodNotAllowed("read the trail with GET"));
    Router::new().route("/admin/audit", methods)
}

/// Events, newest first. `subject` or `email`, `since` in seconds since 1970, `limit` at most 10,000.
async fn handle(
    State(state): State<Shared>,
    _: Operator,
    QueryFields(fields): QueryFields,
) -> Result<Response, Fault> {
    let query = AuditQuery {
        subject: subject(&state, &fields).await?,
        since: number(&fields, "since")?.map(Timestamp),
        limit: number(&fields, "limit")?.map_or(0, |limit| {
            u32::try_from(limit).unwrap_or(u32::MAX).min(10_000)
        }),
    };
    let events = state.store.audit(&query).await?;
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(json!({ "events": events }))).into_response())
}

async fn subject(state: &AppState, fields: &Fields) -> Result<Option<Subject>, Fault> {
    let Some(email) = fields.optional("email") else {
        return Ok(fields.optional("subject").map(Subject::new));
    };
    if fields.optional("subject").is_some() {
        return Err(Fault::InvalidRequest(
            "ask for subject or email, not both".to_owned(),
        ));
    }
    let user = state.store.user_by_email(email).await?;
    user.map(|user| Some(user.subject))
        .ok_or(Fault::NotFound("there is no such account"))
}

fn number(fields: &Fields, name: &'static str) -> Result<Option<u64>, Fault> {
    let Some(text) = fields.optional(name) else {
        return Ok(None);
    };
    let wrong = |_| Fault::InvalidRequest(format!("{name} is a whole number"));
    text.parse().map(Some).map_err(wrong)
}
