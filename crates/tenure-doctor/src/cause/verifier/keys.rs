//! Published keys: rotated, replaced, foreign, out of reach, unreadable.

use super::signs::{
    claims, clocks, expiry, prevailing, products, published, reasons, refusals, rivals, secrets,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{answer, keys, probes, token};
use crate::weight::{Prior, Strength};

pub(super) const ROTATED: Cause = Cause {
    id: "TN0401",
    title: "the signing key was rotated, and the verifier does not fetch the new one",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "The issuer has begun to sign with a new key and publishes it. The verifier still has the set that it fetched \
            earlier and does not fetch it again when it meets an unknown `kid`, or not before a timer runs out. Tokens from \
            before the rotation go on working while every new sign-in fails, so signing in again does not help and a restart \
            of the verifier does. Where several replicas fetched at different times, the same token is now accepted, now refused.",
    signs: &[
        (&rivals::OLDER_KEY_ACCEPTED, Strength::Marks),
        (&rivals::KEPT_KEY_IS_OLDER, Strength::Points),
        (&published::PUBLISHED_KEY_VERIFIES, Strength::Hints),
        (&keys::KID_KNOWN, Strength::Hints),
        (&reasons::KID, Strength::Points),
        (&reasons::LOG_KID, Strength::Points),
        (&reasons::SIGNATURE, Strength::Hints),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
        (&refusals::FLIPS_AS_FORGED, Strength::Suggests),
    ],
    against: &[
        (&published::MANY_UNKNOWN_KIDS, Strength::Points),
        (&reasons::LOG_THROTTLED, Strength::Points),
        (&claims::DEFAULT_AUDIENCE, Strength::Suggests),
        (&probes::ACCEPTED, Strength::Points),
        (&keys::KID_UNKNOWN, Strength::Points),
        (&keys::SAME_KID_OTHER_KEY, Strength::Points),
        (&secrets::SHARED_SECRET, Strength::Marks),
        (&published::SET_HAS_BROKEN_KEY, Strength::Points),
        (&published::SET_HAS_ODD_KEY, Strength::Suggests),
        (&probes::SIGNATURE_PASSES, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
        (&clocks::BEGINS_AFTER_SERVER, Strength::Suggests),
        (&published::OF_OTHER_ISSUER, Strength::Suggests),
    ],
    settled_by: &[
        &[
            &rivals::OLDER_KEY_ACCEPTED,
            &published::PUBLISHED_KEY_VERIFIES,
            &published::SET_IS_PLAIN,
            &reasons::KID,
        ],
        &[
            &rivals::OLDER_KEY_ACCEPTED,
            &published::PUBLISHED_KEY_VERIFIES,
            &published::SET_IS_PLAIN,
            &reasons::SIGNATURE,
        ],
        &[
            &rivals::OLDER_KEY_ACCEPTED,
            &published::PUBLISHED_KEY_VERIFIES,
            &published::SET_IS_PLAIN,
            &refusals::IN_ORDER,
            &probes::FAILS_AS_FORGED,
        ],
        &[
            &rivals::KEPT_KEY_IS_OLDER,
            &published::PUBLISHED_KEY_VERIFIES,
            &refusals::IN_ORDER,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &reasons::KID,
            &refusals::FLIPS_AS_FORGED,
            &published::PUBLISHED_KEY_VERIFIES,
            &published::SET_IS_PLAIN,
            &refusals::IN_ORDER,
        ],
    ],
    ruled_out_by: &[&token::OPAQUE, &token::ENCRYPTED],
    fix: "Let the verifier fetch the key set again when it meets an unknown `kid`, with a pause between two fetches so that \
          forged tokens cannot make it fetch without end. At the issuer publish a new key before it signs, for at least as long \
          as the longest cache lives (Amazon API Gateway's HTTP APIs: two hours). Until then restart the verifiers, all of them: \
          signing in again only makes more tokens of the new key.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Old),
        Step::Probe(Probe::OtherToken),
        Step::Supply("a token from before the rotation", "--old-token-file FILE"),
        Step::Probe(Probe::Again(1)),
        Step::Probe(Probe::Again(2)),
    ],
    references: &[
        "mckinsey/agents-at-scale-ark#2457",
        "kellnr/kellnr#1265",
        "istio/istio#10547",
        "istio/istio#41588",
        "envoyproxy/envoy#39643",
        "envoyproxy/envoy#14557",
        "envoyproxy/gateway#4180",
        "garden-co/jazz#340",
    ],
};

pub(super) const REPLACED: Cause = Cause {
    id: "TN0402",
    title: "a new key was published under the `kid` of the old one",
    layer: Layer::Issuer,
    prior: Prior::Rare,
    story: "The key material changed and its id did not: keys are made at start under a fixed `kid`, or a set was restored or \
            copied. A verifier that looks keys up by `kid` finds one in its cache, sees no reason to fetch the set again, and \
            finds that the signature does not fit. Decoding the token shows nothing wrong, and the published key verifies it.",
    signs: &[
        (&published::ONE_KID_TWO_KEYS, Strength::Marks),
        (&rivals::OLDER_MATERIAL_ACCEPTED, Strength::Marks),
        (&keys::SAME_KID_OTHER_KEY, Strength::Points),
        (&published::PUBLISHED_KEY_VERIFIES, Strength::Hints),
        (&reasons::SIGNATURE, Strength::Points),
        (&reasons::LOG_SIGNATURE, Strength::Suggests),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
    ],
    against: &[
        (&rivals::SAME_KEY_ACCEPTED, Strength::Points),
        (&probes::ACCEPTED, Strength::Points),
        (&keys::KID_UNKNOWN, Strength::Points),
        (&keys::NO_KID, Strength::Points),
        (&secrets::SHARED_SECRET, Strength::Marks),
        (&reasons::KID, Strength::Points),
        (&rivals::OLDER_KEY_ACCEPTED, Strength::Points),
        (&published::OF_OTHER_ISSUER, Strength::Suggests),
        (&probes::SIGNATURE_PASSES, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&published::SET_HAS_BROKEN_KEY, Strength::Suggests),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Hints),
    ],
    settled_by: &[
        &[
            &published::ONE_KID_TWO_KEYS,
            &refusals::TURNED_AWAY,
            &refusals::IN_ORDER,
            &probes::FAILS_AS_FORGED,
        ],
        &[
            &rivals::OLDER_MATERIAL_ACCEPTED,
            &published::PUBLISHED_KEY_VERIFIES,
            &refusals::IN_ORDER,
        ],
        &[
            &reasons::SIGNATURE,
            &published::ONE_KID_TWO_KEYS,
            &refusals::TURNED_AWAY,
        ],
    ],
    ruled_out_by: &[&token::OPAQUE, &token::ENCRYPTED],
    fix: "Give every key an id of its own; its thumbprint (RFC 7638) is one. Keep the private key over restarts. A verifier may \
          fetch the set once more when a signature does not fit, with a limit. Restart the verifiers to be rid of the old key now.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Old),
        Step::Probe(Probe::OtherToken),
        Step::Supply("the key set that the verifier has", "--keys FILE"),
    ],
    references: &[
        "DataZooDE/quack-oauth#15",
        "oidcproxydotnet/OidcProxy.Net#242",
        "https://www.rfc-editor.org/rfc/rfc7638",
    ],
};

