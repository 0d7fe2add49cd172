//! Claims and the header: issuer, audience, client, type.

use super::signs::{claims, expiry, prevailing, reasons, refusals};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{drift, keys, probes, token};
use crate::weight::{Prior, Strength};

pub(super) const ISSUER: Cause = Cause {
    id: "TN0411",
    title: "the verifier expects the issuer under another name",
    layer: Layer::GatewayVerifier,
    prior: Prior::Common,
    story: "Verifiers compare `iss` byte by byte. The issuer is known inside a cluster by another name than outside, behind a proxy it \
            writes `http` where the world sees `https`, or one side has a slash at the end. The signature is good: it is the same \
            issuer with the same keys.",
    signs: &[
        (&prevailing::MOSTLY_ISSUER, Strength::Suggests),
        (&claims::ISSUER_IN_SHORT, Strength::Points),
        (&reasons::ISSUER, Strength::Marks),
        (&reasons::LOG_ISSUER, Strength::Points),
        (&claims::NAMED_OTHERWISE, Strength::Marks),
        (&keys::ISSUER_DIFFERS_FROM_DISCOVERY, Strength::Suggests),
        (&claims::ISSUER_NEARLY, Strength::Marks),
        (&claims::INSIDE_AND_OUTSIDE, Strength::Points),
        (&claims::ISSUER_OF_SAME_TENANT, Strength::Points),
        (&claims::VERIFIER_ASKS_OTHER_ISSUER, Strength::Points),
        (&drift::ISSUERS_DIFFER, Strength::Hints),
        (&probes::SIGNATURE_PASSES, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&keys::KID_UNKNOWN, Strength::Suggests),
        (&keys::NO_KEY_VERIFIES, Strength::Points),
        (&reasons::SIGNATURE, Strength::Points),
        (&reasons::AUDIENCE, Strength::Points),
        (&reasons::EXPIRED, Strength::Points),
        (&reasons::FIREBASE, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
    ],
    settled_by: &[
        &[
            &reasons::ISSUER,
            &probes::SIGNATURE_PASSES,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &reasons::ISSUER,
            &claims::ISSUER_IN_SHORT,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &claims::VERIFIER_ASKS_OTHER_ISSUER,
            &claims::ONE_CONTRADICTION,
            &keys::VERIFIES,
            &reasons::NO_REASON,
            &refusals::ALWAYS_REFUSED,
            &expiry::NOT_EXPIRED,
        ],
        &[
            &reasons::ISSUER,
            &claims::NAMED_OTHERWISE,
            &refusals::ALWAYS_REFUSED,
        ],
        &[&reasons::ISSUER, &keys::VERIFIES, &refusals::ALWAYS_REFUSED],
        &[
            &reasons::ISSUER,
            &claims::VERIFIER_ASKS_OTHER_ISSUER,
            &claims::ISSUER_NEARLY,
        ],
        &[&reasons::ISSUER, &claims::INSIDE_AND_OUTSIDE],
        &[
            &reasons::ISSUER,
            &claims::ISSUER_OF_SAME_TENANT,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &prevailing::MOSTLY_ISSUER,
            &keys::VERIFIES,
            &refusals::SOME_TURNED_AWAY,
        ],
        &[
            &prevailing::MOSTLY_ISSUER,
            &claims::ISSUER_NEARLY,
            &refusals::SOME_TURNED_AWAY,
        ],
        &[
            &claims::NAMED_OTHERWISE,
            &probes::SIGNATURE_PASSES,
            &expiry::NOT_EXPIRED,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &claims::ISSUER_NEARLY,
            &claims::VERIFIER_ASKS_OTHER_ISSUER,
            &refusals::ALWAYS_REFUSED,
            &expiry::NOT_EXPIRED,
        ],
    ],
    ruled_out_by: &[&token::OPAQUE, &reasons::FIREBASE, &probes::ALWAYS_ACCEPTED],
    fix: "Give the issuer one public name (Keycloak: the frontend URL or `hostname`), and write exactly that, byte for byte, into \
          every verifier. Where a verifier has to fetch keys by an internal address, set the key set's address and the issuer apart. \
          Sign in again afterwards: tokens keep the issuer they were made with.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Supply("the verifier's configuration", "--files FILE"),
    ],
    references: &[
        "keycloak/keycloak#24596",
        "quarkusio/quarkus#16294",
        "wanaku-ai/wanaku#1416",
        "keycloak/keycloak-community#51",
        "https://www.rfc-editor.org/rfc/rfc8414#section-3.3",
    ],
};

