//! Which environment a file is for.

use crate::Source;

use super::names::words;

const NAMES: &[(&str, &[&str])] = &[
    ("development", &["DEV", "DEVELOPMENT", "LOCAL"]),
    ("test", &["TEST", "CI", "E2E"]),
    ("staging", &["STAGE", "STAGING", "PREVIEW", "UAT", "QA"]),
    ("production", &["PROD", "PRODUCTION", "LIVE"]),
    ("example", &["EXAMPLE", "SAMPLE", "DIST", "DEFAULTS"]),
];

/// By the words of its path.
pub(super) fn of(source: &Source) -> Option<&'static str> {
    let Source::File(name, _) = source else {
        return None;
    };
    let words = words(name);
    let named = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let (environment, _) = NAMES.iter().rev().find(|(_, list)| named(list))?;
    Some(environment)
}
