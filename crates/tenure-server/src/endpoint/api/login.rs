//! `POST /api/auth/login`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::HeaderMap;
use serde::Deserialize;
use tenure_core::id::{ClientId, LineageId};
use tenure_core::lineage::{EndCause, Grant};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_store::User;

use super::checked_label;
use super::client::first_party;
use super::cookie::{Mode, deliver};
use crate::accounts::{check_unchanged, sign_in};
use crate::config::Client;
use crate::error::Fault;
use crate::extract::{Caller, JsonBody};
use crate::random;
use crate::session::{End, Start, Tokens, end, start};
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let methods = post(handle).fallback(async || Fault::MethodNotAllowed("sign in with POST"));
    Router::new().route("/api/auth/login", methods)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    email: String,
    password: Secret,
    client_id: ClientId,
    device_label: Option<String>,
    #[serde(default)]
    mode: Mode,
}

async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(login): JsonBody<Login>,
) -> Result<Response, Fault> {
    let client = first_party(&state, &headers, &login.client_id)?.0;
    login.mode.check(&state, &headers, Some(&client))?;
    let label = checked_label(login.device_label)?;
    // Before the comparison: a password change that overtakes it voids this sign-in.
    let auth_time = state.now();
    let user = sign_in(&state, &caller, &login.email, &login.password).await?;
    let tokens = begin(&state, &caller, &client, &user, auth_time, label).await?;
    deliver(&state, login.mode, tokens)
}

/// Starts the session of a user who has just proved who they are.
pub(super) async fn begin(
    state: &AppState,
    caller: &Caller,
    client: &Client,
    user: &User,
    auth_time: Timestamp,
    label: Option<String>,
) -> Result<Tokens, Fault> {
    let grant = Grant {
        subject: user.subject.clone(),
        client: client.id.clone(),
        scope: client.scope.clone(),
        audience: client.default_audience(&state.config.load().issuer),
        auth_time,
    };
    let lineage = LineageId::new(auth_time, random::bytes()?);
    let new = Start {
        client,
        grant: grant.clone(),
        device: caller.device(label),
        lineage: Some(lineage),
        nonce: None,
    };
    let tokens = start(state, new).await?;
    if let Err(changed) = check_unchanged(state, user).await {
        let overtaken = End {
            lineage,
            grant: &grant,
            cause: EndCause::CredentialsChanged,
            evidence: None,
        };
        end(state, caller, overtaken).await?;
        return Err(changed);
    }
    Ok(tokens)
}
