//! Rights that the service keeps, and writes that only their Origin forbids.

use serde_json::json;

use crate::support::{confirms, facts, jwt, leaves_open};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[test]
fn a_right_that_stands_in_no_token_is_lacking_where_another_person_has_it() {
    let denied = r#"{"detail":"You do not have permission to perform this action."}"#;
    let invalid = r#"{"detail":"Given token not valid for any token type"}"#;
    let with = |other: &str| {
        facts()
            .token(&jwt(&json!({"sub": "u-3"})))
            .other_token(other)
            .answer("client", 403, JSON, denied)
            .answers(&["bare", "altered"], 401, JSON, invalid)
            .answer("other-token", 200, JSON, "{}")
    };
    confirms(&with(&jwt(&json!({"sub": "u-1"}))), "TN0513");
    leaves_open(&with(&jwt(&json!({"sub": "u-3"}))), "TN0513");
}

#[test]
fn a_write_that_only_its_origin_forbids_is_told_by_a_log_of_forged_requests() {
    let line = "attack prevented by Rack::Protection::HttpOrigin\n";
    let with = |own: u16, log: &str| {
        let facts = facts().log("api.log", log);
        let facts = facts.answer("client", own, JSON, "{}");
        let facts = facts.requested(
            "POST",
            crate::support::URL,
            &[("authorization", "Bearer x.y.z")],
        );
        facts.answer("origin", 403, &[], "Forbidden")
    };
    confirms(&with(201, line), "TN0507");
    leaves_open(&with(403, "nothing of the kind\n"), "TN0507");
    leaves_open(&with(201, "nothing of the kind\n"), "TN0507");
}
