//! The sign-in page, and what becomes of it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use tenure_core::secret::Secret;

use super::errand::Errand;
use super::{go_on, link, refuse};
use crate::accounts;
use crate::browser;
use crate::error::Fault;
use crate::extract::{Caller, Form};
use crate::page::{FormFields, FormGuard, Problem, SignInPage, respond};
use crate::state::{AppState, Shared};

/// What the page says above its form.
struct Said<'a> {
    status: StatusCode,
    email: &'a str,
    problem: Option<&'a str>,
}

/// The page by itself, for errands that begin at another page of this server.
pub(super) async fn begin(
    State(state): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    match Errand::check(&state, uri.query().unwrap_or_default()) {
        Ok(errand @ Errand::Device(_)) => ask(&state, &headers, &errand).await,
        Ok(Errand::App(_)) | Err(_) => Err(Problem::bad_request(
            "Go back to the app that sent you here, and start again.",
        )),
    }
}

/// Shows the page for the first time.
pub(super) async fn ask(
    state: &AppState,
    headers: &HeaderMap,
    errand: &Errand,
) -> Result<Response, Problem> {
    // Whoever must sign in again is probably who they were.
    let known = browser::current(state, headers)
        .await?
        .map(|session| session.email);
    let email = errand.login_hint().or(known.as_deref()).unwrap_or_default();
    show(
        state,
        headers,
        errand,
        &Said {
            status: StatusCode::OK,
            email,
            problem: None,
        },
    )
}

/// The page, sent: one button signs in with the password, the other sends a link.
pub(super) async fn submit(
    State(state): State<Shared>,
    caller: Caller,
    form: Result<Form, Fault>,
) -> Result<Response, Problem> {
    let Form { fields, headers } = form?;
    let field = |name| fields.optional(name).unwrap_or_default();
    let (authorization, email) = (field("authorization"), field("email").trim());
    let errand = match Errand::check(&state, authorization) {
        Ok(errand) => errand,
        Err(refusal) => return refuse(&state, refusal),
    };
    let again = |status, problem| {
        show(
            &state,
            &headers,
            &errand,
            &Said {
                status,
                email,
                problem: Some(problem),
            },
        )
    };
    let config = state.config.load_full();
    let guard = FormGuard::presented(&config, &headers)
        .filter(|guard| guard.admits(&content(authorization), field("csrf")));
    let Some(guard) = guard else {
        let problem = "This page was open for too long, or cookies are off. Please sign in again.";
        return again(StatusCode::BAD_REQUEST, problem);
    };
    if field("action") == "link" {
        return match link::send(&state, &caller, &guard, email, authorization).await {
            Err(Fault::InvalidRequest(_)) => again(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Please enter your e-mail address.",
            ),
            Err(fault) => refused(fault, again),
            Ok(sent) => Ok(sent),
        };
    }
    let password = Secret::new(field("password"));
    match accounts::sign_in(&state, &caller, email, &password).await {
        Ok(user) => {
            let (session, cookie) = browser::sign_in(&state, &headers, &user).await?;
            go_on(&state, &errand, &session, cookie).await
        }
        Err(fault) => refused(fault, again),
    }
}

/// What the user can put right is said on the page; the rest is a problem of its own.
fn refused(
    fault: Fault,
    again: impl FnOnce(StatusCode, &'static str) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    match fault {
        Fault::WrongCredentials | Fault::InvalidRequest(_) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "That e-mail address and password do not go together. Please try again.",
        ),
        Fault::TooMany { .. } => {
            let shown = again(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many attempts. Please wait a minute, and then try again.",
            );
            let retry_after = fault
                .into_response()
                .headers_mut()
                .remove(header::RETRY_AFTER);
            shown.map(|mut response| {
                let headers = response.headers_mut();
                headers.extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
                response
            })
        }
        other => Err(other.into()),
    }
}

fn show(
    state: &AppState,
    headers: &HeaderMap,
    errand: &Errand,
    said: &Said<'_>,
) -> Result<Response, Problem> {
    let config = state.config.load();
    let guard = FormGuard::of(&config, headers)?;
    let authorization = errand.text();
    let page = SignInPage {
        client: errand.name(),
        email: said.email,
        problem: said.problem,
        form: FormFields {
            authorization: &authorization,
            csrf: &guard.tag(&content(&authorization)),
        },
        link: state.mailer.is_configured(),
    };
    let mut response = respond(said.status, &page, &errand.form_targets())?;
    let cookie = guard.cookie(&config)?;
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// What the form's tag covers: all that the user cannot type.
fn content(authorization: &str) -> [&str; 2] {
    ["sign-in", authorization]
}
