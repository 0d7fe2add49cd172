//! `GET` and `POST /auth/magic`: the page that a link leads to. It signs in only when the person
//! presses its button, because mail scanners open every link.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use tenure_core::secret::Secret;

use super::cookie::{Mode, deliver};
use super::magic::{Opened, open, redeem};
use crate::error::Fault;
use crate::extract::{Caller, Form, QueryFields};
use crate::page::{FormGuard, Problem, respond};
use crate::state::Shared;

pub(super) fn routes() -> Router<Shared> {
    let methods = get(show)
        .post(press)
        .fallback(async || Fault::MethodNotAllowed("the page takes GET and POST"));
    Router::new().route("/auth/magic", methods)
}

/// What the form's tag is about.
const FORM: &str = "magic-link";

#[derive(Template)]
#[template(path = "magic.html")]
struct Ask<'a> {
    client: &'a str,
    /// Whose link it is: a person who is sent somebody else's must be able to tell.
    email: &'a str,
    token: &'a str,
    csrf: &'a str,
}

#[derive(Template)]
#[template(path = "magic_done.html")]
struct Done<'a> {
    client: &'a str,
    app: Option<&'a str>,
}

async fn show(
    State(state): State<Shared>,
    headers: HeaderMap,
    query: Result<QueryFields, Fault>,
) -> Result<Response, Problem> {
    let QueryFields(fields) = query?;
    let token = Secret::new(fields.optional("token").unwrap_or_default());
    let Opened { client, user } = open(&state, &token).await.map_err(explain)?;
    let config = state.config.load();
    let guard = FormGuard::of(&config, &headers)?;
    let csrf = guard.tag(&[FORM, token.expose()]);
    let page = Ask {
        client: &client.name,
        email: &user.email,
        token: token.expose(),
        csrf: &csrf,
    };
    let mut response = respond(StatusCode::OK, &page, &[])?;
    if let Some(cookie) = guard.cookie(&config)? {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn press(
    State(state): State<Shared>,
    caller: Caller,
    form: Result<Form, Fault>,
) -> Result<Response, Problem> {
    state.limits.load().token(caller.network)?;
    let Form { fields, headers } = form?;
    let token = Secret::new(fields.optional("token").unwrap_or_default());
    let csrf = fields.optional("csrf").unwrap_or_default();
    let guard = FormGuard::presented(&state.config.load(), &headers);
    if !guard.is_some_and(|guard| guard.admits(&[FORM, token.expose()], csrf)) {
        return Err(Problem::bad_request(
            "Open the link again, and press the button on its page.",
        ));
    }
    let opened = open(&state, &token).await.map_err(explain)?;
    let client = &opened.client;
    if !client.is_public() {
        return Err(Problem::bad_request(
            "This link is for the app that asked for it.",
        ));
    }
    let tokens = redeem(&state, &caller, &token, &opened, None)
        .await
        .map_err(explain)?;
    let delivered = deliver(&state, Mode::Cookie, tokens)?;
    let page = Done {
        client: &client.name,
        app: client.allowed_origins.first().map(String::as_str),
    };
    let mut response = respond(StatusCode::OK, &page, &[])?;
    for cookie in delivered.headers().get_all(header::SET_COOKIE) {
        response
            .headers_mut()
            .append(header::SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

fn explain(fault: Fault) -> Problem {
    match fault {
        Fault::InvalidGrant { .. } => Problem::bad_request(
            "This link was used before, or is too old. Ask the app for a new one.",
        ),
        other => other.into(),
    }
}
