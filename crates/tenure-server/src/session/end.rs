//! A session ends because somebody or something decided so.

use tenure_core::id::LineageId;
use tenure_core::lineage::{EndCause, Grant, Revocation, Row};
use tenure_store::{AuditEvent, Revoked};

use super::event;
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
    let reason = evidence.map_or_else(
        || cause.as_str().to_owned(),
        |evidence| format!("{cause} ({evidence})"),
    );
    let event = AuditEvent {
        at,
        reason: Some(reason),
        ..event(state, caller, "session_ended", lineage, grant)
    };
    let (sid, reason) = (event.sid.as_deref(), cause.as_str());
    tracing::info!(event = "session_ended", sid, client = %grant.client, reason, evidence);
    state.audit(event).await;
    Ok(cause)
}
