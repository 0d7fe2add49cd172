//! Answers of REST APIs: the reason stands in `x-amzn-errortype`.

use super::{always, error_type, is_type, message, own, reason, says, through_http, through_rest};
use crate::cause::Layer;
use crate::compare::same;
use crate::exchange::Answer;
use crate::layer;
use crate::logs::Pattern;
use crate::probe::Probe;
use crate::sign::{Sign, accepted, contains, first_of, logs, seen, together, token};
use crate::token::Role;
use crate::{Clue, Evidence, Source, drift};

/// The gateway knows no such route.
pub(in super::super) static ROUTE_UNKNOWN: Sign = Sign {
    name: "gateway-route-unknown",
    means: "the gateway has no such path or method, or it waits for an AWS signature there",
    find: |evidence| always(evidence, is_unknown_route, reason),
};

/// The gateway knows no such route, by both text and reason.
pub(in super::super) static ROUTE_UNKNOWN_BOTH: Sign = Sign {
    name: "gateway-route-unknown-both",
    means: "text and error type both say that the gateway has no such path or method",
    find: |evidence| {
        let both = |answer: &Answer| {
            is_type(answer, "MissingAuthenticationToken")
                && says(answer, "Missing Authentication Token")
        };
        always(evidence, both, reason)
    },
};

/// Each answer to the client is that of the signature parser.
pub(in super::super) static SIGNATURE_ANSWER: Sign = Sign {
    name: "gateway-signature-answer",
    means: "the client's request itself is answered by the parser of AWS signatures",
    find: |evidence| {
        let parsed = |answer: &Answer| {
            matches!(answer.status, 400 | 401 | 403)
                && (is_type(answer, "IncompleteSignature") || reads_signature(answer))
        };
        if signs_itself(evidence) {
            return Vec::new();
        }
        always(evidence, parsed, |answer| {
            format!("{} for something that is no AWS signature", answer.status)
        })
    },
};

/// A path that cannot exist is refused in the client's words, and these are those of an unknown route.
pub(in super::super) static ROUTE_UNKNOWN_ANYWHERE: Sign = Sign {
    name: "gateway-route-unknown-anywhere",
    means: "the client's path is refused as one that cannot exist",
    find: |evidence| {
        let probes = [Probe::Client, Probe::OtherPath];
        together(evidence, probes, |[client, other]| {
            let holds = is_unknown_route(client) && same(client, other);
            holds.then(|| format!("{} here and at a path that cannot exist", reason(client)))
        })
    },
};

/// A path that cannot exist is unknown to the gateway, the client's is not.
pub(in super::super) static ROUTE_KNOWN: Sign = Sign {
    name: "gateway-route-known",
    means: "the gateway knows the client's route: a path that cannot exist is refused in other words",
    find: |evidence| {
        let probes = [Probe::Client, Probe::OtherPath];
        together(evidence, probes, |[client, other]| {
            let unknown = is_unknown_route(other) || reads_signature(other);
            let (here, there) = (reason(client), reason(other));
            (unknown && !same(client, other))
                .then(|| format!("{here} here, {there} at a path that cannot exist"))
        })
    },
};

/// The authorizer, not the router, refuses the client.
pub(in super::super) static AUTHORIZER_REFUSES: Sign = Sign {
    name: "gateway-authorizer-refuses",
    means: "an authorizer of the REST API refuses what was presented",
    find: |evidence| always(evidence, is_unauthorized, reason),
};

/// The reason of the authorizer is named in the header field.
pub(in super::super) static AUTHORIZER_NAMED: Sign = Sign {
    name: "gateway-authorizer-named",
    means: "`x-amzn-errortype` names the authorizer",
    find: |evidence| {
        let named = |answer: &Answer| {
            is_type(answer, "Unauthorized")
                || is_type(answer, "AccessDenied") && !contains(&answer.body, "execute-api:")
        };
        always(evidence, named, reason)
    },
};

