//! Firewalls, bot filters and gates of platforms.

use super::signs::platform::PLATFORM_GATE as GATE_PAGE;
use super::signs::waf::{
    AWS_CHALLENGE, BALANCER_REFUSAL, CLIENT_BLOCKED, CLOUDFLARE_CHALLENGE, CLOUDFLARE_PAGE,
    COGNITO_BLOCKED, EDGE_BLOCKS_CLIENT, EDGE_BLOCKS_LOGGED, EDGE_REFUSES, EDGE_REFUSES_ALL,
    FIREWALL_PAGE, GATEWAY_BLOCKS_LOGGED, GATEWAY_FORBIDDEN, GATEWAY_FORBIDS_ALL,
    GATEWAY_FORBIDS_CLIENT, LARGE_BODY_BLOCKED, LARGE_BODY_FORBIDDEN, REQUEST_BLOCKED,
};
use super::signs::{
    MITIGATED_LOGGED, MODSECURITY_LOGGED, MOMENT_LOGGED, NO_INVOKER_LOGGED, NOT_INVOKER_LOGGED,
    WAF_BLOCK_LOGGED, WAF_FILTERED_LOGGED,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::probes::{ACCEPTED, SIGNATURE_PASSES};
use crate::weight::{Prior, Strength};

pub(super) const CLOUDFLARE: Cause = Cause {
    id: "TN0204",
    title: "Cloudflare challenges or blocks the client as a bot",
    layer: Layer::Waf,
    prior: Prior::Usual,
    story: "Cloudflare takes the client for a bot and answers in place of the service: with a page that runs a script to \
            prove that a browser is there, or with a page that blocks. An app or a script cannot pass either, and reads \
            the 403 as a refusal of its token. The service has no line of it in its log.",
    signs: &[
        (&CLOUDFLARE_CHALLENGE, Strength::Marks),
        (&CLOUDFLARE_PAGE, Strength::Marks),
        (&MITIGATED_LOGGED, Strength::Marks),
        (&MOMENT_LOGGED, Strength::Points),
    ],
    against: &[(&ACCEPTED, Strength::Suggests)],
    settled_by: &[&[&CLOUDFLARE_CHALLENGE], &[&CLOUDFLARE_PAGE]],
    ruled_out_by: &[],
    fix: "Look the Ray ID of the answer up under Security > Events: it names the rule or product. Let that skip the API's \
          host or path (a WAF custom rule with the action Skip: managed rules, bot fight mode, security level), or \
          authenticate the client to the edge (mTLS, a service token). In the client, treat an answer with \
          `cf-mitigated` as temporary, never as the end of the session.",
    next: &[
        Step::Probe(Probe::Browser),
        Step::Probe(Probe::Direct),
        Step::Supply(
            "the address of the service behind Cloudflare",
            "--direct IP:PORT",
        ),
    ],
    references: &[
        "https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/",
        "conference-hall/conference-hall#612",
        "Good-Native/hover#382",
    ],
};

pub(super) const AT_GATEWAY: Cause = Cause {
    id: "TN0205",
    title: "AWS WAF at API Gateway blocks the request",
    layer: Layer::Waf,
    prior: Prior::Usual,
    story: "The web ACL of the API's stage blocks the request before any authorizer sees it. The answer is API Gateway's \
            403 `{\"message\":\"Forbidden\"}`, with and without a token; neither the authorizer nor the service logs \
            anything. The managed core rule set blocks every body over 8 KB, so small requests work and large ones do not.",
    signs: &[
        (&GATEWAY_FORBIDDEN, Strength::Suggests),
        (&GATEWAY_FORBIDS_ALL, Strength::Hints),
        (&LARGE_BODY_FORBIDDEN, Strength::Marks),
        (&WAF_BLOCK_LOGGED, Strength::Marks),
        (&WAF_FILTERED_LOGGED, Strength::Marks),
        (&GATEWAY_FORBIDS_CLIENT, Strength::Marks),
        (&GATEWAY_BLOCKS_LOGGED, Strength::Marks),
    ],
    against: &[
        (&SIGNATURE_PASSES, Strength::Points),
        (&ACCEPTED, Strength::Hints),
    ],
    settled_by: &[
        &[&LARGE_BODY_FORBIDDEN],
        &[&WAF_BLOCK_LOGGED],
        &[&WAF_FILTERED_LOGGED],
    ],
    ruled_out_by: &[],
    fix: "Find the rule in the web ACL's sampled requests or its log (`terminatingRuleId`). Set that rule to Count, or \
          exempt the path with a scope-down statement; for `SizeRestrictions_BODY`, allow the upload paths by a rule of \
          their own with a higher limit. Give the ACL a custom response so that a block can be told from a refusal.",
    next: &[
        Step::Probe(Probe::LargeBody),
        Step::Probe(Probe::SmallBody),
        Step::Probe(Probe::OtherPath),
        Step::Supply(
            "the access log of the stage with `$context.wafResponseCode`, or the log of the web ACL",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "aws/context-ontology-accelerator#135",
        "aws-solutions/deepracer-on-aws#89",
        "awslabs/nx-plugin-for-aws#826",
        "https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html",
    ],
};

pub(super) const AT_CLOUDFRONT_OR_BALANCER: Cause = Cause {
    id: "TN0206",
    title: "a firewall or rule at the edge (AWS WAF at CloudFront or a load balancer, a proxy) blocks the request",
    layer: Layer::Waf,
    prior: Prior::Usual,
    story: "A rule before the service blocks the request whatever its token says: the web ACL of a CloudFront distribution \
            or of an Application Load Balancer, ModSecurity, a rule in the proxy. The client gets a page of the edge: \
            CloudFront's `Request blocked`, the bare 403 of `awselb/2.0`, the proxy's own. The service never sees the \
            request. Rules block by body size, by address, by User-Agent, by what looks like an attack in a body or a \
            cookie.",
    signs: &[
        (&REQUEST_BLOCKED, Strength::Marks),
        (&BALANCER_REFUSAL, Strength::Points),
        (&LARGE_BODY_BLOCKED, Strength::Marks),
        (&CLIENT_BLOCKED, Strength::Marks),
        (&EDGE_REFUSES, Strength::Points),
        (&EDGE_REFUSES_ALL, Strength::Suggests),
        (&EDGE_BLOCKS_CLIENT, Strength::Points),
        (&FIREWALL_PAGE, Strength::Marks),
        (&AWS_CHALLENGE, Strength::Marks),
        (&MODSECURITY_LOGGED, Strength::Marks),
        (&EDGE_BLOCKS_LOGGED, Strength::Marks),
    ],
    against: &[
        (&SIGNATURE_PASSES, Strength::Points),
        (&ACCEPTED, Strength::Points),
    ],
    settled_by: &[
        &[&REQUEST_BLOCKED],
        &[&LARGE_BODY_BLOCKED],
        &[&AWS_CHALLENGE],
        &[&FIREWALL_PAGE],
        &[&EDGE_BLOCKS_CLIENT],
    ],
    ruled_out_by: &[],
    fix: "AWS: look the request up in the web ACL's sampled requests or log by `x-amz-cf-id` or the time; \
          `terminatingRuleId` names the rule. Set it to Count or exempt the API's paths by a scope-down statement. At a load \
          balancer, check first that no listener rule answers 403 by itself. Elsewhere find the rule in the proxy's log \
          (ModSecurity logs its id) and exempt the API's paths, or raise the size it allows.",
    next: &[
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::OtherEndpoint),
        Step::Probe(Probe::LargeBody),
        Step::Probe(Probe::SmallBody),
        Step::Probe(Probe::Browser),
        Step::Supply(
            "the address of the service behind the edge",
            "--direct IP:PORT",
        ),
    ],
    references: &[
        "aws-samples/sample-ai-persona#132",
        "aws-samples/sample-kolya-br-proxy#38",
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-403-permission-denied.html",
    ],
};

pub(super) const AT_COGNITO: Cause = Cause {
    id: "TN0207",
    title: "AWS WAF blocks requests to the Amazon Cognito user pool",
    layer: Layer::Waf,
    prior: Prior::Rare,
    story: "A web ACL guards the user pool, and a rule of it (a rate, an address, a country) blocks the app's requests. \
            Cognito answers a refresh with 403 ForbiddenException `Request not allowed due to WAF block.` A client that \
            takes every 4xx of a refresh for the end of the session signs its user out, though the refresh token is good.",
    signs: &[(&COGNITO_BLOCKED, Strength::Marks)],
    against: &[],
    settled_by: &[&[&COGNITO_BLOCKED]],
    ruled_out_by: &[],
    fix: "In the client, end a session only for `NotAuthorizedException` (`invalid_grant` at the token endpoint); wait and \
          try again for everything else. In the web ACL, look at the sampled requests, raise the rate limit (many users \
          behind one address count together) or allow the addresses of your back end.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Supply(
            "the log of the client or of the service that refreshes",
            "tenure doctor logs FILE",
        ),
    ],
    references: &["ravenscar/franken-srp#13"],
};