pub(super) const FOREIGN: Cause = Cause {
    id: "TN0403",
    title: "the token was signed with a key that the verifier's issuer does not have",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "The token names a key that is not in the set of the issuer which the verifier trusts. It is of another environment, \
            tenant, realm or user pool: the app is built for one and talks to the API of the other. More rarely the key was \
            withdrawn before the tokens that it had signed ran out.",
    signs: &[
        (&published::KID_NOT_PUBLISHED, Strength::Marks),
        (&keys::KID_UNKNOWN, Strength::Points),
        (&published::OF_OTHER_ISSUER, Strength::Points),
        (&reasons::KID, Strength::Points),
        (&reasons::LOG_KID, Strength::Suggests),
        (&keys::NO_KEY_VERIFIES, Strength::Hints),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
        (&probes::OTHER_TOKEN_ACCEPTED, Strength::Hints),
    ],
    against: &[
        (&published::MANY_UNKNOWN_KIDS, Strength::Points),
        (&probes::ACCEPTED, Strength::Points),
        (&published::PUBLISHED_KEY_VERIFIES, Strength::Marks),
        (&keys::KID_KNOWN, Strength::Points),
        (&secrets::SHARED_SECRET, Strength::Points),
        (&keys::VERIFIES, Strength::Points),
        (&keys::SAME_KID_OTHER_KEY, Strength::Points),
        (&probes::FLIPS, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&reasons::FIREBASE, Strength::Points),
        (&products::OATHKEEPER, Strength::Points),
    ],
    settled_by: &[
        &[
            &published::KID_NOT_PUBLISHED,
            &published::OF_OTHER_ISSUER,
            &refusals::ALWAYS_REFUSED,
            &probes::FAILS_AS_FORGED,
        ],
        &[
            &keys::KID_UNKNOWN,
            &reasons::KID,
            &published::OF_OTHER_ISSUER,
            &refusals::ALWAYS_REFUSED,
        ],
    ],
    ruled_out_by: &[
        &token::OPAQUE,
        &token::ENCRYPTED,
        &published::PUBLISHED_KEY_VERIFIES,
    ],
    fix: "Compare `iss` of the token with the issuer of the verifier, and the app's build with both: point the app at the API of \
          its environment, or the verifier at the issuer of the token. Have users sign in again afterwards. If the issuer is the \
          right one, it withdrew the key too early: publish it until the last token that it signed has run out.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Userinfo),
        Step::Supply("the verifier's configuration", "--files FILE"),
        Step::Probe(Probe::OtherToken),
    ],
    references: &[
        "https://github.com/google/jwt_verify_lib/blob/master/src/status.cc",
        "https://www.rfc-editor.org/rfc/rfc7517#section-4.5",
    ],
};

