//! The incident document: what happened, why, how to see it again, and how to know that it is over.

mod audit;
mod flow;
mod merge;
mod reproduction;
mod verification;

use askama::Template;

use crate::cause::Step;
use crate::output::{
    Table, answered, command, headline, layer, looked_at, not_looked_at, share, tables, time,
    verdict,
};
use crate::{Clue, Diagnosis, Evidence, Ranked, Verdict, logs};

pub use merge::merge;

/// An incident, ready to be written in either form.
#[derive(Debug)]
pub struct Report {
    title: String,
    metadata: Vec<(&'static str, String)>,
    overview: Vec<String>,
    questions: Vec<String>,
    symptoms: Vec<Clue>,
    tables: Vec<Table>,
    flow: String,
    /// As SVG; empty where the logs have no events.
    timeline: String,
    reproduction: Vec<String>,
    causes: Vec<Entry>,
    verification: Vec<String>,
    audit: Table,
}

/// One cause.
#[derive(Debug)]
struct Entry {
    id: &'static str,
    title: &'static str,
    verdict: &'static str,
    share: &'static str,
    layer: &'static str,
    fix: Option<&'static str>,
    evidence: Vec<Clue>,
    against: Vec<Clue>,
}

impl Report {
    /// Puts the incident together. A function of its arguments: no network, no clock, no files.
    pub fn new(title: &str, diagnosis: &Diagnosis, evidence: &Evidence) -> Self {
        Self {
            title: title.to_owned(),
            metadata: metadata(diagnosis, evidence),
            overview: overview(diagnosis, evidence),
            questions: questions(diagnosis, evidence),
            symptoms: diagnosis.symptoms.clone(),
            tables: tables(evidence),
            flow: flow::mermaid(diagnosis, evidence),
            timeline: logs::timeline::svg(&evidence.logs.timeline),
            reproduction: reproduction::steps(evidence),
            causes: diagnosis.ranked.iter().map(Entry::of).collect(),
            verification: verification::items(diagnosis, evidence),
            audit: audit::log(diagnosis, evidence),
        }
    }

    /// In Markdown (GitHub's), the flow as a Mermaid diagram.
    ///
    /// # Errors
    ///
    /// None that a text in memory could have.
    pub fn markdown(&self) -> askama::Result<String> {
        Markdown { report: self }.render()
    }

    /// As one HTML page that loads nothing and runs nothing.
    ///
    /// # Errors
    ///
    /// None that a text in memory could have.
    pub fn html(&self) -> askama::Result<String> {
        Html { report: self }.render()
    }
}

#[derive(Template)]
#[template(path = "report.md", escape = "none")]
struct Markdown<'a> {
    report: &'a Report,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'a> {
    report: &'a Report,
}

impl Entry {
    fn of(ranked: &Ranked) -> Self {
        let cause = ranked.cause;
        Self {
            id: cause.id,
            title: cause.title,
            verdict: verdict(ranked.verdict),
            share: share(ranked),
            layer: layer(cause.layer),
            fix: (ranked.verdict > Verdict::RuledOut).then_some(cause.fix),
            evidence: ranked.evidence.clone(),
            against: ranked.against.clone(),
        }
    }
}

fn metadata(diagnosis: &Diagnosis, evidence: &Evidence) -> Vec<(&'static str, String)> {
    let events = &evidence.logs.timeline;
    let moment = |event: &logs::Event| time(tenure_core::time::Timestamp(event.at_ms / 1000));
    let period = events.first().zip(events.last());
    let period = period.map(|(first, last)| format!("{} to {}", moment(first), moment(last)));
    let given = [
        ("Looked at", Some(time(evidence.now))),
        ("Period of the logs", period),
        ("Outcome", Some(headline(diagnosis))),
        ("Answered by", answered(diagnosis)),
        (
            "Evidence",
            Some(looked_at(evidence)).filter(|counts| !counts.is_empty()),
        ),
        (
            "Written by",
            Some(concat!("tenure doctor ", env!("CARGO_PKG_VERSION")).to_owned()),
        ),
    ];
    let given = given.into_iter();
    given
        .filter_map(|(what, value)| Some((what, value?)))
        .collect()
}

fn overview(diagnosis: &Diagnosis, evidence: &Evidence) -> Vec<String> {
    let mut lines = vec![format!("{}.", headline(diagnosis))];
    if let Some(first) = diagnosis
        .ranked
        .first()
        .filter(|first| first.verdict >= Verdict::Likely)
    {
        lines.push(first.cause.story.to_owned());
    }
    let refused: u64 = evidence
        .logs
        .files
        .iter()
        .flat_map(|file| &file.statuses)
        .filter(|(status, _)| matches!(**status, 401 | 403))
        .map(|(_, count)| count)
        .sum();
    if refused > 0 {
        lines.push(format!("The logs hold {refused} answers with 401 or 403."));
    }
    lines
}

/// What is not known, as questions that somebody can answer.
fn questions(diagnosis: &Diagnosis, evidence: &Evidence) -> Vec<String> {
    let steps = diagnosis.next.iter().map(|step| {
        let (what, how) = command(step);
        match step {
            Step::Probe(_) => format!("What is the answer if we {what}? ({how})"),
            Step::Supply(..) => format!("What does this say: {what}? ({how})"),
        }
    });
    let unread = evidence.unread.iter();
    let unread = unread.map(|clue| format!("What is in {}? {}", clue.source, clue.says));
    let unseen = not_looked_at(evidence).into_iter();
    let unseen = unseen.map(|what| format!("What would be seen by {what}? It was not given."));
    steps.chain(unread).chain(unseen).collect()
}