/// The Lambda authorizer's policy denies in so many words.
pub(in super::super) static EXPLICIT_DENY: Sign = Sign {
    name: "gateway-explicit-deny",
    means: "the policy of the Lambda authorizer holds a Deny for this request",
    find: |evidence| {
        let explicit = |answer: &Answer| {
            contains(
                &answer.body,
                "to access this resource with an explicit deny",
            )
        };
        always(evidence, explicit, reason)
    },
};

/// Both the client's endpoint and another one are denied by the Lambda authorizer.
pub(in super::super) static DENIED_ELSEWHERE: Sign = Sign {
    name: "gateway-denied-elsewhere",
    means: "the Lambda authorizer denies this token at another endpoint too",
    find: |evidence| {
        together(evidence, [Probe::OtherEndpoint], |[answer]| {
            is_denied(answer).then(|| reason(answer))
        })
    },
};

/// The same token, written otherwise, is not in the authorizer's cache, and is allowed.
pub(in super::super) static OTHER_SPELLING_ALLOWED: Sign = Sign {
    name: "gateway-other-spelling-allowed",
    means: "the same token is denied, and allowed when the header is spelt so that no cached policy fits",
    find: |evidence| {
        let denied = own(evidence).any(|(_, answer)| is_denied(answer));
        let spelt = [Probe::Lower, Probe::Upper, Probe::Raw, Probe::Trimmed];
        let says = "the token is allowed in this spelling";
        first_of(evidence, &spelt, |_, answer| {
            (denied && accepted(answer)).then(|| says.to_owned())
        })
    },
};

/// The authorizer refuses the token as it refuses nothing at all.
pub(in super::super) static AS_REFUSED_WITHOUT: Sign = Sign {
    name: "gateway-as-refused-without",
    means: "the authorizer's refusal is the same without a token",
    find: |evidence| {
        together(evidence, [Probe::Client, Probe::Bare], |[client, bare]| {
            let holds = is_unauthorized(client) && same(client, bare);
            holds.then(|| format!("{} with the token and without", reason(client)))
        })
    },
};

/// The token is refused as the client sends it, and taken in another spelling of the header.
pub(in super::super) static OTHER_SPELLING_TAKEN: Sign = Sign {
    name: "gateway-other-spelling-taken",
    means: "the authorizer takes the same token in another spelling of the header",
    find: |evidence| {
        let refused = evidence.answer(Probe::Client).is_some_and(is_unauthorized);
        let spelt = [Probe::Raw, Probe::Lower, Probe::Upper, Probe::TokenScheme];
        let says = "the token is taken in this spelling";
        first_of(evidence, &spelt, |_, answer| {
            (refused && accepted(answer)).then(|| says.to_owned())
        })
    },
};

/// The gateway says that the token has expired, and nothing that is known of the token says otherwise.
pub(in super::super) static EXPIRED_BY_BOTH: Sign = Sign {
    name: "gateway-expired-by-both",
    means: "the authorizer says expired, and the token, where it is at hand, is",
    find: |evidence| {
        if token::end(evidence).is_some_and(|exp| exp > evidence.now) {
            return Vec::new();
        }
        let says = |answer: &Answer| contains(&answer.body, "the incoming token has expired");
        always(evidence, says, reason)
    },
};

/// The same request is now allowed, now denied by the Lambda authorizer.
pub(in super::super) static DENIED_NOW_AND_THEN: Sign = Sign {
    name: "gateway-denied-now-and-then",
    means: "the Lambda authorizer's policy denies and allows the same request",
    find: |evidence| {
        let denied = own(evidence)
            .filter(|(_, answer)| is_denied(answer))
            .count();
        let allowed = own(evidence).filter(|(_, answer)| accepted(answer)).count();
        let says = format!("the same request: denied {denied} times, allowed {allowed} times");
        seen(denied > 0 && allowed > 0, says, Probe::Again(1))
    },
};

