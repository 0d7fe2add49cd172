//! Magic links: a ticket that signs in once.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenure_core::id::ClientId;
use tenure_core::secret::{Secret, sha256};
use tenure_store::{Taken, Ticket, TicketKind, User};

use super::login::begin;
use crate::accounts::admit;
use crate::config::Client;
use crate::error::Fault;
use crate::extract::Caller;
use crate::random;
use crate::session::Tokens;
use crate::state::AppState;

/// How long a link can be used.
pub(super) const LIFETIME: Duration = Duration::from_mins(15);

const OVER: Fault = Fault::InvalidGrant {
    cause: None,
    why: "the link was used or is older than 15 minutes; ask for a new one",
};

/// What the ticket says of the request. Links of the OAuth sign-in page have another payload, and
/// are not for these routes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    client_id: ClientId,
}

/// A link that is still good.
pub(super) struct Opened {
    pub(super) client: Arc<Client>,
    pub(super) user: User,
}

/// Makes the secret of a link.
pub(super) async fn issue(state: &AppState, user: &User, client: &Client) -> Result<Secret, Fault> {
    let secret = random::secret()?;
    let payload = serde_json::to_string(&Payload {
        client_id: client.id.clone(),
    })
    .map_err(|error| Fault::unavailable(error.to_string()))?;
    let ticket = Ticket {
        kind: TicketKind::MagicLink,
        hash: sha256(secret.expose().as_bytes()),
        subject: Some(user.subject.clone()),
        expires_at: state.now() + LIFETIME,
        used_at: None,
        payload,
    };
    state.store.add_ticket(&ticket).await?;
    Ok(secret)
}

/// Looks a link up and leaves it as it is; using it up is left to [`redeem`].
pub(super) async fn open(state: &AppState, secret: &Secret) -> Result<Opened, Fault> {
    let hash = sha256(secret.expose().as_bytes());
    let ticket = state
        .store
        .ticket(TicketKind::MagicLink, hash, state.believed_now()?)
        .await?;
    let ticket = ticket
        .filter(|ticket| ticket.used_at.is_none())
        .ok_or(OVER)?;
    let payload: Payload = serde_json::from_str(&ticket.payload).map_err(|_| OVER)?;
    let client = state.client(&payload.client_id).ok_or(OVER)?;
    let subject = ticket.subject.ok_or(OVER)?;
    let user = state.store.user(&subject).await?.ok_or(OVER)?;
    Ok(Opened { client, user })
}

/// Uses the link up and starts the session.
pub(super) async fn redeem(
    state: &AppState,
    caller: &Caller,
    secret: &Secret,
    opened: &Opened,
    label: Option<String>,
) -> Result<Tokens, Fault> {
    let hash = sha256(secret.expose().as_bytes());
    let now = state.believed_now()?;
    let Taken::Now(_) = state
        .store
        .take_ticket(TicketKind::MagicLink, hash, now)
        .await?
    else {
        return Err(OVER);
    };
    let Opened { client, user } = opened;
    if !admit(state, caller, user).await {
        return Err(OVER);
    }
    begin(state, caller, client, user, now, label).await
}
