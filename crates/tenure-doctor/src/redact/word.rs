//! Words that are secret by their looks: JWTs, and long words that look random.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::Regex;

use super::{named, pattern, percent, personal, replace, shown};

/// Whether encodings are undone to look into a word. What comes out of one is not decoded again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoded {
    Decode,
    AsIs,
}

/// Letters and digits from which on a word can be told from a name.
const LONG: usize = 20;

/// How often something may be percent-encoded.
const LAYERS: usize = 4;

/// JWTs, whole or cut; and secrets whose issuers let them begin so that they can be found: Stripe, GitHub, GitLab,
/// Slack, npm, Google, Tenure.
pub(super) fn tokens(text: &str) -> Cow<'_, str> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"eyJ[A-Za-z0-9_+/=-]{7,}(?:\.[A-Za-z0-9_+/=-]*){0,4}",
            r"|\b(?:[sr]k_(?:live|test)_|gh[opsru]_|github_pat_|glpat-|xox[abeprs]-|npm_|AIza|tnr1_)[A-Za-z0-9_-]{16,}"
        ))
    });
    replace(&TOKEN, text, |found| {
        let whole = found.get(0).map_or("", |part| part.as_str());
        // The full stop of a sentence; only an unsigned JWT ends with a dot of its own.
        let ends = whole.ends_with('.') && whole.matches('.').count() != 2;
        let token = if ends {
            whole.trim_end_matches('.')
        } else {
            whole
        };
        format!(
            "{}{}",
            shown(token),
            whole.get(token.len()..).unwrap_or_default()
        )
    })
}

/// JWTs and everything that looks random.
pub(super) fn all(text: &str, encoded: Encoded) -> String {
    static WORD: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?:[A-Za-z0-9_\-+/.~%]|\\u00[2-7][0-9A-Fa-f]|\\/){8,}={0,2}"));
    let known = tokens(text);
    replace(&WORD, &known, |found| {
        let place = found.get(0);
        let word = place.map_or("", |part| part.as_str());
        let before = place
            .and_then(|part| known.get(..part.start()))
            .unwrap_or_default();
        judged(word, before, encoded).unwrap_or_else(|| word.to_owned())
    })
    .into_owned()
}

/// What to show in place of the word, where it must not be shown.
fn judged(word: &str, before: &str, encoded: Encoded) -> Option<String> {
    if encoded == Encoded::Decode {
        let plain = plain(word);
        if plain != word {
            let safe = all(&named(&plain), Encoded::AsIs);
            return (safe != plain).then(|| safe.escape_debug().to_string());
        }
    }
    // The letter of an escape (`\n`) is no part of what follows.
    let escape = before.ends_with('\\') && word.starts_with(['n', 'r', 't']);
    if escape {
        let (letter, rest) = word.split_at_checked(1)?;
        return judged(rest, "", encoded).map(|shown| format!("{letter}{shown}"));
    }
    let bare = word.trim_end_matches('.');
    let rest = word.get(bare.len()..).unwrap_or_default();
    if is_telling(before) {
        return None;
    }
    if has_personal(bare) {
        return Some(format!("{}{rest}", shown(bare)));
    }
    if is_path(bare) && !is_dense(bare) {
        let parts = bare.split('/').map(|part| part_shown(part));
        let shown = parts.collect::<Vec<_>>().join("/");
        return (shown != bare).then(|| format!("{shown}{rest}"));
    }
    let random = bare.split('/').any(part_is_random) || is_dense(bare);
    random.then(|| format!("{}{rest}", shown(bare)))
}

fn part_shown(part: &str) -> Cow<'_, str> {
    if part_is_random(part) {
        Cow::Owned(shown(part))
    } else {
        Cow::Borrowed(part)
    }
}

fn part_is_random(part: &str) -> bool {
    part.split('.').any(is_random)
}

/// Names of values that people look up or compare, and that are no secrets.
fn is_telling(before: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?i)(?:(?:request|trace|correlation|span|invocation)[ _-]?id|(?:^|[^a-z0-9])(?:kid|key[ _-]?id|",
            r"client[ _-]?id|aud(?:ience)?|azp|appid|traceparent|ray|x5t(?:#s256)?|jkt|etag|root|thumbprint))",
            r#"["'\\]*\s*(?:=>|[:=])?\s*["'\\\[]*$"#
        ))
    });
    let mut from = before.len().saturating_sub(48);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    before.get(from..).is_some_and(|near| NAME.is_match(near))
}

