//! The request never comes to an authorizer: path, method, stage.

use super::signs::authorizers::{AUTHORIZER_NAMED, AUTHORIZER_REFUSES};
use super::signs::forbidden::{self, EVERYWHERE, FORBIDDEN, OTHER_STAGE_REACHED, STAGE_UNKNOWN};
use super::signs::http::{JWT_REFUSED, NOT_FOUND};
use super::signs::policies::FORBIDDEN_WHOLLY;
use super::signs::routes::{
    ROUTE_KNOWN, ROUTE_UNKNOWN, ROUTE_UNKNOWN_ANYWHERE, ROUTE_UNKNOWN_BOTH, SIGNATURE_ANSWER,
};
use super::signs::settings::{DEFAULT_ENDPOINT_OFF, GUARDED_BY_IAM};
use super::signs::unexplained::{FRESH_TOKEN_403, UNEXPLAINED_403, UNEXPLAINED_ALIKE};
use super::signs::{
    LOGGED_ROUTE, ONLY_ELSEWHERE, READ_AS_SIGNATURE, READ_AS_SIGNATURE_NOW, SIGNATURE_PARTS,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::probes::{
    ACCEPTED, ANY_PATH_ALIKE, AS_WITHOUT_TOKEN, BROWSER_DIFFERS, FRESH_ACCEPTED,
};
use crate::weight::{Prior, Strength};

/// What tells a route that is not there from an authorizer that refuses.
pub(super) const REASON: Step = Step::Supply(
    "body and `x-amzn-errortype` of the refusal (P0) and of a path that cannot exist (P7)",
    "tenure doctor probe URL --token-file FILE",
);

pub(super) const ROUTE: Cause = Cause {
    id: "TN0301",
    title: "the gateway has no such path or method, or waits for an AWS signature there",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "A REST API of Amazon API Gateway looks for the route first. Where path, method or stage path fit no \
            resource it answers 403 `Missing Authentication Token`, which is about AWS signatures and not about the \
            token that was sent: no authorizer was asked, so a fresh token gets the same. A method with IAM \
            authorization answers in the same words when it is called without a signature.",
    signs: &[
        (&ROUTE_UNKNOWN, Strength::Marks),
        (&ROUTE_UNKNOWN_ANYWHERE, Strength::Points),
        (&ONLY_ELSEWHERE, Strength::Points),
        (&UNEXPLAINED_403, Strength::Suggests),
        (&UNEXPLAINED_ALIKE, Strength::Hints),
        (&FRESH_TOKEN_403, Strength::Suggests),
        (&READ_AS_SIGNATURE, Strength::Points),
        (&LOGGED_ROUTE, Strength::Points),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&AUTHORIZER_REFUSES, Strength::Marks),
        (&ROUTE_KNOWN, Strength::Points),
        (&NOT_FOUND, Strength::Marks),
    ],
    settled_by: &[
        &[&ROUTE_UNKNOWN_BOTH],
        &[&ROUTE_UNKNOWN, &ROUTE_UNKNOWN_ANYWHERE],
    ],
    ruled_out_by: &[],
    fix: "Compare the URL with the invoke URL of the stage, segment by segment (stage, base path, trailing slash), and \
          the method with the methods of the resource. If the route is new, deploy it to this stage: a resource that is \
          only saved is not served. If it exists and has AWS_IAM authorization, give it the Cognito or Lambda authorizer \
          or sign the call. Give OPTIONS its own method without an authorizer. New tokens change nothing.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::OtherPath),
        REASON,
        Step::Probe(Probe::OtherMethod),
        Step::Probe(Probe::Slash),
    ],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html",
        "https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden",
    ],
};