pub(super) const UNREACHABLE: Cause = Cause {
    id: "TN0404",
    title: "the verifier cannot fetch the issuer's keys",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "Without keys no token can be verified, and verifiers say so in different ways: Envoy answers 401, Spring Security and \
            several libraries 500. The reason is the way out of the verifier's network (no route out of a private subnet, a proxy, \
            DNS, a certificate that it does not trust) or an issuer that is down. It concerns everybody at once, and each answer \
            takes as long as the verifier waits for the keys.",
    signs: &[
        (&reasons::FETCH, Strength::Marks),
        (&reasons::LOG_FETCH, Strength::Marks),
        (&refusals::SLOW_WITH_TOKEN, Strength::Points),
        (&published::KEYS_UNREACHABLE, Strength::Points),
        (&answer::UNAVAILABLE, Strength::Hints),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Points),
        (&probes::OTHER_TOKEN_ACCEPTED, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&secrets::SHARED_SECRET, Strength::Points),
    ],
    settled_by: &[
        &[&prevailing::MOSTLY_FETCH, &refusals::SOME_TURNED_AWAY],
        &[&reasons::FETCH, &published::SET_CAN_BE_READ],
    ],
    ruled_out_by: &[&rivals::OLDER_KEY_ACCEPTED],
    fix: "Open the way from the verifier's own network to the issuer's key set and try it from there, not from a desk. Load the \
          keys at start, keep using the last good set while the issuer does not answer, and answer 503 in place of 401 when there \
          are none: clients sign users out on 401.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Supply("the log of the verifier", "tenure doctor logs FILE"),
        Step::Probe(Probe::OtherToken),
    ],
    references: &[
        "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter",
        "https://github.com/google/jwt_verify_lib/blob/master/src/status.cc",
        "awslabs/aws-jwt-verify#72",
        "awslabs/aws-jwt-verify#128",
    ],
};

