//! A token as it ought to be, from what was found.

use serde_json::Value;

use super::Blemish;
use crate::redact;

/// What is left, and what was taken off.
pub(super) struct Cleaned {
    pub(super) token: String,
    pub(super) blemishes: Vec<Blemish>,
}

/// Layers that are taken off at most; nobody wraps a token more often.
const LAYERS: usize = 12;

/// Members of an answer that hold a token, the access token first.
const MEMBERS: [&str; 9] = [
    "access_token",
    "accessToken",
    "AccessToken",
    "token",
    "jwt",
    "id_token",
    "idToken",
    "IdToken",
    "value",
];

/// Words that stand for nothing: what languages print, and what templates were not filled with.
const WORDS: [&str; 14] = [
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "true",
    "false",
    "(null)",
    "[object object]",
    "[object promise]",
    "token",
    "<token>",
    "your_token",
    "<nil>",
];

/// Schemes and names that are stored with a token by mistake.
const PREFIXES: [&str; 5] = ["authorization:", "bearer ", "dpop ", "token ", "jwt "];

/// Takes off whatever does not belong to a token, in the order from outside in.
pub(super) fn clean(text: &str) -> Cleaned {
    let mut cleaned = Cleaned {
        token: text.to_owned(),
        blemishes: Vec::new(),
    };
    for _ in 0..LAYERS {
        let Some((blemish, token)) = layer(&cleaned.token) else {
            break;
        };
        cleaned.token = token;
        if !cleaned.blemishes.contains(&blemish) {
            cleaned.blemishes.push(blemish);
        }
    }
    cleaned
}

/// Whether it is a word that stands for nothing.
pub(super) fn is_word(token: &str) -> bool {
    let placeholder =
        token.starts_with("${") || token.starts_with("{{") || token.starts_with("$TOKEN");
    placeholder || WORDS.iter().any(|word| token.eq_ignore_ascii_case(word))
}

/// The outermost layer and what is below it.
fn layer(text: &str) -> Option<(Blemish, String)> {
    if is_word(text) {
        return None;
    }
    let found = |blemish: Blemish| move |token| (blemish, token);
    outer_blank(text)
        .map(found(Blemish::OuterBlank))
        .or_else(|| scheme(text).map(found(Blemish::Scheme)))
        .or_else(|| json(text).map(found(Blemish::Json)))
        .or_else(|| unquoted(text).map(found(Blemish::Quoted)))
        .or_else(|| percent(text).map(found(Blemish::PercentEncoded)))
        .or_else(|| foreign(text).map(found(Blemish::Foreign)))
        .or_else(|| doubled(text).map(found(Blemish::Doubled)))
        .or_else(|| inner_blank(text).map(found(Blemish::InnerBlank)))
        .or_else(|| base64(text).map(found(Blemish::Base64Encoded)))
        .or_else(|| padded(text).map(found(Blemish::Padded)))
}

/// The text without what `taken` takes, where it takes anything.
fn without(text: &str, taken: impl FnOnce(&str) -> &str) -> Option<String> {
    let rest = taken(text);
    (rest.len() < text.len()).then(|| rest.to_owned())
}

fn outer_blank(text: &str) -> Option<String> {
    without(text, |text| {
        text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{a0}')
    })
}

fn scheme(text: &str) -> Option<String> {
    let starts = |prefix: &&str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if text.eq_ignore_ascii_case("bearer") {
        return Some(String::new());
    }
    let prefix = PREFIXES.into_iter().find(starts)?;
    text.get(prefix.len()..).map(str::to_owned)
}

/// The token of a JSON object; of one within another, too (`AuthenticationResult`, `data`).
fn json(text: &str) -> Option<String> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    member(&serde_json::from_str(text).ok()?, 0)
}

fn member(value: &Value, depth: usize) -> Option<String> {
    if depth > 4 {
        return None;
    }
    let object = value.as_object()?;
    let named = MEMBERS.iter().find_map(|name| object.get(*name)?.as_str());
    named
        .map(str::to_owned)
        .or_else(|| object.values().find_map(|value| member(value, depth + 1)))
}

fn unquoted(text: &str) -> Option<String> {
    let quotes = ['"', '\'', '`', '“', '”', '‘', '’', '\\'];
    without(text, |text| text.trim_matches(quotes))
}

fn percent(text: &str) -> Option<String> {
    let decoded = redact::percent(text);
    (decoded != text).then(|| decoded.into_owned())
}

/// Typographic dashes become what they were, and what cannot be seen goes.
fn foreign(text: &str) -> Option<String> {
    if text
        .bytes()
        .all(|byte| (0x20..0x7f).contains(&byte) || byte.is_ascii_whitespace())
    {
        return None;
    }
    let token = text.chars().filter_map(|c| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '\u{a0}' => Some(' '),
        c if c.is_ascii() && !c.is_ascii_control() || c.is_ascii_whitespace() => Some(c),
        _ => None,
    });
    Some(token.collect())
}

/// One of two equal halves, with or without something between them.
fn doubled(text: &str) -> Option<String> {
    let least = 20;
    let separated = text
        .split_once([',', ' ', ';'])
        .filter(|(first, second)| first.len() >= least && *first == second.trim_start());
    let halves = || {
        let (first, second) = text.split_at_checked(text.len() / 2)?;
        (first.len() >= least && first == second).then_some((first, second))
    };
    separated.or_else(halves).map(|(first, _)| first.to_owned())
}

fn inner_blank(text: &str) -> Option<String> {
    let literal = text.replace("\\r", "").replace("\\n", "");
    let token: String = literal
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    (token.len() < text.len()).then_some(token)
}

/// A token in base64 once more: it starts like one after decoding.
fn base64(text: &str) -> Option<String> {
    if text.contains('.') {
        return None;
    }
    let token = redact::of_base64(text)?;
    let start = token.trim_start().trim_start_matches(['"', '\'']);
    let bearer = start
        .get(..7)
        .is_some_and(|it| it.eq_ignore_ascii_case("bearer "));
    (bearer || start.starts_with("eyJ") && start.contains('.')).then_some(token)
}

/// Of a JWT only: opaque tokens may have any of these characters (RFC 6750, section 2.1).
fn padded(text: &str) -> Option<String> {
    if !text.contains('.') || !text.starts_with("eyJ") || !text.contains(['=', '+', '/']) {
        return None;
    }
    let parts: Vec<_> = text
        .split('.')
        .map(|part| part.trim_end_matches('='))
        .collect();
    let token = parts.join(".").replace('+', "-").replace('/', "_");
    (token != text).then_some(token)
}
