//! `/device` (RFC 8628 section 3.3): where a person says yes or no to a program on another device.
//!
//! Nobody learns whether a code exists without having signed in, and nobody may try many.

pub(crate) mod authorization;
mod grant;
mod user_code;

pub(crate) use grant::{Presented, redeem};
pub(crate) use user_code::UserCode;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use tenure_core::scope::Scope;
use tenure_store::{AuditEvent, Decision, Written};

use self::grant::Asked;
use super::authorize::{Errand, permissions, see_other};
use crate::browser::{self, BrowserSession};
use crate::config::Client;
use crate::error::Fault;
use crate::extract::{Caller, Form, QueryFields};
use crate::page::{DeviceConfirmPage, DeviceDonePage, DevicePage, FormGuard, Problem, respond};
use crate::state::{AppState, Shared};

/// The grant type's name (RFC 8628 section 3.4).
pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

const NO_CODE: &str = "That is not a code of ours. It has eight letters, such as WDJB-MJHT.";
const UNKNOWN: &str = "No device waits with that code. It may have been used, or be too old: \
                       look at your device, or start again there.";

pub(crate) fn routes() -> Router<Shared> {
    let methods = get(show)
        .post(decide)
        .fallback(async || Fault::MethodNotAllowed("the page takes GET and POST"));
    Router::new().route("/device", methods)
}

/// A device that waits.
struct Waiting {
    user_code: UserCode,
    client: Arc<Client>,
    scope: Scope,
}

/// The page by itself asks for the code; with one, whether the device may.
async fn show(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    query: Result<QueryFields, Fault>,
) -> Result<Response, Problem> {
    let QueryFields(fields) = query?;
    let typed = fields.optional("user_code").unwrap_or_default();
    let user_code = UserCode::parse(typed);
    let Some(session) = browser::current(&state, &headers).await? else {
        return Ok(sign_in_first(user_code));
    };
    if typed.is_empty() {
        return ask(StatusCode::OK, "", None);
    }
    let Some(user_code) = user_code else {
        return ask(StatusCode::UNPROCESSABLE_ENTITY, typed, Some(NO_CODE));
    };
    let limits = state.limits.load();
    limits.user_code(caller.network, &session.subject)?;
    match find(&state, user_code).await? {
        None => ask(StatusCode::UNPROCESSABLE_ENTITY, typed, Some(UNKNOWN)),
        Some(waiting) => confirm(&state, &headers, &session, &waiting),
    }
}

/// A button of the page that asks for the decision. It counts for the code and the sign-in that the
/// page was shown with only.
async fn decide(
    State(state): State<Shared>,
    caller: Caller,
    form: Result<Form, Fault>,
) -> Result<Response, Problem> {
    let Form { fields, headers } = form?;
    let field = |name| fields.optional(name).unwrap_or_default();
    let Some(user_code) = UserCode::parse(field("user_code")) else {
        return Ok(see_other(&Errand::Device(None).text()));
    };
    let Some(session) = browser::current(&state, &headers).await? else {
        return Ok(sign_in_first(Some(user_code)));
    };
    let guard = FormGuard::presented(&state.config.load(), &headers);
    let content = content(&user_code, &session);
    let is_ours = guard
        .is_some_and(|guard| guard.admits(&content.each_ref().map(String::as_str), field("csrf")));
    if !is_ours {
        return Ok(see_other(&Errand::Device(Some(user_code)).text()));
    }
    if field("decision") == "switch" {
        let cookie = browser::sign_out(&state, &headers).await?;
        let mut response = sign_in_first(Some(user_code));
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return Ok(response);
    }
    let allowed = field("decision") == "allow";
    let Some(waiting) = find(&state, user_code).await? else {
        return ask(StatusCode::UNPROCESSABLE_ENTITY, "", Some(UNKNOWN));
    };
    if settle(&state, &caller, &session, &waiting, allowed).await? == Written::Lost {
        return ask(StatusCode::UNPROCESSABLE_ENTITY, "", Some(UNKNOWN));
    }
    let client = &waiting.client.name;
    Ok(respond(
        StatusCode::OK,
        &DeviceDonePage { client, allowed },
        &[],
    )?)
}

/// The sign-in page; after it the browser comes back here.
fn sign_in_first(user_code: Option<UserCode>) -> Response {
    let errand = Errand::Device(user_code);
    see_other(&format!("oauth2/sign-in?{}", errand.text()))
}

fn ask(status: StatusCode, user_code: &str, problem: Option<&str>) -> Result<Response, Problem> {
    let page = DevicePage { user_code, problem };
    Ok(respond(status, &page, &[])?)
}

/// The device that waits with this code, undecided.
async fn find(state: &AppState, user_code: UserCode) -> Result<Option<Waiting>, Fault> {
    let now = state.believed_now()?;
    let device = state.store.device(user_code.hash(), now).await?;
    let Some(device) = device.filter(|device| device.decision.is_none()) else {
        return Ok(None);
    };
    let asked: Asked = serde_json::from_str(&device.payload)
        .map_err(|_| Fault::unavailable("the record of a device authorization is damaged"))?;
    let client = state.client(&device.client);
    Ok(client.map(|client| Waiting {
        user_code,
        client,
        scope: asked.scope,
    }))
}

fn confirm(
    state: &AppState,
    headers: &HeaderMap,
    session: &BrowserSession,
    waiting: &Waiting,
) -> Result<Response, Problem> {
    let config = state.config.load();
    let guard = FormGuard::of(&config, headers)?;
    let content = content(&waiting.user_code, session);
    let page = DeviceConfirmPage {
        client: &waiting.client.name,
        email: &session.email,
        user_code: &waiting.user_code.to_string(),
        permissions: &permissions(&waiting.scope),
        csrf: &guard.tag(&content.each_ref().map(String::as_str)),
    };
    let mut response = respond(StatusCode::OK, &page, &[])?;
    let cookie = guard.cookie(&config)?;
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// What the form's tag covers.
fn content(user_code: &UserCode, session: &BrowserSession) -> [String; 3] {
    ["device".to_owned(), user_code.to_string(), session.name()]
}

async fn settle(
    state: &AppState,
    caller: &Caller,
    session: &BrowserSession,
    waiting: &Waiting,
    allowed: bool,
) -> Result<Written, Fault> {
    let at = state.believed_now()?;
    let (subject, client) = (&session.subject, &waiting.client.id);
    let decision = if allowed {
        Decision::Allowed {
            subject: subject.clone(),
            auth_time: session.auth_time,
        }
    } else {
        Decision::Denied
    };
    let hash = waiting.user_code.hash();
    let written = state.store.decide_device(hash, &decision, at).await?;
    if written == Written::Lost {
        return Ok(written);
    }
    let step = if allowed { "allowed" } else { "denied" };
    state.metrics.device(step);
    let event = format!("device_{step}");
    tracing::info!(event, %client, scope = %waiting.scope);
    let event = AuditEvent {
        at,
        event,
        subject: Some(subject.clone()),
        client: Some(client.clone()),
        sid: None,
        reason: Some(waiting.scope.to_string()),
        ip_prefix: Some(caller.network.to_string()),
        request_id: caller.request_id(),
    };
    state.audit(event).await;
    Ok(written)
}
