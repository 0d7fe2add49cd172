//! Lines for people: perhaps a time, a level and a logger, then a name or sentence, then JSON or pairs.

use serde_json::{Deserializer, Map, Value as Json};

use super::{json, logfmt, sentence};
use crate::logs::record::{Record, Value, key};
use crate::logs::time;

/// Bytes of a name that are kept.
const NAME: usize = 400;

/// Takes a line apart.
pub(super) fn read(line: &str) -> Record {
    let mut record = Record::of("text");
    let mut rest = stamp(&mut record, line);
    rest = headings(&mut record, rest);
    if record.time.is_none() {
        rest = stamp(&mut record, rest);
        rest = headings(&mut record, rest);
    }
    let before = record.fields.len();
    into(&mut record, rest);
    if record.fields.len() > before {
        record.format = "event";
    }
    record
}

/// Takes a message apart: its name, the JSON object behind it, pairs in it.
pub(super) fn into(record: &mut Record, message: &str) {
    let mut name = message;
    let object = message.find('{').and_then(|at| {
        let (before, tail) = message.split_at_checked(at)?;
        let object = Deserializer::from_str(tail)
            .into_iter::<Map<String, Json>>()
            .next();
        Some((before, object?.ok()?))
    });
    if let Some((before, object)) = object {
        json::add(record, "", object, 4);
        name = before;
    }
    let mut end = name.len();
    for pair in logfmt::pairs(name) {
        end = end.min(pair.at);
        record.put(key(pair.key), logfmt::value(&pair.value));
    }
    sentence::note(record, name);
    let name = name.get(..end).unwrap_or(name);
    let name: String = name.chars().take(NAME).collect();
    name.trim().clone_into(&mut record.name);
}

/// A time at the beginning, with or without brackets.
fn stamp<'a>(record: &mut Record, text: &'a str) -> &'a str {
    let inner = text.trim_start_matches(['[', '(']);
    let Some((at, length)) = time::prefix(inner) else {
        return text;
    };
    record.time = Some(at);
    inner.get(length..).unwrap_or_default()
}

const LEVELS: [&str; 12] = [
    "trace", "debug", "info", "notice", "warn", "warning", "error", "err", "critical", "fatal",
    "stdout", "stderr",
];

/// Level, logger and process at the beginning: `[WARNING] a.b: `, ` - a.b - INFO - `, `INFO:root:`, `[12] [INFO] `, `12#0: *3 `.
fn headings<'a>(record: &mut Record, text: &'a str) -> &'a str {
    let mut rest = text;
    for _ in 0..6 {
        rest = rest.trim_start_matches([' ', '-', ']', '[', '|', ':', ')', '*']);
        let end = rest
            .find(|c: char| c.is_whitespace() || c == ':' || c == ']')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let level = LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
        let number = word.split('#').all(|part| {
            !part.is_empty() && part.len() < 9 && part.bytes().all(|byte| byte.is_ascii_digit())
        });
        let logger = logger(word, after) && !after.is_empty();
        if number {
            let process = word.split('#').next().and_then(|pid| pid.parse().ok());
            if let Some(process) = process.filter(|_| after.starts_with([']', ':'])) {
                record.put("pid".to_owned(), Value::Number(process));
            }
        }
        if word.is_empty() || !(level || logger || number && after.starts_with([']', ':'])) {
            break;
        }
        rest = after;
    }
    rest
}

/// `a.b: ` and `a.b - `: a name of code, not the beginning of a sentence.
fn logger(word: &str, after: &str) -> bool {
    let named = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let separated = after.starts_with(": ") || after.starts_with(" - ");
    let coded = word.contains('.') || after.starts_with(" - ") || after.starts_with(": ");
    separated && coded && word.chars().all(named)
}
