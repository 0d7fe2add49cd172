//! What only an API gateway's answers say.
//!
//! A gateway of Amazon names the reason of its own refusals in `x-amzn-errortype` (REST) or in the
//! challenge (HTTP API); the status alone says little, because `GatewayResponses` may change it.

pub(super) mod authorizers;
pub(super) mod certificates;
pub(super) mod forbidden;
pub(super) mod http;
pub(super) mod keys;
pub(super) mod limits;
pub(crate) mod logged;
pub(super) mod overrides;
pub(super) mod policies;
pub(super) mod pools;
pub(super) mod routes;
pub(super) mod settings;
pub(super) mod unexplained;

use serde_json::Value;

use crate::exchange::Answer;
use crate::logs::Browsed;
use crate::probe::Probe;
use crate::sign::answer::{At, from_cache, texts};
use crate::sign::{Sign, client_answers, probes, seen};
use crate::{Clue, Evidence};

texts! {
    /// Amazon's signature parser met a Bearer token.
    READ_AS_SIGNATURE = "gateway-bearer-read-as-signature", At::Client, "not a valid key=value pair",
        "the gateway reads the Bearer token as an AWS signature: no authorizer stands at this route";
    /// The same, as it is worded now.
    READ_AS_SIGNATURE_NOW = "gateway-bearer-read-as-signature-now", At::Client, "invalid key=value pair (missing equal-sign)",
        "the gateway reads the Bearer token as an AWS signature: no authorizer stands at this route";
    /// The same, for a token without scheme.
    SIGNATURE_PARTS = "gateway-signature-parts", At::Client, "authorization header requires 'credential' parameter",
        "the gateway reads the token as an AWS signature: no authorizer stands at this route";
    /// A Cognito authorizer of a REST API.
    COGNITO_EXPIRED = "gateway-cognito-expired", At::Client, "the incoming token has expired",
        "the Cognito authorizer says that the token has expired";
    /// A Lambda authorizer's policy.
    AUTHORIZER_DENIES = "gateway-authorizer-denies", At::Client, "user is not authorized to access this resource",
        "the policy of the Lambda authorizer does not allow this request";
    /// A resource policy, or the policy of an AWS identity.
    POLICY_DENIES = "gateway-policy-denies", At::Client, "is not authorized to perform: execute-api",
        "a resource policy or an IAM policy does not allow the call";
    /// Keys that AWS does not know.
    AWS_KEYS_UNKNOWN = "gateway-aws-keys-unknown", At::Client, "the security token included in the request is",
        "AWS does not know the keys that signed the request, or they are expired";
    /// The signature is of other content or of another key.
    AWS_SIGNATURE_DIFFERS = "gateway-aws-signature-differs", At::Client, "the request signature we calculated does not match",
        "the AWS signature is not of this request or not of this key";
    /// The signature's date is too old or in the future.
    AWS_SIGNATURE_LATE = "gateway-aws-signature-late", At::Client, "is now earlier than",
        "the date of the AWS signature is more than five minutes off";
    /// The signature is for another region or service.
    AWS_SCOPE_WRONG = "gateway-aws-scope-wrong", At::Client, "credential should be scoped to",
        "the AWS signature is for another region or service";
    /// `$context.error.responseType` of an access log.
    LOGGED_ROUTE = "gateway-logged-route", At::Client, "missing_authentication_token",
        "the gateway's access log names a route that does not exist";
    /// The same, for API keys.
    LOGGED_API_KEY = "gateway-logged-api-key", At::Client, "invalid_api_key",
        "the gateway's access log names the API key";
    /// The execution log, for API keys.
    LOGGED_USAGE_PLAN = "gateway-logged-usage-plan", At::Client, "api key is not associated with a usage plan",
        "the gateway's execution log names the API key and its usage plan";
    /// The same, for the firewall.
    LOGGED_FIREWALL = "gateway-logged-firewall", At::Client, "waf_filtered",
        "the gateway's access log names the firewall";
    /// The same, for an authorizer that is set up wrongly.
    LOGGED_AUTHORIZER_SETUP = "gateway-logged-authorizer-setup", At::Client, "authorizer_configuration_error",
        "the gateway's log names a Lambda authorizer that cannot be used";
    /// The same, for an authorizer that fails.
    LOGGED_AUTHORIZER_FAILURE = "gateway-logged-authorizer-failure", At::Client, "authorizer_failure",
        "the gateway's log names a Lambda authorizer that fails";
    /// The execution log of a REST API, where the authorizer's policy does not allow the request.
    LOGGED_NOT_ALLOWED = "gateway-logged-not-allowed", At::Client, "the client is not authorized to perform this operation",
        "the gateway's execution log says that the authorizer's policy does not allow the request";
    /// The same, by the type of the answer.
    LOGGED_ACCESS_DENIED = "gateway-logged-access-denied", At::Client, "gateway response type: access_denied",
        "the gateway's execution log has requests that an authorizer denied";
    /// The same, for a token that its authorizer does not take.
    LOGGED_UNAUTHORIZED = "gateway-logged-unauthorized", At::Client, "gateway response type: unauthorized",
        "the gateway's execution log has requests that an authorizer did not take";
    /// The same, for rates.
    LOGGED_THROTTLED = "gateway-logged-throttled", At::Client, "gateway response type: throttled",
        "the gateway's execution log has requests beyond a rate";
    /// The same, for quotas.
    LOGGED_QUOTA = "gateway-logged-quota", At::Client, "gateway response type: quota_exceeded",
        "the gateway's execution log has requests beyond a quota";
    /// Apigee's policy for API keys, and its products' own names.
    LOGGED_APIGEE_KEY = "gateway-logged-apigee-key", At::Client, "invalidapikey",
        "Apigee's log names the API key";
    /// API Management's gateway log (`lastError.reason`).
    LOGGED_SUBSCRIPTION_MISSING = "gateway-logged-subscription-missing", At::Client, "subscriptionkeynotfound",
        "API Management has logged that no subscription key came";
    /// The same, for a key that it does not know.
    LOGGED_SUBSCRIPTION_INVALID = "gateway-logged-subscription-invalid", At::Client, "subscriptionkeyinvalid",
        "API Management has logged a subscription key that it does not know";
    /// OpenSSL and BoringSSL at the server, by the name of the reason.
    LOGGED_NO_CERTIFICATE = "gateway-logged-no-certificate", At::Client, "peer did not return a certificate",
        "the server has logged that a client showed no certificate";
    /// The same in Envoy and Node.js.
    LOGGED_NO_CERTIFICATE_NAMED = "gateway-logged-no-certificate-named", At::Client, "peer_did_not_return_a_certificate",
        "the server has logged that a client showed no certificate";
    /// nginx's error log at level `info`.
    LOGGED_NGINX_NO_CERTIFICATE = "gateway-logged-nginx-no-certificate", At::Client, "client sent no required ssl certificate",
        "nginx has logged that a client showed no certificate";
    /// nginx's error log at level `info`, with OpenSSL's reason.
    LOGGED_NGINX_CERTIFICATE = "gateway-logged-nginx-certificate", At::Client, "client ssl certificate verify error",
        "nginx has logged that it does not take a client's certificate";
    /// Servers written in Go.
    LOGGED_GO_NO_CERTIFICATE = "gateway-logged-go-no-certificate", At::Client, "client didn't provide a certificate",
        "the server has logged that a client showed no certificate";
    /// The same, for one that is not trusted.
    LOGGED_GO_CERTIFICATE = "gateway-logged-go-certificate", At::Client, "failed to verify client certificate",
        "the server has logged that it does not take a client's certificate";
    /// Servers written in Java.
    LOGGED_JAVA_NO_CERTIFICATE = "gateway-logged-java-no-certificate", At::Client, "empty client certificate chain",
        "the server has logged that a client showed no certificate";
    /// A client, by the alert of RFC 8446, section 6.2; curl and Python with blanks.
    ALERT_REQUIRED = "gateway-alert-required", At::Client, "alert certificate required",
        "the server has ended the handshake because a client certificate is required";
    /// The same in Java.
    ALERT_REQUIRED_JAVA = "gateway-alert-required-java", At::Client, "fatal alert: certificate_required",
        "the server has ended the handshake because a client certificate is required";
    /// The same in Go.
    ALERT_REQUIRED_GO = "gateway-alert-required-go", At::Client, "tls: certificate required",
        "the server has ended the handshake because a client certificate is required";
    /// The same in Node.js and Python's names.
    ALERT_REQUIRED_NAMED = "gateway-alert-required-named", At::Client, "alert_certificate_required",
        "the server has ended the handshake because a client certificate is required";
    /// `curl -v`: the alert came in, so it is about the client's certificate.
    CURL_ALERT_BAD = "gateway-curl-alert-bad", At::Client, "(in), tls alert, bad certificate",
        "the server does not take the client certificate, or there is none";
    /// The same, for an authority that the server does not know.
    CURL_ALERT_CA = "gateway-curl-alert-ca", At::Client, "(in), tls alert, unknown ca",
        "the server does not know the authority of the client certificate";
    /// The same, for a certificate that is no longer valid.
    CURL_ALERT_EXPIRED = "gateway-curl-alert-expired", At::Client, "(in), tls alert, certificate expired",
        "the client certificate has expired";
    /// The same, where the server gives no better reason.
    CURL_ALERT_UNKNOWN = "gateway-curl-alert-unknown", At::Client, "(in), tls alert, certificate unknown",
        "the server does not take the client certificate";
    /// Chrome.
    CHROME_CERTIFICATE = "gateway-chrome-certificate", At::Client, "err_bad_ssl_client_auth_cert",
        "the browser was refused for want of a client certificate";
    /// nginx, where a client certificate is asked for.
    CERTIFICATE_MISSING = "gateway-certificate-missing", At::Client, "no required ssl certificate was sent",
        "the server asks for a client certificate";
    /// nginx, where the client certificate is not trusted.
    CERTIFICATE_UNTRUSTED = "gateway-certificate-untrusted", At::Client, "the ssl certificate error",
        "the server does not trust the client certificate";
}

