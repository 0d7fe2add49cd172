//! Authorizers of REST APIs: Cognito and Lambda.

use super::signs::authorizers::{
    AS_REFUSED_WITHOUT, AUTHORIZER_BROKEN, AUTHORIZER_NAMED, AUTHORIZER_REFUSES, BARE_UNAUTHORIZED,
    DENIED_ELSEWHERE, DENIED_NOW_AND_THEN, EMPTY_MESSAGE, EXPIRED_BY_BOTH, EXPIRED_WHEN_SENT,
    EXPLICIT_DENY, HTTP_DENIED_FROM_CACHE, NOTHING_SENT, OTHER_SPELLING_ALLOWED,
    OTHER_SPELLING_TAKEN, SAME_ISSUER_TAKEN,
};
use super::signs::http::{AUTHORIZER_THROWS, JWT_REFUSED};
use super::signs::logged::{AUTHORIZER_FAILS, AUTHORIZER_SETUP, EXPIRED_LOGGED};
use super::signs::pools::{OTHER_POOL_ACCEPTED, POOL_DIFFERS, TOKEN_OF_OTHER_POOL};
use super::signs::routes::{ROUTE_KNOWN, ROUTE_UNKNOWN};
use super::signs::settings::{IDENTITY_ELSEWHERE, LAMBDA_GUARDS};
use super::signs::{
    AUTHORIZER_DENIES, LOGGED_ACCESS_DENIED, LOGGED_AUTHORIZER_FAILURE, LOGGED_AUTHORIZER_SETUP,
    LOGGED_NOT_ALLOWED, LOGGED_UNAUTHORIZED,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::probes::{ACCEPTED, FLIPS, OTHER_ENDPOINT_ACCEPTED, OTHER_TOKEN_ACCEPTED};
use crate::sign::token::{EXPIRED as TOKEN_EXPIRED, IN_TIME};
use crate::weight::{Prior, Strength};

const RESPONSES: &str = "https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html";
const LAMBDA: &str = "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html";
const KNOWLEDGE_401: &str =
    "https://repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized";
const KNOWLEDGE_403: &str =
    "https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden";
const AUTHORIZERS: Step = Step::Supply(
    "the authorizers as they are deployed",
    "--aws, or --files aws/apigateway/GetAuthorizers.json",
);

pub(super) const UNAUTHORIZED: Cause = Cause {
    id: "TN0303",
    title: "the gateway's authorizer does not take the token: another pool, another kind of token, or not whole",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "A Cognito authorizer, or a Lambda authorizer that throws `Unauthorized`, refuses with 401 `Unauthorized`. The \
            answer is the same for a missing token, a damaged one, one of another user pool, and an access token where the \
            method names no scopes (it wants an ID token then; with scopes it wants an access token). The gateway does not \
            say which.",
    signs: &[
        (&AUTHORIZER_REFUSES, Strength::Points),
        (&AUTHORIZER_NAMED, Strength::Hints),
        (&LOGGED_UNAUTHORIZED, Strength::Points),
        (&ROUTE_KNOWN, Strength::Hints),
        (&TOKEN_OF_OTHER_POOL, Strength::Marks),
        (&POOL_DIFFERS, Strength::Suggests),
        (&OTHER_POOL_ACCEPTED, Strength::Points),
        (&OTHER_TOKEN_ACCEPTED, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&ROUTE_UNKNOWN, Strength::Marks),
        (&NOTHING_SENT, Strength::Points),
        (&TOKEN_EXPIRED, Strength::Suggests),
    ],
    settled_by: &[&[&AUTHORIZER_REFUSES, &TOKEN_OF_OTHER_POOL, &IN_TIME]],
    ruled_out_by: &[],
    fix: "Decode the token: its `iss` must end in the pool of the authorizer, `token_use` must be `id` where the method \
          has no scopes and `access` where it has. Send it whole, without blanks. If the pool in the client's build is the \
          wrong one, build it anew; if the authorizer's is, change it and deploy the stage.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::OtherPath),
        AUTHORIZERS,
    ],
    references: &[RESPONSES, KNOWLEDGE_401],
};

