//! What is said and counted where a presentation issues nothing.

use tenure_core::lineage::{EndCause, Token, Unreadable, Verdict};

use crate::error::Fault;
use crate::state::AppState;

/// The token cannot even be read.
pub(super) fn refuse_unreadable(state: &AppState, unreadable: Unreadable) -> Fault {
    let verdict = match unreadable {
        Unreadable::MissingKey(id) => Verdict::MissingKey(id),
        Unreadable::Garbage | Unreadable::RetiredKey => Verdict::Unknown,
    };
    state.metrics.refreshed(name(&verdict));
    if let Verdict::MissingKey(id) = verdict {
        tracing::error!(event = "mac_key_missing", kid = %id, "this server lacks a key");
    } else {
        state.metrics.signed_out(EndCause::Unknown);
    }
    refusal(&verdict)
}

/// The row is gone; the revocation log may still know why.
pub(super) async fn unknown_lineage(state: &AppState, token: &Token) -> Result<Fault, Fault> {
    state.metrics.refreshed(name(&Verdict::UnknownLineage));
    let logged = state.store.logged_end(token.content().lineage).await?;
    let cause = logged.map_or(EndCause::Unknown, |logged| logged.cause);
    state.metrics.signed_out(cause);
    tracing::warn!(
        event = "refresh",
        verdict = "unknown_lineage",
        reason = cause.as_str()
    );
    Ok(Fault::ended(cause))
}

/// The answer to verdicts that neither issue nor end anything.
pub(super) fn refusal(verdict: &Verdict) -> Fault {
    match *verdict {
        Verdict::Unknown | Verdict::BadSeal => Fault::ended(EndCause::Unknown),
        Verdict::WrongClient => Fault::InvalidGrant {
            cause: None,
            why: "the token belongs to another client",
        },
        Verdict::RingFull { retry_after } => Fault::Unavailable {
            retry_after,
            why: "this session refreshes too often".to_owned(),
        },
        Verdict::Superseded { retry_after } => Fault::Unavailable {
            retry_after,
            why: "a newer token of this session is in use; this may be a late duplicate".to_owned(),
        },
        Verdict::MissingKey(_) => Fault::unavailable("this server lacks a key"),
        Verdict::ClockInDoubt => Fault::unavailable("this server doubts its clock"),
        _ => Fault::unavailable("this token is further ahead than any lost write explains"),
    }
}

/// The name of a verdict in metrics and logs.
pub(super) fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "unknown",
        Verdict::MissingKey(_) => "missing_key",
        Verdict::UnknownLineage => "unknown_lineage",
        Verdict::WrongClient => "wrong_client",
        Verdict::BadSeal => "bad_seal",
        Verdict::Ended(_) => "ended",
        Verdict::ClockInDoubt => "clock_in_doubt",
        Verdict::Again { .. } => "again",
        Verdict::Advance(_) => "advance",
        Verdict::RingFull { .. } => "ring_full",
        Verdict::Superseded { .. } => "superseded",
        Verdict::Ahead(_) => "ahead",
        Verdict::Impossible => "impossible",
        Verdict::Reuse(_) => "reuse",
    }
}
