//! What one answer says: its texts, its header fields, its clock.

use std::time::Duration;

use tenure_core::outcome;
use tenure_core::time::Timestamp;

use super::{Sign, accepted, answers, client_answers, contains, found, refused, seen, together};
use crate::exchange::{Answer, Exchange, Failure};
use crate::probe::Probe;
use crate::sign::logs;
use crate::{Clue, Evidence};

/// Answers to which requests a text is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The client's own request, repetitions and redirects included.
    Client,
    /// Refreshes.
    Refresh,
    /// Answers of an issuer: refreshes, and the client's own request where that is one.
    Issuer,
    /// Without a token.
    Bare,
}

impl At {
    /// Whether a probe is such a request.
    pub(crate) fn includes(self, probe: Probe) -> bool {
        match self {
            Self::Client => probe.is_own() || matches!(probe, Probe::Hop(_) | Probe::KeptHop(_)),
            Self::Refresh => matches!(probe, Probe::Refresh | Probe::RefreshAgain(_)),
            Self::Issuer => Self::Client.includes(probe) || Self::Refresh.includes(probe),
            Self::Bare => probe == Probe::Bare,
        }
    }
}

/// Signs that are texts of known systems: each is looked for in answers that are not a success and, where it is
/// named, in logs.
///
/// `NAME = "sign-name", At::Client, "needle", "what it means";` The table `TEXTS` is what the logs are searched for.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $at:expr, $needle:literal, $means:literal;)*) => {
        $($(#[$doc])* pub(crate) static $name: $crate::sign::Sign = $crate::sign::Sign {
            name: $text,
            means: $means,
            find: |evidence| $crate::sign::answer::text(evidence, $text, $needle, $at),
        };)*

        /// Names and needles, for the logs.
        pub(crate) const TEXTS: &[(&str, &str)] = &[$(($text, $needle)),*];
    };
}
pub(crate) use texts;

/// Where a text is in the answers of these probes, or in logs.
pub(crate) fn text(evidence: &Evidence, name: &str, needle: &str, at: At) -> Vec<Clue> {
    let mut clues = Vec::new();
    let failed = |answer: &Answer| !accepted(answer) && !is_aside(answer);
    for (probe, answer) in
        answers(evidence).filter(|(probe, answer)| at.includes(*probe) && failed(answer))
    {
        if let Some(place) = place(answer, needle) {
            clues.extend(seen(
                true,
                format!("{} with `{needle}` in {place}", answer.status),
                probe,
            ));
        }
    }
    clues.extend(logs::text(evidence, name));
    if at.includes(Probe::Client) {
        clues.extend(browsed(evidence, needle));
    }
    clues
}

/// Whether what an answer says may be said by the way: nothing is there (which echoes what was asked for), or the
/// answer lists what could be the matter.
pub(crate) fn is_aside(answer: &Answer) -> bool {
    matches!(answer.status, 404 | 409 | 410 | 422) || lists(answer)
}

/// Whether an answer lists what could be the matter.
pub(crate) fn lists(answer: &Answer) -> bool {
    const LISTS: [&str; 10] = [
        "for example",
        "e.g.",
        "possible reason",
        "possible cause",
        "common reason",
        "common cause",
        "many reasons",
        "several reasons",
        "troubleshoot",
        "one of the following",
    ];
    LISTS.iter().any(|words| contains(&answer.body, words))
}

/// Where a text is in an answer that a HAR shows, to a call that was not answered well afterwards.
fn browsed(evidence: &Evidence, needle: &str) -> Vec<Clue> {
    let clue = evidence
        .logs
        .unrecovered()
        .filter(|(_, answer)| !is_aside(answer))
        .find_map(|(one, answer)| {
            let place = place(answer, needle)?;
            Some(one.clue(format!("{} with `{needle}` in {place}", answer.status)))
        });
    clue.into_iter().collect()
}

/// In which part of an answer a text stands.
fn place(answer: &Answer, needle: &str) -> Option<String> {
    if contains(&answer.body, needle) {
        return Some("its body".to_owned());
    }
    let (name, _) = answer
        .headers
        .iter()
        .find(|(_, value)| contains(value, needle))?;
    Some(format!("`{name}`"))
}