pub(super) const AUDIENCE: Cause = Cause {
    id: "TN0412",
    title: "the token is for another audience than the verifier's",
    layer: Layer::GatewayVerifier,
    prior: Prior::Common,
    story: "`aud` says which service a token is for, and a service that is not named has to refuse it. Either the app asked the issuer \
            for another resource, or the verifier is configured with another name: the client's id in place of the API's, a URL with \
            a slash. Status and words differ: Envoy answers 403, Spring Security 401, Amazon's HTTP APIs name it in the challenge.",
    signs: &[
        (&claims::DEFAULT_AUDIENCE, Strength::Points),
        (&claims::AUDIENCE_IS_SCOPE, Strength::Points),
        (&claims::AUDIENCE_OF_ENVIRONMENT, Strength::Points),
        (&reasons::AUDIENCE, Strength::Marks),
        (&reasons::LOG_AUDIENCE, Strength::Points),
        (&claims::VERIFIER_ASKS_OTHER_AUDIENCE, Strength::Points),
        (&drift::AUDIENCES_DIFFER, Strength::Suggests),
        (&probes::SIGNATURE_PASSES, Strength::Hints),
        (&probes::OTHER_TOKEN_ACCEPTED, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&reasons::FIREBASE, Strength::Points),
        (&reasons::ISSUER, Strength::Points),
        (&reasons::EXPIRED, Strength::Points),
        (&reasons::SIGNATURE, Strength::Points),
        (&reasons::MISSING_AUDIENCE, Strength::Suggests),
        (&claims::CLIENT_WITHOUT_AUDIENCE, Strength::Suggests),
        (&keys::NO_KEY_VERIFIES, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
    ],
    settled_by: &[
        &[
            &claims::VERIFIER_ASKS_OTHER_AUDIENCE,
            &claims::ONE_CONTRADICTION,
            &claims::HAS_AUDIENCE,
            &reasons::NO_REASON,
            &refusals::ALWAYS_REFUSED,
            &expiry::NOT_EXPIRED,
            &keys::VERIFIES,
        ],
        &[
            &claims::VERIFIER_ASKS_OTHER_AUDIENCE,
            &claims::HAS_AUDIENCE,
            &reasons::LOG_AUDIENCE,
            &refusals::ALWAYS_REFUSED,
        ],
        &[&prevailing::MOSTLY_AUDIENCE, &refusals::SOME_TURNED_AWAY],
        &[
            &reasons::AUDIENCE_ALONE,
            &claims::HAS_AUDIENCE,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &claims::VERIFIER_ASKS_OTHER_AUDIENCE,
            &claims::HAS_AUDIENCE,
            &probes::SIGNATURE_PASSES,
            &expiry::NOT_EXPIRED,
        ],
    ],
    ruled_out_by: &[&token::OPAQUE, &reasons::FIREBASE],
    fix: "Decide on one name for the API, ask the issuer for a token for it (`audience` or `resource` in the request), and configure \
          the verifier with the same. Do not switch the check off: a token for another service would then be good here.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Supply("the verifier's configuration", "--files FILE"),
        Step::Probe(Probe::Garbage),
        Step::Probe(Probe::OtherToken),
    ],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html",
        "https://github.com/envoyproxy/envoy/blob/main/source/extensions/filters/http/jwt_authn/filter.cc",
        "https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3",
        "auth0/nextjs-auth0#1809",
    ],
};

pub(super) const CLIENT: Cause = Cause {
    id: "TN0413",
    title: "the verifier asks for another client, or for the other kind of token",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "Amazon Cognito's access tokens have no `aud`; verifiers look at `client_id`, others at `azp`, and at `token_use` for the \
            kind of token. A verifier that is configured with the id of another app client, that looks for `aud` where none is, or \
            that wants an ID token where an access token comes, refuses a token that is otherwise good.",
    signs: &[
        (&reasons::CLIENT, Strength::Marks),
        (&reasons::LOG_CLIENT, Strength::Points),
        (&reasons::TOKEN_USE, Strength::Marks),
        (&reasons::LOG_TOKEN_USE, Strength::Suggests),
        (&reasons::MISSING_AUDIENCE, Strength::Points),
        (&reasons::LOG_MISSING_AUDIENCE, Strength::Suggests),
        (&claims::VERIFIER_ASKS_OTHER_CLIENT, Strength::Points),
        (&drift::CLIENTS_DIFFER, Strength::Suggests),
        (&claims::CLIENT_WITHOUT_AUDIENCE, Strength::Suggests),
        (&token::LOOKS_LIKE_REFRESH_TOKEN, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&reasons::ISSUER, Strength::Points),
        (&reasons::EXPIRED, Strength::Points),
        (&reasons::SIGNATURE, Strength::Points),
        (&reasons::KID, Strength::Points),
        (&keys::NO_KEY_VERIFIES, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
    ],
    settled_by: &[
        &[
            &claims::VERIFIER_ASKS_OTHER_CLIENT,
            &reasons::LOG_CLIENT,
            &refusals::ALWAYS_REFUSED,
        ],
        &[&prevailing::MOSTLY_CLIENT, &refusals::SOME_TURNED_AWAY],
        &[&reasons::CLIENT, &refusals::ALWAYS_REFUSED],
        &[&reasons::TOKEN_USE, &refusals::ALWAYS_REFUSED],
        &[
            &reasons::MISSING_AUDIENCE,
            &claims::CLIENT_WITHOUT_AUDIENCE,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &claims::VERIFIER_ASKS_OTHER_CLIENT,
            &probes::SIGNATURE_PASSES,
            &expiry::NOT_EXPIRED,
        ],
    ],
    ruled_out_by: &[&token::OPAQUE],
    fix: "Configure the verifier with the ids of all app clients that may call it, and with the kind of token that they send; for \
          Cognito's access tokens check `client_id` and not `aud`. Send access tokens to APIs, and keep ID tokens in the app.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Supply("the verifier's configuration", "--files FILE"),
        Step::Probe(Probe::Garbage),
        Step::Probe(Probe::OtherToken),
    ],
    references: &[
        "https://github.com/awslabs/aws-jwt-verify/blob/main/src/error.ts",
        "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html",
        "awslabs/nx-plugin-for-aws#828",
    ],
};

