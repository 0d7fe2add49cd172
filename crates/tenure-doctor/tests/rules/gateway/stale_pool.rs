//! A gateway that trusts a user pool of the past.

use serde_json::json;
use tenure_doctor::cause::{Step, by_id};
use tenure_doctor::probe::Probe;
use tenure_doctor::{Outcome, Verdict, diagnose};

use super::{NEW_POOL, NO_ROUTE, OLD_POOL, REFUSED, ROUTE, UNAUTHORIZED, authorizers, id_token};
use crate::support::{Facts, confirms, facts, leaves_open, verdict};

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

fn environment() -> String {
    format!("COGNITO_USER_POOL_ID={NEW_POOL}\nCOGNITO_CLIENT_ID=c1\n")
}

fn parameter(pool: &str) -> String {
    let parameter = json!({"Parameter": {
        "Name": "/memories/prod/user-pool-id", "Type": "String", "Value": pool, "Version": 2,
    }});
    parameter.to_string()
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
