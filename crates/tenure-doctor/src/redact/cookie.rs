//! Cookies (RFC 6265): names and attributes stay.

use super::shown;

/// The value of `Cookie`.
pub(super) fn pairs(value: &str) -> String {
    let pairs = value.split(';').map(pair);
    pairs.collect::<Vec<_>>().join(";")
}

/// The value of `Set-Cookie`.
pub(super) fn set(value: &str) -> String {
    match value.split_once(';') {
        Some((first, attributes)) => format!("{};{attributes}", pair(first)),
        None => pair(value),
    }
}

fn pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, value)) => format!("{name}={}", shown(value)),
        None => shown(pair),
    }
}
