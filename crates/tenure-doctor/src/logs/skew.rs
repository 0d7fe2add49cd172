//! Clocks of two machines in one record: the line's own time, and the `Date` of the answer that it tells of.

use tenure_core::outcome;

use super::names::Names;
use super::record::Record;

/// Where clients write down the answer's `Date`.
const DATES: Names = &["headers.date", "serverdate", "responsedate"];

/// Milliseconds by which clocks may differ, the time that an answer takes included.
const APART: u64 = 60_000;

/// A name and a sentence, where the two differ.
pub(super) fn of(record: &Record) -> Option<(&'static str, String)> {
    let there = outcome::date(&record.text(DATES)?)?;
    let (here, there) = (record.time?, there.0 * 1_000);
    let apart = here.abs_diff(there);
    let (name, side) = if here < there {
        ("client-behind-server", "behind")
    } else {
        ("client-ahead-of-server", "ahead of")
    };
    let says = format!(
        "the client's clock is {} s {side} the server's `Date`",
        apart / 1_000
    );
    (apart > APART).then_some((name, says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::format;

    #[test]
    fn a_line_with_two_times_shows_both_clocks() {
        let line = |date: &str| {
            let line = format!(
                "ts=2026-10-25T08:25:01Z level=warn msg=request status=401 server_date=\"{date}\""
            );
            of(&format::read(&line)).map(|(name, _)| name)
        };
        assert_eq!(
            line("Sun, 25 Oct 2026 09:25:01 GMT"),
            Some("client-behind-server")
        );
        assert_eq!(
            line("Sun, 25 Oct 2026 07:25:01 GMT"),
            Some("client-ahead-of-server")
        );
        assert_eq!(line("Sun, 25 Oct 2026 08:25:02 GMT"), None);
        assert_eq!(line("soon"), None);
    }
}
