//! `POST /admin/sessions` and `DELETE /admin/sessions/{sid}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{EndCause, Grant, Row, RowSecret, TokenId};
use tenure_core::scope::Scope;
use tenure_core::secret::Secret;
use tenure_store::AuditEvent;
use tokio::task::JoinSet;

use super::operator::Operator;
use crate::accounts::checked_subject;
use crate::config::{Client, GrantType};
use crate::endpoint::api::checked_label;
use crate::error::Fault;
use crate::extract::{Caller, JsonBody, QueryFields};
use crate::random;
use crate::session::{End, Start, Tokens, end, start};
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let all =
        post(create).fallback(async || Fault::MethodNotAllowed("sessions are made with POST"));
    let one = delete(end_one)
        .fallback(async || Fault::MethodNotAllowed("a session is ended with DELETE"));
    Router::new()
        .route("/admin/sessions", all)
        .route("/admin/sessions/{sid}", one)
}

/// Sessions of one request.
const MOST: usize = 10_000;

/// Sessions created at a time: enough to fill the store's commit groups.
const AT_A_TIME: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    subject: Subject,
    client_id: ClientId,
    scope: Option<Scope>,
    count: Option<usize>,
    device_label: Option<String>,
}

/// Of several sessions only the refresh tokens are made: signing would take longer than the rest.
#[derive(Serialize)]
struct Created {
    sid: String,
    #[serde(flatten)]
    tokens: CreatedTokens,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CreatedTokens {
    Full(Tokens),
    Refresh {
        refresh_token: Secret,
        refresh_expires_in: u64,
    },
}

/// What each of the new sessions has in common.
struct Plan {
    client: Arc<Client>,
    grant: Grant,
    caller: Caller,
    label: Option<String>,
}

async fn create(
    State(state): State<Shared>,
    _: Operator,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, Fault> {
    let count = body.count.unwrap_or(1);
    if !(1..=MOST).contains(&count) {
        return Err(Fault::InvalidRequest("count is 1 to 10000".to_owned()));
    }
    let plan = plan(&state, caller, body).await?;
    let sessions = if count == 1 {
        vec![create_one(&state, &plan).await?]
    } else {
        create_many(&state, plan, count).await?
    };
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((
        StatusCode::CREATED,
        no_store,
        Json(json!({ "sessions": sessions })),
    )
        .into_response())
}

/// The subject need not have an account here: it may be of the adopter's own user table.
async fn plan(state: &AppState, caller: Caller, body: Body) -> Result<Plan, Fault> {
    let subject = checked_subject(body.subject)?;
    let client = state
        .client(&body.client_id)
        .ok_or_else(|| Fault::InvalidRequest("client_id is not registered".to_owned()))?;
    if !client.may_use(GrantType::RefreshToken) {
        return Err(Fault::UnauthorizedClient(
            "the client may not use the refresh_token grant",
        ));
    }
    let scope = body.scope.unwrap_or_else(|| client.scope.clone());
    if !scope.is_within(&client.scope) {
        return Err(Fault::InvalidScope(format!(
            "the client may ask for: {}",
            client.scope
        )));
    }
    let label = checked_label(body.device_label)?;
    if state
        .store
        .user(&subject)
        .await?
        .is_some_and(|user| user.disabled)
    {
        return Err(Fault::Conflict("the account is disabled"));
    }
    let grant = Grant {
        subject,
        client: client.id.clone(),
        scope,
        audience: client.default_audience(&state.config.load().issuer),
        auth_time: state.now(),
    };
    Ok(Plan {
        client,
        grant,
        caller,
        label,
    })
}

async fn create_one(state: &AppState, plan: &Plan) -> Result<Created, Fault> {
    let lineage = LineageId::new(state.now(), random::bytes()?);
    let new = Start {
        client: &plan.client,
        grant: plan.grant.clone(),
        device: plan.caller.device(plan.label.clone()),
        lineage: Some(lineage),
        nonce: None,
    };
    let tokens = CreatedTokens::Full(start(state, new).await?);
    Ok(Created {
        sid: state.keys.load().sid(lineage),
        tokens,
    })
}

async fn create_many(state: &Shared, plan: Plan, count: usize) -> Result<Vec<Created>, Fault> {
    let plan = Arc::new(plan);
    let mut running = JoinSet::new();
    for worker in 0..AT_A_TIME.min(count) {
        let (state, plan) = (Arc::clone(state), Arc::clone(&plan));
        let share = (worker..count).step_by(AT_A_TIME).count();
        running.spawn(async move { create_share(&state, &plan, share).await });
    }
    let mut sessions = Vec::with_capacity(count);
    while let Some(share) = running.join_next().await {
        sessions.extend(share.map_err(|_| Fault::unavailable("a session was not made"))??);
    }
    state.audit(created(state, &plan, count)).await;
    Ok(sessions)
}

async fn create_share(state: &AppState, plan: &Plan, count: usize) -> Result<Vec<Created>, Fault> {
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        sessions.push(create_bare(state, plan).await?);
    }
    Ok(sessions)
}

async fn create_bare(state: &AppState, plan: &Plan) -> Result<Created, Fault> {
    let now = state.believed_now()?;
    let lineage = LineageId::new(now, random::bytes()?);
    let secret = RowSecret(random::bytes()?);
    let first = TokenId(random::bytes()?);
    let lifetimes = (plan.client.lifetimes.idle, plan.client.lifetimes.absolute);
    let mut row = Row::new(lineage, secret, first, plan.grant.clone(), lifetimes, now);
    row.device = plan.caller.device(plan.label.clone());
    state.store.create(&row).await?;
    let keys = state.keys.load();
    let tokens = CreatedTokens::Refresh {
        refresh_token: keys.macs().write(&row.first_token(), &row.secret),
        refresh_expires_in: lifetimes.0.min(lifetimes.1).as_secs(),
    };
    Ok(Created {
        sid: keys.sid(lineage),
        tokens,
    })
}

fn created(state: &AppState, plan: &Plan, count: usize) -> AuditEvent {
    tracing::info!(event = "sessions_created", client = %plan.client.id, count);
    AuditEvent {
        at: state.now(),
        event: "sessions_created".to_owned(),
        subject: Some(plan.grant.subject.clone()),
        client: Some(plan.client.id.clone()),
        sid: None,
        reason: Some(format!("{count} sessions")),
        ip_prefix: Some(plan.caller.network.to_string()),
        request_id: plan.caller.request_id(),
    }
}

/// `?subject=` is needed because a public session id does not lead to its row.
async fn end_one(
    State(state): State<Shared>,
    _: Operator,
    caller: Caller,
    Path(sid): Path<String>,
    QueryFields(query): QueryFields,
) -> Result<StatusCode, Fault> {
    let subject = Subject::new(query.required("subject")?);
    let keys = state.keys.load_full();
    let rows = state.store.sessions_of(&subject).await?;
    let row = rows.into_iter().find(|row| keys.sid(row.lineage) == sid);
    let row = row.ok_or(Fault::NotFound("the subject has no such session"))?;
    end(&state, &caller, End::of(&row, EndCause::RevokedByAdmin)).await?;
    Ok(StatusCode::NO_CONTENT)
}
