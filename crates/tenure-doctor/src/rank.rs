//! From evidence to ranked causes.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::cause::{self, Cause, Step};
use crate::probe::Probe;
use crate::sign::Sign;
use crate::sign::logs::{self, Worth};
use crate::weight::{LIKELY, POSSIBLE, Strength, UNKNOWN};
use crate::{Clue, Diagnosis, Evidence, Outcome, Ranked, Verdict, layer, symptom};

/// Ranks the causes by what the evidence says. A function of its argument.
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let called = evidence.with_calls();
    let evidence = called.as_ref().unwrap_or(evidence);
    let mut answers = Answers::of(evidence);
    let mut weighed: Vec<_> = cause::all()
        .filter_map(|cause| Weighed::new(cause, &mut answers))
        .collect();
    weighed.sort_by(Weighed::order);
    let odds = |weighed: &Weighed| weighed.log_odds.exp();
    let standing = weighed.iter().filter(|weighed| !weighed.ruled_out);
    let whole = UNKNOWN.exp() + standing.map(odds).sum::<f64>();
    let ranked: Vec<_> = weighed
        .into_iter()
        .filter_map(|weighed| weighed.ranked(whole))
        .collect();
    let symptoms = symptom::all(evidence);
    Diagnosis {
        outcome: outcome(evidence, &ranked, &symptoms),
        next: next(evidence, &ranked),
        symptoms,
        answered: evidence.answer(Probe::Client).and_then(layer::answered),
        ranked,
        suppressed: Vec::new(),
    }
}

/// What each sign finds; asked once.
struct Answers<'a> {
    evidence: &'a Evidence,
    found: HashMap<&'static str, Vec<Clue>>,
}

impl<'a> Answers<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        Self {
            evidence,
            found: HashMap::new(),
        }
    }

    fn clues(&mut self, sign: &'static Sign) -> &[Clue] {
        self.found
            .entry(sign.name)
            .or_insert_with(|| (sign.find)(self.evidence))
    }

    fn holds(&mut self, sign: &'static Sign) -> bool {
        !self.clues(sign).is_empty()
    }

    /// Whether all of these hold, each by more than hearsay. What only a log tells settles nothing where the client's
    /// own refusal gives a reason.
    fn settles(&mut self, set: &[&'static Sign]) -> bool {
        let evidence = self.evidence;
        let best = |clues: &[Clue]| clues.iter().map(|clue| logs::worth(evidence, clue)).max();
        let worths: Option<Vec<_>> = set.iter().map(|sign| best(self.clues(sign))).collect();
        let worths = worths.unwrap_or_default();
        let firm = match worths.iter().max() {
            Some(Worth::Seen) => true,
            Some(Worth::Logged) => !cause::verifier::gives_reason(evidence),
            _ => false,
        };
        firm && !worths.contains(&Worth::Hearsay)
    }

    /// The logarithm of the odds that these signs give, and what they found.
    fn weigh(&mut self, signs: &[(&'static Sign, Strength)]) -> (f64, Vec<Clue>) {
        let mut sum = 0.0;
        let mut clues = Vec::new();
        for (sign, strength) in signs {
            if self.holds(sign) {
                sum += strength.log_odds();
                add(&mut clues, self.clues(sign));
            }
        }
        (sum, clues)
    }
}

/// Adds what is not there yet: two signs may have seen the same.
fn add(clues: &mut Vec<Clue>, more: &[Clue]) {
    for clue in more {
        if !clues.contains(clue) {
            clues.push(clue.clone());
        }
    }
}

struct Weighed {
    cause: &'static Cause,
    log_odds: f64,
    settled: bool,
    ruled_out: bool,
    evidence: Vec<Clue>,
    against: Vec<Clue>,
}

impl Weighed {
    /// Nothing where no sign speaks for the cause.
    fn new(cause: &'static Cause, answers: &mut Answers<'_>) -> Option<Self> {
        let (pro, evidence) = answers.weigh(cause.signs);
        let (contra, mut against) = answers.weigh(cause.against);
        let settled = cause.settled_by.iter().any(|set| answers.settles(set));
        let mut ruled_out = false;
        for sign in cause.ruled_out_by {
            let clues = answers.clues(sign);
            ruled_out |= !clues.is_empty();
            add(&mut against, clues);
        }
        (settled || !evidence.is_empty()).then_some(Self {
            cause,
            log_odds: cause.prior.log_odds() + pro - contra,
            settled: settled && !ruled_out,
            ruled_out,
            evidence,
            against,
        })
    }

    /// Settled first, ruled out last, the most probable first in between.
    fn order(&self, other: &Self) -> Ordering {
        let rank = |w: &Self| (w.ruled_out, !w.settled);
        rank(self)
            .cmp(&rank(other))
            .then(other.log_odds.total_cmp(&self.log_odds))
    }

    fn ranked(self, whole: f64) -> Option<Ranked> {
        let share = if self.ruled_out {
            0.0
        } else {
            self.log_odds.exp() / whole
        };
        let verdict = match share {
            _ if self.ruled_out => Verdict::RuledOut,
            _ if self.settled => Verdict::Confirmed,
            share if share >= LIKELY => Verdict::Likely,
            share if share >= POSSIBLE => Verdict::Possible,
            _ => return None,
        };
        Some(Ranked {
            cause: self.cause,
            verdict,
            share,
            evidence: self.evidence,
            against: self.against,
        })
    }
}

fn outcome(evidence: &Evidence, ranked: &[Ranked], symptoms: &[Clue]) -> Outcome {
    let found = ranked
        .first()
        .is_some_and(|first| first.verdict >= Verdict::Likely);
    if found {
        Outcome::Found
    } else if symptoms.is_empty() && symptom::somebody_served(evidence) {
        Outcome::Healthy
    } else {
        Outcome::Undecided
    }
}

/// How many causes are worth a further question.
const LEADING: usize = 4;

/// The steps of the leading causes that were not taken yet; those of more probable causes first.
fn next(evidence: &Evidence, ranked: &[Ranked]) -> Vec<Step> {
    if ranked
        .first()
        .is_some_and(|first| first.verdict == Verdict::Confirmed)
    {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let open = ranked
        .iter()
        .filter(|ranked| ranked.verdict != Verdict::RuledOut);
    for step in open.take(LEADING).flat_map(|ranked| ranked.cause.next) {
        let taken = matches!(step, Step::Probe(probe) if evidence.sent(*probe));
        if !taken && !steps.contains(step) {
            steps.push(*step);
        }
    }
    steps
}
