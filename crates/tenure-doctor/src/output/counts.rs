//! How much was looked at, and what was not.

use crate::Evidence;

/// `12 probes, 1 token`; empty where nothing was looked at.
pub(crate) fn looked_at(evidence: &Evidence) -> String {
    let lines: u64 = evidence.logs.files.iter().map(|file| file.lines).sum();
    let counts = [
        (evidence.exchanges.len() as u64, "probe"),
        (evidence.tokens.len() as u64, "token"),
        (evidence.keys.len() as u64, "key source"),
        (evidence.beliefs.len() as u64, "setting"),
        (lines, "log line"),
        (evidence.deployment.len() as u64, "check"),
    ];
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let said = some.map(|(count, what)| {
        let ending = if *count == 1 { "" } else { "s" };
        format!("{count} {what}{ending}")
    });
    said.collect::<Vec<_>>().join(", ")
}

/// What would have been looked at, had it been given: unknown, not fine.
pub(crate) fn not_looked_at(evidence: &Evidence) -> Vec<&'static str> {
    let given = [
        (!evidence.exchanges.is_empty(), "the endpoint (--url)"),
        (!evidence.tokens.is_empty(), "the token (--token-file)"),
        (!evidence.keys.is_empty(), "the verifier's keys (--keys)"),
        (!evidence.beliefs.is_empty(), "configuration (--files)"),
        (!evidence.logs.files.is_empty(), "logs (--logs)"),
    ];
    let absent = given.into_iter().filter(|(given, _)| !given);
    absent.map(|(_, what)| what).collect()
}
