//! Sessions: how they start, go on, and end. Every route that does one of these does it here.

mod end;
mod refresh;
mod start;

pub(crate) use end::{End, end};
pub(crate) use refresh::{Refresh, refresh};
pub(crate) use start::{Start, first_tokens, start};

use serde::Serialize;
use tenure_core::id::LineageId;
use tenure_core::lineage::{Grant, Row};
use tenure_core::scope::Scope;
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_store::AuditEvent;
use tokio::task::JoinHandle;

use crate::config::Client;
use crate::error::Fault;
use crate::extract::Caller;
use crate::state::AppState;
use crate::token::{Issue, id_token};

/// A token answer (RFC 6749 section 5.1), the same on every route.
#[derive(Debug, Serialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: Secret,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<Secret>,
    /// Seconds until the refresh token is over if it is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<Secret>,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub(crate) scope: Scope,
}

/// Carries out what was begun, whoever hangs up or runs out of time meanwhile: a new password with half
/// of the sessions ended, or a theft without its trace, would be worse than none.
pub(crate) async fn carried_out<T: Send + 'static>(
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    outcome(tokio::spawn(work)).await
}

/// What became of work in a task of its own.
async fn outcome<T>(work: JoinHandle<Result<T, Fault>>) -> Result<T, Fault> {
    let done = work.await;
    done.unwrap_or_else(|broken| Err(Fault::unavailable(broken.to_string())))
}

/// A line of the audit trail about one session.
fn event(
    state: &AppState,
    caller: &Caller,
    name: &str,
    lineage: LineageId,
    grant: &Grant,
) -> AuditEvent {
    AuditEvent {
        at: state.now(),
        event: name.to_owned(),
        subject: Some(grant.subject.clone()),
        client: Some(grant.client.clone()),
        sid: Some(state.keys.load().sid(lineage)),
        reason: None,
        ip_prefix: Some(caller.network.to_string()),
        request_id: caller.request_id(),
    }
}

/// What a token answer says beside its refresh token.
struct Answer<'a> {
    client: &'a Client,
    row: &'a Row,
    scope: &'a Scope,
    audience: &'a [String],
    nonce: Option<&'a str>,
    now: Timestamp,
}

impl Answer<'_> {
    fn with(&self, state: &AppState, refresh_token: Option<Secret>) -> Result<Tokens, Fault> {
        let Self {
            client,
            row,
            scope,
            audience,
            nonce,
            now,
        } = *self;
        let sid = state.keys.load().sid(row.lineage);
        let session = Some((sid.as_str(), row.grant.auth_time));
        let issue = Issue {
            client,
            subject: &row.grant.subject,
            scope,
            audience,
            session,
            now,
        };
        let access_token = issue.access_token(state)?;
        let id_token = if scope.contains("openid") {
            Some(id_token(
                state,
                client,
                &row.grant,
                &sid,
                &access_token,
                nonce,
            )?)
        } else {
            None
        };
        let idle_end = now + row.idle;
        Ok(Tokens {
            token_type: "Bearer",
            expires_in: client.lifetimes.access.as_secs(),
            refresh_expires_in: refresh_token
                .as_ref()
                .map(|_| idle_end.min(row.expires_absolute).since(now).as_secs()),
            refresh_token,
            access_token,
            id_token,
            scope: scope.clone(),
        })
    }
}
