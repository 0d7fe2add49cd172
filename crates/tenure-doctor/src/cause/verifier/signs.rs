//! What only this family asks.

use crate::sign::answer::At;
use crate::sign::{accepted, answers, refused};
use crate::{Evidence, exchange::Answer, probe::Probe};

pub(super) mod claims;
pub(super) mod clocks;
pub(super) mod expiry;
pub(super) mod prevailing;
pub(super) mod products;
pub(super) mod published;
pub(crate) mod reasons;
pub(super) mod refusals;
pub(super) mod rivals;
pub(super) mod secrets;

/// The first answer to the client's request that is no success, where none was one.
pub(super) fn refusal(evidence: &Evidence) -> Option<&Answer> {
    let first = evidence.answer(Probe::Client)?;
    (!accepted(first)).then_some(first)
}

/// The first refusal among the client's request, its repetitions and the ends of its redirects.
pub(super) fn turned_away(evidence: &Evidence) -> Option<(Probe, &Answer)> {
    answers(evidence).find(|(probe, answer)| At::Client.includes(*probe) && refused(answer))
}

/// Part of a URL that names who runs it: host and port.
pub(super) fn authority(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let port = url.port_or_known_default().unwrap_or_default();
    Some(format!("{}:{port}", url.host_str()?))
}
