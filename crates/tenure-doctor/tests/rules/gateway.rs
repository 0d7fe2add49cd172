//! API gateway.

mod http_api;
mod said;
mod stale_pool;

use serde_json::json;
use tenure_doctor::Verdict;
use tenure_doctor::exchange::Failure;

use super::support::{Headers, NOW, confirms, facts, jwt, leads, leaves_open, verdict};

const ROUTE: Headers<'_> = &[
    ("content-type", "application/json"),
    ("x-amzn-requestid", "r1"),
    ("x-amzn-errortype", "MissingAuthenticationTokenException"),
];
const UNAUTHORIZED: Headers<'_> = &[
    ("content-type", "application/json"),
    ("x-amzn-requestid", "r1"),
    ("x-amzn-errortype", "UnauthorizedException"),
];
const FORBIDDEN: Headers<'_> = &[
    ("content-type", "application/json"),
    ("x-amzn-requestid", "r1"),
    ("x-amzn-errortype", "ForbiddenException"),
];
const DENIED: Headers<'_> = &[
    ("content-type", "application/json"),
    ("x-amzn-requestid", "r1"),
    ("x-amzn-errortype", "AccessDeniedException"),
];
const HTTP_API: Headers<'_> = &[
    ("content-type", "application/json"),
    ("apigw-requestid", "r1"),
];
const CHALLENGE: Headers<'_> = &[
    ("apigw-requestid", "r1"),
    (
        "www-authenticate",
        "Bearer scope=\"\" error=\"invalid_token\" error_description=\"signing method is not supported\"",
    ),
];
const BACKEND: Headers<'_> = &[
    ("content-type", "application/json"),
    ("x-amzn-requestid", "r1"),
    ("x-amzn-remapped-www-authenticate", "Bearer"),
];

const NO_ROUTE: &str = r#"{"message":"Missing Authentication Token"}"#;
const REFUSED: &str = r#"{"message":"Unauthorized"}"#;
const NO: &str = r#"{"message":"Forbidden"}"#;
const DENY: &str = r#"{"Message":"User is not authorized to access this resource"}"#;
const EXPLICIT: &str =
    r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#;
const POLICY: &str = r#"{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********4321:a1b2c3/prod/GET/things with an explicit deny"}"#;
const PARSED: &str = r#"{"message":"'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln'."}"#;

const OLD_POOL: &str = "eu-west-1_OLDpool12";
const NEW_POOL: &str = "eu-west-1_NEWpool34";

fn issuer(pool: &str) -> String {
    format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool}")
}

/// An ID token of a pool.
fn id_token(pool: &str) -> String {
    jwt(&json!({"iss": issuer(pool), "aud": "c1", "token_use": "id", "auth_time": NOW - 300}))
}

fn authorizers(pool: &str) -> String {
    let arn = format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{pool}");
    json!({"items": [{"id": "a1", "name": "Pool", "type": "COGNITO_USER_POOLS", "providerARNs": [arn]}]})
        .to_string()
}

#[test]
fn a_route_that_the_gateway_does_not_have_is_told_from_a_refused_token() {
    let typed = facts().answers(&["client", "bare", "altered"], 403, ROUTE, NO_ROUTE);
    confirms(&typed, "TN0301");
    let only_text = facts().answers(&["client", "other-path"], 403, &[], NO_ROUTE);
    confirms(&only_text, "TN0301");
    let refused = facts()
        .answers(&["client", "bare", "altered"], 401, UNAUTHORIZED, REFUSED)
        .answer("other-path", 403, ROUTE, NO_ROUTE);
    leaves_open(&refused, "TN0301");
    leads(&refused, "TN0303");
    let out_of_a_cache = facts().answer(
        "client",
        403,
        &[
            ("age", "4"),
            ("x-amzn-errortype", "MissingAuthenticationTokenException"),
        ],
        NO_ROUTE,
    );
    leaves_open(&out_of_a_cache, "TN0301");
}

