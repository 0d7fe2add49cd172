//! Patterns that were found, each once with its count.

use std::collections::BTreeMap;

use super::event::Happening;
use super::{LogFinding, Pattern};
use crate::{Source, redact};

/// What was found so far. One entry per pattern, and per name of [`Pattern::Text`].
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: BTreeMap<(Pattern, String), LogFinding>,
}

/// One sighting.
pub(super) struct Sighting {
    pub(super) pattern: Pattern,
    pub(super) says: String,
    pub(super) figures: Vec<(&'static str, String)>,
}

impl Sighting {
    pub(super) fn new(pattern: Pattern, says: String) -> Self {
        Self {
            pattern,
            says,
            figures: Vec::new(),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "figures are written where they are named"
    )]
    pub(super) fn figure(mut self, name: &'static str, value: impl ToString) -> Self {
        self.figures.push((name, value.to_string()));
        self
    }
}

impl Findings {
    /// Counts a sighting; the first one's words stay. Says how often it has been seen now.
    pub(super) fn add(&mut self, seen: Sighting, source: Source, at: Option<u64>) -> u64 {
        let name = match seen.pattern {
            Pattern::Text => seen
                .figures
                .iter()
                .map(|(_, value)| value.clone())
                .collect(),
            _ => String::new(),
        };
        let finding = self
            .found
            .entry((seen.pattern, name))
            .or_insert_with(|| LogFinding {
                pattern: seen.pattern,
                count: 0,
                says: redact::text(&seen.says),
                source,
                first_ms: at,
                last_ms: at,
                figures: seen
                    .figures
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), redact::text(&value)))
                    .collect(),
            });
        finding.count += 1;
        finding.first_ms = finding.first_ms.into_iter().chain(at).min();
        finding.last_ms = finding.last_ms.into_iter().chain(at).max();
        finding.count
    }

    /// Sets the count and figures of what is only known at the end.
    pub(super) fn set(
        &mut self,
        seen: Sighting,
        count: u64,
        source: Source,
        span: [Option<u64>; 2],
    ) {
        let pattern = seen.pattern;
        self.add(seen, source, span[0]);
        if let Some(finding) = self.found.get_mut(&(pattern, String::new())) {
            finding.count = count;
            finding.last_ms = span[1];
        }
    }

    /// Puts what is known of tokens at the end in place of what was seen on the way.
    pub(super) fn replace(
        &mut self,
        pattern: Pattern,
        known: Vec<(Sighting, Source, Option<u64>)>,
    ) {
        let named = |finding: &mut LogFinding| {
            let figures = &finding.figures;
            figures.contains_key("token") || figures.contains_key("told")
        };
        let seen = self.found.get_mut(&(pattern, String::new()));
        if !known.is_empty() || seen.is_some_and(named) {
            self.found.remove(&(pattern, String::new()));
        }
        for (seen, source, at) in known {
            self.add(seen, source, at);
        }
    }

    /// Takes away what edges and verifiers say of refusals: those were all of crawlers and scanners.
    pub(super) fn drop_refusals(&mut self) {
        let of_refusals = ["edge-", "log-says-"];
        self.found.retain(|_, finding| {
            let text = finding.text().unwrap_or_default();
            !of_refusals.iter().any(|family| text.starts_with(family))
        });
    }

    pub(super) fn finish(self) -> Vec<LogFinding> {
        self.found.into_values().collect()
    }
}

/// Whether two events are within `millis` of each other; without times, within three lines of one file.
pub(super) fn near(a: &Moment, b: &Moment, millis: u64) -> bool {
    match (a.at, b.at) {
        (Some(a), Some(b)) => a.abs_diff(b) <= millis,
        _ => a.file == b.file && a.line.abs_diff(b.line) <= 3,
    }
}

/// When and where something was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Option<u64>,
    pub(super) file: usize,
    pub(super) line: u64,
}

impl From<&Happening> for Moment {
    fn from(event: &Happening) -> Self {
        Self {
            at: event.at,
            file: event.file,
            line: event.line,
        }
    }
}
