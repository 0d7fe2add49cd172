//! One line, taken apart: a name and fields.

use super::names::Names;

/// Fields of one record that are looked at.
const MOST: usize = 256;

/// What one line says, before anybody asks what it means. Holds raw texts; never leaves this module's parents.
#[derive(Default)]
pub(super) struct Record {
    /// Milliseconds since 1970.
    pub(super) time: Option<u64>,
    /// The message or the name of the event, without time, level and logger.
    pub(super) name: String,
    /// By path: small letters and digits, `.` between levels.
    pub(super) fields: Vec<(String, Value)>,
    /// Of each path the bit of its end, so that names that no path ends with are not looked for.
    ends: u128,
    /// As in [`super::LogFile::formats`].
    pub(super) format: &'static str,
    /// Whether header fields were taken out before the file was written.
    pub(super) sanitized: bool,
}

/// A scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    Flag(bool),
    Null,
}

impl Record {
    pub(super) fn of(format: &'static str) -> Self {
        Self {
            format,
            ..Self::default()
        }
    }

    /// Adds a field; beyond the limit it is dropped.
    pub(super) fn put(&mut self, path: String, value: Value) {
        if self.fields.len() < MOST && !path.is_empty() {
            self.ends |= end(&path);
            self.fields.push((path, value));
        }
    }

    /// The first value that is there under one of the names, in the names' order.
    pub(super) fn find(&self, names: Names) -> Option<&Value> {
        names.iter().find_map(|name| {
            let (exact, name) = match name.strip_prefix('=') {
                Some(name) => (true, name),
                None => (false, *name),
            };
            if self.ends & end(name) == 0 {
                return None;
            }
            let here = |path: &str| {
                path == name
                    || !exact
                        && path
                            .strip_suffix(name)
                            .is_some_and(|before| before.ends_with('.'))
            };
            let found = |(path, value): &&(String, Value)| here(path) && *value != Value::Null;
            self.fields.iter().find(found).map(|(_, value)| value)
        })
    }

    /// As [`Self::find`], as text that is not blank.
    pub(super) fn text(&self, names: Names) -> Option<String> {
        let text = match self.find(names)? {
            Value::Text(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Flag(_) | Value::Null => return None,
        };
        (!text.is_empty() && text != "-").then_some(text)
    }

    /// As [`Self::find`], as a number.
    pub(super) fn number(&self, names: Names) -> Option<f64> {
        match self.find(names)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Flag(_) | Value::Null => None,
        }
    }

    /// As [`Self::find`], as yes or no.
    pub(super) fn flag(&self, names: Names) -> Option<bool> {
        match self.find(names)? {
            Value::Flag(flag) => Some(*flag),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The last part of a path.
    pub(super) fn last(path: &str) -> &str {
        path.rsplit('.').next().unwrap_or(path)
    }
}

/// One bit for how the last part ends.
fn end(path: &str) -> u128 {
    let letters = path.bytes().rev().take(3).take_while(|byte| *byte != b'.');
    let hash = letters.fold(0_u8, |hash, byte| hash.wrapping_mul(31) ^ byte);
    1 << (hash % 128)
}

/// A key as in the tables of names: small letters and digits, `.` kept.
pub(super) fn key(raw: &str) -> String {
    below("", raw)
}

/// The path of a key below another one, or at the top where that is empty.
pub(super) fn below(above: &str, raw: &str) -> String {
    let mut path = String::with_capacity(above.len() + 1 + raw.len());
    if !above.is_empty() {
        path.push_str(above);
        path.push('.');
    }
    let bytes = raw
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    path.extend(bytes.map(|byte| char::from(byte.to_ascii_lowercase())));
    path
}
