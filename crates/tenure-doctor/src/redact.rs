//! Texts from elsewhere, before anybody sees them.
//!
//! Tokens, secrets, cookies, mail addresses and telephone numbers become fingerprints
//! ([`Fingerprint`]), so that the same value is still seen to be the same. What a diagnosis needs stays:
//! error texts, names of header fields, parameters of `WWW-Authenticate`, key ids, request ids, URLs.

mod cookie;
mod member;
mod sent;
mod word;

pub(crate) use word::of_base64;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::Fingerprint;
use crate::exchange::{Answer, Exchange, Failure, Sent};

/// A text of any kind: a body, a log line, an error.
pub fn text(text: &str) -> String {
    word::all(&named(text), word::Encoded::Decode)
}

/// Everything but words that are judged by their looks.
fn named(text: &str) -> String {
    personal(&url_parts(&schemes(&member::all(text))))
}

/// The value of a header field; `name` in any case.
pub fn header(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "authorization" | "proxy-authorization" => credentials(value),
        "cookie" => cookie::pairs(value),
        "set-cookie" => cookie::set(value),
        "location" | "referer" | "content-location" => url(value),
        _ if member::is_secret(&name) => shown(value),
        _ if is_telling(&name) => id(&schemes(value)),
        _ => text(value),
    }
}

/// A value that people compare, such as an issuer: it may look random, but has no token or mail address.
pub(crate) fn id(text: &str) -> String {
    word::tokens(&personal(&url_parts(text))).into_owned()
}

/// A URL or the target of a request: without user, password, and what its query or fragment hides.
pub fn url(url: &str) -> String {
    text(url)
}

/// A request and its answer: every text of it.
pub fn exchange(exchange: &Exchange) -> Exchange {
    let fields = |fields: &[(String, String)], shown: &dyn Fn(&str, &str) -> String| {
        let field = |(name, value): &(String, String)| (name.clone(), shown(name, value));
        fields.iter().map(field).collect()
    };
    let sent = &exchange.request;
    let hide = |text: &str| sent::hidden(text, &sent.headers);
    Exchange {
        request: Sent {
            url: url(&sent.url),
            headers: fields(&sent.headers, &sent::header),
            ..sent.clone()
        },
        result: match &exchange.result {
            Ok(answer) => Ok(Answer {
                headers: fields(&answer.headers, &|name, value| header(name, &hide(value))),
                body: text(&hide(&answer.body)),
                ..answer.clone()
            }),
            Err(Failure::Tls(why)) => Err(Failure::Tls(text(why))),
            Err(Failure::Malformed(why)) => Err(Failure::Malformed(text(why))),
            Err(failure) => Err(failure.clone()),
        },
        ..exchange.clone()
    }
}

/// The fingerprint of a value; words that stand for nothing are shown, because they are the finding.
fn shown(value: &str) -> String {
    static FINGERPRINT: LazyLock<Regex> = LazyLock::new(|| pattern("^sha256:[0-9a-f]{12}$"));
    if value.trim().is_empty() || is_nothing(value) || FINGERPRINT.is_match(value) {
        value.to_owned()
    } else {
        Fingerprint::of(value).to_string()
    }
}

fn is_nothing(value: &str) -> bool {
    let words = [
        "undefined",
        "null",
        "none",
        "nil",
        "true",
        "false",
        "nan",
        "[object object]",
        "missing",
        "empty",
        "redacted",
        "[redacted]",
        "invalid",
        "expired",
    ];
    let value = value.trim();
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
        || value.chars().all(|c| c == '*' || c == '.' || c == '…')
}

/// Fields whose values are compared or looked up by people, and are no secrets although they look random.
fn is_telling(name: &str) -> bool {
    let parts = [
        "request",
        "trace",
        "correlation",
        "ray",
        "www-authenticate",
        "requestid",
    ];
    let whole = [
        "etag",
        "via",
        "server",
        "date",
        "x-amz-cf-id",
        "x-amz-apigw-id",
        "if-none-match",
        "host",
    ];
    whole.contains(&name) || parts.iter().any(|part| name.contains(part))
}

/// What follows a scheme in an Authorization value, and the value without a scheme.
fn credentials(value: &str) -> String {
    let value = member::all(value);
    let trimmed = value.trim_start();
    let blank = value.strip_suffix(trimmed).unwrap_or_default();
    let Some((scheme, rest)) = trimmed.split_once(|c: char| c.is_ascii_whitespace()) else {
        return if is_scheme(trimmed) {
            value.into_owned()
        } else if let Some((scheme, rest)) = trimmed.split_once("%20").filter(|it| is_scheme(it.0))
        {
            format!("{blank}{scheme}%20{}", quoted(rest))
        } else {
            format!("{blank}{}", quoted(trimmed))
        };
    };
    let parameters = ["Digest", "Token", "AWS4-HMAC-SHA256"]
        .iter()
        .any(|name| scheme.eq_ignore_ascii_case(name));
    // RFC 7616, AWS Signature: parameters, of which `member` has taken the secret ones.
    if parameters && rest.contains('=') && rest.contains(", ") {
        return text(&value);
    }
    let scheme = if is_scheme(scheme) {
        scheme.to_owned()
    } else {
        text(scheme)
    };
    let inner = rest.trim_start();
    let gap = rest.strip_suffix(inner).unwrap_or_default();
    let twice = inner.split_once(|c: char| c.is_ascii_whitespace());
    let inner = match twice.filter(|(word, _)| is_scheme(word)) {
        Some((word, rest)) => format!("{word} {}", quoted(rest.trim_start())),
        None => quoted(inner),
    };
    format!("{blank}{scheme} {gap}{inner}")
}

