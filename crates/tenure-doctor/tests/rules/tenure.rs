//! Tenure's own service.

use serde_json::json;
use tenure_doctor::Source;
use tenure_doctor::deployment::{Check, CheckResult};

use crate::support::{Facts, confirms, facts, jwt, leads, leaves_open, verdict};

/// A refresh that the service refuses for this reason.
fn ended(reason: &str) -> Facts {
    let body = json!({
        "error": "invalid_grant", "error_description": "over", "tenure_reason": reason,
    });
    facts().answer("refresh", 400, &[], &body.to_string())
}

/// An answer to a refresh without a reason.
fn answered(status: u16, error: &str, why: &str) -> Facts {
    let body = json!({"error": error, "error_description": why});
    facts().answer(
        "refresh",
        status,
        &[("retry-after", "2")],
        &body.to_string(),
    )
}

/// A deployment of which one check went like this.
fn checked(name: &'static str, result: CheckResult) -> Facts {
    facts().but(move |evidence| {
        let source = Source::Deployment("/".to_owned());
        evidence
            .deployment
            .push(Check::new(name, result, "seen", source));
    })
}

#[test]
fn every_reason_of_an_ended_session_has_its_cause() {
    for (reason, id) in [
        ("logged_out", "TN0701"),
        ("revoked_by_user", "TN0701"),
        ("revoked_by_admin", "TN0701"),
        ("credentials_changed", "TN0701"),
        ("account_disabled", "TN0702"),
        ("client_removed", "TN0703"),
        ("theft_detected", "TN0704"),
        ("expired_idle", "TN0712"),
        ("expired_absolute", "TN0712"),
    ] {
        confirms(&ended(reason), id);
        for other in ["TN0701", "TN0702", "TN0703", "TN0704", "TN0712"] {
            if other != id {
                leaves_open(&ended(reason), other);
            }
        }
    }
}

#[test]
fn a_reason_in_the_log_of_a_busy_day_is_no_fault() {
    let day = r#"{"level":"INFO","event":"session_ended","sid":"s","client":"app","reason":"logged_out"}"#;
    leaves_open(&facts().log("tenure.log", day), "TN0701");
    let theft = r#"{"level":"INFO","event":"session_ended","sid":"s","client":"app","reason":"theft_detected"}"#;
    confirms(&facts().log("tenure.log", theft), "TN0704");
}

#[test]
fn a_store_that_fails_is_told_from_other_reasons_for_503() {
    for why in [
        "the store cannot be reached: connection refused",
        "the store is read-only: attempt to write",
        "the disk of the store is full: 0 bytes left",
        "the store is busy: locked",
    ] {
        confirms(&answered(503, "temporarily_unavailable", why), "TN0705");
    }
    let clock = answered(
        503,
        "temporarily_unavailable",
        "this server doubts its clock",
    );
    leaves_open(&clock, "TN0705");
    confirms(&clock, "TN0708");
    let often = answered(
        503,
        "temporarily_unavailable",
        "this session refreshes too often",
    );
    leaves_open(&often, "TN0705");
    confirms(&often, "TN0709");
}

#[test]
fn a_store_in_memory_is_a_cause_once_a_session_is_lost() {
    let banner = r#"{"level":"WARN","message":"sessions are lost when this process ends"}"#;
    let lost = ended("unknown").log("tenure.log", banner);
    confirms(&lost, "TN0706");
    leaves_open(&facts().log("tenure.log", banner), "TN0706");
    leaves_open(&ended("unknown"), "TN0706");
}

#[test]
fn the_rate_limit_says_so() {
    let slow = answered(429, "slow_down", "too many requests; see Retry-After");
    confirms(&slow, "TN0709");
    leaves_open(&answered(429, "rate_limited", "try later"), "TN0709");
}

