//! The gateway trusts a user pool of the past.

use super::routes::REASON;
use super::signs::authorizers::{AUTHORIZER_NAMED, AUTHORIZER_REFUSES, NOTHING_SENT};
use super::signs::http::JWT_REFUSED;
use super::signs::pools::{
    DEPLOYED_IS_STALE as DEPLOYED_POOL_STALE, GOOD_ID_TOKEN, MEANT_IS_TOKENS, OTHER_POOL_ACCEPTED,
    PARAMETER_IS_TOKENS, POOL_BY_PARAMETER, STAGE_BEHIND, STALE_UNPROBED, TOKEN_OF_OTHER_POOL,
};
use super::signs::routes::ROUTE_UNKNOWN;
use super::signs::unexplained::UNEXPLAINED_403;
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::drift::POOLS_DIFFER;
use crate::sign::logs::FRESH_REFUSED;
use crate::sign::probes::ACCEPTED;
use crate::sign::token::{EXPIRED, IN_TIME};
use crate::weight::{Prior, Strength};

pub(super) const DEPLOYED_IS_STALE: Cause = Cause {
    id: "TN0317",
    title: "the deployed authorizer trusts a former user pool: its settings have changed, the stage has not been deployed",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "The pool of a gateway's authorizer is fixed when the stage is deployed. `{{resolve:ssm:…}}` in a template is \
            read at that moment too, and not again. When the pool is replaced, app, `.env` and parameter store name the new \
            one, users sign in there, and the gateway goes on trusting the old: old tokens pass until they expire, new ones \
            are refused, and neither refreshing nor signing in again helps.",
    signs: &[
        (&POOL_BY_PARAMETER, Strength::Suggests),
        (&PARAMETER_IS_TOKENS, Strength::Hints),
        (&DEPLOYED_POOL_STALE, Strength::Marks),
        (&OTHER_POOL_ACCEPTED, Strength::Points),
        (&POOLS_DIFFER, Strength::Hints),
        (&STAGE_BEHIND, Strength::Suggests),
        (&FRESH_REFUSED, Strength::Hints),
        (&UNEXPLAINED_403, Strength::Hints),
        (&AUTHORIZER_REFUSES, Strength::Suggests),
        (&JWT_REFUSED, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&ROUTE_UNKNOWN, Strength::Marks),
        (&NOTHING_SENT, Strength::Points),
        (&EXPIRED, Strength::Suggests),
        (&TOKEN_OF_OTHER_POOL, Strength::Marks),
    ],
    settled_by: &[
        &[&AUTHORIZER_REFUSES, &DEPLOYED_POOL_STALE],
        &[&JWT_REFUSED, &DEPLOYED_POOL_STALE],
        &[&STALE_UNPROBED, &PARAMETER_IS_TOKENS, &IN_TIME],
        &[&AUTHORIZER_REFUSES, &OTHER_POOL_ACCEPTED, &MEANT_IS_TOKENS],
        &[
            &AUTHORIZER_REFUSES,
            &AUTHORIZER_NAMED,
            &POOL_BY_PARAMETER,
            &PARAMETER_IS_TOKENS,
            &GOOD_ID_TOKEN,
        ],
    ],
    ruled_out_by: &[],
    fix: "Make the change visible to CloudFormation and force a new deployment. Redeploying an unchanged template may be a \
          no-op: a value behind `{{resolve:ssm:NAME}}` is not compared (`No changes to deploy`), and SAM makes a new \
          `AWS::ApiGateway::Deployment` only when the API definition changes. Name the version \
          (`{{resolve:ssm:NAME:2}}`), or pass the pool as a stack parameter (`AWS::SSM::Parameter::Value<String>`, read \
          at each update), give the Deployment resource a new logical id or call `create-deployment` for the stage. Then \
          check by probe: a new token must pass, an old pool's must not. A verifier that resolves its issuers at run time \
          does not have the fault.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::OtherPath),
        REASON,
        Step::Probe(Probe::Old),
        Step::Probe(Probe::OtherToken),
        Step::Supply(
            "the authorizers as they are deployed, and the parameter",
            "--aws, or --files aws/apigateway/GetAuthorizers.json aws/ssm/GetParameter.json",
        ),
    ],
    references: &[
        "aws-cloudformation/cloudformation-coverage-roadmap#844",
        "aws/aws-cdk#14205",
        "aws/aws-cli#6106",
        "https://repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized",
    ],
};
