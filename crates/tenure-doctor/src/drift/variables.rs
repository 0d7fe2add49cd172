//! `.env` files and `.properties`: a name and a value on each line.

use std::collections::HashMap;

use super::Belief;
use super::value::Place;

/// Every variable that means something.
pub(super) fn read(name: &str, text: &str) -> Vec<Belief> {
    let place = Place::file(name);
    let mut known = HashMap::new();
    let mut beliefs = Vec::new();
    for (line, variable) in lines(text) {
        let value = if variable.literal {
            variable.value
        } else {
            fill(&variable.value, |name| known.get(name).cloned())
        };
        let path: Vec<_> = variable.name.split('.').collect();
        beliefs.extend(place.belief(&path, line, &value).map(|mut belief| {
            variable.name.clone_into(&mut belief.name);
            belief
        }));
        known.insert(variable.name, value);
    }
    beliefs
}

struct Variable {
    name: String,
    value: String,
    /// Nothing in it is replaced.
    literal: bool,
}

/// Values in quotes may go on over several lines.
fn lines(text: &str) -> Vec<(u64, Variable)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 0;
    while !rest.is_empty() {
        line += 1;
        let (one, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let Some((name, start)) = assignment(one) else {
            rest = after;
            continue;
        };
        let whole = rest.get(one.len() - start.len()..).unwrap_or_default();
        let (value, literal, taken) = value(start, whole);
        let passed = one.len() - start.len() + taken;
        found.push((
            line,
            Variable {
                name,
                value,
                literal,
            },
        ));
        let (gone, remaining) = rest.split_at_checked(passed).unwrap_or((rest, ""));
        line += gone
            .bytes()
            .map(|byte| u64::from(byte == b'\n'))
            .sum::<u64>();
        rest = remaining.split_once('\n').map_or("", |(_, after)| after);
    }
    found
}

/// `export NAME=`, `name.of.property: `; and what follows on the line.
fn assignment(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start();
    if line.starts_with(['#', ';', '!', '[']) {
        return None;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once(['=', ':'])?;
    let name = name.trim();
    let sound = |letter: char| letter.is_ascii_alphanumeric() || "_.-[]".contains(letter);
    let is_name = !name.is_empty() && name.chars().all(sound);
    is_name.then(|| (name.to_owned(), value.trim_start_matches([' ', '\t'])))
}

/// The value, whether it is literal, and how many bytes it takes.
fn value(line: &str, rest: &str) -> (String, bool, usize) {
    let quote = line
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\'' | '`'));
    let quoted = quote.and_then(|quote| {
        let inner = rest.get(1..)?;
        let end = closing(inner, quote)?;
        Some((quote, inner.get(..end)?, end + 2))
    });
    match quoted {
        Some(('"', inner, taken)) => (unescaped(inner), false, taken),
        Some((_, inner, taken)) => (inner.to_owned(), true, taken),
        None => {
            let end = line
                .find(" #")
                .or_else(|| line.find("\t#"))
                .unwrap_or(line.len());
            let value = line.get(..end).unwrap_or(line).trim_end();
            (value.to_owned(), false, line.len())
        }
    }
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            letter if letter == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\t", "\t")
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
}

/// Replaces `${NAME}`, `${NAME:-DEFAULT}` and `${NAME-DEFAULT}` where the name is known or has a default.
///
/// `$NAME` is left: half of the readers of such files replace it, and half do not.
pub(super) fn fill(text: &str, known: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((inner, behind)) = after.split_once('}') else {
            return format!("{filled}${{{after}");
        };
        // Spring writes `${NAME:DEFAULT}`.
        let (name, default) = match inner
            .split_once(":-")
            .or_else(|| inner.split_once([':', '-']))
        {
            Some((name, default)) if !name.contains("AWS") => (name, Some(default)),
            _ => (inner, None),
        };
        match known(name).or_else(|| default.map(str::to_owned)) {
            Some(value) => filled.push_str(&value),
            None => filled.extend(["${", inner, "}"]),
        }
        rest = behind;
    }
    filled + rest
}