#[test]
fn cookie_mode_says_what_it_misses() {
    let refused = |why: &str| {
        let body = json!({"error": "access_denied", "error_description": why});
        let challenge = [(
            "www-authenticate",
            "Bearer realm=\"tenure\", error=\"access_denied\"",
        )];
        facts().answer("client", 403, &challenge, &body.to_string())
    };
    confirms(
        &refused("cookie mode takes the header X-Tenure-CSRF: 1"),
        "TN0711",
    );
    confirms(&refused("the request comes from another site"), "TN0711");
    leaves_open(&refused("this needs the scope admin"), "TN0711");
}

#[test]
fn checks_of_a_deployment_that_go_badly_have_their_causes() {
    for (name, id) in [
        ("issuer-equal", "TN0707"),
        ("clock-trusted", "TN0708"),
        ("cors-origin", "TN0710"),
        ("jwks", "TN0713"),
        ("signing-key-published", "TN0713"),
        ("addresses-agree", "TN0713"),
        ("reachable", "TN0716"),
    ] {
        confirms(&checked(name, CheckResult::Bad), id);
        leaves_open(&checked(name, CheckResult::Warning), id);
    }
    for (name, id) in [
        ("ready", "TN0705"),
        ("forwarded-headers", "TN0714"),
        ("https", "TN0715"),
    ] {
        leads(&checked(name, CheckResult::Bad), id);
    }
}

#[test]
fn metadata_that_name_another_issuer_confirm_it_where_the_token_disagrees_too() {
    let metadata = json!({
        "issuer": "http://tenure.internal", "jwks_uri": "http://tenure.internal/jwks",
        "tenure_rotation": "retire-on-use",
    });
    let named = facts()
        .answer("client", 401, &[("www-authenticate", "Bearer")], "issuer")
        .answer("discovery", 200, &[], &metadata.to_string())
        .requested(
            "GET",
            "https://login.example/.well-known/oauth-authorization-server",
            &[],
        );
    leads(&named, "TN0707");
    leaves_open(&named, "TN0707");
}

#[test]
fn a_service_that_is_to_be_asked_without_tls_is_known_by_its_own_words() {
    let words = "error: misconfigured: http://sso.example needs https (http is for loopback only)";
    let asked = format!("$ tenure login --issuer http://sso.example\n{words}\n");
    confirms(&facts().log("terminal.txt", &asked), "TN0715");
    let well = facts().log("terminal.txt", &asked);
    leaves_open(&well.answer("client", 200, &[], "{}"), "TN0715");
}

/// Tenure, by its metadata, with a key set that lacks the token's key, and its answer at `userinfo`.
fn other_keys(userinfo: u16, metadata: &str) -> Facts {
    let keys = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"former","x":"q6XxM-71cxZLnqvjEsjDFBkq0MlaBj5T_a187H8zc0I","y":"HOnCq-4RF4PFsZeQ6JVM_SsEXOZs8wnLsKCUDwcmMD8"}]}"#;
    facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, &[], "{\"error\":\"invalid_token\"}")
        .answer("discovery", 200, &[], metadata)
        .answer("jwks", 200, &[], keys)
        .answer("userinfo", userinfo, &[], "{\"sub\":\"u1\"}")
}

#[test]
fn a_token_that_the_service_takes_and_its_key_set_does_not_know_has_an_unpublished_key() {
    let tenure = r#"{"issuer":"https://issuer.example","tenure_rotation":"retire_on_use"}"#;
    confirms(&other_keys(200, tenure), "TN0713");
    leaves_open(&other_keys(401, tenure), "TN0713");
    leaves_open(
        &other_keys(200, "{\"issuer\":\"https://issuer.example\"}"),
        "TN0713",
    );
}

#[test]
fn a_store_that_takes_refreshes_now_is_not_down() {
    let line = "WARN the store cannot be reached: connection refused";
    let before = facts().log("tenure.log", line);
    assert!(verdict(&before, "TN0705").is_some());
    let after = facts()
        .log("tenure.log", line)
        .answer("refresh", 200, &[], "{}");
    assert_eq!(
        verdict(&after, "TN0705"),
        Some(tenure_doctor::Verdict::RuledOut)
    );
}
