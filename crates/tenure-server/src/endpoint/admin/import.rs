//! `POST /admin/users/import`: accounts of another system, with their password hashes.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenure_core::id::Subject;

use super::operator::Operator;
use crate::accounts::{AccountError, Credential, NewUser, add_user};
use crate::error::Fault;
use crate::extract::JsonBody;
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let methods = post(handle).fallback(async || Fault::MethodNotAllowed("import with POST"));
    Router::new().route("/admin/users/import", methods)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    email: String,
    password_hash: String,
    subject: Option<Subject>,
}

/// What became of one line, in the order of the request.
#[derive(Serialize)]
struct Outcome {
    email: String,
    /// `added`, `exists` or `refused`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Answers 200 with an outcome for every line, so that an import can be repeated after a failure.
/// The body limit allows some 300 lines at a time.
async fn handle(
    State(state): State<Shared>,
    _: Operator,
    JsonBody(lines): JsonBody<Vec<Line>>,
) -> Result<Json<Value>, Fault> {
    let mut results = Vec::with_capacity(lines.len());
    for line in lines {
        results.push(import(&state, line).await?);
    }
    let added = results
        .iter()
        .filter(|outcome| outcome.result == "added")
        .count();
    tracing::info!(event = "users_imported", added, lines = results.len());
    Ok(Json(json!({ "added": added, "results": results })))
}

async fn import(state: &AppState, line: Line) -> Result<Outcome, Fault> {
    let Line {
        email,
        password_hash,
        subject,
    } = line;
    let credential = Credential::Hash(password_hash);
    let new = NewUser {
        email: email.clone(),
        credential,
        subject,
    };
    let outcome = |result, subject, why| {
        Ok(Outcome {
            email,
            result,
            subject,
            why,
        })
    };
    match add_user(state.store.as_ref(), &state.passwords, new, state.now()).await {
        Ok(user) => outcome("added", Some(user.subject), None),
        Err(AccountError::Taken) => outcome("exists", None, None),
        Err(error @ (AccountError::Store(_) | AccountError::Random)) => Err(error.into()),
        Err(error) => outcome("refused", None, Some(error.to_string())),
    }
}