/// The client's own request is refused by a policy.
pub(in super::super) static POLICY_REFUSES: Sign = Sign {
    name: "gateway-policy-refuses",
    means: "the client's own request is refused by a resource policy or an IAM policy",
    find: |evidence| {
        let denied =
            |answer: &Answer| contains(&answer.body, "is not authorized to perform: execute-api:");
        always(evidence, denied, |answer| {
            format!(
                "{} `is not authorized to perform: execute-api`",
                answer.status
            )
        })
    },
};

/// The client's own request is refused for its AWS signature.
pub(in super::super) static AWS_SIGNATURE_REFUSED: Sign = Sign {
    name: "gateway-aws-signature-refused",
    means: "the gateway refuses the AWS signature or the keys of the client's own request",
    find: |evidence| {
        let kinds = [
            "InvalidSignature",
            "UnrecognizedClient",
            "InvalidClientTokenId",
            "ExpiredToken",
        ];
        let texts = [
            "the security token included in the request is",
            "the request signature we calculated does not match",
            "is now earlier than",
            "credential should be scoped to",
        ];
        let refused = |answer: &Answer| {
            let amazon = through_rest(answer) || kinds.iter().any(|kind| is_type(answer, kind));
            answer.status == 403
                && (amazon || at_amazon(evidence))
                && texts.iter().any(|text| contains(&answer.body, text))
        };
        always(evidence, refused, reason)
    },
};

/// The gateway could not use its authorizer.
pub(in super::super) static AUTHORIZER_BROKEN: Sign = Sign {
    name: "gateway-authorizer-broken",
    means: "the gateway's authorizer fails or is set up wrongly",
    find: |evidence| {
        let broken = |answer: &Answer| {
            answer.status >= 500
                && error_type(answer).is_some_and(|kind| contains(kind, "authorizer"))
        };
        always(evidence, broken, reason)
    },
};

/// 500 with an empty message: what a failed authorizer leaves.
pub(in super::super) static EMPTY_MESSAGE: Sign = Sign {
    name: "gateway-empty-message",
    means: "500 with `{\"message\":null}`, as a REST API answers where its authorizer fails",
    find: |evidence| {
        let empty = |answer: &Answer| {
            let body: String = answer.body.split_whitespace().collect();
            answer.status == 500 && body == "{\"message\":null}"
        };
        always(evidence, empty, |_| "500 `{\"message\":null}`".to_owned())
    },
};

/// Without a token the authorizer is not asked and refuses plainly; with one the gateway fails.
pub(in super::super) static BARE_UNAUTHORIZED: Sign = Sign {
    name: "gateway-bare-unauthorized",
    means: "without a token the gateway answers a plain 401",
    find: |evidence| {
        together(evidence, [Probe::Bare], |[answer]| {
            is_unauthorized(answer).then(|| reason(answer))
        })
    },
};

/// The client's own request carries no Authorization header, though its header fields are known.
pub(in super::super) static NOTHING_SENT: Sign = Sign {
    name: "gateway-nothing-sent",
    means: "the client's own request has no Authorization header",
    find: |evidence| {
        let silent = evidence.exchange(Probe::Client).is_some_and(|exchange| {
            let sent = &exchange.request;
            !sent.headers.is_empty() && sent.header("authorization").is_none()
        });
        seen(silent, "no Authorization header is sent", Probe::Client)
    },
};

/// The status is not the one that the reason has by default.
pub(in super::super) static STATUS_OVERRIDDEN: Sign = Sign {
    name: "gateway-status-overridden",
    means: "the status is not the one that the gateway has for this reason",
    find: |evidence| {
        let usual = |answer: &Answer| {
            let found = DEFAULTS.iter().find(|(name, _)| is_type(answer, name));
            found.map(|(_, status)| *status)
        };
        let other = |answer: &Answer| usual(answer).is_some_and(|status| status != answer.status);
        always(evidence, other, |answer| {
            format!(
                "{}, where {} is usual",
                reason(answer),
                usual(answer).unwrap_or_default()
            )
        })
    },
};