/// Where a header field of the answers of these probes contains a text; `""` is any value.
pub(crate) fn header(evidence: &Evidence, name: &str, needle: &str, at: At) -> Vec<Clue> {
    let mut clues = Vec::new();
    for (probe, answer) in answers(evidence).filter(|(probe, _)| at.includes(*probe)) {
        let mut fields = answer.headers.iter().filter(|(field, _)| field == name);
        if let Some((_, value)) = fields.find(|(_, value)| contains(value, needle)) {
            clues.extend(seen(
                true,
                format!("{} with `{name}: {value}`", answer.status),
                probe,
            ));
        }
    }
    clues
}

/// The client is refused with an HTML page.
pub static HTML_REFUSAL: Sign = Sign {
    name: "html-refusal",
    means: "an HTML page stands in place of an API's refusal",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            let page = mentions(answer.header("content-type"), "text/html");
            (answer.status >= 400 && page).then(|| format!("{} with an HTML page", answer.status))
        })
    },
};

/// A refusal was served by a cache.
pub static REFUSAL_FROM_CACHE: Sign = Sign {
    name: "refusal-from-cache",
    means: "the refusal comes out of a cache",
    find: |evidence| {
        let cached = client_answers(evidence).filter(|(_, answer)| refused(answer));
        cached
            .filter_map(|(exchange, answer)| Some((exchange.probe, from_cache(answer)?)))
            .flat_map(|(probe, mark)| seen(true, format!("refused by a cache: {mark}"), probe))
            .collect()
    },
};

/// A success was served by a cache though no token was sent.
pub static SUCCESS_FROM_CACHE: Sign = Sign {
    name: "success-from-cache",
    means: "a success without a token comes out of a cache",
    find: |evidence| {
        together(evidence, [Probe::Bare], |[answer]| {
            let mark = from_cache(answer).filter(|_| accepted(answer))?;
            let status = answer.status;
            Some(format!("{status} without a token, out of a cache: {mark}"))
        })
    },
};

/// The mark of a cache on an answer that it did not ask the origin for.
pub(crate) fn from_cache(answer: &Answer) -> Option<String> {
    let aged = answer
        .header("age")
        .filter(|age| age.trim().parse::<u64>().is_ok_and(|age| age > 0));
    if let Some(age) = aged {
        return Some(format!("`age: {age}`"));
    }
    // The ids of this request and of the one that fetched the object (Varnish, `X-Varnish`).
    let two_ids = |value: &&str| value.split_whitespace().count() == 2;
    if let Some(ids) = answer.header("x-varnish").filter(two_ids) {
        return Some(format!("`x-varnish: {ids}`"));
    }
    let marks = [
        "x-cache",
        "x-cache-status",
        "cf-cache-status",
        "x-proxy-cache",
        "cache-status",
        "x-varnish-cache",
    ];
    marks.iter().find_map(|name| {
        let value = answer.header(name)?;
        contains(value, "hit").then(|| format!("`{name}: {value}`"))
    })
}

/// Clocks that differ by more than this are different: `Date` has a resolution of a second, and answers travel.
const CLOCKS: Duration = Duration::from_secs(30);

/// The server's clock is ahead of the doctor's.
pub static SERVER_AHEAD: Sign = Sign {
    name: "server-clock-ahead",
    means: "the server's clock is ahead of this machine's",
    find: |evidence| clock_off(evidence, "ahead of", |here, there| there.since(here)),
};

/// The server's clock is behind the doctor's.
pub static SERVER_BEHIND: Sign = Sign {
    name: "server-clock-behind",
    means: "the server's clock is behind this machine's",
    find: |evidence| clock_off(evidence, "behind", Timestamp::since),
};

fn clock_off(
    evidence: &Evidence,
    how: &str,
    by: fn(Timestamp, Timestamp) -> Duration,
) -> Vec<Clue> {
    found(clocks(evidence).find_map(|(probe, here, there)| {
        let off = by(here, there);
        let says = || format!("`Date` is {} s {how} this machine's clock", off.as_secs());
        (off > CLOCKS).then(|| (probe, says()))
    }))
}

