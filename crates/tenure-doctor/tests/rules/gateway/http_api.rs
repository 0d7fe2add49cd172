//! HTTP APIs and their JWT authorizers.

use serde_json::{Value, json};
use tenure_doctor::Verdict;

use super::{CHALLENGE, HTTP_API, NO, REFUSED};
use crate::support::{Headers, NOW, confirms, facts, jwt, jwt_of, leads, leaves_open, verdict};

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
