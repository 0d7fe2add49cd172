//! For people at a terminal.

mod grid;
mod pen;

use anstyle::Style;

use crate::cause::Step;
use crate::logs::Event;
use crate::output::{
    answered, command, headline, layer, looked_at, not_looked_at, share, tables, verdict,
};
use crate::{Clue, Diagnosis, Evidence, Outcome, Ranked, Verdict, logs};
use pen::Pen;

/// How it may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether it understands colours (ECMA-48, SGR).
    pub color: bool,
}

/// The diagnosis for a terminal: outcome, causes with what speaks for and against each, what would
/// settle it, what was seen, and what is unknown.
pub fn human(diagnosis: &Diagnosis, evidence: &Evidence, look: Look) -> String {
    let mut pen = Pen::new(look);
    pen.outcome(diagnosis.outcome, &headline(diagnosis));
    if let Some(answered) = answered(diagnosis) {
        pen.item("Answered by:", &answered);
    }
    symptoms(&mut pen, &diagnosis.symptoms);
    for (place, ranked) in diagnosis.ranked.iter().enumerate() {
        cause(&mut pen, place + 1, ranked);
    }
    next(&mut pen, &diagnosis.next);
    for ranked in &diagnosis.suppressed {
        let cause = ranked.cause;
        pen.gap();
        pen.text(&format!("Suppressed: {} {}", cause.id, cause.title));
    }
    for table in tables(evidence) {
        pen.heading(table.title);
        grid::draw(&mut pen, &table);
    }
    timeline(&mut pen, &evidence.logs.timeline);
    open_ends(&mut pen, evidence);
    pen.finish()
}

fn symptoms(pen: &mut Pen, symptoms: &[Clue]) {
    if symptoms.is_empty() {
        return;
    }
    pen.heading("What users meet");
    for clue in symptoms {
        pen.item("-", &said(clue));
    }
}

fn cause(pen: &mut Pen, place: usize, ranked: &Ranked) {
    let cause = ranked.cause;
    pen.heading(&format!("{place}. {} ({})", cause.title, cause.id));
    pen.verdict(ranked.verdict, verdict(ranked.verdict), share(ranked));
    pen.item("Where:", layer(cause.layer));
    for clue in &ranked.evidence {
        pen.item("  for:", &said(clue));
    }
    for clue in &ranked.against {
        pen.item("  against:", &said(clue));
    }
    if ranked.verdict >= Verdict::Possible {
        pen.item("Fix:", cause.fix);
        pen.item("More:", &format!("tenure doctor explain {}", cause.id));
    }
}

fn next(pen: &mut Pen, steps: &[Step]) {
    if steps.is_empty() {
        return;
    }
    pen.heading("What would settle it");
    for step in steps {
        let (what, how) = command(step);
        pen.item("-", &format!("{what}: {how}"));
    }
}

/// Events that a terminal shows; a report has them all.
const EVENTS: usize = 30;

fn timeline(pen: &mut Pen, events: &[Event]) {
    let shown = events.get(..EVENTS).unwrap_or(events);
    if shown.is_empty() {
        return;
    }
    pen.heading("Timeline of the logs");
    for line in logs::timeline::text(shown, pen.width()).lines() {
        pen.line(Style::new(), line);
    }
    let rest = events.len() - shown.len();
    if rest > 0 {
        pen.text(&format!("{rest} more: tenure doctor report"));
    }
}

fn open_ends(pen: &mut Pen, evidence: &Evidence) {
    if !evidence.unread.is_empty() {
        pen.heading("Could not be read");
        for clue in &evidence.unread {
            pen.item("-", &said(clue));
        }
    }
    pen.gap();
    let seen = looked_at(evidence);
    if !seen.is_empty() {
        pen.item("Looked at:", &seen);
    }
    let unseen = not_looked_at(evidence);
    if !unseen.is_empty() {
        pen.item("Not given:", &unseen.join(", "));
    }
}

/// A clue with its source and time.
fn said(clue: &Clue) -> String {
    let at = clue.at.map(super::time);
    let at = at.map_or_else(String::new, |at| format!(", {at}"));
    super::plain(&format!("{} [{}{at}]", clue.says, clue.source))
}

impl Pen {
    fn outcome(&mut self, outcome: Outcome, text: &str) {
        let style = match outcome {
            Outcome::Healthy => pen::GOOD,
            Outcome::Found => pen::BAD,
            Outcome::Undecided => pen::DOUBT,
        };
        self.styled(style, text);
    }

    fn verdict(&mut self, verdict: Verdict, label: &str, share: &str) {
        let style = match verdict {
            Verdict::Confirmed => pen::BAD,
            Verdict::Likely | Verdict::Possible => pen::DOUBT,
            Verdict::RuledOut => pen::FAINT,
        };
        self.styled(style, &format!("{label}: {share}"));
    }
}