pub(super) const SIGNATURE_PARSER: Cause = Cause {
    id: "TN0302",
    title: "the gateway reads the Bearer token as an AWS signature: no authorizer stands at this route",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "Where a REST API has no route for a request, or a route with IAM authorization, it takes the Authorization \
            header for an AWS signature (version 4) and says that the token is `not a valid key=value pair`. It sounds \
            like a malformed token and is a wrong URL, method or authorization type.",
    signs: &[
        (&SIGNATURE_ANSWER, Strength::Marks),
        (&READ_AS_SIGNATURE, Strength::Points),
        (&READ_AS_SIGNATURE_NOW, Strength::Points),
        (&SIGNATURE_PARTS, Strength::Points),
        (&GUARDED_BY_IAM, Strength::Suggests),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&AUTHORIZER_REFUSES, Strength::Marks),
    ],
    settled_by: &[&[&SIGNATURE_ANSWER]],
    ruled_out_by: &[],
    fix: "Leave the token as it is. Check the path and the method against the deployed stage first; then whether the \
          method's authorization is AWS_IAM where it should be the Cognito or Lambda authorizer; then deploy the stage. \
          A proxy in front that changes the path has the same effect.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::OtherPath),
        Step::Probe(Probe::Bare),
        REASON,
    ],
    references: &[
        "amazon-archives/aws-cognito-angular-quickstart#50",
        "AstronomyAPI/Samples#20",
        "serverless/serverless#3205",
    ],
};

pub(super) const STAGE: Cause = Cause {
    id: "TN0313",
    title: "wrong stage, base path mapping, or a default endpoint that is switched off",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "The host belongs to a REST API, but the URL names a stage that it does not have, a base path that the custom \
            domain does not map, or the default endpoint of an API that has it disabled. The answer is 403 `Forbidden` \
            at every path, with and without a token.",
    signs: &[
        (&FORBIDDEN, Strength::Suggests),
        (&EVERYWHERE, Strength::Points),
        (&FORBIDDEN_WHOLLY, Strength::Points),
        (&STAGE_UNKNOWN, Strength::Marks),
        (&OTHER_STAGE_REACHED, Strength::Marks),
        (&DEFAULT_ENDPOINT_OFF, Strength::Marks),
        (&UNEXPLAINED_403, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&forbidden::AFTER_AUTHORIZER, Strength::Marks),
        (&AUTHORIZER_NAMED, Strength::Marks),
        (&ROUTE_UNKNOWN, Strength::Points),
        (&ROUTE_KNOWN, Strength::Marks),
        (&BROWSER_DIFFERS, Strength::Marks),
        (&FRESH_ACCEPTED, Strength::Marks),
    ],
    settled_by: &[
        &[&EVERYWHERE, &STAGE_UNKNOWN],
        &[&EVERYWHERE, &OTHER_STAGE_REACHED],
        &[&FORBIDDEN, &DEFAULT_ENDPOINT_OFF],
        &[&NOT_FOUND, &DEFAULT_ENDPOINT_OFF],
    ],
    ruled_out_by: &[],
    fix: "Take the invoke URL from the stage (not from a former deployment or another environment) and compare its first \
          path segment. On a custom domain look at the base path mappings; if the default endpoint is disabled, only the \
          custom domain works.",
    next: &[
        Step::Probe(Probe::OtherPath),
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Browser),
        Step::Probe(Probe::OtherEndpoint),
        Step::Supply(
            "the stages of the API",
            "--aws, or --files aws/apigateway/GetStages.json",
        ),
    ],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html",
    ],
};

pub(super) const HTTP_ROUTE: Cause = Cause {
    id: "TN0320",
    title: "the HTTP API has no such route",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "An HTTP API answers 404 `Not Found` where no route fits method and path, whatever token is sent. A REST API \
            says 403 in its place, so a client that was moved from one to the other may read the wrong thing into it.",
    signs: &[(&NOT_FOUND, Strength::Marks)],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&JWT_REFUSED, Strength::Marks),
    ],
    settled_by: &[&[&NOT_FOUND, &ANY_PATH_ALIKE, &AS_WITHOUT_TOKEN]],
    ruled_out_by: &[&DEFAULT_ENDPOINT_OFF],
    fix: "List the routes of the API and compare method and path, stage prefix included: only the stage `$default` is \
          served without one. Add the route or correct the client's base URL.",
    next: &[
        Step::Probe(Probe::OtherPath),
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::OtherMethod),
    ],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html",
    ],
};
