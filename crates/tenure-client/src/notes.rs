//! The machine's decisions as events with stable names. No field holds a secret.

use tenure_core::session::Note;
use tracing::{debug, info, warn};

pub(crate) fn tell(note: Note) {
    match note {
        Note::BootstrapStarted => debug!("bootstrap_started"),
        Note::RefreshStarted { reason } => info!(reason, "refresh_started"),
        Note::RefreshSucceeded { rotated } => info!(rotated, "refresh_succeeded"),
        Note::RefreshFailed { class, will_clear } => warn!(class, will_clear, "refresh_failed"),
        Note::SessionCleared { reason } => warn!(%reason, "session_cleared"),
        Note::Refused { hint } => warn!(hint, "refused"),
        Note::ClockJumped { seconds } => info!(seconds, "clock_jumped"),
        Note::Degraded { cause } => warn!(%cause, "degraded"),
    }
}
