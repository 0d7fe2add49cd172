//! What reached the service of what was sent.

use serde_json::Value;

use crate::cause::Layer;
use crate::compare::same;
use crate::exchange::{Answer, Exchange};
use crate::layer;
use crate::probe::Probe;
use crate::sign::answer::says;
use crate::sign::token::presented;
use crate::sign::{Sign, accepted, found, refused, seen, together};
use crate::{Clue, Evidence};

/// The echo shows the client's fields, and not the one with the token.
pub(crate) static ECHO_LACKS_TOKEN: Sign = Sign {
    name: "echo-lacks-token",
    means: "the header field with the token does not arrive behind the edge",
    find: |evidence| match echoed(evidence) {
        Some(Echo {
            sent,
            arrived: None,
            ..
        }) => seen(
            true,
            format!("`{sent}` was sent, and the echo behind the edge has not got it"),
            Probe::Echo,
        ),
        _ => Vec::new(),
    },
};

/// The echo shows another value in the field.
pub(crate) static ECHO_HAS_ANOTHER: Sign = Sign {
    name: "echo-has-another-token",
    means: "another value than the client's arrives in the header field",
    find: |evidence| match echoed(evidence) {
        Some(Echo {
            sent,
            value,
            arrived: Some(arrived),
        }) if is_another(&value, &arrived) => seen(
            true,
            format!("`{sent}` was sent with {value}, and {arrived} arrived"),
            Probe::Echo,
        ),
        _ => Vec::new(),
    },
};

