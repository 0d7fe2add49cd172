//! A session ends because somebody or something decided so.

use tenure_core::id::LineageId;
use tenure_core::lineage::{EndCause, Grant, Revocation, Row};
use tenure_store::{AuditEvent, Revoked};

use crate::error::Fault;
use crate::extract::Caller;
use crate::state::AppState;

/// Which session ends, and why.
pub(crate) struct End<'a> {
    pub(crate) lineage: LineageId,
    pub(crate) grant: &'a Grant,
    pub(crate) cause: EndCause,
    /// What gave a thief away.
    pub(crate) evidence: Option<&'static str>,
}

impl<'a> End<'a> {
    /// The session of a row, without evidence.
    pub(crate) fn of(row: &'a Row, cause: EndCause) -> Self {
        Self {
            lineage: row.lineage,
            grant: &row.grant,
            cause,
            evidence: None,
        }
    }
}

/// Ends it; answers the cause that counts, which is the first one.
pub(crate) async fn end(
    state: &AppState,
    caller: &Caller,
    end: End<'_>,
) -> Result<EndCause, Fault> {
    let End {
        lineage,
        grant,
        cause,
        evidence,
    } = end;
    let at = state.now();
    match state
        .store
        .revoke(lineage, Revocation { at, cause })
        .await?
    {
        Revoked::Before(earlier) => return Ok(earlier.cause),
        Revoked::Missing => return Ok(EndCause::Unknown),
        Revoked::Now => {}
    }
    let sid = state.keys.load().sid(lineage);
    tracing::info!(
        event = "session_ended", sid, client = %grant.client, reason = cause.as_str(), evidence
    );
    let reason = evidence.map_or_else(
        || cause.as_str().to_owned(),
        |evidence| format!("{cause} ({evidence})"),
    );
    let event = AuditEvent {
        at,
        event: "session_ended".to_owned(),
        subject: Some(grant.subject.clone()),
        client: Some(grant.client.clone()),
        sid: Some(sid),
        reason: Some(reason),
        ip_prefix: Some(caller.network.to_string()),
        request_id: caller.request_id.as_deref().map(str::to_owned),
    };
    state.audit(event).await;
    Ok(cause)
}