#[test]
fn a_bearer_token_read_as_an_aws_signature_is_a_wrong_route() {
    let parsed = facts().answers(&["client", "altered"], 403, &[], PARSED);
    confirms(&parsed, "TN0302");
    leaves_open(&parsed, "TN0301");
    let elsewhere =
        facts()
            .answer("client", 401, UNAUTHORIZED, REFUSED)
            .answer("other-path", 403, &[], PARSED);
    leaves_open(&elsewhere, "TN0302");
}

#[test]
fn the_gateway_says_that_a_cognito_token_has_expired() {
    let body = r#"{"message":"The incoming token has expired"}"#;
    let refused = facts().answer("client", 401, UNAUTHORIZED, body);
    confirms(&refused, "TN0304");
    let not_yet = facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, UNAUTHORIZED, body);
    leaves_open(&not_yet, "TN0304");
}

#[test]
fn a_deny_of_the_authorizer_is_told_from_a_cached_policy() {
    let explicit =
        facts()
            .answer("client", 403, DENIED, EXPLICIT)
            .answer("bare", 401, UNAUTHORIZED, REFUSED);
    confirms(&explicit, "TN0305");
    let cached = facts()
        .answer("client", 403, DENIED, DENY)
        .answer("other-endpoint", 200, &[], "{}")
        .answer("lower", 200, &[], "{}");
    confirms(&cached, "TN0306");
    leaves_open(&cached, "TN0305");
    let unclear =
        facts()
            .answer("client", 403, DENIED, DENY)
            .answer("other-endpoint", 200, &[], "{}");
    leaves_open(&unclear, "TN0305");
    leaves_open(&unclear, "TN0306");
}

#[test]
fn an_authorizer_that_fails_is_no_refusal() {
    let headers: Headers<'_> = &[("x-amzn-errortype", "AuthorizerConfigurationException")];
    let failed = facts().answer("client", 500, headers, r#"{"message":null}"#);
    confirms(&failed, "TN0307");
    let bare = facts()
        .answer(
            "client",
            500,
            &[("x-amzn-requestid", "r1")],
            r#"{"message":null}"#,
        )
        .answer("bare", 401, UNAUTHORIZED, REFUSED);
    confirms(&bare, "TN0307");
    let backend = facts()
        .answer(
            "client",
            500,
            &[("x-amzn-requestid", "r1")],
            r#"{"message":null}"#,
        )
        .answer(
            "bare",
            500,
            &[("x-amzn-requestid", "r1")],
            r#"{"message":null}"#,
        );
    leaves_open(&backend, "TN0307");
}

#[test]
fn an_identity_source_that_does_not_fit_is_never_certain() {
    let raw = facts()
        .answers(&["client", "bare"], 401, UNAUTHORIZED, REFUSED)
        .answer("raw", 200, &[], "{}");
    leaves_open(&raw, "TN0308");
    assert!(verdict(&raw, "TN0308").is_some());
}

#[test]
fn a_resource_policy_names_the_action() {
    let refused = facts().answers(&["client", "bare"], 403, DENIED, POLICY);
    confirms(&refused, "TN0309");
    let by_authorizer = facts().answer("client", 403, DENIED, EXPLICIT);
    leaves_open(&by_authorizer, "TN0309");
}

#[test]
fn an_aws_signature_is_refused_in_words_of_its_own() {
    let headers: Headers<'_> = &[
        ("x-amzn-requestid", "r1"),
        ("x-amzn-errortype", "InvalidSignatureException"),
    ];
    let late = r#"{"message":"Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z (20260101T001000Z - 5 min.)"}"#;
    confirms(&facts().answer("client", 403, headers, late), "TN0310");
    let unknown = r#"{"message":"The security token included in the request is invalid."}"#;
    let headers: Headers<'_> = &[("x-amzn-errortype", "UnrecognizedClientException")];
    confirms(&facts().answer("client", 403, headers, unknown), "TN0310");
    // Another service of AWS, called by a backend that passes its text on.
    let passed_on = facts().answer("client", 500, &[], unknown);
    leaves_open(&passed_on, "TN0310");
}

