//! Known texts: a name, and what the line holds. Compared without regard to case.

use super::record::Record;
use crate::cause;

/// Every list: what only logs say, then those of the families' signs.
const LISTS: &[&[(&str, &str)]] = &[
    TEXTS,
    cause::session::TEXTS,
    cause::tenure::TEXTS,
    cause::client::TEXTS,
    cause::client::CONSOLE,
    cause::client::LOGGED,
    cause::verifier::TEXTS[0],
    cause::verifier::TEXTS[1],
    cause::verifier::TEXTS[2],
    cause::edge::TEXTS,
    cause::edge::LOGGED,
    cause::framework::TEXTS,
    cause::framework::LOGGED,
    cause::framework::FORGERY_LOGGED,
    cause::gateway::TEXTS,
    cause::gateway::LOGGED,
    cause::gateway::LIMITS,
];

/// Names with what is looked for.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    LISTS.iter().copied().flatten().copied()
}

/// What a line says by leaving something out: Traefik names the origin's status unless a middleware answered.
pub(super) fn left_out(record: &Record) -> Option<&'static str> {
    let asked = record.number(&["=originstatus"]).unwrap_or_default() > 0.0;
    if record.format != "traefik" || asked {
        return None;
    }
    match record.number(&["=downstreamstatus"])? {
        401.0 => Some("traefik-middleware-401"),
        500.0 => Some("traefik-middleware-500"),
        _ => None,
    }
}

/// What the fields of an access log say together: a cache gave the refusal (nginx's `$upstream_cache_status` and its like,
/// the logs of Cloudflare and Amazon CloudFront).
pub(super) fn cached_refusal(record: &Record) -> Option<&'static str> {
    let kept = record.text(&[
        "upstreamcachestatus",
        "cachestatus",
        "cachecachestatus",
        "xcache",
        "=cache",
        "xedgeresulttype",
    ])?;
    let hit = ["hit", "stale", "updating", "revalidated"];
    let status = record.number(&["status", "edgeresponsestatus", "statuscode", "scstatus"]);
    let refused = status.is_some_and(|status| [401.0, 403.0].contains(&status));
    let given = hit.iter().any(|word| kept.eq_ignore_ascii_case(word));
    (refused && given).then_some("edge-cached-refusal-logged")
}

/// Whether the line is of a level for developers, by its beginning.
pub(super) fn is_chatter(line: &[u8]) -> bool {
    const HEAD: usize = 120;
    let head = line.get(..HEAD).unwrap_or(line).to_ascii_lowercase();
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "debug" | "trace" | "verbose"))
}

const TEXTS: &[(&str, &str)] = &[
    (
        "envoy-jwt-expired",
        "jwt_authn_access_denied{jwt_is_expired}",
    ),
    (
        "express-session-memory-store",
        "memorystore is not designed for a production environment",
    ),
];