/// The server's clock and the doctor's agree.
pub static CLOCKS_AGREE: Sign = Sign {
    name: "clocks-agree",
    means: "the server's clock agrees with this machine's",
    find: |evidence| {
        let all: Vec<_> = clocks(evidence).collect();
        let agree = |(_, here, there): &(Probe, Timestamp, Timestamp)| {
            here.since(*there) <= CLOCKS && there.since(*here) <= CLOCKS
        };
        let first = all.first().filter(|_| all.iter().all(agree));
        found(first.map(|(probe, ..)| {
            let says = "`Date` agrees with this machine's clock";
            (*probe, says.to_owned())
        }))
    },
};

/// The probe, the doctor's time and the server's `Date`; answers out of a cache, whose `Date` is old, left out.
pub(crate) fn clocks(evidence: &Evidence) -> impl Iterator<Item = (Probe, Timestamp, Timestamp)> {
    evidence.exchanges.iter().filter_map(
        |Exchange {
             probe, result, at, ..
         }| {
            let answer = result
                .as_ref()
                .ok()
                .filter(|answer| from_cache(answer).is_none())?;
            Some((*probe, *at, outcome::date(answer.header("date")?)?))
        },
    )
}

/// The client's request got no HTTP answer, or a 5xx.
pub static UNAVAILABLE: Sign = Sign {
    name: "unavailable",
    means: "the service is not available: that is nobody's token",
    find: |evidence| {
        let Some(exchange) = evidence.exchange(Probe::Client) else {
            return Vec::new();
        };
        match &exchange.result {
            Ok(answer) => seen(
                answer.status >= 500,
                format!("{} for the client's request", answer.status),
                Probe::Client,
            ),
            Err(failure) => seen(true, describe(failure), Probe::Client),
        }
    },
};

fn describe(failure: &Failure) -> String {
    match failure {
        Failure::Timeout => "no answer in time".to_owned(),
        Failure::Refused => "the port is closed".to_owned(),
        Failure::Reset => "the connection ended before the answer".to_owned(),
        Failure::Dns => "the name has no address".to_owned(),
        Failure::Tls(why) => format!("TLS was not agreed on: {why}"),
        Failure::Malformed(what) => format!("what came back is not HTTP: {what}"),
        Failure::Unreachable => "no route to the address".to_owned(),
    }
}

/// Whether the value of a field contains a text, in any case (ASCII); not where there is no such field.
pub(crate) fn mentions(field: Option<&str>, text: &str) -> bool {
    field.is_some_and(|value| contains(value, text))
}

/// The challenges of an answer, renamed ones included.
fn challenges(answer: &Answer) -> impl Iterator<Item = &str> {
    let named = |(name, _): &&(String, String)| name.ends_with("www-authenticate");
    let fields = answer.headers.iter().filter(named);
    fields.map(|(_, value)| value.as_str())
}

/// Whether an answer says this in its body or in a challenge.
pub(crate) fn says(answer: &Answer, text: &str) -> bool {
    contains(&answer.body, text) || challenges(answer).any(|value| contains(value, text))
}

/// The refusal is a Bearer challenge with this `error`.
pub(crate) fn challenge_error(evidence: &Evidence, error: &str) -> Vec<Clue> {
    let mut clues = Vec::new();
    for (exchange, answer) in client_answers(evidence) {
        for value in challenges(answer) {
            if contains(value, &format!("error=\"{error}\""))
                || contains(value, &format!("error={error}"))
            {
                clues.extend(seen(
                    true,
                    format!("{} with the challenge `{value}`", answer.status),
                    exchange.probe,
                ));
            }
        }
    }
    clues
}

/// `error="invalid_token"` (RFC 6750).
pub static INVALID_TOKEN: Sign = Sign {
    name: "challenge-invalid-token",
    means: "the challenge says that the token is expired, revoked, malformed or otherwise invalid",
    find: |evidence| challenge_error(evidence, "invalid_token"),
};

/// `error="insufficient_scope"` (RFC 6750).
pub static INSUFFICIENT_SCOPE: Sign = Sign {
    name: "challenge-insufficient-scope",
    means: "the challenge says that the token's scope does not suffice",
    find: |evidence| challenge_error(evidence, "insufficient_scope"),
};
