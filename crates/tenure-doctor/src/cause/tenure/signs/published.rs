//! What the service itself does with a token, beside what it publishes and what its log tells.

use crate::Evidence;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::keys::KID_UNKNOWN;
use crate::sign::{Sign, accepted, contains, seen, token};

/// Tenure takes the token at its own route, and the key set at its address lacks the token's key.
pub(in super::super) static OWN_KEY_NOT_PUBLISHED: Sign = Sign {
    name: "tenure-own-key-not-published",
    means: "the service takes the token for its own, and the key set at its address lacks the key that signed it",
    find: |evidence| {
        let taken = evidence.answer(Probe::Userinfo).is_some_and(accepted);
        let published = evidence.answer(Probe::Jwks).is_some_and(accepted);
        if taken && published && is_of_tenure(evidence) {
            (KID_UNKNOWN.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// Whether the token's issuer is the service whose metadata came, and that is Tenure.
fn is_of_tenure(evidence: &Evidence) -> bool {
    let metadata = evidence.answer(Probe::Discovery);
    let metadata = metadata.filter(|answer| contains(&answer.body, "tenure_rotation"));
    let metadata = metadata.and_then(|answer| serde_json::from_str(&answer.body).ok());
    let metadata: serde_json::Value = metadata.unwrap_or_default();
    let named = metadata.get("issuer").and_then(serde_json::Value::as_str);
    let claims = token::claims(evidence);
    named.is_some() && claims.and_then(|claims| claims.iss.as_deref()) == named
}

/// Each refresh that was tried is answered well: the service reads and writes its store.
pub(in super::super) static REFRESHED_NOW: Sign = Sign {
    name: "tenure-refreshed-now",
    means: "the service refreshes, so it reads and writes its store",
    find: |evidence| {
        let tried = evidence
            .exchanges
            .iter()
            .filter(|one| matches!(one.probe, Probe::Refresh | Probe::RefreshAgain(_)));
        let well = |answer: &Answer| accepted(answer);
        let all = tried.clone().all(|one| one.result.as_ref().is_ok_and(well));
        let any = tried.count() > 0;
        seen(any && all, "a refresh is answered well", Probe::Refresh)
    },
};
