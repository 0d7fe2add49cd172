//! What looks like proof and is none: lines that quote, answers that list, faults that others have too.

mod near_misses;

use serde_json::json;
use tenure_doctor::{Verdict, diagnose};

use crate::support::{Facts, Headers, NOW, confirms, facts, jwt, leaves_open, verdict};

const JSON: Headers<'_> = &[("content-type", "application/json")];

/// Words of known products by which a cause is confirmed where they stand in the right place.
const WORDS: [(&str, &str); 20] = [
    ("multiple tokens provided", "TN0106"),
    ("Token use not allowed: id", "TN0114"),
    ("waf_block", "TN0205"),
    ("not allowed due to WAF block", "TN0207"),
    ("AH01614: client used wrong authentication scheme", "TN0209"),
    ("Jwks remote fetch is failed", "TN0404"),
    (
        "Make sure the ID token comes from the same Firebase project",
        "TN0421",
    ),
    ("invalid_dpop_proof", "TN0422"),
    ("insufficient_user_authentication", "TN0423"),
    ("ext_authz_error", "TN0509"),
    ("auth request unexpected status: 502", "TN0510"),
    ("AADSTS700082", "TN0610"),
    ("redirect_uri_mismatch", "TN0612"),
    ("WaitPeriodNotYetEndedJwkError", "TN0613"),
    ("theft_detected", "TN0704"),
    ("the store is busy", "TN0705"),
    ("this server doubts its clock", "TN0708"),
    ("too many requests; see Retry-After", "TN0709"),
    ("the request comes from another site", "TN0711"),
    ("Refresh Token has expired", "TN0610"),
];

#[track_caller]
fn confirms_none(facts: &Facts, words: &str) {
    let diagnosis = diagnose(&facts.evidence());
    let sure: Vec<_> = diagnosis
        .ranked
        .iter()
        .filter(|ranked| ranked.verdict == Verdict::Confirmed)
        .map(|ranked| ranked.cause.id)
        .collect();
    assert!(sure.is_empty(), "{sure:?} for `{words}`");
}

#[test]
fn a_line_for_developers_that_quotes_a_handbook_confirms_nothing() {
    for (words, _) in WORDS {
        let line = format!("2026-09-01T10:00:00Z DEBUG docs: the page says: {words}\n");
        confirms_none(&facts().log("app.log", &line), words);
        let refused = facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, JSON, "{\"error\":\"unauthorized\"}")
            .log("app.log", &line);
        confirms_none(&refused, words);
    }
}

#[test]
fn a_line_about_somebody_confirms_nothing_while_the_clients_own_request_works() {
    for (words, _) in WORDS {
        let line = format!("2026-09-01T10:00:00Z WARN {words}\n");
        let works = facts()
            .token(&jwt(&json!({})))
            .answer("client", 200, JSON, "{}")
            .log("app.log", &line);
        confirms_none(&works, words);
    }
}

#[test]
fn a_line_of_a_fault_that_everybody_got_over_confirms_nothing() {
    for (words, _) in WORDS {
        let request = |second: u8, status: u16| {
            json!({
                "time": format!("2026-09-01T10:00:0{second}Z"), "level": "info", "user": "u1",
                "method": "GET", "path": "/v1/things", "status": status,
            })
        };
        let log = format!(
            "2026-09-01T10:00:00Z WARN {words}\n{}\n{}\n{}\n",
            request(0, 401),
            request(2, 200),
            request(3, 200)
        );
        confirms_none(&facts().log("app.log", &log), words);
    }
}

#[test]
fn a_line_beside_a_refusal_that_gives_its_own_reason_confirms_nothing_else() {
    let expired = jwt(&json!({"iat": NOW - 9_000, "exp": NOW - 7_200}));
    for (words, id) in WORDS {
        let line = format!("2026-09-01T10:00:00Z WARN {words}\n");
        let refused = facts()
            .token(&expired)
            .answer("client", 401, JSON, "{\"error\":\"token has expired\"}")
            .answer("bare", 401, JSON, "{\"error\":\"missing\"}")
            .log("app.log", &line);
        leaves_open(&refused, id);
    }
}

#[test]
fn an_answer_that_echoes_what_was_asked_for_or_lists_what_could_be_confirms_nothing() {
    for (words, _) in WORDS {
        let echo = json!({"title": "Not found", "path": format!("/search?q={words}")});
        let list = json!({
            "error": "unauthorized",
            "help": format!("This has many reasons, for example: {words}; see the handbook"),
        });
        for (status, body) in [(404, echo), (401, list)] {
            let facts =
                facts()
                    .token(&jwt(&json!({})))
                    .answer("client", status, JSON, &body.to_string());
            confirms_none(&facts, words);
        }
    }
}

