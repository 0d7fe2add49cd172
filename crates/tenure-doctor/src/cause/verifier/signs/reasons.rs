//! The words in which verifiers say why they refuse, by reason.
//!
//! Texts of Envoy's `jwt_verify_lib`, Spring Security with Nimbus, PyJWT, jose, jsonwebtoken (Node.js and Rust), go-oidc,
//! golang-jwt, java-jwt, jjwt, aws-jwt-verify, Kong, Keycloak and the Firebase Admin SDK. Those in answers are about the
//! token that was sent; those in logs may be about anybody's.

#[macro_use]
mod table;

mod claims;
mod keys;
mod said;
mod times;

pub(in crate::cause::verifier) use self::claims::{
    AUDIENCE, CLIENT, DPOP, FIREBASE, ISSUER, LOG_AUDIENCE, LOG_CLIENT, LOG_DPOP, LOG_FIREBASE,
    LOG_ISSUER, LOG_MISSING_AUDIENCE, LOG_STEP_UP, LOG_TOKEN_USE, LOG_TYPE, MISSING_AUDIENCE,
    STEP_UP, TOKEN_USE, TYPE,
};
pub(in crate::cause::verifier) use self::keys::{
    ALGORITHM, BAD_SET, FETCH, KID, LOG_ALGORITHM, LOG_BAD_SET, LOG_FETCH, LOG_KID, LOG_RANDOM,
    LOG_SIGNATURE, LOG_THROTTLED, RANDOM, SIGNATURE, THROTTLED,
};
use self::said::own;
pub(in crate::cause::verifier) use self::times::{
    EARLY, EXPIRED, LOG_EARLY, LOG_EXPIRED, LOG_NUMBERS, NUMBERS,
};
use crate::Evidence;
use crate::probe::Probe;
use crate::sign::{Sign, found};

/// What logs are searched for, by subject.
pub(crate) const TEXTS: [&[(&str, &str)]; 3] = [keys::TEXTS, claims::TEXTS, times::TEXTS];

/// Whether any refusal of the client's own request gives a reason that is known.
pub(in crate::cause::verifier) static NO_REASON: Sign = Sign {
    name: "no-reason-given",
    means: "the refusals do not say why",
    find: |evidence| {
        let given = REASONS.iter().any(|sign| sign.holds(evidence));
        let refused = own(evidence).next().filter(|_| !given);
        let says = |status| format!("{status} without a reason that is known");
        found(refused.map(|(probe, answer)| (probe, says(answer.status))))
    },
};

/// The audience, and not the client's id, which some libraries call the audience too.
pub(in crate::cause::verifier) static AUDIENCE_ALONE: Sign = Sign {
    name: "answer-says-audience-alone",
    means: "the refusal speaks of the audience, and not of the client's id",
    find: |evidence| {
        if CLIENT.holds(evidence) {
            Vec::new()
        } else {
            (AUDIENCE.find)(evidence)
        }
    },
};

/// Whether the answer to the client's own request says why it is refused, in words that are known.
pub(crate) fn gives_reason(evidence: &Evidence) -> bool {
    evidence.sent(Probe::Client) && REASONS.iter().any(|sign| sign.holds(evidence))
}

const REASONS: [&Sign; 16] = [
    &SIGNATURE, &KID, &FETCH, &THROTTLED, &BAD_SET, &ALGORITHM, &ISSUER, &AUDIENCE, &CLIENT,
    &TOKEN_USE, &TYPE, &EXPIRED, &EARLY, &NUMBERS, &DPOP, &STEP_UP,
];

#[cfg(test)]
mod tests;
