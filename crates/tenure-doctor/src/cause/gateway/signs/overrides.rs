//! Answers that a template's `GatewayResponses` have changed.

use super::{always, is_type, message, reason};
use crate::exchange::Answer;
use crate::sign::Sign;

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
