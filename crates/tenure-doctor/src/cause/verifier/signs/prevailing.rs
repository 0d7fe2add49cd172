//! Reasons that prevail in the logs.

use crate::sign::{Sign, logs};
use crate::{Clue, Evidence};

/// Times that a reason stands in the logs, and whether it is the prevailing one: three times at least, and twice as
/// often as any other.
fn prevails(evidence: &Evidence, name: &str) -> Vec<Clue> {
    let counts: Vec<_> = evidence
        .logs
        .findings
        .iter()
        .filter_map(|finding| Some((finding.text()?, finding.count)))
        .filter(|(text, _)| text.starts_with("log-says-"))
        .collect();
    let own = counts
        .iter()
        .find(|(text, _)| *text == name)
        .map_or(0, |(_, count)| *count);
    let others = counts
        .iter()
        .filter(|(text, _)| *text != name)
        .map(|(_, count)| *count)
        .max();
    if own < 3 || own < others.unwrap_or_default().saturating_mul(2) {
        return Vec::new();
    }
    logs::text(evidence, name)
}

macro_rules! prevailing {
    ($($sign:ident = $name:literal, $log:literal;)*) => {
        $(pub(in crate::cause::verifier) static $sign: Sign = Sign {
            name: $name,
            means: "this reason prevails in the logs",
            find: |evidence| prevails(evidence, $log),
        };)*
    };
}

prevailing! {
    MOSTLY_AUDIENCE = "logs-mostly-audience", "log-says-audience";
    MOSTLY_CLIENT = "logs-mostly-client", "log-says-client";
    MOSTLY_ALGORITHM = "logs-mostly-algorithm", "log-says-algorithm";
    MOSTLY_EARLY = "logs-mostly-early", "log-says-early";
    MOSTLY_EXPIRED = "logs-mostly-expired", "log-says-expired";
    MOSTLY_SIGNATURE = "logs-mostly-signature", "log-says-signature";
    MOSTLY_FETCH = "logs-mostly-jwks-fetch", "log-says-jwks-fetch";
    MOSTLY_BAD_SET = "logs-mostly-jwks-malformed", "log-says-jwks-malformed";
    MOSTLY_TYPE = "logs-mostly-typ", "log-says-typ";
    MOSTLY_ISSUER = "logs-mostly-issuer", "log-says-issuer";
}
