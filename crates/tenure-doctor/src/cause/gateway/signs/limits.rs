//! 429: the rates and quotas of a gateway.

use super::{always, is_type, reason, says, through_http, through_rest};
use crate::cause::Layer;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::{Sign, contains, together};
use crate::{Clue, Evidence, Source, layer};

/// The gateway throttles.
pub(in super::super) static THROTTLED: Sign = Sign {
    name: "gateway-throttled",
    means: "the gateway's rate or quota is used up",
    find: |evidence| {
        let throttled = |answer: &Answer| {
            let named = is_type(answer, "TooManyRequests") || is_type(answer, "LimitExceeded");
            let said = says(answer, "Too Many Requests") || says(answer, "Limit Exceeded");
            answer.status == 429
                && (named || said && (through_rest(answer) || through_http(answer)))
        };
        first(evidence, throttled)
    },
};

/// 429 that asks for nothing but patience: no challenge of a bot filter.
pub(in super::super) static LIMITED: Sign = Sign {
    name: "gateway-limited",
    means: "a limit of requests answers the client, each time",
    find: |evidence| always(evidence, is_limited, reason),
};

/// The same in the client's own record, at the end of its calls.
pub(in super::super) static LIMITED_BROWSED: Sign = Sign {
    name: "gateway-limited-browsed",
    means: "a limit of requests answers the client, and it got no further",
    find: |evidence| {
        let calls = evidence.logs.unrecovered();
        let limited = calls.filter(|(one, answer)| one.is_telling() && is_limited(answer));
        limited
            .map(|(one, answer)| one.clue(reason(answer)))
            .collect()
    },
};

/// Gateways that say so with another status: Apigee by default 500, Tyk and API Management 403 for quotas, Google's
/// usage limits 403.
pub(in super::super) static LIMIT_NAMED: Sign = Sign {
    name: "gateway-limit-named",
    means: "the gateway names a rate or quota that is used up",
    find: |evidence| {
        const NAMED: [&str; 8] = [
            "\"errorcode\":\"policies.ratelimit.quotaviolation\"",
            "\"errorcode\":\"policies.ratelimit.spikearrestviolation\"",
            "\"message\":\"outofcallvolumequota.",
            "{\"error\":\"quotaexceeded\"}",
            "\"reason\":\"ratelimitexceeded\"",
            "\"reason\":\"userratelimitexceeded\"",
            "\"reason\":\"quotaexceeded\"",
            "\"reason\":\"dailylimitexceeded\"",
        ];
        let named = |answer: &Answer| {
            let body: String = answer.body.split_whitespace().collect();
            answer.status >= 400 && NAMED.iter().any(|name| contains(&body, name))
        };
        always(evidence, named, reason)
    },
};

fn is_limited(answer: &Answer) -> bool {
    let by_filter = layer::answered(answer).is_some_and(|by| by.layer == Layer::Waf);
    let mitigated = answer
        .headers
        .iter()
        .any(|(name, _)| contains(name, "mitigated"));
    answer.status == 429 && !by_filter && !mitigated
}

/// Logs hold more 429 than refusals.
pub(in super::super) static LIMITED_IN_LOGS: Sign = Sign {
    name: "gateway-limited-in-logs",
    means: "the logs hold more answers 429 than 401 and 403",
    find: |evidence| {
        let count = |status: u16| -> u64 {
            let files = evidence.logs.files.iter();
            files.filter_map(|file| file.statuses.get(&status)).sum()
        };
        let (limited, refused) = (count(429), count(401) + count(403));
        let file = evidence
            .logs
            .files
            .iter()
            .find(|file| file.statuses.contains_key(&429));
        match file {
            Some(file) if limited >= 5 && limited > refused => vec![Clue::new(
                format!("{limited} answers 429, and {refused} of 401 or 403"),
                Source::Log(file.name.clone(), 1),
            )],
            _ => Vec::new(),
        }
    },
};

/// 429 from whatever answers.
pub(in super::super) static TOO_MANY: Sign = Sign {
    name: "gateway-too-many-requests",
    means: "429: too many requests, which says nothing of the token",
    find: |evidence| first(evidence, |answer| answer.status == 429),
};

fn first(evidence: &Evidence, is: impl Fn(&Answer) -> bool) -> Vec<Clue> {
    together(evidence, [Probe::Client], |[answer]| {
        is(answer).then(|| reason(answer))
    })
}
