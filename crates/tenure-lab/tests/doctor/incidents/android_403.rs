//! I1: two hypotheses that the team's evidence cannot tell apart, and the answers that can.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::{ACCESS, REFRESH, documented};
use crate::api::{Api, say};
use crate::mint::{Mint, claims};
use crate::place::{Diagnosed, Place};

const OLD_POOL: &str = "eu-west-1_oLdPool01";
const NEW_POOL: &str = "eu-west-1_nEwPool02";

/// Stale: what is deployed was resolved when it was deployed.
const STALE: &str = "TN0317";
/// Never evaluated: route, Lambda authorizer, policy, keys, firewall, stage, certificate.
const NEVER_EVALUATED: [&str; 11] = [
    "TN0205", "TN0301", "TN0302", "TN0305", "TN0306", "TN0309", "TN0310", "TN0311", "TN0312",
    "TN0313", "TN0314",
];

const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nResources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: prod\n      Auth:\n        DefaultAuthorizer: Cognito\n        Authorizers:\n          Cognito:\n            UserPoolArn: !Sub 'arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/{{resolve:ssm:/auth/user-pool-id}}'\n";

fn diary() -> String {
    format!(
        "2026-11-20T09:12:00.000Z api_request_failed {{\"path\":\"/memories\",\"status\":403}}\n\
         2026-11-20T09:12:00.040Z token_refresh_started {{\"refresh_token\":\"{REFRESH}\"}}\n\
         2026-11-20T09:12:00.400Z token_refresh_succeeded {{\"id_token\":\"{ACCESS}\"}}\n\
         2026-11-20T09:12:00.420Z store_session_write_succeeded {{\"idToken\":1071,\"accessToken\":1091,\"refreshToken\":1788}}\n\
         2026-11-20T09:12:00.900Z auth_retry_exhausted {{\"status\":403,\"had_retry_token\":true,\"path\":\"/memories\"}}\n"
    )
}

fn of_pool(pool: &str) -> Value {
    claims(&json!({
        "iss": format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool}"),
        "aud": "4n8client", "token_use": "id", "cognito:username": "ann",
    }))
}

/// What the team had: the app's diary and `.env`, the template, and a token of today.
fn evidence(place: &Place, mint: &Mint) {
    place.write("app.log", diary());
    place.write(
        "app/.env",
        format!(
            "EXPO_PUBLIC_COGNITO_USER_POOL_ID={NEW_POOL}\nEXPO_PUBLIC_COGNITO_CLIENT_ID=4n8client\n"
        ),
    );
    place.write("template.yaml", TEMPLATE);
    place.write("token.txt", mint.token(&of_pool(NEW_POOL)));
}

const GIVEN: [&str; 7] = [
    "--logs",
    "app.log",
    "--token-file",
    "token.txt",
    "--files",
    "app/.env",
    "template.yaml",
];

/// None of the gateway's causes is confirmed.
#[track_caller]
fn undecided_about_the_gateway(seen: &Diagnosed) {
    let confirmed = seen.confirmed();
    let of_gateway = confirmed.iter().filter(|id| id.starts_with("TN03"));
    assert_eq!(of_gateway.count(), 0, "{}", seen.seen());
}

#[tokio::test]
async fn i1_both_hypotheses_stay_open_and_the_step_between_them_is_named() {
    let place = Place::new();
    evidence(&place, &Mint::pair("k-new"));
    let args = [&GIVEN[..], &["--evidence-out", "evidence.json"]].concat();
    let seen = place.diagnose(&args).await;
    undecided_about_the_gateway(&seen);
    assert_eq!(seen.confirmed(), [""; 0], "{}", seen.seen());
    assert!([1, 3].contains(&seen.ended.code), "{}", seen.seen());
    let open: Vec<_> = seen.open().into_iter().map(|(id, _)| id).collect();
    assert!(open.contains(&STALE), "{}", seen.seen());
    assert!(
        open.iter().any(|id| NEVER_EVALUATED.contains(id)),
        "{}",
        seen.seen()
    );
    let next = seen.json["next"].as_array().unwrap();
    let names = |step: &Value| {
        let text = step.to_string();
        text.contains("errortype") || step["probe"] == "bare" || step["probe"] == "client"
    };
    assert!(next.iter().any(names), "{}", seen.seen());
    documented(&place, "evidence.json", STALE).await;
}

fn gateway_says(status: u16, kind: &str, message: &str) -> Response<Body> {
    let headers = [
        ("x-amzn-requestid", "3f9c2a54-7f1e-4a55-9a3e-0c1d2e3f4a5b"),
        ("x-amz-apigw-id", "Vx1yZHpYjoEFQnA="),
        ("x-amzn-errortype", kind),
    ];
    say(status, &headers, &json!({"message": message}).to_string())
}

