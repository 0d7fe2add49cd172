//! Expiry, and clocks that differ.

use super::signs::{claims, clocks, expiry, prevailing, products, published, reasons, refusals};
use crate::cause::{Cause, Layer, Step, session};
use crate::probe::Probe;
use crate::sign::{answer, keys, logs, probes, token};
use crate::weight::{Prior, Strength};

pub(super) const EXPIRED: Cause = Cause {
    id: "TN0415",
    title: "the token is expired, and the client sends it all the same",
    layer: Layer::Client,
    prior: Prior::Common,
    story: "The token's time is over, as it has to be after some minutes; that it is still sent is the fault. The app does not refresh, \
            refreshes only when it starts, or holds an old copy of the token in some part of it.",
    signs: &[
        (&reasons::EXPIRED, Strength::Marks),
        (&reasons::LOG_EXPIRED, Strength::Suggests),
        (&logs::EXPIRED_AGAIN, Strength::Points),
        (&logs::EXPIRED_KEPT, Strength::Marks),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Marks),
        (&expiry::EXPIRED_NOW, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Hints),
    ],
    against: &[
        (&expiry::SAID_EXPIRED_YET_FRESH, Strength::Marks),
        (&expiry::NOT_EXPIRED, Strength::Points),
        (&expiry::EXPIRED_THERE_ONLY, Strength::Points),
        (&clocks::DEVICE_ALONE, Strength::Points),
        (&clocks::SERVER_ALONE, Strength::Points),
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&reasons::AUDIENCE, Strength::Points),
        (&reasons::ISSUER, Strength::Points),
        (&reasons::ALGORITHM, Strength::Points),
        (&reasons::EARLY, Strength::Points),
        (&reasons::KID, Strength::Points),
        (&published::KID_NOT_PUBLISHED, Strength::Suggests),
        (&keys::NO_KEY_VERIFIES, Strength::Suggests),
        (&products::SPECIAL_ANSWER, Strength::Suggests),
        (&logs::NEVER_CALLED, Strength::Suggests),
        (&logs::RECOVERED, Strength::Hints),
    ],
    settled_by: &[
        &[
            &expiry::EXPIRED_WHEN_SENT,
            &reasons::LOG_EXPIRED,
            &refusals::ALWAYS_REFUSED,
            &reasons::NO_REASON,
            &answer::CLOCKS_AGREE,
        ],
        &[
            &reasons::EXPIRED,
            &expiry::EXPIRED_WHEN_SENT,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &expiry::EXPIRED_WHEN_SENT,
            &probes::SIGNATURE_PASSES,
            &keys::VERIFIES,
            &answer::CLOCKS_AGREE,
        ],
        &[&logs::EXPIRED_KEPT],
    ],
    ruled_out_by: &[&token::OPAQUE, &session::OVER_AT_REFRESH],
    fix: "Refresh ahead of the expiry, at two thirds of the lifetime or with a minute left, once for all parts of the app at the same \
          time, and read the token at the moment of each request. Take a 401 with this reason as the signal to refresh once and to \
          repeat the request.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Probe(Probe::OtherToken),
        Step::Supply("the log of the client", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6750#section-3.1",
        "https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4",
    ],
};