#[test]
fn what_is_forbidden_after_the_authorizer_lacks_its_api_key() {
    let after = facts().answer("client", 403, FORBIDDEN, NO).answers(
        &["bare", "altered"],
        401,
        UNAUTHORIZED,
        REFUSED,
    );
    confirms(&after, "TN0311");
    let alike = facts().answers(&["client", "bare", "altered"], 403, FORBIDDEN, NO);
    leaves_open(&alike, "TN0311");
    let by_backend = facts().answer("client", 403, BACKEND, NO).answers(
        &["bare", "altered"],
        401,
        BACKEND,
        REFUSED,
    );
    leaves_open(&by_backend, "TN0311");
    let passed_through: Headers<'_> = &[("x-amzn-requestid", "r1")];
    let by_service = facts().answer("client", 403, passed_through, NO).answers(
        &["bare", "altered"],
        401,
        UNAUTHORIZED,
        REFUSED,
    );
    leaves_open(&by_service, "TN0311");
}

#[test]
fn a_firewall_is_certain_only_where_it_is_named() {
    let headers: Headers<'_> = &[("x-amzn-errortype", "WafFilteredException")];
    let named = facts().answer("client", 403, headers, NO);
    confirms(&named, "TN0312");
    let silent = facts().answers(&["client", "bare"], 403, FORBIDDEN, NO);
    leaves_open(&silent, "TN0312");
}

#[test]
fn a_stage_that_the_api_does_not_have_forbids_everything() {
    let at =
        |stage: &str| format!("https://a1b2c3.execute-api.eu-west-1.amazonaws.com/{stage}/things");
    let stages =
        |name: &str| json!({"item": [{"stageName": name, "deploymentId": "d1"}]}).to_string();
    let everywhere = |stage: &str| {
        let bearer: Headers<'_> = &[("authorization", "Bearer x")];
        facts()
            .answer("client", 403, FORBIDDEN, NO)
            .requested("GET", &at(stage), bearer)
            .answers(&["bare", "altered", "other-path"], 403, FORBIDDEN, NO)
            .file("aws/apigateway/GetStages.json", &stages("prod"))
    };
    confirms(&everywhere("production"), "TN0313");
    leaves_open(&everywhere("prod"), "TN0313");
    let other = facts()
        .answer("client", 403, FORBIDDEN, NO)
        .requested("GET", &at("dev"), &[])
        .answers(&["bare", "altered", "other-path"], 403, FORBIDDEN, NO)
        .answer("other-endpoint", 200, &[("x-amzn-requestid", "r1")], "{}")
        .requested("GET", &at("prod"), &[]);
    confirms(&other, "TN0313");
}

#[test]
fn a_handshake_that_asks_for_a_certificate_is_no_matter_of_tokens() {
    let asked = Failure::Tls("received fatal alert: CertificateRequired".to_owned());
    confirms(&facts().failed("client", asked), "TN0314");
    let other = Failure::Tls("invalid peer certificate: UnknownIssuer".to_owned());
    leaves_open(&facts().failed("client", other), "TN0314");
}

#[test]
fn a_status_that_does_not_fit_its_reason_was_overridden() {
    let overridden = facts().answers(&["client", "bare"], 403, UNAUTHORIZED, REFUSED);
    confirms(&overridden, "TN0315");
    let usual = facts().answers(&["client", "bare"], 401, UNAUTHORIZED, REFUSED);
    leaves_open(&usual, "TN0315");
}

#[test]
fn a_throttled_request_says_nothing_of_the_token() {
    let headers: Headers<'_> = &[("x-amzn-errortype", "TooManyRequestsException")];
    let throttled = facts().answer("client", 429, headers, r#"{"message":"Too Many Requests"}"#);
    confirms(&throttled, "TN0316");
    let only_later = facts().answer("client", 200, &[], "{}").answer(
        "again-1",
        429,
        headers,
        r#"{"message":"Too Many Requests"}"#,
    );
    leaves_open(&only_later, "TN0316");
}

#[test]
fn the_parser_of_aws_signatures_is_known_by_its_error_type_too() {
    let headers: Headers<'_> = &[("x-amzn-errortype", "IncompleteSignatureException")];
    let body = r#"{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'uTem='."}"#;
    let guarded = facts()
        .answers(&["client", "altered"], 403, headers, body)
        .answers(&["bare", "other-path"], 403, ROUTE, NO_ROUTE);
    confirms(&guarded, "TN0302");
    leaves_open(&guarded, "TN0301");
    let flips = facts()
        .answer("client", 403, headers, body)
        .answer("again-1", 200, &[], "{}");
    leaves_open(&flips, "TN0302");
    let aws: Headers<'_> = &[(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=x, Signature=y",
    )];
    let signed = facts().answer("client", 403, headers, body).requested(
        "GET",
        "https://api.example/v1/things",
        aws,
    );
    leaves_open(&signed, "TN0302");
}

