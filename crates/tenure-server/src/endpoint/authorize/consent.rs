//! The consent page of clients that are not the operator's own.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use tenure_core::scope::Scope;
use tenure_store::{AuditEvent, Consent};
use url::Url;

use super::redirect::{self, see_other};
use super::request::{Parameters, Request};
use super::{give_code, refuse, refuse_client};
use crate::browser::{self, BrowserSession};
use crate::error::Fault;
use crate::extract::{Caller, Form};
use crate::page::{ConsentPage, FormFields, FormGuard, Problem, respond};
use crate::state::{AppState, Shared};

/// Whether the user has to be asked.
pub(super) async fn is_missing(
    state: &AppState,
    request: &Request,
    session: &BrowserSession,
) -> Result<bool, Fault> {
    if request.client.first_party {
        return Ok(false);
    }
    if request.prompt.consent || could_be_anybody(request) {
        return Ok(true);
    }
    let given = state
        .store
        .consent(&session.subject, &request.client.id)
        .await?;
    Ok(given.is_none_or(|given| !request.scope.is_within(&given)))
}

/// Any program on the device can pose as a native app without a secret (RFC 8252 section 8.6).
fn could_be_anybody(request: &Request) -> bool {
    let uri = &request.return_to.uri;
    request.client.is_public() && (redirect::is_loopback(uri) || !uri.starts_with("https:"))
}

/// Shows the page.
pub(super) fn ask(
    state: &AppState,
    headers: &HeaderMap,
    request: &Request,
    session: &BrowserSession,
) -> Result<Response, Problem> {
    let config = state.config.load();
    let guard = FormGuard::of(&config, headers)?;
    let authorization = request.parameters.text();
    let page = ConsentPage {
        client: &request.client.name,
        email: &session.email,
        permissions: &permissions(&request.scope),
        destination: &destination(&request.return_to.uri),
        form: FormFields {
            authorization: &authorization,
            csrf: &guard.tag(&content(&authorization, &session.name())),
        },
    };
    let targets = redirect::form_targets(&request.client, &request.return_to.uri);
    let mut response = respond(StatusCode::OK, &page, &targets)?;
    let cookie = guard.cookie(&config)?;
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// The page, sent. It counts for the user, the client and the scope that it was shown with only.
pub(super) async fn submit(
    State(state): State<Shared>,
    caller: Caller,
    form: Result<Form, Fault>,
) -> Result<Response, Problem> {
    let Form { fields, headers } = form?;
    let field = |name| fields.optional(name).unwrap_or_default();
    let authorization = field("authorization");
    let request = match Request::check(&state, Parameters::parse(authorization.as_bytes())) {
        Ok(request) => request,
        Err(refusal) => return refuse(&state, refusal),
    };
    let start_again = || see_other(&format!("authorize?{}", request.parameters.text()));
    let Some(session) = browser::current(&state, &headers).await? else {
        return Ok(start_again());
    };
    let config = state.config.load_full();
    let is_ours = FormGuard::presented(&config, &headers)
        .is_some_and(|guard| guard.admits(&content(authorization, &session.name()), field("csrf")));
    if !is_ours || !request.is_for(&session) {
        return Ok(start_again());
    }
    match field("decision") {
        "allow" => {
            allow(&state, &caller, &request, &session).await?;
            Ok(give_code(&state, &request, &session).await?)
        }
        "switch" => {
            let mut response = start_again();
            let cookie = browser::sign_out(&state, &headers).await?;
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        _ => Ok(refuse_client(
            &state,
            &request,
            "access_denied",
            "the user did not allow it",
        )),
    }
}

/// What is allowed adds up.
async fn allow(
    state: &AppState,
    caller: &Caller,
    request: &Request,
    session: &BrowserSession,
) -> Result<(), Fault> {
    let (subject, client) = (&session.subject, &request.client.id);
    let before = state
        .store
        .consent(subject, client)
        .await?
        .unwrap_or_default();
    let scope = Scope::parse(&format!("{before} {}", request.scope));
    let at = state.now();
    let consent = Consent {
        subject: subject.clone(),
        client: client.clone(),
        scope,
        at,
    };
    state.store.set_consent(&consent).await?;
    tracing::info!(event = "consent_given", %client, scope = %request.scope);
    let event = AuditEvent {
        at,
        event: "consent_given".to_owned(),
        subject: Some(consent.subject),
        client: Some(consent.client),
        sid: None,
        reason: Some(request.scope.to_string()),
        ip_prefix: Some(caller.network.to_string()),
        request_id: caller.request_id(),
    };
    state.audit(event).await;
    Ok(())
}

/// What the form's tag covers: the request and the sign-in that it was shown to.
fn content<'a>(authorization: &'a str, session: &'a str) -> [&'a str; 3] {
    ["consent", authorization, session]
}

const IN_WORDS: [(&str, &str); 4] = [
    ("openid", "Know who you are"),
    ("profile", "See your profile"),
    ("email", "See your e-mail address"),
    ("offline_access", "Stay connected while you are away"),
];

/// What scopes mean to a person.
pub(crate) fn permissions(scope: &Scope) -> Vec<String> {
    let known = IN_WORDS.iter().filter(|(token, _)| scope.contains(token));
    let is_known = |token: &str| IN_WORDS.iter().any(|(known, _)| *known == token);
    let others = scope.iter().filter(|token| !is_known(token));
    known
        .map(|(_, words)| (*words).to_owned())
        .chain(others.map(|token| format!("Use “{token}” for you")))
        .collect()
}

fn destination(uri: &str) -> String {
    if redirect::is_loopback(uri) {
        return "an app on this device".to_owned();
    }
    let host = Url::parse(uri)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| "an app on this device".to_owned())
}
