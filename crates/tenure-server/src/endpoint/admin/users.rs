//! `POST /admin/users`, `POST /admin/users/{subject}/disable`, `…/enable` and `…/password`.

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_core::id::Subject;
use tenure_core::secret::Secret;

use super::operator::Operator;
use crate::accounts::{self, Credential, NewUser};
use crate::error::Fault;
use crate::extract::JsonBody;
use crate::state::Shared;

pub(super) fn routes() -> Router<Shared> {
    let takes_post = async || Fault::MethodNotAllowed("accounts are changed with POST");
    Router::new()
        .route("/admin/users", post(add).fallback(takes_post))
        .route(
            "/admin/users/{subject}/disable",
            post(disable).fallback(takes_post),
        )
        .route(
            "/admin/users/{subject}/enable",
            post(enable).fallback(takes_post),
        )
        .route(
            "/admin/users/{subject}/password",
            post(set_password).fallback(takes_post),
        )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    email: String,
    /// Neither this nor `password_hash`: the account signs in by links only.
    password: Option<Secret>,
    password_hash: Option<String>,
    subject: Option<Subject>,
}

async fn add(
    State(state): State<Shared>,
    _: Operator,
    JsonBody(new): JsonBody<New>,
) -> Result<(StatusCode, Json<Value>), Fault> {
    let credential = match (new.password, new.password_hash) {
        (Some(password), None) => Credential::Password(password),
        (None, Some(hash)) => Credential::Hash(hash),
        (None, None) => Credential::Mail,
        (Some(_), Some(_)) => {
            let why = "send password or password_hash, not both";
            return Err(Fault::InvalidRequest(why.to_owned()));
        }
    };
    let new = NewUser {
        email: new.email,
        credential,
        subject: new.subject,
    };
    let store = state.store.as_ref();
    let user = accounts::add_user(store, &state.passwords, new, state.now()).await?;
    let body = json!({ "subject": user.subject, "email": user.email });
    Ok((StatusCode::CREATED, Json(body)))
}

async fn disable(
    State(state): State<Shared>,
    _: Operator,
    Path(subject): Path<Subject>,
) -> Result<Json<Value>, Fault> {
    let ended = accounts::disable(state.store.as_ref(), &subject, state.now()).await?;
    Ok(Json(json!({ "ended": ended.len() })))
}

async fn enable(
    State(state): State<Shared>,
    _: Operator,
    Path(subject): Path<Subject>,
) -> Result<StatusCode, Fault> {
    accounts::enable(state.store.as_ref(), &subject, state.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: Secret,
}

async fn set_password(
    State(state): State<Shared>,
    _: Operator,
    Path(subject): Path<Subject>,
    JsonBody(new): JsonBody<NewPassword>,
) -> Result<Json<Value>, Fault> {
    let (store, passwords) = (state.store.as_ref(), &state.passwords);
    let ended =
        accounts::set_password(store, passwords, &subject, &new.password, state.now()).await?;
    Ok(Json(json!({ "ended": ended.len() })))
}
