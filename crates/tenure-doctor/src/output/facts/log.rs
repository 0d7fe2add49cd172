//! What logs say.

use super::{Table, name, or_dash};
use crate::Evidence;
use crate::logs::{LogFile, LogFinding};
use crate::output::plain;

pub(super) fn files(evidence: &Evidence) -> Table {
    Table {
        title: "Logs",
        head: &[
            "file",
            "lines",
            "not understood",
            "formats",
            "statuses",
            "problem",
        ],
        rows: evidence.logs.files.iter().map(file).collect(),
    }
}

pub(super) fn findings(evidence: &Evidence) -> Table {
    Table {
        title: "Patterns in the logs",
        head: &["pattern", "count", "what was seen", "first at"],
        rows: evidence.logs.findings.iter().map(finding).collect(),
    }
}

fn file(file: &LogFile) -> Vec<String> {
    let formats: Vec<_> = file.formats.keys().map(String::as_str).collect();
    let refused = |status: &&u16| **status >= 400;
    let statuses = file.statuses.iter().filter(|(status, _)| refused(status));
    let statuses: Vec<_> = statuses
        .map(|(status, count)| format!("{status}: {count}"))
        .collect();
    vec![
        plain(&file.name),
        file.lines.to_string(),
        file.unread.to_string(),
        plain(&formats.join(", ")),
        statuses.join(", "),
        or_dash(file.problem.as_ref()),
    ]
}

fn finding(finding: &LogFinding) -> Vec<String> {
    vec![
        name(&finding.pattern),
        finding.count.to_string(),
        plain(&finding.says),
        plain(&finding.source.to_string()),
    ]
}
