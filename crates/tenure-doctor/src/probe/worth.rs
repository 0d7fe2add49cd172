//! How much a probe would tell.

use super::Probe;
use crate::cause::Step;
use crate::{Diagnosis, Verdict};

/// The summed share of causes below which a probe is not worth a request.
const LEAST: f64 = 0.02;

/// The probe that would tell most: the one that causes with the largest shares together wait for. Repeats
/// come after all others: they tell something only when they differ.
///
/// `ready` answers what may be sent for a probe: itself, what has to precede it, or nothing.
pub(super) fn most(diagnosis: &Diagnosis, ready: impl Fn(Probe) -> Option<Probe>) -> Option<Probe> {
    let scores = scores(diagnosis, ready);
    let best = |repeats: bool| {
        scores
            .iter()
            .filter(|(probe, score)| is_repeat(*probe) == repeats && *score >= LEAST)
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .map(|(probe, _)| *probe)
    };
    best(false).or_else(|| best(true))
}

/// In the order in which the most probable causes name them.
fn scores(diagnosis: &Diagnosis, ready: impl Fn(Probe) -> Option<Probe>) -> Vec<(Probe, f64)> {
    let mut scores: Vec<(Probe, f64)> = Vec::new();
    let open = diagnosis
        .ranked
        .iter()
        .filter(|ranked| ranked.verdict != Verdict::RuledOut);
    for ranked in open {
        let named = ranked.cause.next.iter().filter_map(|step| match step {
            Step::Probe(probe) => ready(*probe),
            Step::Supply(..) => None,
        });
        let mut seen = Vec::new();
        for probe in named {
            if seen.contains(&probe) {
                continue;
            }
            seen.push(probe);
            match scores.iter_mut().find(|(known, _)| *known == probe) {
                Some((_, score)) => *score += ranked.share,
                None => scores.push((probe, ranked.share)),
            }
        }
    }
    scores
}

fn is_repeat(probe: Probe) -> bool {
    matches!(
        probe,
        Probe::Again(_) | Probe::Address(_) | Probe::Refresh | Probe::RefreshAgain(_)
    )
}
