//! How well cases are diagnosed.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::{Case, Played};
use crate::{Outcome, Ranked, Verdict};

/// One case, judged by its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// [`Case::id`].
    pub id: String,
    /// [`Case::family`].
    pub family: String,
    /// What should have been found.
    pub expected: Vec<String>,
    /// What was: id, verdict and share, the most probable first.
    pub ranked: Vec<(&'static str, Verdict, f64)>,
    /// The outcome.
    pub outcome: Outcome,
    /// Its figures.
    pub tally: Tally,
}

/// Figures of one case or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases.
    pub cases: usize,
    /// Of them, those with a fault.
    pub sick: usize,
    /// Sick, and the first cause is right.
    pub top_1: usize,
    /// Sick, and one of the first three is.
    pub top_3: usize,
    /// With a confirmed cause that is wrong.
    pub wrong_confirmed: usize,
    /// Sick, and what settles the cause was given.
    pub settling: usize,
    /// Of them, those with a right cause confirmed.
    pub settled: usize,
    /// Sick, and called healthy.
    pub false_healthy: usize,
    /// Healthy, and a cause was found.
    pub called_sick: usize,
    /// Cases with recorded answers.
    pub probed: usize,
    /// Requests sent in them.
    pub requests: usize,
}

/// One figure that was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// In a few words.
    pub says: &'static str,
    /// Whether it is met.
    pub met: bool,
}

/// Plays and judges cases.
pub fn measure(cases: &[Case]) -> Vec<Judged> {
    cases.iter().map(|case| judge(case, &case.play())).collect()
}

impl Tally {
    /// The figures of each family, by name.
    pub fn by_family(judged: &[Judged]) -> BTreeMap<&str, Self> {
        let mut families: BTreeMap<&str, Self> = BTreeMap::new();
        for case in judged {
            *families.entry(&case.family).or_default() += case.tally;
        }
        families
    }

    /// The figures of all.
    pub fn of(judged: &[Judged]) -> Self {
        let mut whole = Self::default();
        for case in judged {
            whole += case.tally;
        }
        whole
    }

    /// What the doctor promises, and whether these cases bear it out.
    pub fn goals(&self) -> [Goal; 6] {
        let goal = |says, met| Goal { says, met };
        let at_least = |part: usize, whole: usize, percent: usize| part * 100 >= whole * percent;
        [
            goal("top-1 at least 85 %", at_least(self.top_1, self.sick, 85)),
            goal("top-3 at least 95 %", at_least(self.top_3, self.sick, 95)),
            goal("no wrong Confirmed", self.wrong_confirmed == 0),
            goal(
                "at least 60 % Confirmed where that can be asked for",
                at_least(self.settled, self.settling, 60),
            ),
            goal("nothing sick called healthy", self.false_healthy == 0),
            goal("nothing healthy called sick", self.called_sick == 0),
        ]
    }
}

impl Judged {
    /// What is wrong with the diagnosis; nothing where it is right.
    pub fn complaints(&self) -> Vec<&'static str> {
        let tally = &self.tally;
        let all = [
            (tally.wrong_confirmed > 0, "wrong Confirmed"),
            (tally.false_healthy > 0, "called healthy"),
            (tally.called_sick > 0, "called sick"),
            (tally.top_3 < tally.sick, "not in the first three"),
            (tally.top_1 < tally.top_3, "not first"),
            (tally.settled < tally.settling, "not Confirmed"),
        ];
        all.into_iter()
            .filter(|(wrong, _)| *wrong)
            .map(|(_, says)| says)
            .collect()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.cases += other.cases;
        self.sick += other.sick;
        self.top_1 += other.top_1;
        self.top_3 += other.top_3;
        self.wrong_confirmed += other.wrong_confirmed;
        self.settling += other.settling;
        self.settled += other.settled;
        self.false_healthy += other.false_healthy;
        self.called_sick += other.called_sick;
        self.probed += other.probed;
        self.requests += other.requests;
    }
}

fn judge(case: &Case, played: &Played) -> Judged {
    let ranked = &played.diagnosis.ranked;
    let sick = !case.expected.is_empty();
    let right = |ranked: &&Ranked| case.expected.iter().any(|id| id == ranked.cause.id);
    let confirmed = || ranked.iter().filter(|r| r.verdict == Verdict::Confirmed);
    let standing = || ranked.iter().filter(|r| r.verdict != Verdict::RuledOut);
    let settling = sick && case.settling;
    let outcome = played.diagnosis.outcome;
    Judged {
        id: case.id.clone(),
        family: case.family.clone(),
        expected: case.expected.clone(),
        ranked: ranked
            .iter()
            .map(|r| (r.cause.id, r.verdict, r.share))
            .collect(),
        outcome,
        tally: Tally {
            cases: 1,
            sick: usize::from(sick),
            top_1: usize::from(sick && standing().take(1).any(|r| right(&r))),
            top_3: usize::from(sick && standing().take(3).any(|r| right(&r))),
            wrong_confirmed: usize::from(confirmed().any(|r| !right(&r))),
            settling: usize::from(settling),
            settled: usize::from(settling && confirmed().any(|r| right(&r))),
            false_healthy: usize::from(sick && outcome == Outcome::Healthy),
            called_sick: usize::from(!sick && outcome == Outcome::Found),
            probed: usize::from(!case.inputs.exchanges.is_empty()),
            requests: played.requests,
        },
    }
}
