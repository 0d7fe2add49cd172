//! What is nearly the evidence of a cause: healthy services, chance, limits, robots.

use serde_json::json;

use super::{JSON, WORDS, confirms_none};
use crate::support::{NOW, confirms, facts, healthy, jwt, leaves_open};

/// Lines of an access log of which each is answered well.
fn served(users: u8) -> String {
    let line = |user: u8| {
        format!(
            "203.0.113.{user} - - [01/Sep/2026:10:00:{user:02} +0000] \"GET /v1/things HTTP/1.1\" 200 512 \"-\" \"app/1\"\n"
        )
    };
    (1..=users).map(line).collect()
}

/// Where known words stand in a log although nobody is turned away: an order's note, a support mail, a test's name.
const QUOTED: [&str; 4] = [
    "2026-09-01T10:00:30Z INFO mail sent subject=\"Re: {}\"",
    "{\"time\":\"2026-09-01T10:00:30Z\",\"level\":\"info\",\"msg\":\"note saved\",\"note\":\"{}\"}",
    "2026-09-01T10:00:30Z WARN linter: deprecated message `{}` in translations",
    "[2026-09-01 10:00:30 +0000] [77] [INFO] fixture loaded: {}",
];

#[test]
fn words_in_the_log_of_a_service_that_answers_everybody_confirm_nothing() {
    for (words, _) in WORDS.iter().chain(&MORE) {
        for quoted in QUOTED {
            let log = format!(
                "{}{}\n{}",
                served(9),
                quoted.replace("{}", words),
                served(9)
            );
            confirms_none(&facts().log("app.log", &log), &quoted.replace("{}", words));
        }
    }
}

/// Further words, of every family.
const MORE: [(&str, &str); 10] = [
    ("invalid csrf token", "TN0507"),
    ("rbac_access_denied", "TN0512"),
    ("Securing GET /error", "TN0506"),
    (
        "could not match require claim expression 'roles:admin'",
        "TN0515",
    ),
    (
        "error retrieving session from token in authorization header",
        "TN0503",
    ),
    ("request body is too large, maxBodySize", "TN0511"),
    ("client sent too large request header", "TN0113"),
    ("Error fetching JWKS: ECONNREFUSED", "TN0404"),
    ("unknown client: spa", "TN0608"),
    (
        "MemoryStore is not designed for a production environment",
        "TN0606",
    ),
];

/// The doctor's own requests do not tell what users meet.
#[test]
fn a_refusal_that_only_the_doctor_provoked_is_no_finding_while_the_clients_request_works() {
    const BODIES: [(u16, &str); 8] = [
        (403, "{\"detail\":\"Not authenticated\"}"),
        (
            403,
            "{\"detail\":\"Authentication credentials were not provided.\"}",
        ),
        (
            401,
            "{\"error\":\"invalid_token\",\"error_description\":\"token has expired\"}",
        ),
        (403, "{\"message\":\"Invalid CSRF token\"}"),
        (403, "RBAC: access denied"),
        (401, "{\"error\":\"the audience is invalid\"}"),
        (500, "Internal error"),
        (401, "{\"message\":\"Unauthorized\"}"),
    ];
    for (status, body) in BODIES {
        let works = facts()
            .token(&jwt(&json!({})))
            .answers(
                &["client", "again-1", "again-2"],
                200,
                JSON,
                "{\"ok\":true}",
            )
            .answers(&["bare", "altered", "garbage"], status, JSON, body);
        confirms_none(&works, body);
        healthy(&works);
    }
}

/// One refusal, and one probe that happens to meet a limit, an outage or a restart.
#[test]
fn a_probe_that_meets_a_limit_or_an_outage_turns_no_refusal_into_a_proof() {
    const PROBES: [&str; 9] = [
        "bare",
        "altered",
        "garbage",
        "lower",
        "trimmed",
        "direct",
        "fresh",
        "other-token",
        "other-endpoint",
    ];
    for probe in PROBES {
        for status in [408, 429, 500, 502, 503, 504] {
            let evidence = facts()
                .token(&jwt(&json!({})))
                .answer("client", 401, JSON, "{\"error\":\"unauthorized\"}")
                .answers(
                    &["bare", "altered"],
                    401,
                    JSON,
                    "{\"error\":\"unauthorized\"}",
                )
                .answer(probe, status, JSON, "{\"message\":\"try again later\"}");
            confirms_none(&evidence, &format!("{probe} {status}"));
        }
    }
}

/// Answers of one service that are now this, now that: a probe's success among them is chance.
#[test]
fn a_probe_that_succeeds_where_the_clients_own_request_does_at_times_proves_nothing() {
    const PROBES: [&str; 8] = [
        "lower",
        "trimmed",
        "raw",
        "direct",
        "fresh",
        "other-token",
        "other-endpoint",
        "browser",
    ];
    for probe in PROBES {
        let evidence = facts()
            .token(&jwt(&json!({})))
            .old_token(&signed_otherwise(&jwt(&json!({"iat": NOW - 9_000}))))
            .other_token(&signed_otherwise(&jwt(
                &json!({"sub": "u2", "roles": ["admin"]}),
            )))
            .answer("client", 401, JSON, "{\"error\":\"unauthorized\"}")
            .answer("again-1", 200, JSON, "{}")
            .answer("again-2", 401, JSON, "{\"error\":\"unauthorized\"}")
            .answers(&["bare", "altered"], 401, JSON, "{\"error\":\"missing\"}")
            .answer(probe, 200, JSON, "{}");
        confirms_none(&evidence, probe);
    }
}

