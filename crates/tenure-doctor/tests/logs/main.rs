//! Logs of the kinds that systems write, and what is found in them.

#![expect(clippy::unwrap_used, reason = "test code")]

mod formats;
mod healthy;
mod odd;
mod passing;
mod patterns;
mod secrets;
mod timeline;
mod wrapped;

use tenure_doctor::logs::{Analyst, LogFinding, Logs, Pattern};

/// What one log says.
fn read(text: &str) -> Logs {
    read_all(&[("app.log", text)])
}

fn read_all(files: &[(&str, &str)]) -> Logs {
    let mut analyst = Analyst::new();
    for (name, text) in files {
        analyst.read(name, text.as_bytes());
    }
    analyst.finish()
}

/// Patterns that were found, apart from [`Pattern::Refusals`] and known texts, which are none by themselves.
fn patterns(logs: &Logs) -> Vec<Pattern> {
    let all = logs.findings.iter().map(|finding| finding.pattern);
    all.filter(|pattern| !matches!(pattern, Pattern::Refusals | Pattern::Text))
        .collect()
}

fn finding(logs: &Logs, pattern: Pattern) -> &LogFinding {
    let found = logs
        .findings
        .iter()
        .find(|finding| finding.pattern == pattern);
    found.unwrap_or_else(|| panic!("no {pattern:?} in {:?}", logs.findings))
}