#[test]
fn words_of_tenure_that_another_service_has_too_confirm_nothing() {
    for words in ["the store is busy", "too many requests; see Retry-After"] {
        let body = json!({"message": words}).to_string();
        confirms_none(&facts().answer("client", 500, JSON, &body), words);
        let own = json!({"error": "temporarily_unavailable", "error_description": words});
        let own = facts().answer("refresh", 503, JSON, &own.to_string());
        assert_ne!(verdict(&own, "TN0705").max(verdict(&own, "TN0709")), None);
    }
}

#[test]
fn a_client_that_a_library_calls_the_audience_is_no_other_audience() {
    let body = "{\"error\":\"Client ID (\\\"audience\\\") not allowed: a. Expected: b\"}";
    let facts = facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, JSON, body);
    leaves_open(&facts, "TN0412");
    confirms(&facts, "TN0413");
}

#[test]
fn a_verifier_that_only_waits_can_fetch_its_keys() {
    let body =
        "{\"error\":\"Not allowed to fetch JWKS yet, still waiting for back off period to end\"}";
    let facts = facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, JSON, body);
    leaves_open(&facts, "TN0404");
}

#[test]
fn somebody_with_more_rights_who_gets_in_does_not_prove_that_rights_are_missing() {
    let with = |body: &str| {
        facts()
            .token(&jwt(&json!({"sub": "u1", "roles": ["user"]})))
            .other_token(&jwt(&json!({"sub": "u2", "roles": ["user", "admin"]})))
            .answer("client", 403, JSON, body)
            .answer("bare", 401, JSON, "{\"error\":\"missing token\"}")
            .answer("altered", 401, JSON, "{\"error\":\"invalid signature\"}")
            .answer("other-token", 200, JSON, "{}")
    };
    leaves_open(&with("{\"error\":\"this account is suspended\"}"), "TN0513");
    confirms(&with("{\"error\":\"you lack the permission\"}"), "TN0513");
}

#[test]
fn one_bad_replica_or_a_limit_in_the_middle_of_probing_proves_nothing_of_the_request() {
    let refusal = "{\"error\":\"unauthorized\"}";
    let changed = facts()
        .answer("client", 401, JSON, refusal)
        .requested(
            "GET",
            "https://api.example/v1/things",
            &[("authorization", "Token abc.def.ghi")],
        )
        .answer("trimmed", 200, JSON, "{}");
    confirms(&changed, "TN0103");
    leaves_open(&changed.answer("again-1", 200, JSON, "{}"), "TN0103");
    let limited = |altered: u16| {
        facts()
            .token(&jwt(&json!({"aud": "other"})))
            .file("api.env", "JWT_AUDIENCE=api\n")
            .answer("client", 401, JSON, refusal)
            .answer("bare", 401, JSON, "{\"error\":\"missing token\"}")
            .answer(
                "altered",
                altered,
                JSON,
                "{\"error\":\"invalid signature\"}",
            )
    };
    confirms(&limited(401), "TN0412");
    leaves_open(&limited(429), "TN0412");
    leaves_open(&limited(401).answer("again-1", 200, JSON, "{}"), "TN0412");
}

/// Two RSA keys of one name cannot be told from a changed token by the token alone.
#[test]
fn a_token_that_its_published_key_does_not_verify_is_neither_changed_nor_of_a_new_key_for_sure() {
    let damaged = facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, JSON, "{\"error\":\"invalid signature\"}")
        .answer("altered", 401, JSON, "{\"error\":\"invalid signature\"}")
        .answer("bare", 401, JSON, "{\"error\":\"missing token\"}")
        .but(|evidence| {
            let check = json!({
                "keys": "https://issuer.example/jwks", "kid": "k1", "thumbprint": "t",
                "form": null, "verdict": "bad",
            });
            let token = evidence.tokens.first_mut().unwrap();
            token
                .signatures
                .push(serde_json::from_value(check).unwrap());
        });
    for id in ["TN0402", "TN0425"] {
        assert_eq!(verdict(&damaged, id), Some(Verdict::Possible), "{id}");
    }
    let steps = diagnose(&damaged.evidence()).next;
    assert!(format!("{steps:?}").contains("OtherToken"), "{steps:?}");
}