/// The answers to the client's own request, repeated or not.
pub(super) fn own(evidence: &Evidence) -> impl Iterator<Item = (Probe, &Answer)> {
    client_answers(evidence).map(|(exchange, answer)| (exchange.probe, answer))
}

/// One clue where each answer to the client's own request is of this kind and none is out of a cache.
pub(super) fn always(
    evidence: &Evidence,
    is: impl Fn(&Answer) -> bool,
    says: impl Fn(&Answer) -> String,
) -> Vec<Clue> {
    let mut answers = own(evidence).peekable();
    let Some((probe, first)) = answers.peek().copied() else {
        return browsed(evidence, is, says);
    };
    if answers.all(|(_, answer)| is(answer) && from_cache(answer).is_none()) {
        seen(true, says(first), probe)
    } else {
        Vec::new()
    }
}

/// The same of a call in the client's own record, where no probe was sent.
fn browsed(
    evidence: &Evidence,
    is: impl Fn(&Answer) -> bool,
    says: impl Fn(&Answer) -> String,
) -> Vec<Clue> {
    let is = |answer: &Answer| is(answer) && from_cache(answer).is_none();
    let calls = &evidence.logs.browsed;
    let each_time = |one: &Browsed| {
        let mut like = calls.iter().filter(|other| other.is_like(one));
        like.all(|other| other.answer.as_ref().is_none_or(is))
    };
    let mut refused = evidence.logs.unrecovered();
    let found = refused.find(|(one, answer)| is(answer) && each_time(one));
    let clue = found.map(|(one, answer)| one.clue(says(answer)));
    clue.into_iter().collect()
}

