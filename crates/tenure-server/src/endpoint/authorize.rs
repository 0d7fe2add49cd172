//! `/oauth2/authorize` (RFC 6749 section 3.1, OIDC Core section 3.1.2): who is there, and do they
//! allow it? Every step carries the whole request and checks it anew; nothing is kept between steps
//! but the browser's sign-in.

pub(crate) mod code;
mod consent;
mod errand;
mod link;
mod redirect;
mod request;
mod sign_in;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, Uri, header};
use tenure_core::id::LineageId;

use code::CodeGrant;
pub(crate) use consent::permissions;
pub(crate) use errand::Errand;
use redirect::Refused;
pub(crate) use redirect::see_other;
use request::{Parameters, Refusal, Request};

use crate::browser::{self, BrowserSession};
use crate::error::Fault;
use crate::extract::{self, BODY_LIMIT};
use crate::page::Problem;
use crate::random;
use crate::state::{AppState, Shared};

pub(crate) fn routes() -> Router<Shared> {
    let start_again =
        async || Problem::bad_request("Go back to the app that sent you here, and start again.");
    Router::new()
        .route("/oauth2/authorize", get(authorize).post(authorize_posted))
        .route("/oauth2/sign-in", post(sign_in::submit).get(sign_in::begin))
        .route("/oauth2/consent", post(consent::submit).get(start_again))
        .route("/oauth2/link", post(link::follow).get(link::show))
}

async fn authorize(
    State(state): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default();
    if query.len() > BODY_LIMIT {
        return Err(Fault::TooLarge.into());
    }
    let parameters = Parameters::parse(query.as_bytes());
    let request = match Request::check(&state, parameters) {
        Ok(request) => request,
        Err(refusal) => return refuse(&state, refusal),
    };
    let session = browser::current(&state, &headers).await?;
    let session = session.filter(|session| request.accepts(session, state.now()));
    match session {
        Some(session) => settle(&state, &headers, &request, &session).await,
        None if request.prompt.none => Ok(refuse_client(
            &state,
            &request,
            "login_required",
            "nobody is signed in",
        )),
        None => sign_in::ask(&state, &headers, &Errand::App(Box::new(request))).await,
    }
}

/// OIDC Core section 3.1.2.1 wants POST too. Another site's POST comes without the browser's
/// sign-in (`SameSite=Lax`), a GET does not.
async fn authorize_posted(State(state): State<Shared>, body: Body) -> Result<Response, Problem> {
    let body = extract::body(body).await?;
    match Request::check(&state, Parameters::parse(&body)) {
        Ok(request) => Ok(see_other(&format!(
            "authorize?{}",
            request.parameters.text()
        ))),
        Err(refusal) => refuse(&state, refusal),
    }
}

/// Somebody is signed in: what is left is their consent.
async fn settle(
    state: &AppState,
    headers: &HeaderMap,
    request: &Request,
    session: &BrowserSession,
) -> Result<Response, Problem> {
    if !consent::is_missing(state, request, session).await? {
        return Ok(give_code(state, request, session).await?);
    }
    if request.prompt.none {
        let why = "the user has not consented to this";
        return Ok(refuse_client(state, request, "consent_required", why));
    }
    consent::ask(state, headers, request, session)
}

/// Goes on after a form that signed the browser in: `cookie` is its new sign-in.
async fn go_on(
    state: &AppState,
    errand: &Errand,
    session: &BrowserSession,
    cookie: HeaderValue,
) -> Result<Response, Problem> {
    let mut response = match errand {
        Errand::App(request) => settle_after_sign_in(state, request, session).await?,
        Errand::Device(_) => see_other(&format!("../{}", errand.text())),
    };
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn settle_after_sign_in(
    state: &AppState,
    request: &Request,
    session: &BrowserSession,
) -> Result<Response, Problem> {
    Ok(if !request.is_for(session) {
        refuse_client(
            state,
            request,
            "login_required",
            "another user has signed in",
        )
    } else if consent::is_missing(state, request, session).await? {
        see_other(&format!(
            "authorize?{}",
            request.parameters.signed_in().text()
        ))
    } else {
        give_code(state, request, session).await?
    })
}

async fn give_code(
    state: &AppState,
    request: &Request,
    session: &BrowserSession,
) -> Result<Response, Fault> {
    let grant = CodeGrant {
        subject: session.subject.clone(),
        client: request.client.id.clone(),
        scope: request.scope.clone(),
        audience: request.audience.clone(),
        auth_time: session.auth_time,
        redirect_uri: request.return_to.uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        lineage: LineageId::new(state.now(), random::bytes()?),
    };
    let code = code::issue(state, &grant).await?;
    Ok(request
        .return_to
        .with_code(&state.config.load().issuer, code.expose()))
}

fn refuse(state: &AppState, refusal: Refusal) -> Result<Response, Problem> {
    match refusal {
        Refusal::Page(why) => {
            tracing::info!(event = "authorization_refused", why);
            Err(Problem::bad_request(why))
        }
        Refusal::Redirect(to, refused) => Ok(to.with_error(&state.config.load().issuer, &refused)),
    }
}

fn refuse_client(
    state: &AppState,
    request: &Request,
    error: &'static str,
    why: &'static str,
) -> Response {
    let refused = Refused { error, why };
    request
        .return_to
        .with_error(&state.config.load().issuer, &refused)
}
