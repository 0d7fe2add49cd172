//! `POST /api/auth/magic-link`: asks for a sign-in link by mail.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tenure_core::id::ClientId;
use tenure_store::User;
use url::Url;

use super::client::first_party;
use super::magic::{LIFETIME, issue};
use crate::accounts::check_email;
use crate::config::Client;
use crate::error::Fault;
use crate::extract::{Caller, JsonBody};
use crate::mail::Mail;
use crate::state::{AppState, Shared};

pub(super) fn routes() -> Router<Shared> {
    let methods =
        post(handle).fallback(async || Fault::MethodNotAllowed("ask for a link with POST"));
    Router::new().route("/api/auth/magic-link", methods)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    email: String,
    client_id: ClientId,
    /// A registered redirect URI of the client that takes `?token=`; without it the link leads to a
    /// page of this server, which signs the browser in with the cookie.
    redirect_uri: Option<String>,
}

/// Says 202 for every address, at the same speed: what is sent, is sent afterwards.
async fn handle(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Body>,
) -> Result<StatusCode, Fault> {
    let client = first_party(&state, &headers, &body.client_id)?.0;
    check_email(&body.email)?;
    let target = target(&state, &client, body.redirect_uri.as_deref())?;
    if !state.mailer.is_configured() {
        return Err(Fault::NotFound(
            "this server sends no mail: no [smtp] is configured",
        ));
    }
    state
        .limits
        .load()
        .magic_link(caller.network, &body.email)?;
    let user = state
        .store
        .user_by_email(&body.email)
        .await?
        .filter(|user| !user.disabled);
    tokio::spawn(async move {
        if let Some(user) = user {
            deliver(&state, &client, &user, target).await;
        }
    });
    Ok(StatusCode::ACCEPTED)
}

fn target(state: &AppState, client: &Client, redirect_uri: Option<&str>) -> Result<Url, Fault> {
    let unusable =
        || Fault::InvalidRequest("redirect_uri is not registered for the client".to_owned());
    let Some(redirect_uri) = redirect_uri else {
        if !client.is_public() {
            let why = "a client with a secret names the redirect_uri that the link leads to";
            return Err(Fault::InvalidRequest(why.to_owned()));
        }
        let page = format!("{}/auth/magic", state.config.load().issuer);
        return Url::parse(&page).map_err(|_| Fault::unavailable("the issuer is no URL"));
    };
    if !client
        .redirect_uris
        .iter()
        .any(|registered| registered == redirect_uri)
    {
        return Err(unusable());
    }
    Url::parse(redirect_uri).map_err(|_| unusable())
}

async fn deliver(state: &Arc<AppState>, client: &Client, user: &User, mut link: Url) {
    let secret = match issue(state, user, client).await {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!(event = "magic_link_not_made", ?error);
            return;
        }
    };
    link.query_pairs_mut().append_pair("token", secret.expose());
    let (name, minutes) = (&client.name, LIFETIME.as_secs() / 60);
    let mail = Mail {
        to: user.email.clone(),
        subject: format!("Sign in to {name}"),
        text: format!(
            "Open this link to sign in to {name}. It works once, for {minutes} minutes:\n\n{link}\n\n\
             If you did not ask for it, ignore this mail: nobody is signed in without the link.\n"
        ),
    };
    match state.mailer.send(mail).await {
        Ok(()) => tracing::info!(event = "magic_link_sent", client = %client.id),
        Err(error) => tracing::error!(event = "magic_link_not_sent", client = %client.id, %error),
    }
}