/// The reason that a REST API gives, without its namespace: `UnauthorizedException`.
pub(super) fn error_type(answer: &Answer) -> Option<&str> {
    let named = answer.header("x-amzn-errortype")?;
    let name = named.split(':').next().unwrap_or(named);
    name.rsplit('#').next()
}

/// Whether the reason that a REST API gives is this one, with or without `Exception`.
pub(super) fn is_type(answer: &Answer, name: &str) -> bool {
    error_type(answer).is_some_and(|given| {
        let bare = given.strip_suffix("Exception").unwrap_or(given);
        bare.eq_ignore_ascii_case(name)
    })
}

/// The text of a body that is an object with `message` (or `Message`) and nothing else.
pub(super) fn message(answer: &Answer) -> Option<String> {
    let Value::Object(members) = serde_json::from_str(&answer.body).ok()? else {
        return None;
    };
    let (name, value) = members.iter().next().filter(|_| members.len() == 1)?;
    let text = value
        .as_str()
        .filter(|_| name.eq_ignore_ascii_case("message"))?;
    Some(text.to_owned())
}

/// Whether the whole body is `{"message": TEXT}`.
pub(super) fn says(answer: &Answer, text: &str) -> bool {
    message(answer).is_some_and(|message| message.eq_ignore_ascii_case(text))
}

/// An answer that went through a REST API of Amazon, whoever made it.
pub(super) fn through_rest(answer: &Answer) -> bool {
    ["x-amzn-errortype", "x-amz-apigw-id", "x-amzn-requestid"]
        .iter()
        .any(|name| answer.header(name).is_some())
}

/// An answer that went through an HTTP API of Amazon, whoever made it.
pub(super) fn through_http(answer: &Answer) -> bool {
    answer.header("apigw-requestid").is_some()
}

/// Status and reason, for a clue.
pub(super) fn reason(answer: &Answer) -> String {
    let message = message(answer).map(|message| format!(" `{message}`"));
    let kind = error_type(answer).map(|kind| format!(" ({kind})"));
    let parts = [message, kind].into_iter().flatten();
    std::iter::once(answer.status.to_string())
        .chain(parts)
        .collect()
}

/// Whatever was sent, this path and one that cannot exist get the same answer, and another endpoint accepts the token.
pub(super) static ONLY_ELSEWHERE: Sign = Sign {
    name: "gateway-path-as-unknown",
    means: "the path is answered as one that cannot exist, and another endpoint accepts the same token",
    find: |evidence: &Evidence| {
        let alike = [&probes::ANY_PATH_ALIKE, &probes::NEVER_EVALUATED];
        if alike.iter().all(|sign| sign.holds(evidence)) {
            (probes::OTHER_ENDPOINT_ACCEPTED.find)(evidence)
        } else {
            Vec::new()
        }
    },
};
