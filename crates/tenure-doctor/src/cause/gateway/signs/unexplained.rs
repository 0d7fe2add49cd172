//! 403 without a reason, where a gateway of Amazon is in play.

use super::{always, own};
use crate::compare::same;
use crate::exchange::Answer;
use crate::logs::Pattern;
use crate::probe::Probe;
use crate::sign::{Sign, contains, logs};
use crate::{Clue, Evidence, drift, layer};

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
pub(super) fn at_amazon(evidence: &Evidence) -> bool {
    let mut exchanges = evidence.exchanges.iter();
    exchanges.any(|exchange| contains(&exchange.request.url, ".execute-api."))
}