/// The echo shows credentials of another scheme, or something puts a token in where none is sent.
pub(crate) static ECHO_HAS_FOREIGN: Sign = Sign {
    name: "echo-has-foreign-credentials",
    means: "what arrives is of another scheme, or is put in for requests without a token as well: it is not the client's token, damaged",
    find: |evidence| {
        let scheme = |value: &str| {
            let word = value.split_ascii_whitespace().next();
            word.map(str::to_ascii_lowercase)
        };
        let another = echoed(evidence).is_some_and(|echo| {
            let arrived = echo.arrived.as_deref().and_then(scheme);
            arrived.as_deref() == Some("basic") && scheme(&echo.value) != arrived
        });
        let put_in = [&TOLD_INVALID_WITHOUT_ONE, &ORIGINAL_KEPT_ASIDE];
        if another || put_in.iter().any(|sign| sign.holds(evidence)) {
            (ECHO_HAS_ANOTHER.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// With the token the service says that it is bad, without one that none came: the client's arrives, whole or not.
pub(crate) static MISSED_WITHOUT_ONE: Sign = Sign {
    name: "missed-without-one",
    means: "the service misses a token only where none is sent: nothing puts one in",
    find: |evidence| {
        together(evidence, [Probe::Client, Probe::Bare], |[client, bare]| {
            let words = missing(bare).filter(|_| refused(bare))?;
            let judged = refused(client) && missing(client).is_none() && !same(client, bare);
            judged.then(|| format!("`{words}` without a token, other words with it"))
        })
    },
};

/// The echo shows the token as it was sent.
pub(crate) static ECHO_HAS_TOKEN: Sign = Sign {
    name: "echo-has-token",
    means: "the token arrives behind the edge as it was sent",
    find: |evidence| match echoed(evidence) {
        Some(Echo {
            value,
            arrived: Some(arrived),
            ..
        }) if digest(&value).is_some() && digest(&value) == digest(&arrived) => {
            seen(true, format!("{arrived} arrived as sent"), Probe::Echo)
        }
        _ => Vec::new(),
    },
};

/// The original stands in the field where gateways keep it that put a token of their own in its place.
pub(crate) static ORIGINAL_KEPT_ASIDE: Sign = Sign {
    name: "original-kept-aside",
    means: "a gateway has moved the client's token to X-Forwarded-Authorization",
    find: |evidence| {
        together(evidence, [Probe::Echo], |[answer]| {
            let kept = fields(answer)
                .iter()
                .any(|(name, value)| name == "x-forwarded-authorization" && !value.is_empty());
            kept.then(|| "the echo shows `x-forwarded-authorization`".to_owned())
        })
    },
};

/// The service says that no token came, as for a request without one; past the edge it accepts it.
pub(crate) static LOST_AT_THE_EDGE: Sign = Sign {
    name: "lost-at-the-edge",
    means: "the service says that no token came, and accepts the same request past the edge",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::Direct];
        together(evidence, probes, |[client, bare, direct]| {
            let words = missing(client).filter(|_| sent_with_token(evidence).is_some())?;
            // A gateway that verifies by itself refuses what the service is not asked about.
            let gateway = evidence.answer(Probe::Altered).is_some_and(|altered| {
                refused(altered) && refused(bare) && !same(altered, client) && !same(altered, bare)
            });
            let unheard = same(client, bare) || gateway;
            let holds = refused(client) && unheard && accepted(direct) && !is_by_edge(client);
            let (with, past) = (client.status, direct.status);
            holds.then(|| format!("{with} with the token: `{words}`; {past} past the edge"))
        })
    },
};

/// The service says that no token came although one was sent.
pub(crate) static TOLD_MISSING: Sign = Sign {
    name: "told-missing",
    means: "the service says that no token came, although one was sent",
    find: |evidence| told(evidence, missing),
};

/// The words of a refusal of the client's request, where that carried a token.
pub(super) fn told(evidence: &Evidence, words: fn(&Answer) -> Option<&'static str>) -> Vec<Clue> {
    let client = sent_with_token(evidence).filter(|client| refused(client));
    found(client.and_then(|client| {
        let words = words(client)?;
        Some((
            Probe::Client,
            format!("{} with a token: `{words}`", client.status),
        ))
    }))
}

/// Without a token the service says that the token is bad: something puts one in.
pub(crate) static TOLD_INVALID_WITHOUT_ONE: Sign = Sign {
    name: "told-invalid-without-one",
    means: "a request without a token is refused because of its token, so something on the way puts one in",
    find: |evidence| {
        together(evidence, [Probe::Bare], |[bare]| {
            let words = INVALID.iter().find(|words| says(bare, words))?;
            let holds = refused(bare) && missing(bare).is_none();
            holds.then(|| format!("{} without any token: `{words}`", bare.status))
        })
    },
};

/// What libraries write when there is no token, and only then.
const MISSING: &[&str] = &[
    "not authenticated",
    "no authorization token was found",
    "no auth token",
    "no_authorization",
    "authentication credentials were not provided",
    "missing authorization header",
    "missing authorization in request",
    "missing 'authorization' header",
    "authorization header is missing",
    "authorization header missing",
    "authorization header is required",
    "authorization header required",
    "no authorization header",
    "missing bearer token",
    "missing access token",
    "missing_token",
    "missing token",
    "token is missing",
    "token missing",
    "token required",
    "no bearer token",
    "\"no token\"",
    "no token provided",
    "no token sent",
    "no token found",
    "no token present",
    "token not found",
    "token not provided",
    "no access token",
    "no token was",
    "no credentials",
    "missing credentials",
    "does not contain an access token",
    "jwt must be provided",
];

/// What they write when there is one, and it is bad.
const INVALID: &[&str] = &[
    "error=\"invalid_token\"",
    "invalid token",
    "invalid signature",
    "invalid_token",
    "jwt malformed",
    "signature verification failed",
    "not enough segments",
    "token is invalid",
];

/// The words by which an answer says that there was no token; not where it may mean a bad one as well.
pub(super) fn missing(answer: &Answer) -> Option<&'static str> {
    let both = ["or invalid", "invalid or", "or malformed", "or expired"];
    if both.iter().any(|words| says(answer, words)) {
        return None;
    }
    MISSING.iter().copied().find(|words| says(answer, words))
}

/// The same, where the words are about the header field itself.
pub(super) fn header_missing(answer: &Answer) -> Option<&'static str> {
    missing(answer).filter(|words| words.contains("authorization"))
}

/// A layer before the service.
pub(super) fn is_edge(by: &layer::Answered) -> bool {
    matches!(by.layer, Layer::Cdn | Layer::Waf | Layer::Proxy)
}

/// Whether such a layer made the answer.
pub(super) fn is_by_edge(answer: &Answer) -> bool {
    layer::answered(answer).is_some_and(|by| is_edge(&by))
}