pub(super) const THROTTLED: Cause = Cause {
    id: "TN0405",
    title: "made-up key ids use up the verifier's fetches, so that a new key is not fetched",
    layer: Layer::GatewayVerifier,
    prior: Prior::Rare,
    story: "The verifier limits how often it fetches the key set for an unknown `kid`, for everybody together. Whoever sends tokens \
            with made-up ids uses that up. When the issuer then rotates its key, the fetch that is needed does not happen, and all \
            users of the new key are refused until the cache runs out.",
    signs: &[
        (&reasons::KID, Strength::Hints),
        (&reasons::LOG_KID, Strength::Suggests),
        (&reasons::THROTTLED, Strength::Marks),
        (&reasons::LOG_THROTTLED, Strength::Marks),
        (&published::MANY_UNKNOWN_KIDS, Strength::Marks),
        (&published::PUBLISHED_KEY_VERIFIES, Strength::Hints),
    ],
    against: &[
        (&secrets::SHARED_SECRET, Strength::Marks),
        (&probes::SIGNATURE_PASSES, Strength::Points),
    ],
    settled_by: &[&[&reasons::LOG_THROTTLED, &published::MANY_UNKNOWN_KIDS]],
    ruled_out_by: &[],
    fix: "Remember ids that are unknown for a short time, count fetches by client address and not for all together, and block the \
          address that sends them. A fetch in the background by time, besides those on demand, ends the outage by itself.",
    next: &[
        Step::Supply("the log of the verifier", "tenure doctor logs FILE"),
        Step::Probe(Probe::Jwks),
    ],
    references: &[
        "engram-app/Engram#1641",
        "evoila/meho#3484",
        "cleanenergyexchange/fastapi-zitadel-auth#156",
        "brandonrc/mobula#28",
    ],
};

pub(super) const MALFORMED: Cause = Cause {
    id: "TN0406",
    title: "one key of the set cannot be read, and the verifier drops or keeps the whole set for it",
    layer: Layer::GatewayVerifier,
    prior: Prior::Rare,
    story: "The issuer has added a key that the verifier does not understand: another type or curve, one for encryption, or a broken \
            one. Verifiers that read the set as a whole refuse all of it and go on with the keys they had, or with none. The other \
            keys are fine, so that the token verifies everywhere but there.",
    signs: &[
        (&reasons::BAD_SET, Strength::Marks),
        (&reasons::LOG_BAD_SET, Strength::Marks),
        (&published::SET_HAS_BROKEN_KEY, Strength::Points),
        (&published::SET_HAS_ODD_KEY, Strength::Suggests),
        (&keys::UNUSABLE_KEYS, Strength::Hints),
        (&rivals::OLDER_KEY_ACCEPTED, Strength::Suggests),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
        (&reasons::KID, Strength::Hints),
    ],
    against: &[
        (&published::SET_IS_PLAIN, Strength::Marks),
        (&keys::KID_UNKNOWN, Strength::Suggests),
        (&secrets::SHARED_SECRET, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&probes::ACCEPTED, Strength::Points),
    ],
    settled_by: &[
        &[&prevailing::MOSTLY_BAD_SET, &refusals::SOME_TURNED_AWAY],
        &[&reasons::BAD_SET, &refusals::TURNED_AWAY],
        &[
            &reasons::LOG_BAD_SET,
            &published::SET_HAS_ODD_KEY,
            &refusals::TURNED_AWAY,
        ],
    ],
    ruled_out_by: &[],
    fix: "Let the verifier skip keys that it cannot use (RFC 7517, section 5, asks for that) and use the others. Until it does, take \
          the odd key out of the set, or publish it under another address for those who need it.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Old),
        Step::Supply("the log of the verifier", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7517#section-5",
        "https://docs.rs/tower-oauth2-resource-server",
        "https://docs.rs/axum-jwt-auth",
    ],
};
