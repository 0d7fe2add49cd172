//! What logs of gateways and settings of AWS say, beside the answers.

use super::{FORBIDDEN, HTTP_API, NO, REFUSED};
use crate::support::{Facts, confirms, facts, leaves_open};

const FAILED: &str = r#"{"message":"Internal Server Error"}"#;

/// An access log of Amazon: so many requests that went well, then so many of this answer.
fn logged(well: usize, refused: usize, status: u16, why: &str) -> Facts {
    let line = |at: usize, status: u16, why: &str| {
        format!(
            r#"{{"requestId":"r{at}","ip":"203.0.113.{at}","requestTime":"20/Nov/2026:08:{:02}:{:02} +0000","httpMethod":"GET","resourcePath":"/things","status":"{status}",{why}}}"#,
            at / 60,
            at % 60,
        )
    };
    let good = (0..well).map(|at| line(at, 200, r#""errorMessage":"-""#));
    let bad = (well..well + refused).map(|at| line(at, status, why));
    let lines: Vec<_> = good.chain(bad).collect();
    facts().log("access.log", &lines.join("\n"))
}

#[test]
fn a_reason_that_a_gateways_log_repeats_settles_its_cause() {
    let quota = r#""errorMessage":"Limit Exceeded","errorResponseType":"QUOTA_EXCEEDED""#;
    let certificate = r#""errorMessage":"Access denied. Reason: Could not find issuer for certificate","errorResponseType":"ACCESS_DENIED""#;
    let broken = r#""errorMessage":"-","errorResponseType":"AUTHORIZER_CONFIGURATION_ERROR""#;
    for (status, why, id) in [
        (429, quota, "TN0316"),
        (403, certificate, "TN0314"),
        (500, broken, "TN0307"),
    ] {
        confirms(&logged(20, 10, status, why), id);
        leaves_open(&logged(60, 2, status, why), id);
    }
}

#[test]
fn one_expired_token_among_many_requests_is_no_finding() {
    let expired =
        r#""errorMessage":"The incoming token has expired","errorResponseType":"UNAUTHORIZED""#;
    let few = tenure_doctor::diagnose(&logged(60, 1, 401, expired).evidence());
    assert!(few.ranked.iter().all(|it| it.cause.id != "TN0304"));
    let many = tenure_doctor::diagnose(&logged(20, 10, 401, expired).evidence());
    assert!(many.ranked.iter().any(|it| it.cause.id == "TN0304"));
}

/// A REST API's own address, of which AWS says this.
fn at_default_endpoint(off: &str) -> Facts {
    const OWN: &str = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod/things";
    let apis = format!(r#"{{"items":[{{"id":"a1b2c3","disableExecuteApiEndpoint":{off}}}]}}"#);
    facts()
        .answer("client", 403, FORBIDDEN, NO)
        .requested("GET", OWN, &[("authorization", "Bearer x")])
        .file("aws/apigateway/GetRestApis.json", &apis)
}

#[test]
fn a_default_endpoint_that_is_switched_off_is_known_by_the_apis_settings() {
    confirms(&at_default_endpoint("true"), "TN0313");
    leaves_open(&at_default_endpoint("false"), "TN0313");
}

#[test]
fn an_http_api_that_fails_for_any_token_has_an_authorizer_that_throws() {
    let authorizer =
        |kind: &str| format!(r#"{{"Items":[{{"Name":"shop","AuthorizerType":"{kind}"}}]}}"#);
    let failing = |kind: &str, bare: (u16, &str)| {
        facts()
            .answers(&["client", "garbage", "altered"], 500, HTTP_API, FAILED)
            .answer("bare", bare.0, HTTP_API, bare.1)
            .file("aws/apigatewayv2/GetAuthorizers.json", &authorizer(kind))
    };
    confirms(&failing("REQUEST", (401, REFUSED)), "TN0307");
    leaves_open(&failing("REQUEST", (500, FAILED)), "TN0307");
    leaves_open(&failing("JWT", (401, REFUSED)), "TN0307");
}

#[test]
fn a_quota_is_named_with_other_statuses_too() {
    let body = r#"{"fault":{"faultstring":"Rate limit quota violation.","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}"#;
    confirms(&facts().answer("client", 500, &[], body), "TN0316");
    confirms(
        &facts().answer("client", 403, &[], r#"{"error": "Quota exceeded"}"#),
        "TN0316",
    );
    let other = r#"{"error": "Your quota of seats is exceeded; ask your administrator"}"#;
    leaves_open(&facts().answer("client", 403, &[], other), "TN0316");
}

#[test]
fn a_configured_condition_explains_a_403_whatever_the_token() {
    let page = "<html><body><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></body></html>";
    let refused = |probes: &[&str], rest: &str| {
        let conf = format!(
            "server {{\n if ($ssl_client_verify != SUCCESS) {{ return 403; }}\n {rest}\n}}"
        );
        facts()
            .answers(probes, 403, &[("server", "nginx")], page)
            .file("nginx.conf", &conf)
    };
    let all = ["client", "bare", "altered"];
    confirms(&refused(&all, ""), "TN0314");
    leaves_open(&refused(&all, "deny all;"), "TN0314");
    leaves_open(&refused(&["client"], ""), "TN0314");
}

#[test]
fn googles_word_for_a_missing_key_is_about_the_key() {
    let body = r#"{"code":401,"message":"UNAUTHENTICATED: Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."}"#;
    confirms(&facts().answer("client", 401, &[], body), "TN0311");
    let either = r#"{"message":"missing API key or bearer token"}"#;
    leaves_open(&facts().answer("client", 401, &[], either), "TN0311");
}
