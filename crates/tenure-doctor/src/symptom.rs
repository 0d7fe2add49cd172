//! Whether anybody is turned away at all.

use crate::probe::Probe;
use crate::{Clue, Evidence, Source};

/// What went wrong for users, whatever the cause.
pub(crate) fn all(evidence: &Evidence) -> Vec<Clue> {
    unanswered(evidence)
}

/// The client's request to which nothing came back.
fn unanswered(evidence: &Evidence) -> Vec<Clue> {
    let client = evidence
        .exchanges
        .iter()
        .filter(|e| e.probe == Probe::Client);
    client
        .filter_map(|exchange| {
            let failure = exchange.result.as_ref().err()?;
            Some(Clue {
                says: format!("the client's request got no answer: {failure}"),
                source: Source::Probe(exchange.probe),
                at: Some(exchange.at),
            })
        })
        .collect()
}
