//! Values that are secret by their names: JSON members, form fields, settings, lines of an HTTP head.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::word::plain;
use super::{cookie, credentials, is_nothing, is_prose, pattern, shown};

/// Ends of names; before these anything may stand (`accessToken`, `DB_PASSWORD`).
const ENDS: &str = "token|secret|password|passwd|passphrase|cookies?|authorization|assertion|credentials?|\
    signature|api[_-]?key|private[_-]?key|access[_-]?key|signing[_-]?key|secret[_-]?key|session[_-]?key|\
    encryption[_-]?key|master[_-]?key|code[_-]?verifier|device[_-]?code|authorization[_-]?code";

/// Whole words of names.
const WORDS: &str = "pwd|sid|jwt|session|session[_-]?id|otp|e?[_-]?mail|phone|phone[_-]?number|mobile|\
    username|user[_-]?name|given[_-]?name|family[_-]?name|nickname|birthdate|login[_-]?hint";

static NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?i)(?:[\w.-]*(?:{ENDS})|(?:\b|_)(?:{WORDS}))(\\*["']?)(\s*(?:=>|[:=])\s*)"#
    ))
});

/// Whether a field of this name (lower case) is secret.
pub(super) fn is_secret(name: &str) -> bool {
    static WHOLE: LazyLock<Regex> =
        LazyLock::new(|| pattern(&format!(r"(?i)(?:(?:{ENDS})|(?:^|[_.-])(?:{WORDS}))$")));
    WHOLE.is_match(name)
}

/// All of a text.
pub(super) fn all(text: &str) -> Cow<'_, str> {
    let mut whole = String::new();
    let mut done = 0;
    while let Some(found) = NAME.captures_at(text, done) {
        let Some(place) = found.get(0) else { break };
        let close = found.get(1).map_or("", |quote| quote.as_str());
        let separator = found.get(2).map_or("", |part| part.as_str());
        let rest = text.get(place.end()..).unwrap_or_default();
        let value = Value::new(rest, place.as_str());
        whole.push_str(text.get(done..place.end()).unwrap_or_default());
        whole.push_str(value.open);
        let stated = !close.is_empty() || !value.open.is_empty() || !separator.contains(':');
        whole.push_str(&value.shown(place.as_str(), stated));
        done = place.end() + value.open.len() + value.inner.len();
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    whole.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(whole)
}

struct Value<'t> {
    /// The quote before it, with the backslashes of JSON within JSON.
    open: &'t str,
    inner: &'t str,
}

impl<'t> Value<'t> {
    fn new(rest: &'t str, name: &str) -> Self {
        let slashes = rest.len() - rest.trim_start_matches('\\').len();
        let quoted = rest
            .get(slashes..)
            .is_some_and(|rest| rest.starts_with(['"', '\'']));
        let opened = if quoted { slashes + 1 } else { 0 };
        let (open, body) = rest.split_at_checked(opened).unwrap_or(("", rest));
        let end = if quoted {
            closing(body, open)
        } else if has_blanks(name) {
            body.find(['\n', '\r', '"']).unwrap_or(body.len())
        } else {
            body.find(|c: char| c.is_whitespace() || ",;&\"'\\{}[]()<>".contains(c))
                .unwrap_or(body.len())
        };
        let inner = body.get(..end).unwrap_or(body);
        Self { open, inner }
    }

    /// `stated`: it is a field, not a colon in a sentence (`Invalid token: expired`).
    fn shown(&self, name: &str, stated: bool) -> String {
        let inner = plain(self.inner);
        let name = name.to_ascii_lowercase();
        if name.contains("authorization") && !name.contains("code") {
            return credentials(&inner);
        }
        if name.contains("set-cookie") || name.contains("set_cookie") {
            return cookie::set(&inner);
        }
        if name.contains("cookie") && inner.contains('=') {
            return cookie::pairs(&inner);
        }
        let sentence =
            !stated && !inner.contains(|c: char| c.is_ascii_digit()) && inner.len() <= 24;
        let known = !name.contains("pass") && !name.contains("secret");
        let word = sentence && known || known && is_prose(&inner) && is_state(&inner);
        if self.inner.is_empty() || word || is_nothing(&inner) {
            self.inner.to_owned()
        } else {
            shown(&inner)
        }
    }
}

/// Words with which a field tells what became of a token.
fn is_state(word: &str) -> bool {
    [
        "valid", "expired", "invalid", "revoked", "absent", "present", "missing", "cookie",
        "header", "bearer",
    ]
    .contains(&word)
}

/// Fields of an HTTP head: their values go on to the end of the line.
fn has_blanks(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("cookie") || name.contains("authorization") && !name.contains("code")
}

/// Where a quoted value ends: at its quote with as many backslashes as the opening one has.
fn closing(body: &str, open: &str) -> usize {
    let quote = open.trim_start_matches('\\');
    let depth = open.len() - quote.len();
    let mut from = 0;
    while let Some(at) = body.get(from..).and_then(|rest| rest.find(quote)) {
        let at = from + at;
        let before = body.get(..at).unwrap_or_default();
        let slashes = before.len() - before.trim_end_matches('\\').len();
        if slashes <= depth {
            return at - slashes.min(depth);
        }
        from = at + 1;
    }
    body.len()
}