pub(super) const EXPIRED: Cause = Cause {
    id: "TN0304",
    title: "the Cognito token has expired, says the gateway",
    layer: Layer::GatewayVerifier,
    prior: Prior::Common,
    story: "A Cognito authorizer of a REST API names this one reason: 401 `The incoming token has expired`. The token was \
            good; the client kept it beyond its end and did not refresh, or refreshed and still sends the old one.",
    signs: &[
        (&EXPIRED_LOGGED, Strength::Marks),
        (&EXPIRED_BY_BOTH, Strength::Points),
        (&EXPIRED_WHEN_SENT, Strength::Points),
        (&SAME_ISSUER_TAKEN, Strength::Hints),
    ],
    against: &[(&ACCEPTED, Strength::Marks), (&IN_TIME, Strength::Marks)],
    settled_by: &[
        &[&EXPIRED_BY_BOTH],
        &[&EXPIRED_WHEN_SENT, &SAME_ISSUER_TAKEN, &ROUTE_KNOWN],
    ],
    ruled_out_by: &[],
    fix: "Refresh before the end (from `expires_in`, not from the device's clock), once for all requests that wait, and \
          repeat the refused request with the new token. Send the ID token that the refresh returned: an SDK that caches \
          the session object keeps sending the old one.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Supply("the token that is refused", "--token-file FILE"),
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::OtherPath),
        Step::Probe(Probe::Refresh),
    ],
    references: &[
        "aws-amplify/amplify-js#6060",
        "aws-amplify/amplify-js#5934",
        "aws-amplify/amplify-js#10147",
    ],
};

pub(super) const DENY: Cause = Cause {
    id: "TN0305",
    title: "the Lambda authorizer's policy denies the request",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "The Lambda authorizer knew the token and returned a policy that does not allow this method and path. A Deny \
            statement shows as `with an explicit deny`; a policy that merely does not mention the path leaves the words out. \
            The service behind was not called.",
    signs: &[
        (&AUTHORIZER_DENIES, Strength::Marks),
        (&EXPLICIT_DENY, Strength::Points),
        (&LOGGED_NOT_ALLOWED, Strength::Points),
        (&LOGGED_ACCESS_DENIED, Strength::Suggests),
        (&DENIED_ELSEWHERE, Strength::Suggests),
        (&OTHER_TOKEN_ACCEPTED, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&FLIPS, Strength::Marks),
        (&OTHER_SPELLING_ALLOWED, Strength::Marks),
        (&OTHER_ENDPOINT_ACCEPTED, Strength::Suggests),
    ],
    settled_by: &[&[&AUTHORIZER_DENIES, &EXPLICIT_DENY]],
    ruled_out_by: &[&OTHER_SPELLING_ALLOWED],
    fix: "Log in the authorizer which claim led to the Deny and compare it with the token (role, scope, tenant). Grant the \
          role, or correct the rule, and get a new token if the role is a claim. Throw `Unauthorized` for a token that is \
          not good, so that clients get 401 for it and refresh, and keep the Deny for 403.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::OtherEndpoint),
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::Lower),
    ],
    references: &[KNOWLEDGE_403, LAMBDA],
};

pub(super) const CACHED_POLICY: Cause = Cause {
    id: "TN0306",
    title: "a cached policy of the Lambda authorizer covers only the endpoint that was called first",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "API Gateway keeps the authorizer's policy for the token, 300 seconds unless set otherwise, and uses it for \
            every method of the stage. An authorizer that writes the one `methodArn` of its call into the policy so allows \
            the first endpoint and denies all others until the time is up; then another one may come first.",
    signs: &[
        (&AUTHORIZER_DENIES, Strength::Points),
        (&OTHER_ENDPOINT_ACCEPTED, Strength::Suggests),
        (&OTHER_SPELLING_ALLOWED, Strength::Marks),
        (&DENIED_NOW_AND_THEN, Strength::Marks),
        (&HTTP_DENIED_FROM_CACHE, Strength::Points),
    ],
    against: &[
        (&EXPLICIT_DENY, Strength::Suggests),
        (&DENIED_ELSEWHERE, Strength::Suggests),
    ],
    settled_by: &[
        &[
            &AUTHORIZER_DENIES,
            &OTHER_SPELLING_ALLOWED,
            &OTHER_ENDPOINT_ACCEPTED,
        ],
        &[&HTTP_DENIED_FROM_CACHE, &OTHER_ENDPOINT_ACCEPTED],
    ],
    ruled_out_by: &[],
    fix: "Let the authorizer return a policy for all that the token may do (`arn:…:API/STAGE/*/*` or a list), or set \
          `authorizerResultTtlInSeconds` to 0, or add `$context.path` and `$context.httpMethod` to the identity sources. \
          Flush the stage's authorizer cache once afterwards.",
    next: &[
        Step::Probe(Probe::OtherEndpoint),
        Step::Probe(Probe::Lower),
        Step::Probe(Probe::Again(1)),
        AUTHORIZERS,
    ],
    references: &[
        "auth0-samples/jwt-rsa-aws-custom-authorizer#8",
        "aws-solutions/digital-evidence-archive-on-aws#65",
        LAMBDA,
    ],
};

