//! What of a log line may be shown.

use crate::Fingerprint;

/// Characters of a label.
const LABEL: usize = 40;

/// Letters and digits in a row from which a text may be a key, not a name.
const RUN: usize = 16;

/// A name of a process, host, client or error as it is, where it cannot be a secret or a person;
/// otherwise its fingerprint.
pub(super) fn label(text: &str) -> String {
    let named = |c: char| c.is_ascii_alphanumeric() || " ._:/-".contains(c);
    let run = |part: &str| {
        part.len() >= RUN && part.bytes().any(|byte| byte.is_ascii_digit()) || part.len() >= 2 * RUN
    };
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let random = text.len() >= 3 * RUN / 2
        && !text.contains(' ')
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase);
    let harmless = text.len() <= LABEL
        && !random
        && text.chars().all(named)
        && !text.split(|c: char| !c.is_ascii_alphanumeric()).any(run);
    if harmless {
        text.to_owned()
    } else {
        fingerprint(text)
    }
}

/// Of a raw value.
pub(super) fn fingerprint(raw: &str) -> String {
    Fingerprint::of(raw).to_string()
}

/// Of a token, whose scheme and blanks are not part of it.
pub(super) fn token(raw: &str) -> Option<String> {
    let bare = raw.trim();
    let bare = match bare.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => bare,
    };
    let censored = bare.starts_with('[') || bare.starts_with('*') || bare.starts_with('<');
    (!blank(bare) && !censored && bare.len() > 3).then(|| fingerprint(bare))
}

/// A hash that the log itself holds, so that equal ones are equal to ours where it is a SHA-256.
pub(super) fn hash(text: &str) -> Option<String> {
    let bare = text.trim();
    let bare = bare.strip_prefix("sha256:").unwrap_or(bare);
    let hex = bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    match bare.get(..12) {
        _ if blank(bare) => None,
        Some(first) if hex => Some(format!("sha256:{}", first.to_ascii_lowercase())),
        _ => Some(label(bare)),
    }
}

/// Nothing, or a word that stands for nothing.
pub(super) fn blank(text: &str) -> bool {
    matches!(
        text.trim(),
        "" | "null" | "undefined" | "None" | "nil" | "\"\"" | "''"
    )
}

/// A path without its query and without parts that look like keys or people.
pub(super) fn path(url: &str) -> String {
    let path = url.split(['?', '#', ' ']).next().unwrap_or_default();
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => path,
    };
    let part = |part: &str| {
        let plain = |c: char| c.is_ascii_alphabetic() || "._-".contains(c);
        let version = part.len() <= 3;
        if part.len() <= 24 && (version || part.chars().all(plain)) {
            part.to_owned()
        } else {
            "*".to_owned()
        }
    };
    let parts: Vec<_> = path.split('/').take(8).map(part).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_and_keys_are_not() {
        assert_eq!(label("api-7d9f8b6c5-x2x4z"), "api-7d9f8b6c5-x2x4z");
        assert_eq!(label("NotAuthorizedException"), "NotAuthorizedException");
        for secret in [
            "a@b.example",
            "8f14e45fceea167a5a36",
            "q83hEwJ1kLmN0pQrStUv",
        ] {
            assert!(label(secret).starts_with("sha256:"), "{secret}");
        }
    }

    #[test]
    fn a_token_and_its_logged_hash_are_the_same() {
        let raw = token("Bearer abcdefgh").unwrap();
        assert_eq!(hash(&raw), Some(raw));
        assert_eq!(token("[Redacted]"), None);
    }

    #[test]
    fn a_path_keeps_its_words() {
        assert_eq!(
            path("https://a.example/v1/users/4711/x?token=s"),
            "/v1/users/*/x"
        );
        assert_eq!(path("/reset/q83hEwJ1kLmN0pQrStUvq83h"), "/reset/*");
    }
}