pub(super) const SERVER_CLOCK: Cause = Cause {
    id: "TN0416",
    title: "the clocks of issuer and verifier differ: the token begins or ends at another time there",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "The verifier's clock is behind the issuer's, so that a token that was just issued lies in its future and is refused for some \
            seconds; or it is ahead, and tokens end early. It comes and goes right after a sign-in, and looking into the token later \
            shows nothing.",
    signs: &[
        (&clocks::CLIENT_CLOCK_LOGGED, Strength::Hints),
        (&expiry::SAID_EXPIRED_YET_FRESH, Strength::Marks),
        (&clocks::BEGINS_LONG_AFTER_SERVER, Strength::Hints),
        (&reasons::EARLY, Strength::Marks),
        (&reasons::LOG_EARLY, Strength::Points),
        (&clocks::BEGINS_AFTER_SERVER, Strength::Points),
        (&clocks::SERVER_ALONE, Strength::Marks),
        (&clocks::ISSUER_AHEAD, Strength::Suggests),
        (&clocks::ISSUER_ALONE, Strength::Points),
        (&clocks::ISSUED_JUST_NOW, Strength::Suggests),
        (&clocks::EARLY_THEN_FINE, Strength::Points),
        (&expiry::EXPIRED_THERE_ONLY, Strength::Points),
        (&answer::SERVER_AHEAD, Strength::Hints),
        (&answer::SERVER_BEHIND, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Marks),
        (&reasons::KID, Strength::Marks),
        (&reasons::SIGNATURE, Strength::Marks),
        (&reasons::BAD_SET, Strength::Marks),
        (&reasons::FETCH, Strength::Marks),
        (&reasons::LOG_BAD_SET, Strength::Points),
        (&reasons::LOG_FETCH, Strength::Points),
        (&reasons::LOG_SIGNATURE, Strength::Points),
        (&reasons::LOG_KID, Strength::Points),
        (&clocks::DEVICE_ALONE, Strength::Marks),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&reasons::AUDIENCE, Strength::Points),
        (&reasons::ISSUER, Strength::Points),
        (&reasons::ALGORITHM, Strength::Points),
    ],
    settled_by: &[
        &[
            &expiry::EXPIRED_THERE_ONLY,
            &clocks::SERVER_ALONE,
            &refusals::ALWAYS_REFUSED,
            &keys::VERIFIES,
            &reasons::NO_REASON,
        ],
        &[
            &reasons::EXPIRED,
            &expiry::EXPIRED_THERE_ONLY,
            &clocks::SERVER_ALONE,
        ],
        &[
            &clocks::BEGINS_LONG_AFTER_SERVER,
            &reasons::LOG_EARLY,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &clocks::BEGINS_LONG_AFTER_SERVER,
            &keys::VERIFIES,
            &refusals::ALWAYS_REFUSED,
            &reasons::NO_REASON,
            &probes::FAILS_AS_FORGED,
        ],
        &[&prevailing::MOSTLY_EARLY, &refusals::SOME_TURNED_AWAY],
        &[&clocks::EARLY_THEN_FINE],
        &[
            &clocks::ISSUER_ALONE,
            &clocks::BEGINS_AFTER_SERVER,
            &keys::VERIFIES,
            &reasons::NO_REASON,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &reasons::EXPIRED,
            &expiry::EXPIRED_THERE_ONLY,
            &clocks::ISSUED_JUST_NOW,
            &prevailing::MOSTLY_EXPIRED,
        ],
        &[&reasons::EARLY, &clocks::BEGINS_AFTER_SERVER],
        &[
            &reasons::EARLY,
            &clocks::ISSUED_AHEAD,
            &refusals::ALWAYS_REFUSED,
        ],
        &[&reasons::EARLY, &clocks::SERVER_ALONE],
        &[&reasons::EARLY, &answer::SERVER_BEHIND],
        &[
            &reasons::EXPIRED,
            &expiry::EXPIRED_THERE_ONLY,
            &clocks::SERVER_ALONE,
        ],
        &[
            &clocks::BEGINS_AFTER_SERVER,
            &clocks::SERVER_ALONE,
            &keys::VERIFIES,
            &reasons::NO_REASON,
        ],
    ],
    ruled_out_by: &[
        &clocks::DEVICE_ALONE,
        &clocks::AS_EARLY_ACCEPTED,
        &claims::MISTYPED_DATE,
        &probes::ALWAYS_ACCEPTED,
        &token::OPAQUE,
    ],
    fix: "Synchronise the clocks (chrony or the platform's time service; virtual machines drift after they were suspended), and allow 30 \
          to 60 seconds of leeway in the verifier for `nbf`, `iat` and `exp`. Let the issuer leave `nbf` out, or set it a little into \
          the past.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Again(1)),
        Step::Probe(Probe::Garbage),
        Step::Probe(Probe::Old),
        Step::Probe(Probe::OtherToken),
        Step::Supply("the log of the verifier", "tenure doctor logs FILE"),
    ],
    references: &[
        "googleapis/google-auth-library-python#583",
        "googleapis/google-auth-library-python#889",
        "firebase/firebase-admin-python#624",
        "jpadilla/pyjwt#814",
        "jpadilla/pyjwt#824",
        "mozilla/fx-private-relay#2738",
    ],
};

pub(super) const DEVICE_CLOCK: Cause = Cause {
    id: "TN0417",
    title: "the device's clock is wrong, and the client judges the expiry by it",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "The client compares `exp` with its own clock. If that is behind, it believes an expired token to be good and never refreshes; \
            if it is ahead, it refreshes before each request. Issuer and API agree with each other, so that everybody else is fine.",
    signs: &[
        (&clocks::CLIENT_CLOCK_LOGGED, Strength::Marks),
        (&clocks::DEVICE_ALONE, Strength::Marks),
        (&expiry::EXPIRED_THERE_ONLY, Strength::Points),
        (&expiry::EXPIRED_HERE_ONLY, Strength::Marks),
        (&answer::SERVER_AHEAD, Strength::Suggests),
        (&answer::SERVER_BEHIND, Strength::Suggests),
        (&token::EARLY, Strength::Hints),
    ],
    against: &[
        (&clocks::SERVER_ALONE, Strength::Marks),
        (&answer::CLOCKS_AGREE, Strength::Marks),
        (&clocks::BEGINS_AFTER_SERVER, Strength::Marks),
        (&clocks::ISSUED_JUST_NOW, Strength::Points),
        (&reasons::EARLY, Strength::Points),
    ],
    settled_by: &[
        &[
            &clocks::DEVICE_ALONE,
            &expiry::EXPIRED_THERE_ONLY,
            &refusals::TURNED_AWAY,
        ],
        &[&clocks::DEVICE_ALONE, &expiry::EXPIRED_HERE_ONLY],
        &[&clocks::DEVICE_ALONE, &reasons::EXPIRED],
    ],
    ruled_out_by: &[
        &clocks::SERVER_ALONE,
        &answer::CLOCKS_AGREE,
        &clocks::BEGINS_AFTER_SERVER,
    ],
    fix: "Do not compare the device's clock with `exp`. Count `expires_in` from the moment of the answer with a monotonic clock, or \
          correct by the difference to the answer's `Date`; and refresh on a 401 whatever the clock says.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Userinfo),
        Step::Supply("a token that was issued just now", "--token-file FILE"),
    ],
    references: &["firebase/firebase-js-sdk#6032"],
};

