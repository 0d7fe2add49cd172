//! Authorizers of REST APIs: what they refuse, deny and fail at.

use super::{always, error_type, is_type, own, reason, says, through_http, through_rest};
use crate::compare::same;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::{Sign, accepted, contains, first_of, seen, together, token};
use crate::token::Role;

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

/// The same of an HTTP API, each time.
pub(in super::super) static HTTP_DENIED_FROM_CACHE: Sign = Sign {
    name: "http-api-denied-from-cache",
    means: "the HTTP API denies the token each time, and allows it when the header is spelt so that no cached policy fits",
    find: |evidence| {
        let http = |answer: &Answer| is_denied(answer) && through_http(answer);
        if always(evidence, http, reason).is_empty() {
            Vec::new()
        } else {
            (OTHER_SPELLING_ALLOWED.find)(evidence)
        }
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

/// The gateway could not use its authorizer.
pub(in super::super) static AUTHORIZER_BROKEN: Sign = Sign {
    name: "gateway-authorizer-broken",
    means: "the gateway's authorizer fails or is set up wrongly",
    find: |evidence| {
        let broken =
            |answer: &Answer| answer.status >= 500 && mentions(error_type(answer), "authorizer");
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

/// The plain refusal of an authorizer, or of a gateway that found nothing to show to it.
pub(super) fn is_unauthorized(answer: &Answer) -> bool {
    let plain = says(answer, "Unauthorized") && through_rest(answer);
    let backend = answer.header("x-amzn-remapped-www-authenticate").is_some();
    !through_http(answer) && !backend && (is_type(answer, "Unauthorized") || plain)
}

/// By a Lambda authorizer of a REST API, or by an authorizer of an HTTP API, which says less.
fn is_denied(answer: &Answer) -> bool {
    let words = "user is not authorized to access this resource";
    let http = through_http(answer) && says(answer, "Forbidden");
    answer.status == 403 && (http || contains(&answer.body, words))
}
