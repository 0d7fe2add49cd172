//! Signs: questions that evidence answers, each asked in one place and used by many causes.
//!
//! Those of one file are about one kind of evidence. What only one family asks stands beside its causes.

use std::fmt;

use tenure_core::time::Timestamp;

use crate::exchange::{Answer, Exchange};
use crate::probe::Probe;
use crate::{Clue, Evidence, Source};

pub mod answer;
pub mod drift;
pub mod keys;
pub mod logs;
pub mod probes;
pub mod token;

/// A question to the evidence. It holds where `find` finds anything.
pub struct Sign {
    /// Unique, in kebab-case; stable in outputs.
    pub name: &'static str,
    /// What it means when it holds, in half a sentence.
    pub means: &'static str,
    /// Looks for it; the clues say what was seen, where.
    pub find: fn(&Evidence) -> Vec<Clue>,
}

impl Sign {
    /// Whether it finds anything.
    pub(crate) fn holds(&self, evidence: &Evidence) -> bool {
        !(self.find)(evidence).is_empty()
    }
}

impl fmt::Debug for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// One clue from a probe's answer if the condition holds.
pub(crate) fn seen(holds: bool, says: impl Into<String>, probe: Probe) -> Vec<Clue> {
    if !holds {
        return Vec::new();
    }
    vec![Clue::new(says, Source::Probe(probe))]
}

/// What all of these signs find.
pub(crate) fn each(evidence: &Evidence, signs: &[&Sign]) -> Vec<Clue> {
    signs
        .iter()
        .flat_map(|sign| (sign.find)(evidence))
        .collect()
}

/// One clue from the last of these probes, where all of them were answered and the answers have something
/// to say together.
pub(crate) fn together<const N: usize>(
    evidence: &Evidence,
    probes: [Probe; N],
    says: impl FnOnce([&Answer; N]) -> Option<String>,
) -> Vec<Clue> {
    let clue = || {
        let answers = evidence.all_answered(probes)?;
        Some(Clue::new(says(answers)?, Source::Probe(*probes.last()?)))
    };
    clue().into_iter().collect()
}

/// What was found, if anything, as one clue of a probe.
pub(crate) fn found(found: Option<(Probe, String)>) -> Vec<Clue> {
    let clue = found.map(|(probe, says)| Clue::new(says, Source::Probe(probe)));
    clue.into_iter().collect()
}

/// One clue from the first of these probes of whose answer something is to be said.
pub(crate) fn first_of(
    evidence: &Evidence,
    probes: &[Probe],
    says: impl Fn(Probe, &Answer) -> Option<String>,
) -> Vec<Clue> {
    found(probes.iter().find_map(|probe| {
        let answer = evidence.answer(*probe)?;
        Some((*probe, says(*probe, answer)?))
    }))
}

/// One clue from the first of the client's own answers of which something is to be said.
pub(crate) fn of_client(
    evidence: &Evidence,
    says: impl Fn(&Answer) -> Option<String>,
) -> Vec<Clue> {
    found(
        client_answers(evidence)
            .find_map(|(exchange, answer)| Some((exchange.probe, says(answer)?))),
    )
}

/// One clue from the presented token.
pub(crate) fn of_token(says: impl Into<String>, at: Option<Timestamp>) -> Vec<Clue> {
    vec![Clue {
        says: says.into(),
        source: Source::Token,
        at,
    }]
}

/// The answers that the client's own request got, first and repeated, in their order.
pub(crate) fn client_answers(evidence: &Evidence) -> impl Iterator<Item = (&Exchange, &Answer)> {
    evidence.exchanges.iter().filter_map(|exchange| {
        let own = exchange.probe.is_own();
        own.then_some((exchange, exchange.result.as_ref().ok()?))
    })
}

/// All answers of all probes.
pub(crate) fn answers(evidence: &Evidence) -> impl Iterator<Item = (Probe, &Answer)> {
    evidence
        .exchanges
        .iter()
        .filter_map(|exchange| Some((exchange.probe, exchange.result.as_ref().ok()?)))
}

/// 401 or 403, or what GraphQL says in their place.
pub(crate) fn refused(answer: &Answer) -> bool {
    matches!(answer.status, 401 | 403) || answer.refuses_in_body()
}

/// 2xx, and no refusal in the words of GraphQL.
pub(crate) fn accepted(answer: &Answer) -> bool {
    (200..300).contains(&answer.status) && !answer.refuses_in_body()
}

/// True where the text contains the needle, in any case (ASCII).
pub(crate) fn contains(text: &str, needle: &str) -> bool {
    needle.is_empty()
        || text
            .as_bytes()
            .windows(needle.len())
            .any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}
