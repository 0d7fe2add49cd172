//! `GET` and `DELETE /api/auth/sessions`, `DELETE /api/auth/sessions/{id}`: a user's own devices.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use tenure_core::id::ClientId;
use tenure_core::lineage::{Cut, Device, EndCause, Row};
use tenure_core::time::Timestamp;
use tenure_store::AuditEvent;

use super::signed_in::SignedIn;
use crate::error::Fault;
use crate::extract::Caller;
use crate::session::{End, end};
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let all = get(list).delete(end_others).fallback(async || {
        Fault::MethodNotAllowed("sessions are listed with GET, ended with DELETE")
    });
    let one = delete(end_one)
        .fallback(async || Fault::MethodNotAllowed("a session is ended with DELETE"));
    Router::new()
        .route("/api/auth/sessions", all)
        .route("/api/auth/sessions/{id}", one)
}

/// One signed-in device. Times are seconds since 1970.
#[derive(Serialize)]
struct Session<'a> {
    id: String,
    client_id: &'a ClientId,
    device: &'a Device,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    current: bool,
}

async fn list(State(state): State<Shared>, who: SignedIn) -> Result<Response, Fault> {
    let (keys, now) = (state.keys.load_full(), state.now());
    let rows = state.store.sessions_of(&who.claims.sub).await?;
    let cut = state
        .store
        .load(who.session.lineage)
        .await?
        .and_then(|loaded| loaded.cut);
    let sessions: Vec<_> = rows
        .iter()
        .filter(|row| may_live(row, cut, now))
        .map(|row| Session {
            id: keys.sid(row.lineage),
            client_id: &row.grant.client,
            device: &row.device,
            created_at: row.created_at,
            last_used_at: row.head.since,
            expires_at: row.expires_absolute.min(row.head.since + row.idle),
            current: row.lineage == who.session.lineage,
        })
        .collect();
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(json!({ "sessions": sessions }))).into_response())
}

/// Twice the idle limit: a refresh whose answer was lost extends a session without a trace, and a
/// list that hides a living session is worse than one that shows a dead one.
fn may_live(row: &Row, cut: Option<Cut>, now: Timestamp) -> bool {
    row.revoked.is_none()
        && cut.is_none_or(|cut| cut.before <= row.grant.auth_time)
        && now <= row.expires_absolute
        && now <= row.head.since + row.idle + row.idle
}

async fn end_one(
    State(state): State<Shared>,
    caller: Caller,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let keys = state.keys.load_full();
    let rows = state.store.sessions_of(&who.claims.sub).await?;
    let row = rows.into_iter().find(|row| keys.sid(row.lineage) == id);
    let row = row.ok_or(Fault::NotFound("you have no such session"))?;
    end(&state, &caller, End::of(&row, EndCause::RevokedByUser)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all but the session that asks, with what could start another one: browser sign-ins, links
/// and codes on their way.
async fn end_others(
    State(state): State<Shared>,
    caller: Caller,
    who: SignedIn,
) -> Result<Response, Fault> {
    let cut = Cut {
        before: state.now(),
        cause: EndCause::RevokedByUser,
    };
    let keep = Some(who.session.lineage);
    let ended = state
        .store
        .revoke_subject(&who.claims.sub, cut, keep)
        .await?;
    state.store.drop_tickets_of(&who.claims.sub).await?;
    state
        .audit(others_ended(&state, &caller, &who, ended.len()))
        .await;
    Ok(Json(json!({ "ended": ended.len() })).into_response())
}

fn others_ended(state: &AppState, caller: &Caller, who: &SignedIn, count: usize) -> AuditEvent {
    let cause = EndCause::RevokedByUser;
    tracing::info!(event = "sessions_ended", reason = cause.as_str(), count);
    AuditEvent {
        at: state.now(),
        event: "sessions_ended".to_owned(),
        subject: Some(who.claims.sub.clone()),
        client: Some(who.claims.client_id.clone()),
        // The one that asked, and goes on.
        sid: who.claims.sid.clone(),
        reason: Some(format!("{cause} ({count} other sessions)")),
        ip_prefix: Some(caller.network.to_string()),
        request_id: caller.request_id(),
    }
}