#[tokio::test]
async fn i1_a_403_of_the_router_confirms_that_the_token_was_never_evaluated() {
    let place = Place::new();
    evidence(&place, &Mint::pair("k-new"));
    let gateway = Api::start(|_| {
        let kind = "MissingAuthenticationTokenException";
        gateway_says(403, kind, "Missing Authentication Token")
    })
    .await;
    let url = gateway.at("/prod/memories");
    let seen = place
        .diagnose(&[&GIVEN[..], &["--url", &url]].concat())
        .await;
    seen.found("TN0301", "gateway-router");
    assert!(seen.confirmed().contains(&"TN0301"), "{}", seen.seen());
    assert!(!seen.confirmed().contains(&STALE), "{}", seen.seen());
    assert_eq!(seen.json["answered"]["layer"], "gateway-router");
}

/// A REST API whose authorizer trusts the old pool; its refusals carry this status.
async fn pinned_to_the_old_pool(old: &Mint, status: u16) -> Api {
    let old = old.clone();
    Api::start(move |asked| match (asked.path(), asked.bearer()) {
        ("/prod/memories", Some(token)) if old.verify(token).is_ok() => say(200, &[], "[]"),
        ("/prod/memories", _) => gateway_says(status, "UnauthorizedException", "Unauthorized"),
        _ => {
            let kind = "MissingAuthenticationTokenException";
            gateway_says(403, kind, "Missing Authentication Token")
        }
    })
    .await
}

#[tokio::test]
async fn i1_an_authorizer_that_takes_the_old_pools_tokens_confirms_the_stale_pool() {
    let (old, new) = (Mint::pair("k-old"), Mint::pair("k-new"));
    // 401 as AWS documents it, and the 403 that the team saw, which GatewayResponses can make of it.
    for status in [401, 403] {
        let place = Place::new();
        evidence(&place, &new);
        place.write("old-pool.txt", old.token(&of_pool(OLD_POOL)));
        let arn = format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{OLD_POOL}");
        let authorizers = json!({"items": [{"id": "a1b2c3", "name": "Cognito", "type": "COGNITO_USER_POOLS", "providerARNs": [arn], "identitySource": "method.request.header.Authorization"}]});
        place.write(
            "aws/apigateway/GetAuthorizers.json",
            authorizers.to_string(),
        );
        let parameter = json!({"Parameter": {"Name": "/auth/user-pool-id", "Type": "String", "Value": NEW_POOL, "Version": 2}});
        place.write("aws/ssm/GetParameter.json", parameter.to_string());
        let gateway = pinned_to_the_old_pool(&old, status).await;
        let url = gateway.at("/prod/memories");
        let more = [
            "aws/apigateway/GetAuthorizers.json",
            "aws/ssm/GetParameter.json",
            "--other-token-file",
            "old-pool.txt",
            "--url",
            &url,
        ];
        let seen = place.diagnose(&[&GIVEN[..], &more].concat()).await;
        assert!(
            seen.confirmed().contains(&STALE),
            "{status}: {}",
            seen.seen()
        );
        assert!(!seen.confirmed().contains(&"TN0301"), "{}", seen.seen());
        assert_eq!(seen.json["answered"]["layer"], "gateway-verifier");
        let fix = seen.json["causes"].as_array().unwrap().iter();
        let fix = fix.clone().find(|cause| cause["id"] == STALE).unwrap()["fix"].to_string();
        assert!(
            fix.contains("unchanged"),
            "a redeployment can do nothing: {fix}"
        );
    }
}

#[tokio::test]
async fn i1_the_other_three_troubles_are_in_the_diary_too() {
    let place = Place::new();
    let diary = "2026-11-20T09:00:00.000Z app_start {}\n\
        2026-11-20T09:00:00.120Z api_request_failed {\"path\":\"/memories\",\"status\":403,\"has_token\":false}\n\
        2026-11-20T09:00:00.600Z bootstrap_complete {\"signed_in\":true}\n\
        2026-11-20T09:30:00.000Z token_refresh_failed {\"status\":503}\n\
        2026-11-20T09:30:00.010Z will_clear_session {\"reason\":\"refresh_failed\"}\n\
        2026-11-20T09:31:00.000Z api_request_failed {\"path\":\"/settings\",\"status\":403}\n\
        2026-11-20T09:40:00.000Z app_start {}\n\
        2026-11-20T09:40:00.050Z store_session_read {\"keys\":{\"idToken\":1071,\"accessToken\":1091,\"refreshToken\":0}}\n";
    place.write("app.log", diary);
    let seen = place.diagnose(&["logs", "app.log"]).await;
    let open: Vec<_> = seen.open().into_iter().map(|(id, _)| id).collect();
    for cause in ["TN0101", "TN0604"] {
        assert!(open.contains(&cause), "{cause}: {}", seen.seen());
    }
    let findings = seen.json["evidence"]["logs"]["findings"].to_string();
    assert!(findings.contains("store-key-missing"), "{findings}");
}

#[tokio::test]
async fn i1_a_session_that_was_cleared_silently_still_looks_signed_in() {
    let place = Place::new();
    let diary = "2026-11-20T09:30:00.000Z clear_session {\"reason\":\"refresh_invalid\"}\n\
        2026-11-20T09:31:00.000Z api_response {\"path\":\"/settings\",\"status\":401}\n";
    place.write("app.log", diary);
    let seen = place.diagnose(&["logs", "app.log"]).await;
    seen.found("TN0611", "client");
}