fn is_path(word: &str) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    word.contains('/') && (first.is_empty() || first.contains('.') && !part_is_random(first))
}

/// A mail address or number in base64.
fn has_personal(word: &str) -> bool {
    of_base64(word).is_some_and(|text| !text.contains(char::is_control) && personal(&text) != text)
}

/// The text that either alphabet of base64 encodes, padded or not.
pub(crate) fn of_base64(text: &str) -> Option<String> {
    let bare = text.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD
        .decode(bare)
        .or_else(|_| URL_SAFE_NO_PAD.decode(bare));
    String::from_utf8(bytes.ok()?).ok()
}

/// Percent-encoding and the escapes of JSON undone, where there are any.
pub(super) fn plain(word: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(word);
    for _ in 0..LAYERS {
        let next = unescaped(&percent(&plain)).into_owned();
        if next == plain {
            break;
        }
        plain = Cow::Owned(next);
    }
    plain
}

/// The escapes of JSON (RFC 8259) for printable ASCII; others stay.
fn unescaped(text: &str) -> Cow<'_, str> {
    static ESCAPE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"\\(?:u00([2-7][0-9a-fA-F])|([/"]))"#));
    replace(&ESCAPE, text, |found| {
        let code = found
            .get(1)
            .and_then(|hex| u8::from_str_radix(hex.as_str(), 16).ok());
        let other = || found.get(2).map_or("", |part| part.as_str()).to_owned();
        code.map_or_else(other, |code| char::from(code).to_string())
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
}

fn classes(text: &str) -> Vec<Class> {
    let class = |c: char| match c {
        'a'..='z' => Some(Class::Lower),
        'A'..='Z' => Some(Class::Upper),
        '0'..='9' => Some(Class::Digit),
        _ => None,
    };
    text.chars().filter_map(class).collect()
}

/// How often the kind of character changes; a capital with which a word begins counts once.
fn changes(classes: &[Class]) -> usize {
    let all = classes
        .windows(2)
        .filter(|pair| pair.first() != pair.last())
        .count();
    let humps = [Class::Lower, Class::Upper, Class::Lower];
    all - classes.windows(3).filter(|three| **three == humps).count()
}

/// Whether a word without dots and slashes is more likely drawn than spelled.
fn is_random(word: &str) -> bool {
    let classes = classes(word);
    if classes.len() < LONG || is_identifier(word) {
        return false;
    }
    let drawn = |part: &str| {
        let mixed = part.contains(|c: char| c.is_ascii_digit())
            && !part.contains(|c: char| !c.is_ascii_hexdigit());
        part.len() >= 32 && mixed && part.contains(|c: char| c.is_ascii_alphabetic())
    };
    let hex = word.split(['-', '_', '+', '=']).any(drawn);
    hex || changes(&classes) * 5 >= classes.len()
}

/// Random throughout, slashes and dots left aside: base64 whose `/` make it look like a path.
fn is_dense(word: &str) -> bool {
    let classes = classes(word);
    let every = [Class::Lower, Class::Upper, Class::Digit];
    classes.len() >= 32
        && every.iter().all(|class| classes.contains(class))
        && changes(&classes) * 20 >= classes.len() * 7
}

/// UUIDs, names of containers (`api-7d9f8b6c5d-x2x9k`), Cognito user pools (`eu-west-1_aB3dE5fGh`).
fn is_identifier(word: &str) -> bool {
    static UUID: LazyLock<Regex> =
        LazyLock::new(|| pattern("(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"));
    static CONTAINER: LazyLock<Regex> =
        LazyLock::new(|| pattern("^[a-z0-9]{1,12}(?:-[a-z0-9]{1,12})+$"));
    static POOL: LazyLock<Regex> =
        LazyLock::new(|| pattern("^[a-z]{2}(?:-[a-z]+)+-[0-9]_[A-Za-z0-9]{9}$"));
    [&UUID, &CONTAINER, &POOL]
        .iter()
        .any(|known| known.is_match(word))
}