/// The tokens of [`jwt`] have one signature, which no two of an issuer's have.
fn signed_otherwise(token: &str) -> String {
    let (content, signature) = token.rsplit_once('.').unwrap();
    format!("{content}.{}", signature.to_lowercase())
}

/// Documents hold tokens against forged requests for whoever reads them.
#[test]
fn a_refusal_that_carries_a_csrf_token_or_lists_reasons_is_not_about_it() {
    for body in [
        "{\"error\":\"you lack the permission\",\"csrf_token\":\"a1b2\"}",
        "{\"error\":\"forbidden\",\"meta\":{\"csrfHeader\":\"X-XSRF-TOKEN\"}}",
        "<html><head><meta name=\"csrf-token\" content=\"x\"></head><body>Forbidden</body></html>",
        "{\"message\":\"Forbidden. Possible causes: expired session, invalid CSRF token, missing role\"}",
    ] {
        leaves_open(&facts().answer("client", 403, JSON, body), "TN0507");
    }
    for (status, body) in [
        (
            403,
            "{\"detail\":\"CSRF Failed: Origin checking failed - https://a.example does not match any trusted origins.\"}",
        ),
        (419, "{\"message\":\"CSRF token mismatch.\"}"),
        (422, "ActionController::InvalidAuthenticityToken"),
        (
            400,
            "<h1>Bad Request</h1><p>The CSRF tokens do not match.</p>",
        ),
        (
            400,
            "{\"errors\":[{\"message\":\"blocked as a potential Cross-Site Request Forgery (CSRF)\"}]}",
        ),
        (
            403,
            "{\"code\":\"FST_CSRF_MISSING_SECRET\",\"message\":\"Missing csrf secret\"}",
        ),
    ] {
        confirms(&facts().answer("client", status, JSON, body), "TN0507");
        let page = facts()
            .answer("client", 201, JSON, "{}")
            .answer("origin", status, JSON, body);
        confirms(&page, "TN0507");
    }
}

/// Writes are refused beside words about forged requests: many people, one page that was open for long, a robot.
#[test]
fn forms_that_were_open_for_too_long_and_robots_are_no_broken_protection() {
    let write = |user: usize, minute: usize, status: u16| {
        format!(
            "203.0.113.{user} - - [01/Sep/2026:10:{minute:02}:05 +0000] \"POST /orders HTTP/1.1\" {status} 51 \"-\" \"app/1\"\n"
        )
    };
    let said = |minute: usize| {
        format!("2026-09-01T10:{minute:02}:05Z ForbiddenError: invalid csrf token\n")
    };
    let refused = |user: usize, minute: usize| said(minute) + &write(user, minute, 403);
    let read = served(9);
    let of = |parts: &[String]| facts().log("web.log", &(read.clone() + &parts.concat()));
    let many: Vec<_> = (1..7).map(|user| refused(user, user)).collect();
    confirms(&of(&many), "TN0507");
    let robots: Vec<_> = (1..7).map(|user| refused(user + 100, user)).collect();
    leaves_open(&of(&robots), "TN0507");
    let one: Vec<_> = (1..7).map(|minute| refused(3, minute)).collect();
    leaves_open(&of(&one), "TN0507");
    let over = (7..14).map(|user| write(user, user, 201));
    leaves_open(
        &of(&many.iter().cloned().chain(over).collect::<Vec<_>>()),
        "TN0507",
    );
}

/// The claim that a file asks for, beside what the token says.
#[test]
fn a_file_that_asks_for_a_claim_explains_only_a_refusal_for_want_of_it() {
    let with = |claims: &serde_json::Value, status: u16, body: &str| {
        facts()
            .token(&jwt(claims))
            .file(
                "app/policy.rb",
                "Array(claims[\"roles\"]).include?(\"admin\")\n",
            )
            .answer("client", status, JSON, body)
            .answer("bare", 401, JSON, "{\"error\":\"missing token\"}")
            .answer("altered", 401, JSON, "{\"error\":\"invalid signature\"}")
    };
    let elsewhere = json!({"realm_access": {"roles": ["admin"]}});
    let words = "{\"error\":\"you lack the permission\"}";
    confirms(&with(&elsewhere, 403, words), "TN0515");
    leaves_open(&with(&json!({"roles": ["admin"]}), 403, words), "TN0515");
    leaves_open(
        &with(&elsewhere, 401, "{\"error\":\"wrong audience\"}"),
        "TN0515",
    );
    leaves_open(
        &with(&elsewhere, 403, "{\"error\":\"suspended\"}"),
        "TN0515",
    );
    leaves_open(&with(&json!({"roles": ["user"]}), 403, words), "TN0515");
}
