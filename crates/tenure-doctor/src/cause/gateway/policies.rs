//! What is checked beside the token: policies, AWS signatures, API keys, firewall, certificates, quotas.

use super::routes::REASON;
use super::signs::authorizers::AUTHORIZER_REFUSES;
use super::signs::certificates::CERTIFICATE_CONDITION;
use super::signs::forbidden::{
    AFTER_AUTHORIZER, CERTIFICATE_ASKED, CERTIFICATE_PAGE, EVERYWHERE, FIREWALL_NAMED, FORBIDDEN,
    FORBIDDEN_AT_ROUTE, FORBIDDEN_NAMED, KEY_NOT_SENT, KEY_SENT,
};
use super::signs::keys::KEY_NAMED;
use super::signs::limits::{
    LIMIT_NAMED, LIMITED, LIMITED_BROWSED, LIMITED_IN_LOGS, THROTTLED, TOO_MANY,
};
use super::signs::logged::{
    CERTIFICATE_SELF_SIGNED, CERTIFICATE_UNKNOWN, CERTIFICATE_WEAK, CERTIFICATES_REFUSED,
    LIMIT_NAMED_OFTEN, POLICY_DENIES_OFTEN,
};
use super::signs::overrides::{BODY_OVERRIDDEN, STATUS_OVERRIDDEN};
use super::signs::policies::{AWS_SIGNATURE_REFUSED, POLICY_REFUSES};
use super::signs::routes::ROUTE_UNKNOWN;
use super::signs::settings::{KEY_REQUIRED, STATUSES_SET};
use super::signs::unexplained::UNEXPLAINED_403;
use super::signs::{
    ALERT_REQUIRED, ALERT_REQUIRED_GO, ALERT_REQUIRED_JAVA, ALERT_REQUIRED_NAMED, AWS_KEYS_UNKNOWN,
    AWS_SCOPE_WRONG, AWS_SIGNATURE_DIFFERS, AWS_SIGNATURE_LATE, CERTIFICATE_MISSING,
    CERTIFICATE_UNTRUSTED, CHROME_CERTIFICATE, CURL_ALERT_BAD, CURL_ALERT_CA, CURL_ALERT_EXPIRED,
    CURL_ALERT_UNKNOWN, LOGGED_API_KEY, LOGGED_APIGEE_KEY, LOGGED_FIREWALL, LOGGED_GO_CERTIFICATE,
    LOGGED_GO_NO_CERTIFICATE, LOGGED_JAVA_NO_CERTIFICATE, LOGGED_NGINX_CERTIFICATE,
    LOGGED_NGINX_NO_CERTIFICATE, LOGGED_NO_CERTIFICATE, LOGGED_NO_CERTIFICATE_NAMED, LOGGED_QUOTA,
    LOGGED_SUBSCRIPTION_INVALID, LOGGED_SUBSCRIPTION_MISSING, LOGGED_THROTTLED, LOGGED_USAGE_PLAN,
    POLICY_DENIES,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::probes::ACCEPTED;
use crate::weight::{Prior, Strength};

const RESPONSES: &str = "https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html";
const KNOWLEDGE: &str =
    "https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden";

pub(super) const RESOURCE_POLICY: Cause = Cause {
    id: "TN0309",
    title: "a resource policy or an IAM policy does not allow the call",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "Before or beside the authorizer the gateway weighs the API's resource policy (addresses, VPC endpoints, \
            accounts) and, with IAM authorization, the caller's policy. The refusal names the caller and \
            `execute-api:Invoke`; `User: anonymous` is a call without an AWS signature, whatever token it carries.",
    signs: &[
        (&POLICY_DENIES, Strength::Marks),
        (&UNEXPLAINED_403, Strength::Hints),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[&[&POLICY_DENIES, &POLICY_REFUSES], &[&POLICY_DENIES_OFTEN]],
    ruled_out_by: &[],
    fix: "`with an explicit deny`: find the Deny statement, usually a condition on `aws:SourceIp`, `aws:SourceVpce` or \
          `aws:SourceVpc`, that fits this caller; behind a proxy or CDN the address is not the user's. Without those words: \
          add an Allow for `execute-api:Invoke` on this stage, method and path. A changed resource policy is in force only \
          after the API is deployed again.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::Bare),
        Step::Supply("the API's resource policy", "--files policy.json"),
    ],
    references: &[
        KNOWLEDGE,
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html",
    ],
};

pub(super) const AWS_SIGNATURE: Cause = Cause {
    id: "TN0310",
    title: "the AWS keys are not known, or the signature is too old or of another request",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "The call is signed (AWS Signature Version 4) and the signature is refused: temporary keys have expired or are \
            of another account, the device's clock is more than five minutes off, or something between has changed host, \
            path, query or a signed header.",
    signs: &[
        (&AWS_KEYS_UNKNOWN, Strength::Marks),
        (&AWS_SIGNATURE_DIFFERS, Strength::Marks),
        (&AWS_SIGNATURE_LATE, Strength::Marks),
        (&AWS_SCOPE_WRONG, Strength::Marks),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[&[&AWS_SIGNATURE_REFUSED]],
    ruled_out_by: &[],
    fix: "Get new temporary keys and send their session token with them. If the text gives two times, set the clock (or let \
          the SDK correct its skew from `Date`). If signatures differ, sign what really arrives: the host that the gateway \
          sees, the encoded path, sorted query parameters, region and `execute-api`.",
    next: &[Step::Probe(Probe::Client), REASON],
    references: &[
        KNOWLEDGE,
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html",
    ],
};

pub(super) const API_KEY: Cause = Cause {
    id: "TN0311",
    title: "the API key is missing, unknown, or in no usage plan of the stage",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "The route asks for an API key, beside the token or in its place. Most gateways say so (Kong `No API key found in \
            request`, Apigee `Invalid ApiKey`, API Management `missing subscription key`). A REST API of Amazon does not: \
            after the authorizer has let the request pass, it looks for `x-api-key`, enabled, and in a usage plan that \
            names this API and stage, and answers 403 `Forbidden` otherwise.",
    signs: &[
        (&KEY_NAMED, Strength::Marks),
        (&LOGGED_APIGEE_KEY, Strength::Marks),
        (&LOGGED_SUBSCRIPTION_MISSING, Strength::Points),
        (&LOGGED_SUBSCRIPTION_INVALID, Strength::Marks),
        (&FORBIDDEN, Strength::Suggests),
        (&AFTER_AUTHORIZER, Strength::Marks),
        (&KEY_SENT, Strength::Suggests),
        (&KEY_NOT_SENT, Strength::Hints),
        (&FORBIDDEN_AT_ROUTE, Strength::Points),
        (&KEY_REQUIRED, Strength::Points),
        (&LOGGED_API_KEY, Strength::Marks),
        (&LOGGED_USAGE_PLAN, Strength::Marks),
        (&UNEXPLAINED_403, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&EVERYWHERE, Strength::Points),
        (&ROUTE_UNKNOWN, Strength::Marks),
        (&AUTHORIZER_REFUSES, Strength::Marks),
    ],
    settled_by: &[
        &[&KEY_NAMED],
        &[&AFTER_AUTHORIZER, &FORBIDDEN_NAMED],
        &[&AFTER_AUTHORIZER, &KEY_REQUIRED, &KEY_NOT_SENT],
        &[&FORBIDDEN_AT_ROUTE, &KEY_REQUIRED, &KEY_NOT_SENT],
    ],
    ruled_out_by: &[],
    fix: "Send the key where the gateway looks for it (`x-api-key`, `apikey`, `Ocp-Apim-Subscription-Key`, a query \
          parameter), and see that its app, consumer or subscription is there and approved. Amazon: in the console or by `get-usage-plans` see that the key is enabled and in a plan \
          which has this API and stage among its stages: a new stage is in none. A plan takes effect after some minutes; \
          a changed `apiKeyRequired` only after a deployment.",
    next: &[
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::OtherPath),
        Step::Probe(Probe::Bare),
        Step::Supply("the gateway's execution log", "tenure doctor logs FILE"),
    ],
    references: &[
        KNOWLEDGE,
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-setup-api-key-with-console.html",
    ],
};

pub(super) const FIREWALL: Cause = Cause {
    id: "TN0312",
    title: "a firewall (AWS WAF) in front of the gateway answers",
    layer: Layer::Waf,
    prior: Prior::Usual,
    story: "A web ACL at the stage is asked before anything else. Its block is 403 `Forbidden`, or whatever the rule's \
            custom response says, and neither authorizer nor service logs anything. Rules on body size, on addresses, \
            countries and rates hit some requests or users only.",
    signs: &[
        (&FORBIDDEN, Strength::Hints),
        (&FIREWALL_NAMED, Strength::Marks),
        (&LOGGED_FIREWALL, Strength::Marks),
        (&UNEXPLAINED_403, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&AFTER_AUTHORIZER, Strength::Marks),
        (&ROUTE_UNKNOWN, Strength::Marks),
        (&AUTHORIZER_REFUSES, Strength::Marks),
    ],
    settled_by: &[&[&FIREWALL_NAMED]],
    ruled_out_by: &[],
    fix: "Find the request in the sampled requests or the log of the web ACL: `terminatingRuleId` names the rule. Set that \
          rule (of a managed group: only it) to Count, or except the API's paths or size. Turning the whole ACL off is \
          good for one test only.",
    next: &[
        Step::Probe(Probe::LargeBody),
        Step::Probe(Probe::SmallBody),
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::OtherPath),
        Step::Supply(
            "the gateway's access log with `$context.error.responseType`",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        RESPONSES,
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html",
    ],
};

pub(super) const CLIENT_CERTIFICATE: Cause = Cause {
    id: "TN0314",
    title: "the client certificate is missing or not trusted (mutual TLS)",
    layer: Layer::GatewayRouter,
    prior: Prior::Rare,
    story: "A custom domain with mutual TLS takes only clients whose certificate leads to an authority in its truststore. \
            Without one the handshake ends; with one that is not trusted or no longer valid the refusal comes before any \
            token is looked at. A client that shares the domain but not the certificate, such as a web page, cannot get in.",
    signs: &[
        (&CERTIFICATE_ASKED, Strength::Marks),
        (&CERTIFICATE_MISSING, Strength::Marks),
        (&CERTIFICATE_UNTRUSTED, Strength::Marks),
        (&CERTIFICATE_PAGE, Strength::Marks),
        (&ALERT_REQUIRED, Strength::Marks),
        (&ALERT_REQUIRED_JAVA, Strength::Marks),
        (&ALERT_REQUIRED_GO, Strength::Marks),
        (&ALERT_REQUIRED_NAMED, Strength::Marks),
        (&CURL_ALERT_BAD, Strength::Marks),
        (&CURL_ALERT_CA, Strength::Marks),
        (&CURL_ALERT_EXPIRED, Strength::Marks),
        (&CURL_ALERT_UNKNOWN, Strength::Marks),
        (&CHROME_CERTIFICATE, Strength::Marks),
        (&LOGGED_NO_CERTIFICATE, Strength::Points),
        (&LOGGED_NO_CERTIFICATE_NAMED, Strength::Points),
        (&LOGGED_NGINX_NO_CERTIFICATE, Strength::Points),
        (&LOGGED_NGINX_CERTIFICATE, Strength::Points),
        (&LOGGED_GO_NO_CERTIFICATE, Strength::Points),
        (&LOGGED_GO_CERTIFICATE, Strength::Points),
        (&LOGGED_JAVA_NO_CERTIFICATE, Strength::Points),
        (&CERTIFICATE_UNKNOWN, Strength::Marks),
        (&CERTIFICATE_SELF_SIGNED, Strength::Marks),
        (&CERTIFICATE_WEAK, Strength::Marks),
        (&CERTIFICATE_CONDITION, Strength::Marks),
        (&EVERYWHERE, Strength::Hints),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[
        &[&CERTIFICATE_ASKED],
        &[&CERTIFICATE_PAGE],
        &[&CURL_ALERT_BAD],
        &[&CURL_ALERT_CA],
        &[&CURL_ALERT_EXPIRED],
        &[&ALERT_REQUIRED],
        &[&CERTIFICATES_REFUSED],
        &[&CERTIFICATE_CONDITION],
    ],
    ruled_out_by: &[],
    fix: "Give the client its certificate and key; see that its whole chain is in the truststore, and that a new truststore \
          version was taken over by the domain name. Serve clients without certificates from another domain.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::Direct),
        Step::Supply("the truststore's certificates", "--keys truststore.pem"),
    ],
    references: &[
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html",
        "RFC 8446, section 6.2",
    ],
};

pub(super) const RESPONSE_OVERRIDE: Cause = Cause {
    id: "TN0315",
    title: "the gateway's responses are overridden: the status is not the reason's own",
    layer: Layer::GatewayRouter,
    prior: Prior::Rare,
    story: "`GatewayResponses` may give every refusal another status and body; `DEFAULT_4XX` changes all of them at once. \
            Then an expired token may come as 403 and a wrong path as 401, and clients that refresh on 401 alone never do. \
            `x-amzn-errortype` still gives the true reason.",
    signs: &[
        (&STATUS_OVERRIDDEN, Strength::Marks),
        (&BODY_OVERRIDDEN, Strength::Suggests),
        (&STATUSES_SET, Strength::Points),
        (&UNEXPLAINED_403, Strength::Hints),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[&[&STATUS_OVERRIDDEN]],
    ruled_out_by: &[],
    fix: "Leave the statuses of UNAUTHORIZED and EXPIRED_TOKEN (401) and ACCESS_DENIED (403) alone and change only headers \
          and bodies; replace DEFAULT_4XX by the responses that are meant. Deploy the stage. Then look at the reason in \
          `x-amzn-errortype`: it is the fault that remains.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Probe(Probe::OtherPath),
        REASON,
        Step::Supply(
            "the template with its GatewayResponses",
            "--files template.yaml",
        ),
    ],
    references: &[RESPONSES],
};

pub(super) const THROTTLE: Cause = Cause {
    id: "TN0316",
    title: "a rate or quota is used up, and the client takes 429 for a refusal of its token",
    layer: Layer::GatewayRouter,
    prior: Prior::Usual,
    story: "429 `Too Many Requests` (rate) or `Limit Exceeded` (quota of the usage plan) says nothing of the token. A client \
            that treats every 4xx as the end of the session signs the user out, and one that refreshes at it makes more \
            requests still.",
    signs: &[
        (&THROTTLED, Strength::Marks),
        (&TOO_MANY, Strength::Marks),
        (&LIMITED_IN_LOGS, Strength::Points),
        (&LIMITED_BROWSED, Strength::Marks),
        (&LOGGED_THROTTLED, Strength::Points),
        (&LOGGED_QUOTA, Strength::Points),
        (&LIMIT_NAMED_OFTEN, Strength::Points),
        (&LIMIT_NAMED, Strength::Marks),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[
        &[&THROTTLED],
        &[&LIMITED],
        &[&LIMITED_BROWSED],
        &[&LIMIT_NAMED],
        &[&LIMITED_IN_LOGS, &LIMIT_NAMED_OFTEN],
    ],
    ruled_out_by: &[],
    fix: "Keep the session, wait for `Retry-After` or with growing pauses, and refresh only on a refusal of the token. Find \
          which limit it is: the account's, the stage's, the method's or the usage plan's, and what uses it up; retry loops \
          of the client are the first suspect.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Supply("the client's log", "tenure doctor logs FILE"),
    ],
    references: &[
        RESPONSES,
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html",
    ],
};
