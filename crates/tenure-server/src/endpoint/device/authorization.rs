//! `POST /oauth2/device_authorization` (RFC 8628 section 3.1).

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderValue, header};
use serde::Serialize;
use tenure_core::id::LineageId;
use tenure_core::scope::Scope;
use tenure_core::secret::{Secret, sha256};
use tenure_store::{Device, Written};

use super::UserCode;
use super::grant::Asked;
use crate::config::{Client, GrantType};
use crate::endpoint::token::audience;
use crate::error::Fault;
use crate::extract::{Caller, Credentials, Fields, Form};
use crate::random;
use crate::state::{AppState, Shared};

pub(crate) fn routes() -> Router<Shared> {
    let methods = post(handle).fallback(async || {
        Fault::MethodNotAllowed("device authorization takes POST (RFC 8628 section 3.1)")
    });
    Router::new().route("/oauth2/device_authorization", methods)
}

/// Of all the codes that are waiting, hardly one is the same twice in a row.
const ATTEMPTS: usize = 8;

/// RFC 8628 section 3.2.
#[derive(Serialize)]
struct Answer {
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// Seconds.
    expires_in: u64,
    /// Seconds.
    interval: u64,
}

async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    Form { fields, headers }: Form,
) -> Result<Response, Fault> {
    state.limits.load().device(caller.network)?;
    let client = Credentials::of(&headers, &fields)?.authenticate(&state)?.0;
    if !client.may_use(GrantType::DeviceCode) {
        return Err(Fault::UnauthorizedClient(
            "the client may not use device_code",
        ));
    }
    let (device_code, user_code) = begin(&state, &client, &fields).await?;
    let config = state.config.load();
    let verification_uri = format!("{}/device", config.issuer);
    let answer = Answer {
        verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
        verification_uri,
        device_code,
        user_code: user_code.to_string(),
        expires_in: config.device.lifetime.as_secs(),
        interval: config.device.interval.as_secs(),
    };
    state.metrics.device("begun");
    tracing::info!(event = "device_authorization_begun", client = %client.id);
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(answer)).into_response())
}

async fn begin(
    state: &AppState,
    client: &Client,
    fields: &Fields,
) -> Result<(Secret, UserCode), Fault> {
    let now = state.believed_now()?;
    let asked = Asked {
        scope: scope(client, fields.optional("scope"))?,
        audience: audience(state, client, fields.resources())?,
        lineage: LineageId::new(now, random::bytes()?),
    };
    let payload = serde_json::to_string(&asked)
        .map_err(|_| Fault::unavailable("a device authorization does not serialise"))?;
    let lasting = state.config.load().device;
    let device_code = random::secret()?;
    let mut device = Device {
        code: sha256(device_code.expose().as_bytes()),
        user_code: [0; 32],
        client: client.id.clone(),
        payload,
        expires_at: now + lasting.lifetime,
        interval: lasting.interval,
        polled_at: None,
        decision: None,
        used: None,
    };
    for _ in 0..ATTEMPTS {
        let user_code = UserCode::random()?;
        device.user_code = user_code.hash();
        if state.store.add_device(&device).await? == Written::Now {
            return Ok((device_code, user_code));
        }
    }
    Err(Fault::unavailable("no user code is free"))
}

/// A request without a scope asks for all that the client is registered for (RFC 6749 section 3.3).
fn scope(client: &Client, asked: Option<&str>) -> Result<Scope, Fault> {
    let scope = asked.map_or_else(|| client.scope.clone(), Scope::parse);
    if !scope.is_within(&client.scope) {
        return Err(Fault::InvalidScope(format!(
            "the client may ask for: {}",
            client.scope
        )));
    }
    Ok(scope)
}
