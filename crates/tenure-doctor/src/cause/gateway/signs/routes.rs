//! Whether a REST API knows the route, and whether an authorizer stands there at all.

use super::{always, is_type, reason, says};
use crate::Evidence;
use crate::compare::same;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::{Sign, contains, together};

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

pub(super) fn is_unknown_route(answer: &Answer) -> bool {
    is_type(answer, "MissingAuthenticationToken") || says(answer, "Missing Authentication Token")
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