#[test]
fn an_expired_token_is_certain_where_a_fresh_one_of_its_issuer_is_taken() {
    let expired = jwt(
        &json!({"iss": issuer(NEW_POOL), "token_use": "id", "iat": NOW - 7200, "exp": NOW - 3600}),
    );
    let refused = || {
        facts()
            .answers(&["client", "bare", "altered"], 401, UNAUTHORIZED, REFUSED)
            .answer("other-path", 403, ROUTE, NO_ROUTE)
            .answer("other-token", 200, &[], "{}")
    };
    let fresh = refused().token(&expired).other_token(&id_token(NEW_POOL));
    assert_eq!(verdict(&fresh, "TN0304"), Some(Verdict::Confirmed));
    let of_another_pool = refused().token(&expired).other_token(&id_token(OLD_POOL));
    leaves_open(&of_another_pool, "TN0304");
    let not_expired = refused()
        .token(&id_token(NEW_POOL))
        .other_token(&id_token(NEW_POOL));
    leaves_open(&not_expired, "TN0304");
}

#[test]
fn an_authorizer_that_reads_another_header_is_never_asked() {
    let settings = |source: &str| {
        json!({"items": [{"id": "a1", "name": "auth", "type": "TOKEN", "identitySource": source}]})
            .to_string()
    };
    let reads = |source: &str| {
        facts()
            .answers(&["client", "bare", "altered"], 401, UNAUTHORIZED, REFUSED)
            .file("aws/apigateway/GetAuthorizers.json", &settings(source))
    };
    confirms(&reads("method.request.header.X-Auth-Token"), "TN0308");
    leaves_open(&reads("method.request.header.Authorization"), "TN0308");
}

#[test]
fn a_method_that_asks_for_a_key_which_is_not_sent_is_certain() {
    let method = |required: bool| {
        json!({"httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": required})
            .to_string()
    };
    let forbidden = |required: bool| {
        facts()
            .answers(&["client", "bare", "altered"], 403, FORBIDDEN, NO)
            .answer("other-path", 403, ROUTE, NO_ROUTE)
            .file("aws/apigateway/GetMethod.json", &method(required))
    };
    confirms(&forbidden(true), "TN0311");
    leaves_open(&forbidden(false), "TN0311");
}

#[test]
fn whoever_limits_requests_says_nothing_of_the_token() {
    let page = "<html><body><h1>429 Too Many Requests</h1></body></html>";
    let limited = facts().answers(&["client", "bare", "altered"], 429, &[], page);
    confirms(&limited, "TN0316");
    let challenged = facts().answer("client", 429, &[("cf-mitigated", "challenge")], page);
    leaves_open(&challenged, "TN0316");
    let once = facts()
        .answer("client", 200, &[], "{}")
        .answer("again-1", 429, &[], page);
    leaves_open(&once, "TN0316");
}

#[test]
fn a_path_that_is_answered_as_one_that_cannot_exist_leads_to_the_route() {
    let denied = |other| {
        facts()
            .answers(
                &["client", "bare", "altered", "other-path"],
                403,
                &[("content-type", "text/html")],
                "<h1>403 Forbidden</h1>",
            )
            .answer("other-endpoint", other, &[], "{}")
    };
    assert!(verdict(&denied(200), "TN0301") > verdict(&denied(403), "TN0301"));
    leaves_open(&denied(200), "TN0301");
}
