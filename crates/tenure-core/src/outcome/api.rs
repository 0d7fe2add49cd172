//! What an API's answer says about the access token that was sent.
//!
//! The status alone does not tell: some services answer an ended token with 403, and most answer
//! 403 for reasons that no other token would change. Only an answer that names the token counts
//! against it.

use serde_json::{Map, Value};

/// The parts of an API's answer that count.
#[derive(Clone, Copy, Debug)]
pub struct ApiAnswer<'a> {
    /// The status code.
    pub status: u16,
    /// `WWW-Authenticate` (RFC 9110 section 11.6.1); several of them joined by `", "`.
    pub www_authenticate: Option<&'a str>,
    /// `x-amzn-errortype`: how AWS's gateways name their own answers.
    pub error_type: Option<&'a str>,
    /// The body, or as much of it as is at hand; empty where nobody has read it.
    pub body: &'a [u8],
}

/// What follows for the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVerdict {
    /// It was good enough.
    Accepted,
    /// The token itself was turned away: another one may be taken.
    TokenRefused,
    /// The token was not the reason, or not by being old: a new one of the same session changes
    /// nothing.
    Forbidden,
    /// The answer says nothing about the token.
    Other,
}

/// Judges one answer to a request that carried an access token.
pub fn judge(answer: &ApiAnswer<'_>) -> ApiVerdict {
    match answer.status {
        200..=299 | 304 => ApiVerdict::Accepted,
        401 | 403 if asks_for_more(answer) => ApiVerdict::Forbidden,
        401 => ApiVerdict::TokenRefused,
        403 if names_token(answer) => ApiVerdict::TokenRefused,
        403 => ApiVerdict::Forbidden,
        _ => ApiVerdict::Other,
    }
}

/// The token is good, but not for this: RFC 6750 section 3.1, RFC 9470 section 3.
const MORE: [&str; 2] = ["insufficient_scope", "insufficient_user_authentication"];

/// The token, or the session behind it, is over: RFC 6750 section 3.1; Supabase Auth's `bad_jwt`,
/// `session_expired` and `session_not_found`; `token_not_valid` of Django's Simple JWT.
const TOKEN: [&str; 5] = [
    "invalid_token",
    "bad_jwt",
    "session_expired",
    "session_not_found",
    "token_not_valid",
];

fn asks_for_more(answer: &ApiAnswer<'_>) -> bool {
    challenged(answer).any(|error| MORE.contains(&error))
}

fn names_token(answer: &ApiAnswer<'_>) -> bool {
    // AWS may append a colon and where the error is defined.
    let kind = answer.error_type.and_then(|kind| kind.split(':').next());
    kind.is_some_and(|kind| kind.trim() == "UnauthorizedException")
        || challenged(answer).any(|error| TOKEN.contains(&error))
        || said(answer.body).is_some_and(|codes| codes.iter().any(|code| TOKEN.contains(&&**code)))
}

/// The codes in a JSON error, under the names that services give to them.
fn said(body: &[u8]) -> Option<Vec<String>> {
    let fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let codes = ["error", "error_code", "code"].map(|name| fields.get(name)?.as_str());
    Some(codes.into_iter().flatten().map(str::to_owned).collect())
}

fn challenged<'a>(answer: &ApiAnswer<'a>) -> impl Iterator<Item = &'a str> {
    errors(answer.www_authenticate.unwrap_or_default())
}

/// The `error` parameters of all challenges.
///
/// Not by the grammar of RFC 9110: AWS's HTTP API puts no commas between parameters, and others
/// put quotes into quoted text.
fn errors(challenges: &str) -> impl Iterator<Item = &str> {
    let mut rest = challenges;
    std::iter::from_fn(move || {
        while let Some((before, after)) = rest.split_once('=') {
            let name = before
                .rsplit([' ', ',', '\t'])
                .find(|word| !word.is_empty());
            let (value, next) = value(after.trim_start());
            rest = next;
            if name.is_some_and(|name| name.eq_ignore_ascii_case("error")) {
                return Some(value);
            }
        }
        None
    })
}

/// A token or a quoted text at the start of `text`, and what comes after it.
fn value(text: &str) -> (&str, &str) {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => text.split_at(text.find([' ', ',', '\t']).unwrap_or(text.len())),
    }
}

#[cfg(test)]
mod tests;
