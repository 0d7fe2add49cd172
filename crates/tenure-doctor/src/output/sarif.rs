//! For code scanning: SARIF 2.1.0 (OASIS standard of 27 March 2020).

use serde_json::{Value, json};

use super::words::{rounded, said};
use super::{page, plain, share, verdict};
use crate::cause::Cause;
use crate::{Clue, Diagnosis, Evidence, Ranked, Source, Verdict};

/// The published schema.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// One result for each cause that is not ruled out, at the places that speak for it; suppressed causes
/// are marked so.
pub fn sarif(diagnosis: &Diagnosis, evidence: &Evidence) -> String {
    let standing = diagnosis.ranked.iter();
    let standing = standing.filter(|ranked| ranked.verdict != Verdict::RuledOut);
    let suppressed = diagnosis.suppressed.iter();
    let all: Vec<_> = standing
        .map(|ranked| (ranked, false))
        .chain(suppressed.map(|ranked| (ranked, true)))
        .collect();
    let rules: Vec<_> = all.iter().map(|(ranked, _)| rule(ranked.cause)).collect();
    let results = all.iter().enumerate();
    let results: Vec<_> = results
        .map(|(index, (ranked, suppressed))| result(index, ranked, *suppressed))
        .collect();
    let unread: Vec<_> = evidence.unread.iter().map(notification).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tenure doctor",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": unread,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}")
}

fn rule(cause: &Cause) -> Value {
    json!({
        "id": cause.id,
        "shortDescription": {"text": cause.title},
        "fullDescription": {"text": cause.story},
        "help": {"text": cause.fix, "markdown": page(cause)},
    })
}

fn result(index: usize, ranked: &Ranked, suppressed: bool) -> Value {
    let clues: Vec<_> = ranked.evidence.iter().map(said).collect();
    let text = format!(
        "{} ({}: {}). {}",
        ranked.cause.title,
        verdict(ranked.verdict),
        share(ranked),
        clues.join(" ")
    );
    let mut result = json!({
        "ruleId": ranked.cause.id,
        "ruleIndex": index,
        "kind": "fail",
        "level": level(ranked.verdict),
        "message": {"text": text.trim_end()},
        "locations": ranked.evidence.iter().find_map(location).into_iter().collect::<Vec<_>>(),
        "relatedLocations": ranked.evidence.iter().filter_map(location).skip(1).collect::<Vec<_>>(),
        "properties": {"verdict": ranked.verdict, "share": rounded(ranked.share)},
    });
    if let (true, Some(result)) = (suppressed, result.as_object_mut()) {
        result.insert(
            "suppressions".to_owned(),
            json!([{"kind": "external", "justification": "--suppress"}]),
        );
    }
    result
}

fn level(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "error",
        Verdict::Likely => "warning",
        Verdict::Possible | Verdict::RuledOut => "note",
    }
}

/// Of a clue that stands in a file.
fn location(clue: &Clue) -> Option<Value> {
    let (name, line) = match &clue.source {
        Source::Keys(name) => (name, None),
        Source::File(name, line) => (name, *line),
        Source::Log(name, line) => (name, Some(*line)),
        Source::Token | Source::Probe(_) | Source::Aws(_) | Source::Deployment(_) => return None,
    };
    let mut place = json!({"artifactLocation": {"uri": uri(name)}});
    if let (Some(line), Some(place)) = (line.filter(|line| *line > 0), place.as_object_mut()) {
        place.insert("region".to_owned(), json!({"startLine": line}));
    }
    Some(json!({"physicalLocation": place, "message": {"text": plain(&clue.says)}}))
}

/// A file name as a URI reference (RFC 3986): blanks and the like percent-encoded.
fn uri(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn notification(clue: &Clue) -> Value {
    json!({"level": "warning", "message": {"text": said(clue)}})
}
