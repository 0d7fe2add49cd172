//! `POST /oauth2/introspect` (RFC 7662).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderValue, header};
use serde_json::{Value, json};
use tenure_core::lineage::{Row, Token};
use tenure_core::time::Timestamp;
use tenure_store::Loaded;

use super::revoke::session_of;
use crate::error::Fault;
use crate::extract::{Caller, Credentials, Form};
use crate::state::{AppState, Shared};
use crate::token::AccessClaims;

pub(crate) fn routes() -> Router<Shared> {
    let methods = post(handle)
        .fallback(async || Fault::MethodNotAllowed("the introspection endpoint takes POST"));
    Router::new().route("/oauth2/introspect", methods)
}

const SCOPE: &str = "tenure:introspect";

/// Only clients with a secret and the scope for it may ask: anybody else could try out stolen tokens
/// (RFC 7662 section 4).
async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    Form { fields, headers }: Form,
) -> Result<Response, Fault> {
    state.limits.load().token(caller.network)?;
    let client = Credentials::of(&headers, &fields)?.authenticate(&state)?;
    if client.0.is_public() || !client.0.scope.contains(SCOPE) {
        let why = "introspection is for clients with a secret and the scope tenure:introspect";
        return Err(Fault::Forbidden(why));
    }
    let presented = fields.required("token")?;
    let described = if presented.starts_with("tnr1_") {
        refresh_token(&state, presented).await?
    } else {
        access_token(&state, presented).await?
    };
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let body = described.unwrap_or_else(|| json!({ "active": false }));
    Ok((no_store, Json(body)).into_response())
}

async fn access_token(state: &AppState, presented: &str) -> Result<Option<Value>, Fault> {
    let Some(claims) = AccessClaims::read(state, presented)? else {
        return Ok(None);
    };
    if claims.session_ended(state).await? {
        return Ok(None);
    }
    let AccessClaims {
        sub,
        client_id,
        scope,
        sid,
        iss,
        aud,
        exp,
        iat,
        jti,
        auth_time,
    } = claims;
    let mut body = json!({
        "active": true, "token_type": "Bearer", "iss": iss, "sub": sub, "client_id": client_id,
        "aud": aud, "scope": scope, "exp": exp, "iat": iat, "jti": jti,
    });
    if let (Some(sid), Some(members)) = (sid, body.as_object_mut()) {
        members.insert("sid".to_owned(), sid.into());
        members.insert("auth_time".to_owned(), json!(auth_time));
    }
    Ok(Some(body))
}

/// Active while a presentation could still succeed: head or a child of it, in a living session.
async fn refresh_token(state: &AppState, presented: &str) -> Result<Option<Value>, Fault> {
    let Some(Loaded { row, cut }) = session_of(state, presented, None).await? else {
        return Ok(None);
    };
    let Ok(token) = state.keys.load().macs().read(presented) else {
        return Ok(None);
    };
    let ends = end_of(&row, &token);
    let cut = cut.is_some_and(|cut| cut.before > row.grant.auth_time);
    if row.revoked.is_some() || cut || !may_go_on(&row, &token) {
        return Ok(None);
    }
    if state.time_refuses(|now| now > ends)? {
        return Ok(None);
    }
    Ok(Some(json!({
        "active": true, "iss": state.config.load().issuer, "sub": row.grant.subject,
        "client_id": row.grant.client, "scope": row.grant.scope, "exp": ends,
        "iat": token.content().issued_at, "sid": state.keys.load().sid(row.lineage),
        "auth_time": row.grant.auth_time,
    })))
}

fn end_of(row: &Row, token: &Token) -> Timestamp {
    let used = row.head.since.max(token.content().issued_at);
    row.expires_absolute.min(used + row.idle)
}

fn may_go_on(row: &Row, token: &Token) -> bool {
    let (token, head) = (token.content(), &row.head);
    token.id == head.id || token.parent == head.id || token.generation > head.generation + 1
}
