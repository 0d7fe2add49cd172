//! API gateway.

use serde_json::{Value, json};
use tenure_doctor::cause::{Step, by_id};
use tenure_doctor::exchange::Failure;
use tenure_doctor::probe::Probe;
use tenure_doctor::{Outcome, Verdict, diagnose};

use super::support::{
    Facts, Headers, NOW, confirms, facts, jwt, jwt_of, leads, leaves_open, verdict,
};

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

const TEMPLATE: &str = "\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Memories:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        DefaultAuthorizer: Pool
        Authorizers:
          Pool:
            UserPoolArn: !Sub 'arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/{{resolve:ssm:/memories/prod/user-pool-id}}'
";

fn issuer(pool: &str) -> String {
    format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool}")
}

/// An ID token of a pool.
fn id_token(pool: &str) -> String {
    jwt(&json!({"iss": issuer(pool), "aud": "c1", "token_use": "id", "auth_time": NOW - 300}))
}

fn environment() -> String {
    format!("COGNITO_USER_POOL_ID={NEW_POOL}\nCOGNITO_CLIENT_ID=c1\n")
}

fn parameter(pool: &str) -> String {
    let parameter = json!({"Parameter": {
        "Name": "/memories/prod/user-pool-id", "Type": "String", "Value": pool, "Version": 2,
    }});
    parameter.to_string()
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
fn a_token_of_a_pool_that_nobody_meant_is_refused_by_the_authorizer() {
    let refused = || {
        facts()
            .token(&id_token(NEW_POOL))
            .answers(&["client", "bare", "altered"], 401, UNAUTHORIZED, REFUSED)
            .file("aws/apigateway/GetAuthorizers.json", &authorizers(OLD_POOL))
    };
    confirms(&refused(), "TN0303");
    leaves_open(&refused().file("template.yaml", TEMPLATE), "TN0303");
    let moved = refused()
        .file("template.yaml", TEMPLATE)
        .file("aws/ssm/GetParameter.json", &parameter(NEW_POOL));
    leaves_open(&moved, "TN0303");
    confirms(&moved, "TN0317");
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
fn the_http_api_names_scopes_in_its_challenge() {
    let headers: Headers<'_> = &[
        ("apigw-requestid", "r1"),
        (
            "www-authenticate",
            "Bearer scope=\"things.read\" error=\"insufficient_scope\"",
        ),
    ];
    let named = facts().answer("client", 403, headers, NO);
    confirms(&named, "TN0319");
    // A Lambda authorizer of an HTTP API denies in the same words.
    let denied = facts().answer("client", 403, HTTP_API, NO).answers(
        &["bare", "altered"],
        401,
        HTTP_API,
        REFUSED,
    );
    leaves_open(&denied, "TN0319");
    leads(&denied, "TN0319");
}

#[test]
fn a_refusal_by_a_jwt_authorizer_alone_settles_nothing() {
    let refused = facts()
        .answers(&["client", "altered"], 401, CHALLENGE, REFUSED)
        .answer("bare", 401, HTTP_API, REFUSED);
    leaves_open(&refused, "TN0318");
    assert!(verdict(&refused, "TN0318").is_some());
}

#[test]
fn a_route_that_an_http_api_does_not_have_is_not_found() {
    let missing = || {
        facts().answers(
            &["client", "bare"],
            404,
            HTTP_API,
            r#"{"message":"Not Found"}"#,
        )
    };
    let alike = missing().answer("other-path", 404, HTTP_API, r#"{"message":"Not Found"}"#);
    confirms(&alike, "TN0320");
    let backend = missing().answer(
        "other-path",
        404,
        HTTP_API,
        r#"{"message":"no such thing"}"#,
    );
    leaves_open(&backend, "TN0320");
}

#[test]
fn a_jwt_authorizer_knows_rsa_only() {
    let claims =
        json!({"iss": "https://issuer.example", "aud": "api", "iat": NOW - 60, "exp": NOW + 600});
    let of = |alg: &str| {
        facts()
            .token(&jwt_of(&json!({"alg": alg, "kid": "k1"}), &claims))
            .answers(&["client", "altered"], 401, CHALLENGE, REFUSED)
    };
    confirms(&of("ES256"), "TN0321");
    leaves_open(&of("RS256"), "TN0321");
}

#[test]
fn a_preflight_that_the_authorizer_refuses_is_told_from_a_refused_request() {
    let swallowed = facts()
        .answer("client", 200, HTTP_API, "{}")
        .answers(&["bare", "altered"], 401, HTTP_API, REFUSED)
        .answer("preflight", 401, HTTP_API, REFUSED);
    assert_eq!(verdict(&swallowed, "TN0322"), Some(Verdict::Confirmed));
    let refused = facts().answers(&["client", "bare", "preflight"], 401, HTTP_API, REFUSED);
    leaves_open(&refused, "TN0322");
}

#[test]
fn the_page_of_the_stale_pool_warns_of_the_deploy_that_changes_nothing() {
    let fix = by_id("TN0317").unwrap().fix;
    assert!(fix.contains("Redeploying an unchanged template may be a no-op"));
}

/// What the team of the incident had: the status, the app's events, the template, `.env` and parameter store.
fn incident() -> Facts {
    let log = "\
2025-11-02T09:14:03.120Z auth_request_failed {\"status\":403,\"path\":\"/memories\",\"had_token\":true}
2025-11-02T09:14:03.410Z token_refresh_succeeded {\"expires_in\":3600}
2025-11-02T09:14:03.415Z store_session_write_succeeded {\"keys\":4}
2025-11-02T09:14:03.690Z auth_retry_exhausted {\"status\":403,\"had_retry_token\":true}
";
    facts()
        .token(&id_token(NEW_POOL))
        .file("template.yaml", TEMPLATE)
        .file(".env", &environment())
        .file("aws/ssm/GetParameter.json", &parameter(NEW_POOL))
        .log("app.log", log)
}

/// The causes that are not ruled out, and the steps that the doctor asks for.
fn open(facts: &Facts) -> (Vec<&'static str>, Vec<Step>) {
    let diagnosis = diagnose(&facts.evidence());
    let standing = diagnosis
        .ranked
        .iter()
        .filter(|ranked| ranked.verdict > Verdict::RuledOut);
    (
        standing.map(|ranked| ranked.cause.id).collect(),
        diagnosis.next,
    )
}

fn asks_for_the_reason(steps: &[Step]) -> bool {
    let named = |step: &Step| matches!(step, Step::Supply(what, _) if what.contains("x-amzn-errortype") && what.contains("P7"));
    steps.iter().any(named)
}

#[test]
fn a_403_whose_body_nobody_recorded_leaves_stale_pool_and_missing_route_open() {
    let statuses = incident().answers(&["client", "bare"], 403, &[], "");
    for evidence in [incident(), statuses] {
        let (standing, next) = open(&evidence);
        for id in ["TN0301", "TN0317"] {
            assert!(standing.contains(&id), "{id} is not among {standing:?}");
            leaves_open(&evidence, id);
        }
        assert_eq!(diagnose(&evidence.evidence()).outcome, Outcome::Undecided);
        assert!(asks_for_the_reason(&next), "{next:?}");
        assert!(next.contains(&Step::Probe(Probe::OtherPath)), "{next:?}");
    }
}

#[test]
fn body_and_error_type_settle_the_incident_either_way() {
    let not_evaluated = incident().answers(
        &["client", "bare", "altered", "other-path"],
        403,
        ROUTE,
        NO_ROUTE,
    );
    confirms(&not_evaluated, "TN0301");
    leaves_open(&not_evaluated, "TN0317");
    let stale = incident()
        .answers(&["client", "bare", "altered"], 401, UNAUTHORIZED, REFUSED)
        .answer("other-path", 403, ROUTE, NO_ROUTE);
    confirms(&stale, "TN0317");
    leaves_open(&stale, "TN0301");
    // As the team saw it, 403, if the gateway's responses were overridden too.
    let overridden = incident()
        .answers(&["client", "bare", "altered"], 403, UNAUTHORIZED, REFUSED)
        .answer("other-path", 403, ROUTE, NO_ROUTE);
    assert_eq!(verdict(&overridden, "TN0317"), Some(Verdict::Confirmed));
    assert_eq!(verdict(&overridden, "TN0315"), Some(Verdict::Confirmed));
}

#[test]
fn an_old_pools_token_that_still_passes_settles_the_stale_pool() {
    let evidence = |stored: &str| {
        facts()
            .token(&id_token(NEW_POOL))
            .old_token(&id_token(OLD_POOL))
            .file("template.yaml", TEMPLATE)
            .file("aws/ssm/GetParameter.json", &parameter(stored))
            .answers(&["client", "bare", "altered"], 401, UNAUTHORIZED, REFUSED)
            .answer("old", 200, &[("x-amzn-requestid", "r1")], "{}")
    };
    confirms(&evidence(NEW_POOL), "TN0317");
    leaves_open(&evidence(OLD_POOL), "TN0317");
}

#[test]
fn a_key_that_the_gateway_has_not_fetched_yet_needs_the_issuers_keys() {
    let token = |kid: &str| {
        let claims: Value = json!({"iss": "https://issuer.example", "aud": "api", "iat": NOW - 60, "exp": NOW + 600});
        jwt_of(&json!({"alg": "RS256", "kid": kid}), &claims)
    };
    let unverified = facts()
        .token(&token("new"))
        .old_token(&token("old"))
        .answers(&["client", "altered"], 401, CHALLENGE, REFUSED)
        .answer("old", 200, HTTP_API, "{}");
    leaves_open(&unverified, "TN0323");
    let verified = unverified.but(|evidence| {
        let presented = &mut evidence.tokens[0];
        presented
            .signatures
            .push(tenure_doctor::token::SignatureCheck {
                keys: "jwks.json".to_owned(),
                kid: Some("new".to_owned()),
                thumbprint: "t".to_owned(),
                form: None,
                alg: None,
                verdict: tenure_doctor::token::Signature::Good,
            });
    });
    assert_eq!(verdict(&verified, "TN0323"), Some(Verdict::Confirmed));
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
fn scopes_that_the_route_asks_for_and_the_token_lacks_are_certain() {
    let routes = |scope: &str| {
        json!({"Items": [{"RouteKey": "GET /things", "AuthorizationType": "JWT", "AuthorizationScopes": [scope]}]})
            .to_string()
    };
    let forbidden = |scope: &str| {
        facts()
            .token(&jwt(&json!({"scope": "things.read"})))
            .answer("client", 403, HTTP_API, NO)
            .answers(&["bare", "altered"], 401, HTTP_API, REFUSED)
            .file("aws/apigatewayv2/GetRoutes.json", &routes(scope))
    };
    confirms(&forbidden("things.write"), "TN0319");
    leaves_open(&forbidden("things.read"), "TN0319");
}

#[test]
fn an_authorizer_that_trusts_the_issuer_still_knows_rsa_only() {
    let authorizers = |issuer: &str| {
        json!({"Items": [{"Name": "jwt", "AuthorizerType": "JWT", "JwtConfiguration": {"Issuer": issuer, "Audience": ["api"]}}]})
            .to_string()
    };
    let claims =
        json!({"iss": "https://issuer.example", "aud": "api", "iat": NOW - 60, "exp": NOW + 600});
    let refused = |issuer: &str| {
        facts()
            .token(&jwt_of(&json!({"alg": "ES256", "kid": "k1"}), &claims))
            .answers(&["client", "bare", "altered"], 401, HTTP_API, REFUSED)
            .file("aws/apigatewayv2/GetAuthorizers.json", &authorizers(issuer))
    };
    confirms(&refused("https://issuer.example"), "TN0321");
    leaves_open(&refused("https://other.example"), "TN0321");
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
