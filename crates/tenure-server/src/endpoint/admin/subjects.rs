//! `GET` and `DELETE /admin/subjects/{subject}/sessions`.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, header};
use serde::Serialize;
use serde_json::{Value, json};
use tenure_core::id::{ClientId, Subject};
use tenure_core::lineage::{Device, EndCause, Revocation};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

use super::operator::Operator;
use crate::accounts::end_all;
use crate::error::Fault;
use crate::state::Shared;

pub(super) fn routes() -> Router<Shared> {
    let methods = get(list).delete(end_every).fallback(async || {
        Fault::MethodNotAllowed("sessions are listed with GET, ended with DELETE")
    });
    Router::new().route("/admin/subjects/{subject}/sessions", methods)
}

/// One session, ended ones included until they are purged. Times are seconds since 1970.
#[derive(Serialize)]
struct Session<'a> {
    sid: String,
    client_id: &'a ClientId,
    scope: &'a Scope,
    device: &'a Device,
    auth_time: Timestamp,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    /// Refreshes so far.
    generation: u32,
    /// `{at, cause}` where somebody or something ended it.
    ended: Option<Revocation>,
}

async fn list(
    State(state): State<Shared>,
    _: Operator,
    Path(subject): Path<Subject>,
) -> Result<Response, Fault> {
    let keys = state.keys.load_full();
    let rows = state.store.sessions_of(&subject).await?;
    let sessions: Vec<_> = rows
        .iter()
        .map(|row| Session {
            sid: keys.sid(row.lineage),
            client_id: &row.grant.client,
            scope: &row.grant.scope,
            device: &row.device,
            auth_time: row.grant.auth_time,
            created_at: row.created_at,
            last_used_at: row.head.since,
            expires_at: row.expires_absolute.min(row.head.since + row.idle),
            generation: row.head.generation,
            ended: row.revoked,
        })
        .collect();
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(json!({ "sessions": sessions }))).into_response())
}

/// Every session up to now, also those that a restored backup would bring back.
async fn end_every(
    State(state): State<Shared>,
    _: Operator,
    Path(subject): Path<Subject>,
) -> Result<Json<Value>, Fault> {
    let cause = EndCause::RevokedByAdmin;
    let ended = end_all(state.store.as_ref(), &subject, cause, state.now()).await?;
    Ok(Json(json!({ "ended": ended.len() })))
}
