//! `key=value other="with blanks"`.

use super::plain;
use crate::logs::names;
use crate::logs::record::{Record, Value, key};
use crate::logs::time;

/// A line that begins with a pair and has two at least.
pub(super) fn read(line: &str) -> Option<Record> {
    let mut found = pairs(line);
    let first = found.next()?;
    if first.at > 0 {
        return None;
    }
    let second = found.next()?;
    let mut record = Record::of("logfmt");
    for pair in [first, second].into_iter().chain(found) {
        record.put(key(pair.key), value(&pair.value));
    }
    record.time = record.text(names::TIME).and_then(|text| time::whole(&text));
    let message = record.text(names::MESSAGE).unwrap_or_default();
    plain::into(&mut record, &message);
    Some(record)
}

/// A pair and where it begins.
pub(super) struct Pair<'a> {
    pub(super) at: usize,
    pub(super) key: &'a str,
    pub(super) value: String,
}

/// Every `key=value` of a text, wherever it stands.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = Pair<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let equals = rest.find('=')?;
            let before = rest.get(..equals)?;
            let named = |c: char| c.is_ascii_alphanumeric() || "_-.@$".contains(c);
            let key = before
                .rfind(|c| !named(c))
                .and_then(|end| before.get(end..))
                .map_or(before, |key| key.trim_start_matches(|c| !named(c)));
            let value_at = at + equals + 1;
            let (value, length) = read_value(text.get(value_at..)?);
            let key_at = at + equals - key.len();
            at = value_at + length;
            if key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@' || c == '$') {
                return Some(Pair {
                    at: key_at,
                    key,
                    value,
                });
            }
        }
    })
}

/// A bare or quoted value, and its bytes.
fn read_value(text: &str) -> (String, usize) {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        let end = text
            .find(|c: char| c.is_whitespace() || ",;)]}".contains(c))
            .unwrap_or(text.len());
        return (text.get(..end).unwrap_or_default().to_owned(), end);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            c if c == quote => return (value, at + 1),
            c => value.push(c),
        }
    }
    (value, text.len())
}

/// What a bare word means.
pub(super) fn value(text: &str) -> Value {
    match text {
        "true" | "True" => Value::Flag(true),
        "false" | "False" => Value::Flag(false),
        "null" | "None" | "nil" => Value::Null,
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() && text.len() < 16 => Value::Number(number),
            _ => Value::Text(text.to_owned()),
        },
    }
}
