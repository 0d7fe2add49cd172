//! How old a token is, in words.

use tenure_core::outcome;
use tenure_core::time::Timestamp;

use super::Token;
use crate::Evidence;

/// Seconds by which clocks may differ without anybody noticing.
const TOLERABLE: u64 = 2;

/// Sentences on the token's dates and on clocks that differ.
pub fn ages(token: &Token, evidence: &Evidence) -> Vec<String> {
    let now = evidence.now;
    let mut sentences = Vec::new();
    if let Some(claims) = &token.claims {
        let mut say = |what: &str, date: Option<Timestamp>| {
            if let Some(date) = date {
                sentences.push(format!("{what} {}", relative(date, now)));
            }
        };
        say("issued", claims.iat);
        say("valid", claims.nbf);
        say("the user signed in", claims.auth_time);
        match claims.exp {
            Some(exp) if exp.0 <= now.0 => {
                sentences.push(format!("expired {}", relative(exp, now)));
            }
            Some(exp) => sentences.push(format!("expires {}", relative(exp, now))),
            None => sentences.push("no expiry that can be read".to_owned()),
        }
        if let Some((exp, iat)) = claims.exp.zip(claims.iat) {
            sentences.push(format!("lifetime {}", span(exp.0.saturating_sub(iat.0))));
        }
    } else {
        sentences.push("no dates: its claims cannot be read".to_owned());
    }
    sentences.extend(clocks(evidence));
    sentences
}

/// `Date` of answers against the time at which they were asked for.
fn clocks(evidence: &Evidence) -> Option<String> {
    let differing = |exchange: &crate::exchange::Exchange| {
        let date = exchange.result.as_ref().ok()?.header("date")?;
        let there = outcome::date(date)?.0;
        let late = exchange.took_ms.div_ceil(1000) + TOLERABLE;
        let by = there.abs_diff(exchange.at.0);
        let side = if there > exchange.at.0 {
            "ahead of"
        } else {
            "behind"
        };
        (by > late).then(|| {
            format!(
                "the clock of who answered is {} {side} this machine's",
                span(by)
            )
        })
    };
    evidence.exchanges.iter().find_map(differing)
}

fn relative(date: Timestamp, now: Timestamp) -> String {
    match date.0.cmp(&now.0) {
        std::cmp::Ordering::Equal => "now".to_owned(),
        std::cmp::Ordering::Less => format!("{} ago", span(now.0 - date.0)),
        std::cmp::Ordering::Greater => format!("in {}", span(date.0 - now.0)),
    }
}

/// The two largest units.
fn span(mut seconds: u64) -> String {
    let mut parts = Vec::new();
    for (unit, name) in [
        (31_557_600, "y"),
        (86_400, "d"),
        (3_600, "h"),
        (60, "m"),
        (1, "s"),
    ] {
        if seconds >= unit && parts.len() < 2 {
            parts.push(format!("{} {name}", seconds / unit));
            seconds %= unit;
        }
    }
    if parts.is_empty() {
        "0 s".to_owned()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (61, "1 m 1 s"),
            (90_061, "1 d 1 h"),
            (40_000_000, "1 y 97 d"),
        ] {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(relative(Timestamp(10), Timestamp(70)), "1 m ago");
        assert_eq!(
            relative(Timestamp(u64::MAX), Timestamp(0))
                .split(' ')
                .nth(2),
            Some("y")
        );
    }
}