pub(super) const LEEWAY: Cause = Cause {
    id: "TN0418",
    title: "one hop grants a leeway at the expiry that the next does not",
    layer: Layer::GatewayVerifier,
    prior: Prior::Rare,
    story: "Verifiers add different leeways to `exp`: none (aws-jwt-verify, josekit, step), a minute (Envoy, Spring Security, the Rust \
            crate jsonwebtoken), fifteen minutes (jwt-simple). Within the difference a token passes the gateway and is refused behind \
            it, or the client's own check finds it good and the API does not.",
    signs: &[
        (&expiry::HOPS_DISAGREE, Strength::Marks),
        (&expiry::LEEWAYS_DIFFER, Strength::Points),
        (&expiry::BARELY_EXPIRED, Strength::Suggests),
        (&reasons::EXPIRED, Strength::Hints),
        (&reasons::LOG_EXPIRED, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Suggests),
        (&expiry::NOT_EXPIRED, Strength::Points),
        (&reasons::AUDIENCE, Strength::Points),
        (&reasons::ISSUER, Strength::Points),
    ],
    settled_by: &[
        &[&expiry::HOPS_DISAGREE, &reasons::EXPIRED, &keys::VERIFIES],
        &[&expiry::LEEWAYS_DIFFER, &expiry::HOPS_DISAGREE],
    ],
    ruled_out_by: &[&expiry::NOT_EXPIRED, &token::OPAQUE],
    fix: "Choose one leeway for all verifiers, 30 to 60 seconds, and refresh in the client earlier than that before the expiry, so that \
          nobody ever sees a token in its last minute.",
    next: &[
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::OtherEndpoint),
        Step::Supply("the configuration of all verifiers", "--files FILE"),
    ],
    references: &[
        "https://github.com/Keats/jsonwebtoken/blob/master/src/validation.rs",
        "https://github.com/jedisct1/rust-jwt-simple/blob/master/src/claims.rs",
        "jedisct1/rust-jwt-simple#55",
    ],
};

pub(super) const UNCHECKED: Cause = Cause {
    id: "TN0420",
    title: "the gateway does not look at the expiry, and what stands behind it does",
    layer: Layer::GatewayVerifier,
    prior: Prior::Rare,
    story: "Kong's jwt plugin verifies the signature and looks at `exp` only where `claims_to_verify` lists it. Expired tokens pass the \
            gateway; a service behind it that checks refuses them, one that does not lets them in for ever.",
    signs: &[
        (&expiry::EXPIRED_ACCEPTED, Strength::Marks),
        (&products::REFUSED_BEHIND_KONG, Strength::Suggests),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
        (&reasons::EXPIRED, Strength::Hints),
    ],
    against: &[
        (&expiry::NOT_EXPIRED, Strength::Suggests),
        (&clocks::DEVICE_ALONE, Strength::Marks),
        (&clocks::SERVER_ALONE, Strength::Suggests),
        (&expiry::BARELY_EXPIRED, Strength::Suggests),
        (&probes::BARE_ACCEPTED, Strength::Marks),
    ],
    settled_by: &[&[
        &products::REFUSED_BEHIND_KONG,
        &expiry::EXPIRED_WHEN_SENT,
        &reasons::EXPIRED,
    ]],
    ruled_out_by: &[
        &clocks::DEVICE_ALONE,
        &probes::BARE_ACCEPTED,
        &token::OPAQUE,
    ],
    fix: "Set `claims_to_verify: [exp]` (and `nbf`) in the plugin, on every route that has it, and see to it that the services behind \
          check too. Then let the client refresh as it should.",
    next: &[
        Step::Probe(Probe::Old),
        Step::Probe(Probe::Direct),
        Step::Supply("the gateway's configuration", "--files FILE"),
    ],
    references: &["https://github.com/Kong/kong/blob/master/kong/plugins/jwt/schema.lua"],
};
