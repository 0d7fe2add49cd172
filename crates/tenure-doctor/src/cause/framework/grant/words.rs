//! Rights that a text names.

use crate::exchange::Answer;
use crate::sign::contains;

/// What a refusal asks for: the challenge's `scope`, else what stands next to a word that asks and one for a right.
pub(super) fn wanted(answer: &Answer) -> Vec<String> {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    if let Some((_, rest)) = challenge
        .split_once(" scope=\"")
        .or(challenge.split_once(",scope=\""))
    {
        let scopes = rest.split('"').next().unwrap_or_default();
        let scopes: Vec<_> = scopes
            .split_whitespace()
            .map(str::to_ascii_lowercase)
            .collect();
        if !scopes.is_empty() {
            return scopes;
        }
    }
    in_words(&answer.body)
}

/// How a text asks.
const ASKS: [&str; 5] = ["requir", "need", "missing", "lack", "expected"];

/// What rights are called.
const RIGHTS: [&str; 6] = [
    "role",
    "scope",
    "group",
    "permission",
    "authority",
    "privilege",
];

/// Words between those that count.
const FILLING: [&str; 16] = [
    "the",
    "a",
    "an",
    "one",
    "any",
    "of",
    "is",
    "are",
    "to",
    "for",
    "have",
    "has",
    "following",
    "all",
    "s",
    "you",
];

/// Parts of words that are no right's name.
const TALK: [&str; 8] = [
    "error", "message", "detail", "descri", "token", "access", "status", "code",
];

/// The word beside a right that is asked for: `requires role admin`, `admin role required`, `"required_scope":"a:b"`.
fn in_words(body: &str) -> Vec<String> {
    let lower = body.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '-' | '_' | '/')))
        .map(|word| word.trim_matches([':', '.', '-', '/']))
        .filter(|word| !word.is_empty() && !FILLING.contains(word))
        .collect();
    let is = |word: &str, of: &[&str]| of.iter().any(|start| word.contains(start));
    let asks = |word: &str| is(word, &ASKS) && word.len() < 20;
    let right = |word: &str| is(word, &RIGHTS) && !word.contains([':', '/']);
    let plain = |word: &&&str| !asks(word) && !right(word) && !is(word, &TALK);
    let one = |word: Option<&&str>| {
        let word = word.filter(plain)?;
        Some(vec![(*word).to_owned()])
    };
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let earlier = at.checked_sub(2).and_then(|at| words.get(at));
        let after = words.get(at + 1);
        let later = words.get(at + 2);
        let joined = asks(word) && right(word);
        let found = if joined {
            one(after)
        } else if asks(word) && after.is_some_and(|next| right(next)) {
            one(later)
        } else if asks(word) && before.is_some_and(|last| right(last)) {
            one(earlier).or_else(|| one(after))
        } else if asks(word) && earlier.is_some_and(|last| right(last)) {
            one(before)
        } else if asks(word) && later.is_some_and(|next| right(next)) {
            one(after)
        } else {
            None
        };
        if found.is_some() {
            return found.unwrap_or_default();
        }
    }
    Vec::new()
}

/// Scopes, roles and groups that a JSON document names.
pub(super) fn named_grants(body: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str(body) else {
        return Vec::new();
    };
    let mut grants = Vec::new();
    gather(&value, false, &mut grants);
    grants
}

fn gather(value: &serde_json::Value, is_grant: bool, grants: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if is_grant => {
            grants.extend(text.split_whitespace().map(str::to_ascii_lowercase));
        }
        serde_json::Value::Array(items) => {
            for item in items {
                gather(item, is_grant, grants);
            }
        }
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                let named =
                    is_grant || RIGHTS.iter().any(|right| contains(name, right)) || name == "scp";
                gather(member, named, grants);
            }
        }
        _ => {}
    }
}
