//! JWT authorizers of HTTP APIs.

use super::signs::http::{
    FORBIDDEN_AFTER_JWT, HTTP_FORBIDDEN, JWT_CHALLENGED, JWT_REFUSED, NEW_KEY_REFUSED, NO_SCOPE,
    NOT_RSA_REFUSED, OTHER_KID_ACCEPTED, OTHER_KID_TAKEN, PREFLIGHT_AUTHORIZED, SCOPE_NAMED,
};
use super::signs::settings::{SCOPES_MISSING, TRUSTED_BUT_NOT_RSA};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::keys::{KID_KNOWN, NO_KEY_VERIFIES};
use crate::sign::probes::{ACCEPTED, PREFLIGHT_ALLOWED};
use crate::sign::token::{EXPIRED, IN_TIME};
use crate::weight::{Prior, Strength};

const AUTHORIZER: &str =
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html";
const TROUBLES: &str = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html";

pub(super) const JWT: Cause = Cause {
    id: "TN0318",
    title: "the JWT authorizer of the HTTP API refuses the token",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "A JWT authorizer checks signature, `iss`, `aud` (or `client_id` where there is no `aud`), `exp`, `nbf` and \
            `iat`, and answers every failure with 401 `Unauthorized`. The reason stands in `www-authenticate` only, as \
            `error_description`; browsers do not show that header to scripts unless CORS exposes it.",
    signs: &[
        (&JWT_REFUSED, Strength::Points),
        (&JWT_CHALLENGED, Strength::Suggests),
    ],
    against: &[(&ACCEPTED, Strength::Marks), (&EXPIRED, Strength::Hints)],
    settled_by: &[],
    ruled_out_by: &[],
    fix: "Read `error_description`, decode the token, and compare `iss` with the authorizer's issuer byte by byte and `aud` \
          or `client_id` with its audience. The issuer's metadata must be reachable from the internet. Settings of an \
          authorizer are in force without a new deployment only where the stage deploys automatically.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Supply(
            "the authorizers as they are deployed",
            "--aws, or --files aws/apigatewayv2/GetAuthorizers.json",
        ),
    ],
    references: &[TROUBLES, AUTHORIZER],
};

pub(super) const SCOPE: Cause = Cause {
    id: "TN0319",
    title: "the token has none of the scopes of the HTTP API's route",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "A route of an HTTP API may name scopes; `scope` or `scp` of the token must hold at least one. The token is good \
            otherwise, so another route takes it. ID tokens have no scopes and fail here always.",
    signs: &[
        (&SCOPE_NAMED, Strength::Marks),
        (&FORBIDDEN_AFTER_JWT, Strength::Marks),
        (&HTTP_FORBIDDEN, Strength::Points),
        (&NO_SCOPE, Strength::Hints),
        (&SCOPES_MISSING, Strength::Suggests),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[
        &[&SCOPE_NAMED, &HTTP_FORBIDDEN],
        &[&FORBIDDEN_AFTER_JWT, &SCOPES_MISSING],
    ],
    ruled_out_by: &[],
    fix: "Compare the scopes of the route with those of the token. Let the client ask for the scope when it signs in (a \
          refresh does not widen it), allow it for that client at the issuer, or take it off the route. Send the access \
          token, not the ID token.",
    next: &[
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::OtherEndpoint),
        Step::Probe(Probe::OtherToken),
        Step::Supply("the token that is refused", "--token-file FILE"),
    ],
    references: &[AUTHORIZER],
};

pub(super) const ALGORITHM: Cause = Cause {
    id: "TN0321",
    title: "the token is not signed with RSA, and a JWT authorizer of an HTTP API knows nothing else",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "JWT authorizers of HTTP APIs take RSA signatures only. A token signed with ES256, EdDSA or HS256 is refused \
            with 401 however good it is, and other verifiers of the same issuer accept it.",
    signs: &[
        (&NOT_RSA_REFUSED, Strength::Marks),
        (&TRUSTED_BUT_NOT_RSA, Strength::Points),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[
        &[&NOT_RSA_REFUSED, &JWT_CHALLENGED],
        &[&TRUSTED_BUT_NOT_RSA],
    ],
    ruled_out_by: &[],
    fix: "Let the issuer sign with RS256 for this API (most can per client or per audience), or put a Lambda authorizer in \
          the place of the JWT authorizer.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Supply("the token that is refused", "--token-file FILE"),
    ],
    references: &[AUTHORIZER],
};

pub(super) const PREFLIGHT: Cause = Cause {
    id: "TN0322",
    title: "a `$default` or `ANY` route with an authorizer swallows the browser's preflight",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "An HTTP API with CORS settings answers OPTIONS itself, unless a route with an authorizer fits OPTIONS too: \
            `$default` and `ANY` do. The browser sends no token with a preflight, gets 401, and reports a CORS error; the \
            request itself is never sent and stands in no log.",
    signs: &[(&PREFLIGHT_AUTHORIZED, Strength::Marks)],
    against: &[(&PREFLIGHT_ALLOWED, Strength::Marks)],
    settled_by: &[&[&PREFLIGHT_AUTHORIZED, &ACCEPTED]],
    ruled_out_by: &[&PREFLIGHT_ALLOWED],
    fix: "Add a route `OPTIONS /{proxy+}` without an authorizer, or name the methods in place of `ANY` and `$default`. Do \
          not take the authorizer off the route itself.",
    next: &[Step::Probe(Probe::Preflight), Step::Probe(Probe::Origin)],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html",
    ],
};

pub(super) const KEYS_CACHED: Cause = Cause {
    id: "TN0323",
    title: "the issuer changed its key without overlap, and the gateway still has the old key set",
    layer: Layer::GatewayVerifier,
    prior: Prior::Rare,
    story: "An HTTP API may keep an issuer's keys for up to two hours. When the issuer signs with a new key at the moment \
            at which it publishes it, tokens of the new key are refused until the cache is over, and those of the old key \
            pass. Signing in again makes it worse: it gets a token of the new key.",
    signs: &[
        (&NEW_KEY_REFUSED, Strength::Marks),
        (&OTHER_KID_TAKEN, Strength::Points),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&NO_KEY_VERIFIES, Strength::Points),
        (&EXPIRED, Strength::Suggests),
    ],
    settled_by: &[&[&NEW_KEY_REFUSED, &OTHER_KID_ACCEPTED, &KID_KNOWN, &IN_TIME]],
    ruled_out_by: &[],
    fix: "Publish a new key at least two hours before it signs, and leave the old one until its last token is over. At the \
          moment: sign with the old key again if it is still there; the wait ends by itself otherwise.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Old),
        Step::Probe(Probe::OtherToken),
    ],
    references: &[
        AUTHORIZER,
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-jwt-authorizer-keys.html",
    ],
};
