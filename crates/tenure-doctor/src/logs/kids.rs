//! How many different key ids the lines name that speak of an unknown one.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::Fingerprint;

/// Ids that are told apart; a flood is one with fewer.
const MOST: usize = 1_024;

/// The id in a line: after `kid`, or after what PyJWT and jwks-rsa write before it.
static ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)(?:\bkid\b|\bmatches\b|\bkey\b)\W{1,4}([\w.-]{4,})").ok());

/// Ids so far, by fingerprint.
#[derive(Default)]
pub(super) struct Kids {
    seen: HashSet<String>,
}

impl Kids {
    /// Whether the line names an id that no line before did.
    pub(super) fn is_new(&mut self, line: &str) -> bool {
        let ids = ID.iter().flat_map(|id| id.captures_iter(line));
        let named = |id: &str| id.chars().any(|letter| letter.is_ascii_digit());
        let id = ids
            .filter_map(|found| Some(found.get(1)?.as_str()))
            .find(|id| named(id));
        id.is_some_and(|id| {
            self.seen.len() < MOST && self.seen.insert(Fingerprint::of(id).to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_once() {
        let mut kids = Kids::default();
        let line =
            |id: &str| format!("token refused: no key for this token (kid {id}, from 192.0.2.1)");
        assert!(kids.is_new(&line("8a4d80ac")));
        assert!(!kids.is_new(&line("8a4d80ac")));
        assert!(kids.is_new(&line("x-17")));
        assert!(kids.is_new("Unable to find a signing key that matches: \"31f0aa19\""));
        assert!(!kids.is_new("unknown kid"));
    }
}
