//! For issues, chats and pull requests: Markdown (GitHub's).

use super::{
    Table, answered, command, headline, layer, looked_at, not_looked_at, plain, share, tables,
    time, verdict,
};
use crate::{Clue, Diagnosis, Evidence, Ranked};

/// The diagnosis with its evidence.
pub fn markdown(diagnosis: &Diagnosis, evidence: &Evidence) -> String {
    let mut lines = vec![format!("# tenure doctor: {}", inline(&headline(diagnosis)))];
    if let Some(answered) = answered(diagnosis) {
        lines.push(format!("\nAnswered by: {}", inline(&answered)));
    }
    section(
        &mut lines,
        "What users meet",
        diagnosis.symptoms.iter().map(said),
    );
    lines.extend(diagnosis.ranked.iter().flat_map(cause));
    section(
        &mut lines,
        "What would settle it",
        diagnosis.next.iter().map(|step| {
            let (what, how) = command(step);
            format!("{}: {}", inline(&what), code(&how))
        }),
    );
    section(
        &mut lines,
        "Suppressed",
        diagnosis
            .suppressed
            .iter()
            .map(|ranked| format!("{}: {}", ranked.cause.id, inline(ranked.cause.title))),
    );
    for table in tables(evidence) {
        lines.extend([format!("\n## {}\n", table.title), grid(&table)]);
    }
    section(
        &mut lines,
        "Could not be read",
        evidence.unread.iter().map(said),
    );
    let unseen = not_looked_at(evidence);
    let counts = [
        ("Looked at", looked_at(evidence)),
        ("Not given", unseen.join(", ")),
    ];
    for (label, text) in counts.iter().filter(|(_, text)| !text.is_empty()) {
        lines.push(format!("\n{label}: {text}"));
    }
    lines.join("\n") + "\n"
}

/// A list with a heading; nothing where it is empty.
pub(super) fn section(lines: &mut Vec<String>, title: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        lines.push(format!("\n## {title}\n"));
        lines.extend(items.map(|item| format!("- {item}")));
    }
}

fn cause(ranked: &Ranked) -> Vec<String> {
    let cause = ranked.cause;
    let mut lines = vec![
        format!("\n## {}: {}\n", cause.id, inline(cause.title)),
        format!(
            "**{}**: {}. Where: {}.\n",
            verdict(ranked.verdict),
            share(ranked),
            layer(cause.layer)
        ),
    ];
    let pro = ranked.evidence.iter();
    lines.extend(pro.map(|clue| format!("- for: {}", said(clue))));
    let contra = ranked.against.iter();
    lines.extend(contra.map(|clue| format!("- against: {}", said(clue))));
    lines.push(format!("\nFix: {}", inline(cause.fix)));
    lines
}

/// A clue with its source and time.
pub(crate) fn said(clue: &Clue) -> String {
    let at = clue.at.map(|at| format!(", {}", time(at)));
    let at = at.unwrap_or_default();
    format!(
        "{} ({}{at})",
        inline(&clue.says),
        code(&clue.source.to_string())
    )
}

/// A table of GitHub's Markdown.
pub(crate) fn grid(table: &Table) -> String {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let head = table.head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = table.head.iter().map(|_| "---".to_owned()).collect();
    let rows = table.rows.iter();
    let rows = rows.map(|cells| row(cells.iter().map(|text| inline(text)).collect()));
    let lines: Vec<_> = [row(head), row(rule)].into_iter().chain(rows).collect();
    lines.join("\n")
}

/// A text in which nothing is markup, and nobody is called.
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in plain(text).chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', char]),
            // Forges look for mentions and references after the markup: an escape does not stop them,
            // a zero-width space does.
            '@' | '#' => out.extend([char, '\u{200b}']),
            char => out.push(char),
        }
    }
    out
}

/// A text as code; it has no backticks afterwards.
pub(crate) fn code(text: &str) -> String {
    format!("`{}`", plain(text).replace('`', "'"))
}
