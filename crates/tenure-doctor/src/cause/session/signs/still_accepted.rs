//! Tokens that an API still takes though their session is over.

use super::refreshes::refreshes;
use crate::Evidence;
use crate::probe::Probe;
use crate::sign::{Sign, accepted, client_answers, contains, refused, seen, together, token};

/// The API takes the token; its issuer says that it is over.
pub(in super::super) static ACCEPTED_THOUGH_INACTIVE: Sign = Sign {
    name: "accepted-though-inactive",
    means: "the API accepts a token of which its issuer says that it is not active",
    find: |evidence| {
        together(evidence, [Probe::Introspection], |[answer]| {
            let body: String = answer.body.split_whitespace().collect();
            let inactive = accepted(answer) && contains(&body, "\"active\":false");
            let says = "accepted by the API; introspection says that it is not active";
            (inactive && still_accepted(evidence)).then(|| says.to_owned())
        })
    },
};

/// The API takes the token; userinfo does not.
pub(in super::super) static ACCEPTED_THOUGH_NO_USERINFO: Sign = Sign {
    name: "accepted-though-userinfo-refuses",
    means: "the API accepts a token that its issuer's userinfo endpoint refuses",
    find: |evidence| {
        together(evidence, [Probe::Userinfo], |[answer]| {
            let says = "accepted by the API; 401 at the issuer's userinfo";
            (answer.status == 401 && still_accepted(evidence)).then(|| says.to_owned())
        })
    },
};

/// Likewise, and userinfo says why.
pub(in super::super) static ACCEPTED_THOUGH_REVOKED: Sign = Sign {
    name: "accepted-though-revoked",
    means: "the API accepts a token of which its issuer says that it was revoked",
    find: |evidence| {
        together(evidence, [Probe::Userinfo], |[answer]| {
            let revoked = refused(answer) && contains(&answer.body, "revoked");
            let says = "accepted by the API; revoked, says the issuer's userinfo";
            (revoked && still_accepted(evidence)).then(|| says.to_owned())
        })
    },
};

/// The API takes the access token, and the issuer says that the session is over.
pub(in super::super) static ACCEPTED_THOUGH_ENDED: Sign = Sign {
    name: "accepted-though-ended",
    means: "the API accepts the access token of a session that cannot be refreshed any more",
    find: |evidence| {
        let dead = refreshes(evidence).next().filter(|(_, answer)| {
            let over = [
                "invalid_grant",
                "NotAuthorizedException",
                "revoked",
                "not_found",
            ];
            matches!(answer.status, 400 | 401)
                && over.iter().any(|word| contains(&answer.body, word))
        });
        dead.map_or_else(Vec::new, |(probe, answer)| {
            let status = answer.status;
            let says = format!("accepted by the API; {status} for a refresh of its session");
            seen(still_accepted(evidence), says, probe)
        })
    },
};

/// The token's scope is that of userinfo (OpenID Connect Core, section 5.3).
pub(in super::super) static FOR_USERINFO: Sign = Sign {
    name: "scope-openid",
    means: "the token's scope holds `openid`, so userinfo is for it",
    find: |evidence| {
        token::of_claims(evidence, |claims| {
            let openid = claims.scope.iter().any(|scope| scope == "openid");
            openid.then(|| "the token's scope holds `openid`".to_owned())
        })
    },
};

/// An API that asks for tokens takes this one, each time, and it is not expired.
fn still_accepted(evidence: &Evidence) -> bool {
    let mut own = client_answers(evidence).peekable();
    let asks = [Probe::Bare, Probe::Altered]
        .iter()
        .any(|probe| evidence.answer(*probe).is_some_and(refused));
    let expired = token::EXPIRED.holds(evidence);
    own.peek().is_some() && own.all(|(_, answer)| accepted(answer)) && asks && !expired
}
