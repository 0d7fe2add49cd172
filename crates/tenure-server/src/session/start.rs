//! A session starts: one row, one first refresh token.

use tenure_core::id::LineageId;
use tenure_core::lineage::{Device, Grant, Row, RowSecret, TokenId};
use tenure_store::AuditEvent;

use super::{Answer, Tokens};
use crate::config::{Client, GrantType};
use crate::error::Fault;
use crate::random;
use crate::state::AppState;

/// Who starts a session, with what.
pub(crate) struct Start<'a> {
    pub(crate) client: &'a Client,
    pub(crate) grant: Grant,
    pub(crate) device: Device,
    /// Chosen beforehand where something must find the session later, such as a replayed code.
    pub(crate) lineage: Option<LineageId>,
    /// OIDC Core section 3.1.2.1.
    pub(crate) nonce: Option<&'a str>,
}

/// Creates the session and answers with its first tokens.
pub(crate) async fn start(state: &AppState, start: Start<'_>) -> Result<Tokens, Fault> {
    let Start {
        client,
        grant,
        device,
        lineage,
        nonce,
    } = start;
    let now = state.believed_now()?;
    let lineage = match lineage {
        Some(lineage) => lineage,
        None => LineageId::new(now, random::bytes()?),
    };
    let lifetimes = (client.lifetimes.idle, client.lifetimes.absolute);
    let secret = RowSecret(random::bytes()?);
    let mut row = Row::new(
        lineage,
        secret,
        TokenId(random::bytes()?),
        grant,
        lifetimes,
        now,
    );
    row.device = device;
    state.store.create(&row).await?;
    state.audit(started(state, &row)).await;
    first_tokens(state, client, &row, nonce)
}

/// The first tokens of a session that nobody has refreshed.
pub(crate) fn first_tokens(
    state: &AppState,
    client: &Client,
    row: &Row,
    nonce: Option<&str>,
) -> Result<Tokens, Fault> {
    let refreshable = client.may_use(GrantType::RefreshToken)
        && (client.first_party || row.grant.scope.contains("offline_access"));
    let refresh_token = refreshable.then(|| {
        state
            .keys
            .load()
            .macs()
            .write(&row.first_token(), &row.secret)
    });
    let (scope, audience) = (&row.grant.scope, row.grant.audience.as_slice());
    Answer {
        client,
        row,
        scope,
        audience,
        nonce,
        now: state.now(),
    }
    .with(state, refresh_token)
}

fn started(state: &AppState, row: &Row) -> AuditEvent {
    let sid = state.keys.load().sid(row.lineage);
    tracing::info!(event = "session_started", sid, client = %row.grant.client);
    AuditEvent {
        at: row.created_at,
        event: "session_started".to_owned(),
        subject: Some(row.grant.subject.clone()),
        client: Some(row.grant.client.clone()),
        sid: Some(sid),
        reason: None,
        ip_prefix: row.device.ip_prefix.clone(),
        request_id: None,
    }
}
