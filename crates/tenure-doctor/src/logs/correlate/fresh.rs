//! A token that has just been issued, and is refused.

use super::Scene;
use crate::logs::Pattern;
use crate::logs::event::Kind;
use crate::logs::findings::{Moment, Sighting, near};

/// Milliseconds for which a token is fresh.
const FRESH: u64 = 60_000;

/// Looks for a refusal that a refresh has not helped against: the log says that the request carried
/// the new token, or the token itself is the same.
pub(super) fn judge(scene: &mut Scene<'_>) {
    let event = scene.event;
    let now = Moment::from(event);
    let refreshed = scene
        .person
        .refreshed
        .as_ref()
        .filter(|(moment, _)| near(moment, &now, FRESH));
    let same = || {
        let new = refreshed.as_ref().and_then(|(_, access)| access.as_ref());
        new.is_some() && new == event.access.as_ref()
    };
    let found = match event.kind {
        Kind::RetryExhausted => {
            event.retry != Some(false)
                && event
                    .status
                    .is_none_or(|status| matches!(status, 401 | 403))
        }
        Kind::Request if event.refused() => {
            refreshed.is_some() && event.retry == Some(true) || same()
        }
        _ => false,
    };
    if !found {
        return;
    }
    let status = event
        .status
        .map_or("unknown".to_owned(), |status| status.to_string());
    let after = refreshed.and_then(|(moment, _)| moment.at.zip(now.at));
    let after = after.map(|(refresh, refusal)| refusal.saturating_sub(refresh));
    let says = match after {
        Some(after) => format!(
            "a refresh succeeded, and {after} ms later a request with its token was answered {status}"
        ),
        None => format!("after a refresh, the request was repeated and answered {status} again"),
    };
    let mut seen = Sighting::new(Pattern::FreshTokenRefused, says).figure("status", status);
    if let Some(after) = after {
        seen = seen.figure("after_ms", after);
    }
    if let Some(path) = &event.path {
        seen = seen.figure("path", path);
    }
    scene.found.push(seen);
}
