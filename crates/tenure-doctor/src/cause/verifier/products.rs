//! Rules that only some verifiers have.

use super::signs::{expiry, products, reasons, refusals};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{keys, probes};
use crate::weight::{Prior, Strength};

pub(super) const FIREBASE: Cause = Cause {
    id: "TN0421",
    title: "the Firebase Admin SDK is of another project, or is given another kind of token",
    layer: Layer::Framework,
    prior: Prior::Rare,
    story: "`verifyIdToken` takes ID tokens of its own project. It says which of its rules failed: the audience is another project's \
            id, the token is a custom token that was to be exchanged for an ID token first, or it has no `kid` because it is not of \
            Firebase at all.",
    signs: &[
        (&reasons::FIREBASE, Strength::Marks),
        (&reasons::LOG_FIREBASE, Strength::Marks),
        (&products::CUSTOM_TOKEN, Strength::Points),
        (&products::OF_FIREBASE, Strength::Suggests),
        (&keys::NO_KID, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
    ],
    settled_by: &[
        &[&reasons::FIREBASE],
        &[&reasons::LOG_FIREBASE],
        &[
            &products::CUSTOM_TOKEN,
            &refusals::ALWAYS_REFUSED,
            &probes::FAILS_AS_FORGED,
        ],
    ],
    ruled_out_by: &[],
    fix: "Initialise the Admin SDK with the project that the app signs in to (`GOOGLE_CLOUD_PROJECT`, service account). Exchange a \
          custom token with `signInWithCustomToken` and send what `getIdToken` returns.",
    next: &[
        Step::Probe(Probe::Garbage),
        Step::Supply("the log of the service", "tenure doctor logs FILE"),
        Step::Supply("the configuration of app and service", "--files FILE"),
    ],
    references: &[
        "https://github.com/firebase/firebase-admin-node/blob/master/src/auth/token-verifier.ts",
    ],
};

pub(super) const DPOP: Cause = Cause {
    id: "TN0422",
    title: "the proof of possession (DPoP) is missing or does not fit the request",
    layer: Layer::Framework,
    prior: Prior::Usual,
    story: "A token that is bound to a key is worth something only with a fresh proof made with that key. Behind a proxy the verifier \
            sees another URL than the client put into `htu`; method, time, the token's hash or a nonce that the server asks for may \
            be wrong, a proof may be sent twice, or the token is sent with `Bearer` and no proof at all.",
    signs: &[
        (&reasons::DPOP, Strength::Marks),
        (&reasons::LOG_DPOP, Strength::Points),
        (&products::DPOP_CHALLENGE, Strength::Points),
        (&products::BOUND_SENT_AS_BEARER, Strength::Points),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&reasons::EXPIRED, Strength::Points),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
    ],
    settled_by: &[
        &[&reasons::DPOP],
        &[
            &products::BOUND_SENT_AS_BEARER,
            &products::DPOP_CHALLENGE,
            &expiry::NOT_EXPIRED,
        ],
    ],
    ruled_out_by: &[],
    fix: "Make the proof for the URL that the client calls and let the service compare with that: it has to know its external URL \
          (`X-Forwarded-Proto` and `-Host` from a proxy that is trusted). Send the scheme `DPoP`, a new `jti` each time, `ath` of the \
          token, and on `use_dpop_nonce` repeat once with the nonce from the answer.",
    next: &[
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::Echo),
        Step::Supply("the log of the service", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9449",
        "https://github.com/auth0/node-oauth2-jwt-bearer/blob/main/packages/access-token-jwt/src/dpop-verifier.ts",
        "xavyo/xavyo#86",
    ],
};

pub(super) const STEP_UP: Cause = Cause {
    id: "TN0423",
    title: "the sign-in is too weak or too old for this request (step-up)",
    layer: Layer::Application,
    prior: Prior::Rare,
    story: "The token is good, and the service wants a stronger or more recent sign-in for this: a second factor, or one within the last \
            minutes. It says so with `insufficient_user_authentication` and names the `acr_values` or `max_age` it wants. A refresh \
            does not help: it keeps the sign-in as it was.",
    signs: &[
        (&reasons::STEP_UP, Strength::Marks),
        (&reasons::LOG_STEP_UP, Strength::Marks),
        (&probes::OTHER_ENDPOINT_ACCEPTED, Strength::Hints),
        (&probes::SIGNATURE_PASSES, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
    ],
    settled_by: &[&[&reasons::STEP_UP], &[&reasons::LOG_STEP_UP]],
    ruled_out_by: &[],
    fix: "Send the user through the authorization request once more with the `acr_values` and `max_age` of the challenge, then repeat \
          the request with the new token. Do not sign out, and do not refresh in a loop.",
    next: &[
        Step::Probe(Probe::OtherEndpoint),
        Step::Probe(Probe::Garbage),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9470",
        "JanssenProject/jans#6015",
        "quarkusio/quarkus#47339",
    ],
};

pub(super) const MUTATED: Cause = Cause {
    id: "TN0424",
    title: "the proxy hands on a cached token of its own whose key was rotated",
    layer: Layer::Proxy,
    prior: Prior::Rare,
    story: "ORY Oathkeeper's `id_token` mutator replaces the client's token by one that it signs itself, and caches that. After its key \
            was rotated the services behind it refuse the cached token until it leaves the cache: the client's own token is fine, and \
            the refused one is a token that the client has never seen.",
    signs: &[
        (&products::OATHKEEPER, Strength::Points),
        (&products::OTHER_TOKEN_ARRIVES, Strength::Suggests),
        (&keys::VERIFIES, Strength::Hints),
        (&reasons::KID, Strength::Hints),
        (&reasons::LOG_KID, Strength::Suggests),
        (&reasons::SIGNATURE, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
    ],
    settled_by: &[],
    ruled_out_by: &[],
    fix: "Restart Oathkeeper or wait for the mutator's `ttl`; publish the new key before it signs, and keep the old one in the set for \
          the `ttl` of the cached tokens.",
    next: &[
        Step::Probe(Probe::Echo),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Direct),
    ],
    references: &["ory/oathkeeper#763"],
};
