//! Answers of HTTP APIs: `apigw-requestid`, and a challenge.

use super::{always, reason, says, through_http};
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::keys::KID_KNOWN;
use crate::sign::token::{accepted_rivals, of_claims, presented};
use crate::sign::{Sign, contains, found, of_token, together};
use crate::token::Token;

/// The JWT authorizer refuses the client.
pub(in super::super) static JWT_REFUSED: Sign = Sign {
    name: "http-api-jwt-refused",
    means: "the JWT authorizer of the HTTP API refuses what was presented",
    find: |evidence| always(evidence, is_refused, described),
};

/// With a challenge, which only a JWT authorizer sends.
pub(in super::super) static JWT_CHALLENGED: Sign = Sign {
    name: "http-api-jwt-challenged",
    means: "the HTTP API answers with the challenge of a JWT authorizer",
    find: |evidence| {
        always(
            evidence,
            |answer| is_refused(answer) && bearer(answer).is_some(),
            described,
        )
    },
};

/// The JWT authorizer names the scope.
pub(in super::super) static SCOPE_NAMED: Sign = Sign {
    name: "http-api-scope-named",
    means: "the HTTP API says that the token lacks a scope of the route",
    find: |evidence| {
        let named = |answer: &Answer| {
            through_http(answer) && mentions(bearer(answer), "insufficient_scope")
        };
        always(evidence, named, described)
    },
};

/// The HTTP API forbids what its authorizer has let pass.
pub(in super::super) static HTTP_FORBIDDEN: Sign = Sign {
    name: "http-api-forbidden",
    means: "the HTTP API answers `Forbidden`: a scope of the route, or a Lambda authorizer",
    find: |evidence| always(evidence, is_forbidden, reason),
};

/// The JWT authorizer refuses a forged token with a challenge, and forbids the client's.
pub(in super::super) static FORBIDDEN_AFTER_JWT: Sign = Sign {
    name: "http-api-forbidden-after-jwt",
    means: "the JWT authorizer takes the token for good, and the HTTP API forbids the request: the route's scopes",
    find: |evidence| match evidence.answer(Probe::Altered) {
        Some(altered) if is_refused(altered) => always(evidence, is_forbidden, |client| {
            format!(
                "{} with the token, {} with an altered one",
                reason(client),
                described(altered)
            )
        }),
        _ => Vec::new(),
    },
};

/// The token has no scope at all.
pub(in super::super) static NO_SCOPE: Sign = Sign {
    name: "http-api-no-scope",
    means: "the token has no scopes",
    find: |evidence| {
        of_claims(evidence, |claims| {
            let none = claims.scope.is_empty();
            none.then(|| "the token has no scopes".to_owned())
        })
    },
};

/// The HTTP API has no such route.
pub(in super::super) static NOT_FOUND: Sign = Sign {
    name: "http-api-not-found",
    means: "the HTTP API has no such route",
    find: |evidence| {
        let missing = |answer: &Answer| {
            answer.status == 404 && through_http(answer) && says(answer, "Not Found")
        };
        always(evidence, missing, reason)
    },
};

/// The preflight is answered by the JWT authorizer.
pub(in super::super) static PREFLIGHT_AUTHORIZED: Sign = Sign {
    name: "http-api-preflight-refused",
    means: "the HTTP API asks the browser's preflight for a token",
    find: |evidence| {
        together(evidence, [Probe::Preflight], |[answer]| {
            is_refused(answer).then(|| described(answer))
        })
    },
};

/// The token is signed with what a JWT authorizer does not know.
pub(in super::super) static NOT_RSA: Sign = Sign {
    name: "http-api-not-rsa",
    means: "the token is not signed with RSA, the only kind that a JWT authorizer of an HTTP API knows",
    find: |evidence| match presented(evidence).and_then(Token::alg) {
        Some(alg) if !alg.starts_with("RS") && !alg.starts_with("PS") => {
            of_token(format!("alg is {alg}"), None)
        }
        _ => Vec::new(),
    },
};

/// The JWT authorizer refuses a token that is not signed with RSA.
pub(in super::super) static NOT_RSA_REFUSED: Sign = Sign {
    name: "http-api-not-rsa-refused",
    means: "the HTTP API refuses a token that is not signed with RSA",
    find: |evidence| {
        if JWT_REFUSED.holds(evidence) {
            (NOT_RSA.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The HTTP API refuses a token of a key that the issuer publishes.
pub(in super::super) static NEW_KEY_REFUSED: Sign = Sign {
    name: "http-api-new-key-refused",
    means: "the HTTP API refuses a token whose key the issuer publishes, and takes one of another key",
    find: |evidence| {
        if KID_KNOWN.holds(evidence) && OTHER_KID_ACCEPTED.holds(evidence) {
            (JWT_REFUSED.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// A token of another key of the same issuer is accepted.
pub(in super::super) static OTHER_KID_ACCEPTED: Sign = Sign {
    name: "http-api-other-kid-accepted",
    means: "a token of the same issuer with another kid is accepted",
    find: |evidence| {
        let Some(own) = presented(evidence).filter(|own| own.kid().is_some()) else {
            return Vec::new();
        };
        let other = accepted_rivals(evidence)
            .find(|(_, other)| own.kid() != other.kid() && own.iss() == other.iss());
        let says = "accepted with another kid of the same issuer";
        found(other.map(|(probe, _)| (probe, says.to_owned())))
    },
};

/// The HTTP API refuses the client's token and takes one of another key of the same issuer.
pub(in super::super) static OTHER_KID_TAKEN: Sign = Sign {
    name: "http-api-other-kid-taken",
    means: "the HTTP API takes one key of the issuer and not another",
    find: |evidence| {
        if JWT_REFUSED.holds(evidence) {
            (OTHER_KID_ACCEPTED.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// Whatever stands in Authorization, the HTTP API fails; without it, it refuses by itself.
pub(in super::super) static AUTHORIZER_THROWS: Sign = Sign {
    name: "http-api-authorizer-throws",
    means: "the HTTP API fails for any token, forged ones too, and refuses plainly where there is none: its authorizer throws",
    find: |evidence| {
        let probes = [Probe::Garbage, Probe::Altered, Probe::Bare];
        let alike = together(evidence, probes, |[garbage, altered, bare]| {
            let fails = has_failed(garbage) && has_failed(altered);
            (fails && is_refused(bare)).then(|| reason(bare))
        });
        if alike.is_empty() {
            return alike;
        }
        always(evidence, has_failed, |client| {
            format!("{} with the token and with forged ones", reason(client))
        })
    },
};

fn has_failed(answer: &Answer) -> bool {
    answer.status == 500 && through_http(answer) && says(answer, "Internal Server Error")
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == 401 && through_http(answer) && says(answer, "Unauthorized")
}

fn is_forbidden(answer: &Answer) -> bool {
    answer.status == 403 && through_http(answer) && says(answer, "Forbidden")
}

fn bearer(answer: &Answer) -> Option<&str> {
    answer
        .header("www-authenticate")
        .filter(|value| contains(value, "bearer"))
}

fn described(answer: &Answer) -> String {
    match bearer(answer) {
        Some(challenge) => format!("{} with `{challenge}`", reason(answer)),
        None => reason(answer),
    }
}