/// Reasons and the statuses that they have unless a template changes them.
const DEFAULTS: [(&str, u16); 8] = [
    ("Unauthorized", 401),
    ("MissingAuthenticationToken", 403),
    ("AccessDenied", 403),
    ("Forbidden", 403),
    ("IncompleteSignature", 403),
    ("InvalidSignature", 403),
    ("TooManyRequests", 429),
    ("LimitExceeded", 429),
];

/// A reason of the gateway beside a body that is not the gateway's.
pub(in super::super) static BODY_OVERRIDDEN: Sign = Sign {
    name: "gateway-body-overridden",
    means: "the gateway gives its reason in `x-amzn-errortype`, and the body is not the gateway's own",
    find: |evidence| {
        let other = |answer: &Answer| {
            DEFAULTS.iter().any(|(name, _)| is_type(answer, name))
                && !answer.body.trim().is_empty()
                && message(answer).is_none()
        };
        always(evidence, other, |answer| {
            format!("{} with a body of another form", reason(answer))
        })
    },
};

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
    find: |evidence| {
        let limited = |answer: &Answer| {
            let by_filter = layer::answered(answer).is_some_and(|by| by.layer == Layer::Waf);
            let mitigated = answer
                .headers
                .iter()
                .any(|(name, _)| contains(name, "mitigated"));
            answer.status == 429 && !by_filter && !mitigated
        };
        always(evidence, limited, reason)
    },
};

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

/// A token that was expired when it was sent is refused, and another one of its issuer is taken.
pub(in super::super) static EXPIRED_WHEN_SENT: Sign = Sign {
    name: "gateway-expired-when-sent",
    means: "the authorizer refuses a token that was expired when it was sent",
    find: |evidence| {
        let sent = evidence.exchange(Probe::Client);
        match sent.zip(token::end(evidence)) {
            Some((sent, exp)) if exp + token::CLOSE < sent.at => {
                always(evidence, is_unauthorized, |answer| {
                    format!(
                        "{}, {} s after its end",
                        reason(answer),
                        sent.at.since(exp).as_secs()
                    )
                })
            }
            _ => Vec::new(),
        }
    },
};

/// A token of the same issuer is taken.
pub(in super::super) static SAME_ISSUER_TAKEN: Sign = Sign {
    name: "gateway-same-issuer-taken",
    means: "another token of the same issuer is taken",
    find: |evidence| {
        let issuer = |role: Role| evidence.token(role)?.iss();
        let taken = evidence.answer(Probe::OtherToken).is_some_and(accepted);
        let same = issuer(Role::Other).is_some() && issuer(Role::Other) == issuer(Role::Presented);
        let says = "another token of the same issuer is taken";
        seen(taken && same, says, Probe::OtherToken)
    },
};

/// Whatever is asked for is forbidden in the same words, with and without a token.
pub(in super::super) static FORBIDDEN_WHOLLY: Sign = Sign {
    name: "gateway-forbidden-wholly",
    means: "403 in the same words for every path, with a token, without and with a forged one",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::Altered, Probe::OtherPath];
        together(evidence, probes, |[client, others @ ..]| {
            let forbidden = client.status == 403 && !is_unknown_route(client);
            let alike = others.iter().all(|other| same(client, other));
            let says = "403 for every path, with and without the token";
            (forbidden && alike).then(|| says.to_owned())
        })
    },
};

/// 429 from whatever answers.
pub(in super::super) static TOO_MANY: Sign = Sign {
    name: "gateway-too-many-requests",
    means: "429: too many requests, which says nothing of the token",
    find: |evidence| first(evidence, |answer| answer.status == 429),
};

