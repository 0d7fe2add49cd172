//! For programs: one JSON object, described by `docs/doctor.schema.json`.

use serde::Serialize;

use super::words::rounded;
use super::{command, headline, not_looked_at};
use crate::cause::{Layer, Step};
use crate::{Clue, Diagnosis, Evidence, Outcome, Ranked, Verdict, layer};

/// Raised when a member changes its meaning or goes; a new member does not raise it.
const VERSION: u32 = 1;

/// The diagnosis and the evidence.
///
/// # Errors
///
/// Evidence that JSON cannot hold.
pub fn json(diagnosis: &Diagnosis, evidence: &Evidence) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Answer {
        version: VERSION,
        at: evidence.now.0,
        outcome: diagnosis.outcome,
        says: headline(diagnosis),
        answered: diagnosis.answered.as_ref().map(Answered::of),
        symptoms: &diagnosis.symptoms,
        causes: diagnosis.ranked.iter().map(Cause::of).collect(),
        suppressed: diagnosis.suppressed.iter().map(Cause::of).collect(),
        next: diagnosis.next.iter().map(Next::of).collect(),
        unread: &evidence.unread,
        not_given: not_looked_at(evidence),
        evidence,
    })
}

#[derive(Serialize)]
struct Answer<'a> {
    version: u32,
    at: u64,
    outcome: Outcome,
    says: String,
    answered: Option<Answered>,
    symptoms: &'a [Clue],
    causes: Vec<Cause<'a>>,
    suppressed: Vec<Cause<'a>>,
    next: Vec<Next>,
    unread: &'a [Clue],
    not_given: Vec<&'static str>,
    evidence: &'a Evidence,
}

#[derive(Serialize)]
struct Answered {
    layer: Layer,
    product: &'static str,
    mark: &'static str,
}

impl Answered {
    fn of(by: &layer::Answered) -> Self {
        Self {
            layer: by.layer,
            product: by.product,
            mark: by.mark,
        }
    }
}

#[derive(Serialize)]
struct Cause<'a> {
    id: &'static str,
    title: &'static str,
    layer: Layer,
    verdict: Verdict,
    share: f64,
    evidence: &'a [Clue],
    against: &'a [Clue],
    fix: &'static str,
    references: &'static [&'static str],
}

impl<'a> Cause<'a> {
    fn of(ranked: &'a Ranked) -> Self {
        Self {
            id: ranked.cause.id,
            title: ranked.cause.title,
            layer: ranked.cause.layer,
            verdict: ranked.verdict,
            share: rounded(ranked.share),
            evidence: &ranked.evidence,
            against: &ranked.against,
            fix: ranked.cause.fix,
            references: ranked.cause.references,
        }
    }
}

#[derive(Serialize)]
struct Next {
    probe: Option<String>,
    what: String,
    how: String,
}

impl Next {
    fn of(step: &Step) -> Self {
        let probe = match step {
            Step::Probe(probe) => Some(probe.to_string()),
            Step::Supply(..) => None,
        };
        let (what, how) = command(step);
        Self { probe, what, how }
    }
}
