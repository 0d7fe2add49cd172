//! Which environment a file is for.

use crate::Source;

use super::names::{is_among, words};

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
    let mut known = NAMES.iter().rev();
    let (environment, _) = known.find(|(_, list)| is_among(&words, list))?;
    Some(environment)
}