pub(super) const PLATFORM_GATE: Cause = Cause {
    id: "TN0208",
    title: "the hosting platform's own gate guards the deployment",
    layer: Layer::Cdn,
    prior: Prior::Usual,
    story: "Before the app runs, the platform asks for credentials of its own: a sign-in to its account or a password \
            (previews of Vercel and Netlify), a token of an invoker (Cloud Run), one for Identity-Aware Proxy or Cloudflare \
            Access. The API's tokens mean nothing to it, and its words (`audience`, `access token`) are about its own. It \
            happens when a client was built against the URL of a preview, or when protection was turned on, by a \
            deployment without `--allow-unauthenticated` for example.",
    signs: &[
        (&GATE_PAGE, Strength::Marks),
        (&NOT_INVOKER_LOGGED, Strength::Marks),
        (&NO_INVOKER_LOGGED, Strength::Suggests),
    ],
    against: &[
        (&SIGNATURE_PASSES, Strength::Marks),
        (&ACCEPTED, Strength::Points),
    ],
    settled_by: &[&[&GATE_PAGE]],
    ruled_out_by: &[],
    fix: "Point the client at the production domain, or let machines through: on Vercel send the header \
          `x-vercel-protection-bypass` with the secret of Protection Bypass for Automation, or restrict Deployment \
          Protection to what people look at. Do not send it to origins that are not yours. Google: let `allUsers` invoke \
          the service if it checks tokens itself; or send the platform's token in its own field (`Proxy-Authorization` for \
          Identity-Aware Proxy, `X-Serverless-Authorization` for Cloud Run) beside the API's. Cloudflare Access: a service \
          token, or a bypass policy for the API's paths.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::OtherPath),
        Step::Supply("the production URL of the API", "tenure doctor probe URL"),
    ],
    references: &[
        "https://vercel.com/docs/deployment-protection",
        "https://cloud.google.com/iap/docs/authentication-howto",
        "https://cloud.google.com/run/docs/authenticating/service-to-service",
        "apideck-libraries/mcp#51",
        "vm0-ai/vm0#1519",
    ],
};
