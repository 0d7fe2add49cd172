//! API keys, in the words of the gateways that ask for them.

use super::{always, reason};
use crate::exchange::Answer;
use crate::sign::answer::{is_aside, says};
use crate::sign::{Sign, contains, refused};

/// A gateway says that there is no API key, or that it does not take the one that came.
pub(in super::super) static KEY_NAMED: Sign = Sign {
    name: "gateway-api-key-named",
    means: "the gateway says that the API key is missing, or that it does not know it",
    find: |evidence| {
        let named = |answer: &Answer| {
            let telling = refused(answer) || answer.status == 400;
            telling && !is_aside(answer) && (by_text(answer).is_some() || asks_for_key(answer))
        };
        always(evidence, named, |answer| match by_text(answer) {
            Some(text) => format!("{} with `{text}`", answer.status),
            None => reason(answer),
        })
    },
};

/// What the gateways write, and only of an API key.
const TEXTS: &[&str] = &[
    // Kong (key-auth), APISIX, Supabase.
    "no api key found in request",
    "no api key found in headers or querystring",
    "duplicate api key found",
    "missing api key found in request",
    "missing api key in request",
    "invalid api key in request",
    // Apigee.
    "oauth.v2.invalidapikey",
    "oauth.v2.failedtoresolveapikey",
    "oauth.v2.apikeynotapproved",
    "failed to resolve api key variable",
    "invalid apikey",
    "keymanagement.service.apikey",
    // Azure API Management.
    "access denied due to missing subscription key",
    "access denied due to invalid subscription key",
    // ESPv2 and Google's service control.
    "method doesn't allow unregistered callers",
    "api key not valid. please pass a valid api key",
    "api key expired. please renew the api key",
    "api_key_invalid",
    // Gravitee, Mashery, MuleSoft, IBM API Connect.
    "no api key has been specified in headers",
    "api key is not valid or is expired / revoked",
    "err_403_developer_inactive",
    "invalid client id or secret",
    // Services' own.
    "missing api key",
    "invalid api key",
    "api key is missing",
    "api key missing",
    "api key required",
    "api key is required",
    "api key is invalid",
    "api key not found",
    "missing x-api-key",
    "x-api-key header is required",
];

/// Words by which an answer says that the token, too, may be what is wrong.
const OR_TOKEN: [&str; 5] = [
    "api key or",
    "or api key",
    "key or token",
    "token or api",
    "bearer",
];

/// Words that mean the key, whatever else is named beside it: they follow where a token was already taken or is not asked for.
const FOR_CERTAIN: [&str; 2] = [
    "method doesn't allow unregistered callers",
    "access denied due to missing subscription key",
];

fn by_text(answer: &Answer) -> Option<&'static str> {
    let certain = FOR_CERTAIN.iter().find(|text| says(answer, text));
    if certain.is_some() {
        return certain.copied();
    }
    if OR_TOKEN.iter().any(|words| contains(&answer.body, words)) {
        return None;
    }
    TEXTS.iter().copied().find(|text| says(answer, text))
}

/// Kong's challenge (`Key realm="kong"`), and those that others write.
fn asks_for_key(answer: &Answer) -> bool {
    let mut challenges = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .peekable();
    let is_key = |value: &str| {
        let scheme = value.split_ascii_whitespace().next().unwrap_or_default();
        ["key", "apikey", "api-key"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    };
    challenges.peek().is_some() && challenges.all(|(_, value)| is_key(value))
}
