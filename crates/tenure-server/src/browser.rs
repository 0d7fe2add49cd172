//! The sign-in of a browser at this server: who comes back is not asked again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, SameSite, time};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use tenure_core::id::Subject;
use tenure_core::secret::{Secret, sha256};
use tenure_core::time::Timestamp;
use tenure_store::{Ticket, TicketHash, TicketKind, User};

use crate::accounts::check_unchanged;
use crate::config::Config;
use crate::error::Fault;
use crate::random;
use crate::state::AppState;

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrowserSession {
    pub(crate) subject: Subject,
    pub(crate) email: String,
    /// When the user last proved who they are.
    pub(crate) auth_time: Timestamp,
    /// Names the session without giving it away.
    pub(crate) hash: TicketHash,
}

impl BrowserSession {
    /// Its name, where a form must be sent by the sign-in that it was shown to.
    pub(crate) fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hash)
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    auth_time: Timestamp,
}

/// The browser's sign-in, while it lasts and the account is enabled.
pub(crate) async fn current(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<BrowserSession>, Fault> {
    let Some(hash) = presented(&state.config.load(), headers) else {
        return Ok(None);
    };
    let ticket = state
        .store
        .ticket(TicketKind::Browser, hash, state.now())
        .await?;
    let Some(Ticket {
        subject: Some(subject),
        payload,
        ..
    }) = ticket
    else {
        return Ok(None);
    };
    let Some(user) = state
        .store
        .user(&subject)
        .await?
        .filter(|user| !user.disabled)
    else {
        return Ok(None);
    };
    let Payload { auth_time } = serde_json::from_str(&payload)
        .map_err(|_| Fault::unavailable("the record of a browser session is damaged"))?;
    Ok(Some(BrowserSession {
        subject,
        email: user.email,
        auth_time,
        hash,
    }))
}

/// Signs the browser in under a new id; whatever it came with is void (session fixation).
pub(crate) async fn sign_in(
    state: &AppState,
    headers: &HeaderMap,
    user: &User,
) -> Result<(BrowserSession, HeaderValue), Fault> {
    let config = state.config.load();
    if let Some(old) = presented(&config, headers) {
        state.store.drop_ticket(TicketKind::Browser, old).await?;
    }
    let secret = random::secret()?;
    let auth_time = state.now();
    let payload = serde_json::to_string(&Payload { auth_time })
        .map_err(|_| Fault::unavailable("a browser session does not serialise"))?;
    let hash = sha256(secret.expose().as_bytes());
    let ticket = Ticket {
        kind: TicketKind::Browser,
        hash,
        subject: Some(user.subject.clone()),
        expires_at: auth_time + config.browser_lifetime,
        used_at: None,
        payload,
    };
    state.store.add_ticket(&ticket).await?;
    if let Err(changed) = check_unchanged(state, user).await {
        state.store.drop_ticket(TicketKind::Browser, hash).await?;
        return Err(changed);
    }
    let (subject, email) = (user.subject.clone(), user.email.clone());
    let cookie = set_cookie(&config, SESSION, &secret, Some(config.browser_lifetime))?;
    Ok((
        BrowserSession {
            subject,
            email,
            auth_time,
            hash,
        },
        cookie,
    ))
}

/// Signs the browser out; answers the header that makes it forget its cookie.
pub(crate) async fn sign_out(state: &AppState, headers: &HeaderMap) -> Result<HeaderValue, Fault> {
    let config = state.config.load();
    if let Some(hash) = presented(&config, headers) {
        state.store.drop_ticket(TicketKind::Browser, hash).await?;
    }
    set_cookie(
        &config,
        SESSION,
        &Secret::default(),
        Some(std::time::Duration::ZERO),
    )
}

/// The cookie that carries the sign-in.
const SESSION: &str = "tenure";

fn presented(config: &Config, headers: &HeaderMap) -> Option<TicketHash> {
    cookie(config, headers, SESSION).map(|value| sha256(value.as_bytes()))
}

/// The value of one of this server's own cookies.
pub(crate) fn cookie<'h>(config: &Config, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let name = full_name(config, name);
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(other, value)| (other == name).then_some(value))
}

/// A `Set-Cookie` header for one of this server's own cookies; without `lifetime` it ends with the
/// browser.
pub(crate) fn set_cookie(
    config: &Config,
    name: &str,
    value: &Secret,
    lifetime: Option<std::time::Duration>,
) -> Result<HeaderValue, Fault> {
    let mut cookie = Cookie::build((full_name(config, name), value.expose()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https(config));
    if let Some(lifetime) = lifetime {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        cookie = cookie.max_age(time::Duration::seconds(seconds));
    }
    let mut header = HeaderValue::from_str(&cookie.build().to_string())
        .map_err(|_| Fault::unavailable("a cookie does not serialise"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// `__Host-` keeps other hosts of the same site from setting it; browsers take it over https only.
fn full_name(config: &Config, name: &str) -> String {
    let prefix = if is_https(config) { "__Host-" } else { "" };
    format!("{prefix}{name}")
}

fn is_https(config: &Config) -> bool {
    config.issuer.starts_with("https:")
}
