//! Signing in by a link sent by mail, in the middle of an authorization request.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use tenure_core::secret::{Secret, sha256};
use tenure_store::{Taken, Ticket, TicketKind, User};
use url::form_urlencoded;

use super::errand::Errand;
use super::go_on;
use crate::accounts;
use crate::browser;
use crate::error::Fault;
use crate::extract::{Caller, Form};
use crate::mail::Mail;
use crate::page::{FormGuard, LinkPage, LinkSentPage, Problem, respond};
use crate::random;
use crate::state::{AppState, Shared};

const LIFETIME: Duration = Duration::from_mins(15);

#[derive(Serialize, Deserialize)]
struct Payload {
    /// The errand that goes on.
    authorization: String,
    /// The browser that asked: a link sent to somebody else must not sign them in here (login CSRF).
    browser: String,
}

/// Sends a link that signs this browser in. Says the same for every address, at the same speed:
/// what is sent, is sent afterwards.
pub(super) async fn send(
    state: &Shared,
    caller: &Caller,
    guard: &FormGuard,
    email: &str,
    authorization: &str,
) -> Result<Response, Fault> {
    accounts::check_email(email)?;
    state.limits.load().magic_link(caller.network, email)?;
    if !state.mailer.is_configured() {
        return Err(Fault::NotFound(
            "this server sends no mail: no [smtp] is configured",
        ));
    }
    let user = state
        .store
        .user_by_email(email)
        .await?
        .filter(|user| !user.disabled);
    if let Some(user) = user {
        let authorization = authorization.to_owned();
        let payload = Payload {
            authorization,
            browser: guard.tag(&[BROWSER]),
        };
        let state = Arc::clone(state);
        tokio::spawn(async move { deliver(&state, user, payload).await });
    }
    respond(
        StatusCode::OK,
        &LinkSentPage {
            email,
            minutes: LIFETIME.as_secs() / 60,
        },
        &[],
    )
}

async fn deliver(state: &AppState, user: User, payload: Payload) {
    let token = match issue(state, &user, &payload).await {
        Ok(token) => token,
        Err(error) => {
            tracing::error!(event = "magic_link_not_made", ?error);
            return;
        }
    };
    let url = format!(
        "{}/oauth2/link?token={}",
        state.config.load().issuer,
        token.expose()
    );
    let text = format!(
        "Open this link in the browser in which you are signing in. It works once, for {} \
         minutes:\n\n{url}\n\nIf you did not ask for it, ignore this mail: nobody is signed in \
         without the link.\n",
        LIFETIME.as_secs() / 60
    );
    let mail = Mail {
        to: user.email,
        subject: "Your sign-in link".to_owned(),
        text,
    };
    match state.mailer.send(mail).await {
        Ok(()) => tracing::info!(event = "magic_link_sent"),
        Err(error) => tracing::error!(event = "magic_link_not_sent", %error),
    }
}

async fn issue(state: &AppState, user: &User, payload: &Payload) -> Result<Secret, Fault> {
    let token = random::secret()?;
    let ticket = Ticket {
        kind: TicketKind::MagicLink,
        hash: hash(&token),
        subject: Some(user.subject.clone()),
        expires_at: state.now() + LIFETIME,
        used_at: None,
        payload: serde_json::to_string(payload)
            .map_err(|_| Fault::unavailable("a link does not serialise"))?,
    };
    state.store.add_ticket(&ticket).await?;
    Ok(token)
}

/// The link, opened; consumes nothing.
pub(super) async fn show(
    State(state): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let token = query
        .into_iter()
        .find(|(name, _)| name == "token")
        .map(|(_, value)| value);
    let token = Secret::new(token.unwrap_or_default());
    let ticket = state
        .store
        .ticket(TicketKind::MagicLink, hash(&token), state.believed_now()?)
        .await?;
    let ticket = ticket.filter(|ticket| ticket.used_at.is_none());
    let Opened { errand, guard } = opened(&state, &headers, ticket.as_ref())?;
    let page = LinkPage {
        token: token.expose(),
        csrf: &guard.tag(&[LINK, token.expose()]),
    };
    Ok(respond(StatusCode::OK, &page, &errand.form_targets())?)
}

/// The button on that page.
pub(super) async fn follow(
    State(state): State<Shared>,
    caller: Caller,
    form: Result<Form, Fault>,
) -> Result<Response, Problem> {
    let Form { fields, headers } = form?;
    let token = Secret::new(fields.optional("token").unwrap_or_default());
    let (hash, now) = (hash(&token), state.believed_now()?);
    let ticket = state.store.ticket(TicketKind::MagicLink, hash, now).await?;
    let Opened { errand, guard } = opened(&state, &headers, ticket.as_ref())?;
    let csrf = fields.optional("csrf").unwrap_or_default();
    if !guard.admits(&[LINK, token.expose()], csrf) {
        return Err(spent());
    }
    let Taken::Now(ticket) = state
        .store
        .take_ticket(TicketKind::MagicLink, hash, now)
        .await?
    else {
        return Err(spent());
    };
    let subject = ticket.subject.ok_or_else(spent)?;
    let user = state.store.user(&subject).await?.ok_or_else(spent)?;
    if !accounts::admit(&state, &caller, &user).await {
        return Err(spent());
    }
    let (session, cookie) = browser::sign_in(&state, &headers, &user).await?;
    go_on(&state, &errand, &session, cookie).await
}

const BROWSER: &str = "link-browser";
const LINK: &str = "link";

/// A link that is good in this browser.
struct Opened {
    errand: Errand,
    guard: FormGuard,
}

fn opened(
    state: &AppState,
    headers: &HeaderMap,
    ticket: Option<&Ticket>,
) -> Result<Opened, Problem> {
    // Links of apps with a screen of their own have another payload, and are not for this page.
    let payload = ticket.and_then(|ticket| serde_json::from_str::<Payload>(&ticket.payload).ok());
    let Payload {
        authorization,
        browser,
    } = payload.ok_or_else(spent)?;
    let guard = FormGuard::presented(&state.config.load(), headers)
        .filter(|guard| guard.admits(&[BROWSER], &browser))
        .ok_or_else(|| {
            Problem::bad_request("Open the link in the browser in which you asked for it.")
        })?;
    let errand = Errand::check(state, &authorization).map_err(|_| spent())?;
    Ok(Opened { errand, guard })
}

fn spent() -> Problem {
    Problem::bad_request("This link was used before, or is too old. Start again in the app.")
}

fn hash(token: &Secret) -> [u8; 32] {
    sha256(token.expose().as_bytes())
}
