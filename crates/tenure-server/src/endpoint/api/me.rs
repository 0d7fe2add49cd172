//! `GET /api/auth/me`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, header};
use serde_json::json;

use super::signed_in::SignedIn;
use crate::error::Fault;
use crate::state::Shared;

pub(super) fn routes() -> Router<Shared> {
    let methods = get(handle).fallback(async || Fault::MethodNotAllowed("read this with GET"));
    Router::new().route("/api/auth/me", methods)
}

/// `email` is absent for a subject of the adopter's own user table.
async fn handle(State(state): State<Shared>, who: SignedIn) -> Result<Response, Fault> {
    let SignedIn { claims, session } = who;
    let user = state.store.user(&claims.sub).await?;
    let mut body = json!({
        "sub": claims.sub,
        "client_id": claims.client_id,
        "scope": claims.scope,
        "session_id": claims.sid,
        "auth_time": session.grant.auth_time,
    });
    if let (Some(user), Some(members)) = (user, body.as_object_mut()) {
        members.insert("email".to_owned(), user.email.into());
    }
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(body)).into_response())
}