/// The fingerprint, with the quotes and blanks around it that are a finding of their own.
fn quoted(value: &str) -> String {
    let around = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    let start = value.len() - value.trim_start_matches(around).len();
    let end = value.trim_end_matches(around).len().max(start);
    match (value.get(..start), value.get(start..end), value.get(end..)) {
        (Some(before), Some(inner), Some(after)) => format!("{before}{}{after}", shown(inner)),
        _ => shown(value),
    }
}

const SCHEMES: [&str; 8] = [
    "Bearer",
    "Basic",
    "DPoP",
    "Token",
    "Digest",
    "Negotiate",
    "ApiKey",
    "AWS4-HMAC-SHA256",
];

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// `Bearer …` and its like anywhere; challenges (`Bearer realm=`) and prose (`Bearer token`) stay.
fn schemes(text: &str) -> Cow<'_, str> {
    static SCHEME: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?i)\b(bearer|basic|dpop|apikey|negotiate)((?:[ \t+]|%20|\\t)+["'\\]*)([^\s"'\\,;<>&]+)"#,
        )
    });
    replace(&SCHEME, text, |found| {
        let [whole, scheme, gap, value] = groups(found);
        let challenge = value
            .split_once('=')
            .is_some_and(|(name, _)| is_prose(name));
        let kept = value.trim_end_matches(['.', ':', ')']);
        if challenge || is_prose(kept) || is_nothing(kept) {
            whole.to_owned()
        } else {
            let rest = value.get(kept.len()..).unwrap_or_default();
            format!("{scheme}{gap}{}{rest}", shown(kept))
        }
    })
}

/// `token`, `Authentication`: a word as in a sentence.
fn is_prose(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_alphabetic)
        && word.len() <= 16
        && letters.all(|c| c.is_ascii_lowercase() || c == '-' || c == '_')
}

/// User and password of a URL; query parameters whose names say that they are secret.
fn url_parts(text: &str) -> String {
    static USER: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(://)([^/\s@"'<>?#]+)@"#));
    static QUERY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r#"(?i)((?:[?&#;]|^)(?:code|state|key|sig|nonce|ticket|jwt|auth|sid|otp|link|"#,
            r#"saml(?:request|response)|x-amz-(?:credential|signature|security-token))=)([^&#\s"'<>]+)"#
        ))
    });
    let without_user = replace(&USER, text, |found| {
        let [_, scheme, user, _] = groups(found);
        format!("{scheme}{}@", shown(user))
    });
    replace(&QUERY, &without_user, |found| {
        let [_, name, value, _] = groups(found);
        format!("{name}{}", shown(&percent(value)))
    })
    .into_owned()
}

/// Mail addresses and telephone numbers (E.164).
fn personal(text: &str) -> String {
    static MAIL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r#"[^\s@<>()\[\]"',;:=/\\?&#]+@[\pL\pN](?:[\pL\pN-]*\.)+\pL[\pL\pN-]+"#)
    });
    static PHONE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(^|[^\w.:+-]|\\[nrt])(\+[1-9](?:[ ().-]{0,2}[0-9]){7,14})\b"));
    let mails = replace(&MAIL, text, |found| {
        let [whole, ..] = groups(found);
        let start = found.get(0).map_or(0, |part| part.start());
        let before = text.get(..start).unwrap_or_default();
        // What was the user of a URL is a fingerprint already.
        let fingerprint = before.ends_with("sha256:") && whole.find('@') == Some(12);
        if fingerprint {
            whole.to_owned()
        } else {
            shown(whole)
        }
    });
    replace(&PHONE, &mails, |found| {
        let [_, before, number, _] = groups(found);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        format!("{before}{}", shown(&format!("+{digits}")))
    })
    .into_owned()
}

/// Percent-encoding undone; what is not UTF-8 then stays as it was.
pub(crate) fn percent(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap_or(Cow::Borrowed(text))
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are fixed, and one that is broken must not pass for nothing found"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a fixed pattern")
}

fn replace<'t>(
    pattern: &Regex,
    text: &'t str,
    by: impl Fn(&Captures<'t>) -> String,
) -> Cow<'t, str> {
    let mut whole = String::new();
    let mut done = 0;
    for found in pattern.captures_iter(text) {
        let Some(place) = found.get(0) else { continue };
        whole.push_str(text.get(done..place.start()).unwrap_or_default());
        whole.push_str(&by(&found));
        done = place.end();
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    whole.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(whole)
}

/// The whole match and its first three groups; those that took no part are empty.
fn groups<'t>(found: &Captures<'t>) -> [&'t str; 4] {
    [0, 1, 2, 3].map(|n| found.get(n).map_or("", |part| part.as_str()))
}

#[cfg(test)]
mod tests;