/// A 403 of which neither body nor error type is known, where an API gateway of Amazon is in play.
pub(in super::super) static UNEXPLAINED_403: Sign = Sign {
    name: "gateway-unexplained-403",
    means: "403, and neither its body nor its error type is known",
    find: |evidence| {
        if !is_amazon(evidence) {
            return Vec::new();
        }
        let unknown = |answer: &Answer| {
            answer.status == 403
                && answer.body.trim().is_empty()
                && layer::answered(answer).is_none()
        };
        if own(evidence).next().is_some() {
            return always(evidence, unknown, |_| {
                "403 without body and without `x-amzn-errortype`".to_owned()
            });
        }
        let refusals = logs::found(evidence, Pattern::FreshTokenRefused)
            .into_iter()
            .chain(logs::found(evidence, Pattern::Refusals));
        let by_status =
            |clue: &Clue| clue.says.contains("403") && !clue.says.contains(" 0 answers 403");
        refusals.filter(by_status).collect()
    },
};

/// Neither of the two has body or error type.
pub(in super::super) static UNEXPLAINED_ALIKE: Sign = Sign {
    name: "gateway-unexplained-alike",
    means: "403 without a reason, with the token as without it",
    find: |evidence| match evidence.all_answered([Probe::Client, Probe::Bare]) {
        Some([client, bare]) if same(client, bare) => (UNEXPLAINED_403.find)(evidence),
        _ => Vec::new(),
    },
};

/// A fresh token is refused like no token: by the log, or by answers of which only the status is known.
pub(in super::super) static FRESH_TOKEN_403: Sign = Sign {
    name: "gateway-fresh-token-403",
    means: "403 also with a token that was just refreshed",
    find: |evidence| {
        let fresh = logs::found(evidence, Pattern::FreshTokenRefused);
        fresh
            .into_iter()
            .filter(|clue| clue.says.contains("403"))
            .collect()
    },
};

/// Whether a gateway of Amazon is in play, by configuration or by the address.
fn is_amazon(evidence: &Evidence) -> bool {
    let pool = |belief: &drift::Belief| belief.about == drift::Subject::UserPool;
    evidence.beliefs.iter().any(pool) || at_amazon(evidence)
}

/// Whether an API's own host was asked.
fn at_amazon(evidence: &Evidence) -> bool {
    let mut exchanges = evidence.exchanges.iter();
    exchanges.any(|exchange| contains(&exchange.request.url, ".execute-api."))
}

/// Whether the client's request carries an AWS signature, good or not.
fn signs_itself(evidence: &Evidence) -> bool {
    let mut own = evidence
        .exchanges
        .iter()
        .filter(|exchange| exchange.probe == Probe::Client);
    own.any(|exchange| {
        let value = exchange.request.header("authorization");
        value.is_some_and(|value| value.starts_with("AWS4"))
    })
}

/// What the parser of AWS signatures says to a Bearer token.
fn reads_signature(answer: &Answer) -> bool {
    [
        "not a valid key=value pair",
        "invalid key=value pair (missing equal-sign)",
        "authorization header requires 'credential' parameter",
    ]
    .iter()
    .any(|text| contains(&answer.body, text))
}

fn first(evidence: &Evidence, is: impl Fn(&Answer) -> bool) -> Vec<Clue> {
    together(evidence, [Probe::Client], |[answer]| {
        is(answer).then(|| reason(answer))
    })
}

fn is_unknown_route(answer: &Answer) -> bool {
    is_type(answer, "MissingAuthenticationToken") || says(answer, "Missing Authentication Token")
}

/// The plain refusal of an authorizer, or of a gateway that found nothing to show to it.
pub(super) fn is_unauthorized(answer: &Answer) -> bool {
    let plain = says(answer, "Unauthorized") && through_rest(answer);
    let backend = answer.header("x-amzn-remapped-www-authenticate").is_some();
    !through_http(answer) && !backend && (is_type(answer, "Unauthorized") || plain)
}

fn is_denied(answer: &Answer) -> bool {
    answer.status == 403
        && contains(
            &answer.body,
            "user is not authorized to access this resource",
        )
}
