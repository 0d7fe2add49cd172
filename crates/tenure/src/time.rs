//! Points in time as people write them.

use std::time::{Duration, UNIX_EPOCH};

use tenure_core::time::Timestamp;
use tenure_server::config::parse_duration;

/// RFC 3339, UTC.
pub(crate) fn show(at: Timestamp) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(at.0);
    humantime::format_rfc3339_seconds(time).to_string()
}

/// `2h` before `now`, or an RFC 3339 time.
pub(crate) fn since(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(ago) = parse_duration(text) {
        return Some(now.minus(ago));
    }
    let time = humantime::parse_rfc3339_weak(text).ok()?;
    Some(Timestamp(time.duration_since(UNIX_EPOCH).ok()?.as_secs()))
}

/// `3d 4h`: the two largest units.
pub(crate) fn span(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    let mut parts = Vec::new();
    for (unit, name) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
        if rest >= unit && parts.len() < 2 {
            parts.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() {
        "0s".to_owned()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure_core::time::Timestamp;

    use super::{show, since, span};

    #[test]
    fn times_are_read_as_ages_and_as_rfc_3339() {
        let now = Timestamp(1_700_000_000);
        assert_eq!(show(now), "2023-11-14T22:13:20Z");
        assert_eq!(since("2h", now), Some(Timestamp(1_700_000_000 - 7200)));
        assert_eq!(since("2023-11-14T22:13:20Z", now), Some(now));
        assert_eq!(since("2023-11-14", now), None);
        assert_eq!(since("yesterday", now), None);
    }

    #[test]
    fn spans_have_two_units() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (900, "15m"), (93_784, "1d 2h")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