pub(super) const BROKEN: Cause = Cause {
    id: "TN0307",
    title: "the Lambda authorizer throws, or the gateway may not call it",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "Any error of a Lambda authorizer other than `Unauthorized`, a result that is no policy, or a missing permission \
            to invoke the function ends in 500 with `{\"message\":null}`, at an HTTP API with `Internal Server Error` for \
            whatever token is sent. Clients show it as a failed login although the \
            token was never judged.",
    signs: &[
        (&AUTHORIZER_BROKEN, Strength::Marks),
        (&EMPTY_MESSAGE, Strength::Marks),
        (&AUTHORIZER_THROWS, Strength::Marks),
        (&AUTHORIZER_SETUP, Strength::Points),
        (&LOGGED_AUTHORIZER_SETUP, Strength::Points),
        (&LOGGED_AUTHORIZER_FAILURE, Strength::Points),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[
        &[&AUTHORIZER_BROKEN],
        &[&EMPTY_MESSAGE, &BARE_UNAUTHORIZED],
        &[&AUTHORIZER_FAILS],
        &[&AUTHORIZER_THROWS, &LAMBDA_GUARDS],
    ],
    ruled_out_by: &[],
    fix: "Read the authorizer's own log for the time of the request: an exception (keys that cannot be fetched, a missing \
          claim), a timeout, or no call at all, which is a missing `lambda:InvokeFunction` permission for the gateway. \
          Return a policy for every outcome and throw only the literal `Unauthorized`.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::Bare),
        Step::Supply(
            "the log of the authorizer function",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[RESPONSES, LAMBDA],
};

pub(super) const IDENTITY_SOURCE: Cause = Cause {
    id: "TN0308",
    title: "the authorizer's identity source is missing or does not fit its expression: it is not called and nothing is logged",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "Before it calls an authorizer the gateway looks for its identity source, a header such as `Authorization`, and \
            compares it with the validation expression if there is one. If either fails it answers 401 `Unauthorized` by \
            itself. No function runs and CloudWatch shows no line for the request, which looks as if there were no traffic.",
    signs: &[
        (&AUTHORIZER_REFUSES, Strength::Hints),
        (&AS_REFUSED_WITHOUT, Strength::Hints),
        (&IDENTITY_ELSEWHERE, Strength::Marks),
        (&OTHER_SPELLING_TAKEN, Strength::Marks),
        (&NOTHING_SENT, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&ROUTE_UNKNOWN, Strength::Marks),
        (&OTHER_TOKEN_ACCEPTED, Strength::Marks),
    ],
    settled_by: &[
        &[&AUTHORIZER_REFUSES, &IDENTITY_ELSEWHERE],
        &[&JWT_REFUSED, &IDENTITY_ELSEWHERE],
    ],
    ruled_out_by: &[],
    fix: "Read `identitySource` and `identityValidationExpression` of the authorizer. Send the token in the header that it \
          names, spelt as the expression wants it (with or without `Bearer `), or widen the expression. Look for the \
          missing log line rather than for an error.",
    next: &[
        Step::Probe(Probe::Raw),
        Step::Probe(Probe::OtherToken),
        AUTHORIZERS,
        Step::Supply(
            "the log of the authorizer function",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/call-api-with-api-gateway-lambda-authorization.html",
    ],
};