/// The answer to the client's request, where that carried something.
pub(super) fn sent_with_token(evidence: &Evidence) -> Option<&Answer> {
    let client = evidence.exchange(Probe::Client)?;
    carrier(evidence, client)?;
    client.result.as_ref().ok()
}

/// The field of the client's request that carries the token: name and value.
fn carrier<'e>(evidence: &Evidence, exchange: &'e Exchange) -> Option<(&'e str, &'e str)> {
    let fields = || {
        let fields = exchange.request.headers.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    };
    let token = presented(evidence).map(|token| token.fingerprint.to_string());
    let by_value = token.and_then(|token| fields().find(|(_, value)| value.contains(&token)));
    by_value
        .or_else(|| fields().find(|(name, _)| *name == "authorization"))
        .or_else(|| fields().find(|(_, value)| value.starts_with("sha256:")))
}

/// What an echo shows of the field that carried the token.
pub(super) struct Echo {
    /// The name of the field.
    pub(super) sent: String,
    /// Its value as sent.
    value: String,
    /// Its value as it arrived.
    pub(super) arrived: Option<String>,
}

/// Nothing where there was no echo, or where what it shows is not header fields.
pub(super) fn echoed(evidence: &Evidence) -> Option<Echo> {
    let exchange = evidence.exchange(Probe::Echo)?;
    let (sent, value) = carrier(evidence, exchange)?;
    let answer = exchange.result.as_ref().ok().filter(|it| accepted(it))?;
    let name = plain(sent);
    let fields = fields(answer);
    let arrived = fields
        .iter()
        .find(|(field, value)| *field == name && !value.is_empty());
    // Where none of those is listed that every request has, that one is not listed says nothing.
    let usual = |name: &str| matches!(name, "host" | "user-agent" | "accept");
    let lists = arrived.is_some() || fields.iter().any(|(name, _)| usual(name));
    lists.then(|| Echo {
        sent: sent.to_owned(),
        value: value.to_owned(),
        arrived: arrived.map(|(_, value)| value.clone()),
    })
}

/// The header fields that an echo lists, by names in lower case with hyphens.
pub(super) fn fields(answer: &Answer) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    match serde_json::from_str(&answer.body) {
        Ok(value) => walk(&value, &mut fields),
        Err(_) => lines(&answer.body, &mut fields),
    }
    fields
}

/// Members, and pairs of two texts, at any depth.
fn walk(value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) => fields.push((plain(name), text.clone())),
                    Value::Null => fields.push((plain(name), String::new())),
                    Value::Array(texts) if texts.iter().all(Value::is_string) => {
                        let texts = texts.iter().filter_map(Value::as_str);
                        fields.extend(texts.map(|text| (plain(name), text.to_owned())));
                    }
                    inner => walk(inner, fields),
                }
            }
        }
        Value::Array(items) => match items.as_slice() {
            [Value::String(name), Value::String(text)] => fields.push((plain(name), text.clone())),
            items => items.iter().for_each(|item| walk(item, fields)),
        },
        _ => {}
    }
}

/// `Name: value`, or `NAME=value` of a CGI program.
fn lines(body: &str, fields: &mut Vec<(String, String)>) {
    for line in body.lines() {
        let Some(at) = line.find([':', '=']) else {
            continue;
        };
        let (name, value) = line.split_at(at);
        let value = value.get(1..).unwrap_or_default();
        fields.push((plain(name.trim()), value.trim().to_owned()));
    }
}

/// `HTTP_X_API_KEY` and `X-Api-Key` are one name (RFC 3875, section 4.1.18).
fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('_', "-");
    match name.strip_prefix("http-") {
        Some(rest) => rest.to_owned(),
        None => name,
    }
}

/// The fingerprint in a value of a header field.
fn digest(value: &str) -> Option<&str> {
    const DIGITS: usize = 12;
    let (_, rest) = value.split_once("sha256:")?;
    rest.get(..DIGITS)
}

/// Both hold a secret, and not the same.
fn is_another(sent: &str, arrived: &str) -> bool {
    match (digest(sent), digest(arrived)) {
        (Some(sent), Some(_)) => !arrived.contains(sent),
        _ => false,
    }
}