pub(super) const TYPE: Cause = Cause {
    id: "TN0414",
    title: "a strict verifier wants `typ: at+jwt`, and the token has another type",
    layer: Layer::Framework,
    prior: Prior::Rare,
    story: "RFC 9068 gives access tokens the type `at+jwt`, so that an ID token cannot be passed off as one. A verifier in strict mode \
            refuses every other `typ`. Many issuers write `JWT` or nothing unless they are told to.",
    signs: &[
        (&reasons::TYPE, Strength::Marks),
        (&reasons::LOG_TYPE, Strength::Points),
        (&claims::PLAIN_TYPE, Strength::Hints),
        (&probes::SIGNATURE_PASSES, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&claims::ACCESS_TOKEN_TYPE, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&reasons::EXPIRED, Strength::Points),
    ],
    settled_by: &[
        &[&prevailing::MOSTLY_TYPE, &refusals::SOME_TURNED_AWAY],
        &[
            &reasons::TYPE,
            &claims::PLAIN_TYPE,
            &refusals::ALWAYS_REFUSED,
        ],
    ],
    ruled_out_by: &[
        &claims::ACCESS_TOKEN_TYPE,
        &token::LOOKS_LIKE_ID_TOKEN,
        &token::OPAQUE,
    ],
    fix: "Make the issuer write `at+jwt` into its access tokens (often a setting of the API or the resource there). If it cannot, \
          turn strict mode off in the verifier and check another claim that only access tokens have.",
    next: &[
        Step::Probe(Probe::Garbage),
        Step::Supply("the log of the verifier", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9068#section-2.1",
        "https://github.com/auth0/node-oauth2-jwt-bearer/blob/main/packages/access-token-jwt/src/validate.ts",
    ],
};

pub(super) const MISTYPED: Cause = Cause {
    id: "TN0419",
    title: "a date of the token is no number of seconds",
    layer: Layer::Issuer,
    prior: Prior::Rare,
    story: "`exp`, `nbf` and `iat` are numbers of seconds since 1970. This issuer writes text, a list, or milliseconds. Some verifiers \
            read digits in a string all the same and others refuse; milliseconds make a token that never expires, or one that lies \
            in a future which a verifier finds absurd.",
    signs: &[
        (&reasons::NUMBERS, Strength::Marks),
        (&reasons::LOG_NUMBERS, Strength::Points),
        (&claims::MISTYPED_DATE, Strength::Marks),
        (&token::MISTYPED, Strength::Suggests),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&reasons::AUDIENCE, Strength::Suggests),
        (&reasons::EXPIRED, Strength::Hints),
    ],
    settled_by: &[
        &[
            &reasons::NUMBERS,
            &token::MISTYPED,
            &refusals::ALWAYS_REFUSED,
        ],
        &[&claims::MISTYPED_DATE, &probes::SIGNATURE_PASSES],
        &[
            &claims::MISTYPED_DATE,
            &reasons::EARLY,
            &refusals::ALWAYS_REFUSED,
        ],
    ],
    ruled_out_by: &[&token::OPAQUE],
    fix: "Write the claims as JSON numbers of seconds (RFC 7519, section 2, NumericDate): no quotes, no milliseconds, no ISO 8601. It \
          is often a template language or a form field of the issuer that makes text of them.",
    next: &[Step::Probe(Probe::Garbage), Step::Probe(Probe::OtherToken)],
    references: &[
        "https://cloud.google.com/endpoints/docs/openapi/troubleshoot-jwt",
        "https://www.rfc-editor.org/rfc/rfc7519#section-2",
    ],
};
