//! Races of two holders, answers that were lost, and what of them can only be guessed.

use crate::support::{Facts, NOW, confirms, facts, leads, leaves_open};

const ROTATED: &str = r#"{"userId":"u-1","sid":"s-1","msg":"refresh token rotated"}"#;
const REUSED: &str =
    r#"{"userId":"u-1","sid":"s-1","status":401,"msg":"refresh token reuse detected"}"#;

fn lines(all: &[(f64, &str)]) -> String {
    let line = |(after, event): &(f64, &str)| {
        #[expect(clippy::cast_precision_loss, reason = "small enough")]
        let at = NOW as f64 + after;
        format!("{{\"time\":{at:.3},{}\n", &event[1..])
    };
    all.iter().map(line).collect()
}

fn server(apart: f64) -> Facts {
    let text = lines(&[(0.0, ROTATED), (apart, REUSED)]);
    facts().now(NOW + 100_000).log("api.log", &text)
}

#[test]
fn who_got_no_answer_and_comes_back_is_no_second_holder() {
    let client = lines(&[
        (-0.01, r#"{"msg":"token_refresh_started"}"#),
        (
            0.35,
            r#"{"msg":"token_refresh_failed","error":"timeout of 30000ms exceeded"}"#,
        ),
        (
            0.9,
            r#"{"msg":"token_refresh_failed","status":401,"error":"Invalid refresh token"}"#,
        ),
    ]);
    let lost = || server(0.89).log("app.log", &client);
    confirms(&lost(), "TN0603");
    leaves_open(&lost(), "TN0602");
}

#[test]
fn a_server_alone_cannot_tell_a_race_from_a_retry_half_a_second_later() {
    confirms(&server(0.02), "TN0602");
    leads(&server(0.7), "TN0602");
    leaves_open(&server(0.7), "TN0602");
}

#[test]
fn two_answers_to_one_address_are_a_race_only_as_far_as_can_be_seen() {
    let line = |second: u32, status: u16, path: &str| {
        format!(
            "203.0.113.7 - - [21/Nov/2026:10:00:{second:02} +0000] \"POST {path} HTTP/1.1\" {status} 58 \"-\" \"Mozilla/5.0 Firefox/128.0\"\n"
        )
    };
    let text = |logins: u32, apart: u32| {
        let logins = (0..logins).map(|at| line(at, 200, "/auth/login"));
        let refreshes = [
            line(20, 200, "/auth/refresh"),
            line(20 + apart, 401, "/auth/refresh"),
        ];
        logins.chain(refreshes).collect::<String>()
    };
    let of = |logins, apart| facts().log("access.log", &text(logins, apart));
    leads(&of(1, 0), "TN0602");
    leaves_open(&of(1, 0), "TN0602");
    assert!(crate::support::verdict(&of(1, 30), "TN0602").is_none());
    assert!(crate::support::verdict(&of(2, 0), "TN0602").is_none());
}

#[test]
fn a_client_that_got_no_answer_and_is_refused_later_may_have_lost_it() {
    let retried = |later: f64| {
        let text = lines(&[
            (
                0.0,
                r#"{"msg":"refresh_started","refresh_token":"3308d178f75b"}"#,
            ),
            (
                10.0,
                r#"{"msg":"refresh_failed","refresh_token":"3308d178f75b","error":"SocketTimeoutException: timeout"}"#,
            ),
            (
                later,
                r#"{"msg":"refresh_started","refresh_token":"3308d178f75b"}"#,
            ),
            (later + 0.3, r#"{"msg":"refresh_failed","status":400}"#),
        ]);
        facts().now(NOW + 100_000).log("app.log", &text)
    };
    leads(&retried(61.0), "TN0603");
    leaves_open(&retried(61.0), "TN0603");
    assert!(crate::support::verdict(&retried(90_000.0), "TN0603").is_none());
}

#[test]
fn a_line_with_a_status_tells_an_answer_though_it_tells_what_was_sent() {
    let text = "2026-09-21T08:23:20.662Z [tab 1] POST /api/token/refresh/ 200 (sent refresh jti=289f4223, got jti=347ca316)\n\
                2026-09-21T08:23:20.664Z [tab 2] POST /api/token/refresh/ 401 {\"detail\":\"Token is blacklisted\"} (sent refresh jti=289f4223)\n";
    leads(&facts().log("console.log", text), "TN0602");
    leaves_open(&facts().log("console.log", text), "TN0602");
}

#[test]
fn people_behind_one_address_have_no_common_lifetime() {
    let line = |second: u32, request: &str, status: u16, agent: &str| {
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let at = format!("21/Sep/2026:{hour:02}:{minute:02}:{second:02} +0000");
        format!("203.0.113.7 - - [{at}] \"{request} HTTP/1.1\" {status} 58 \"-\" \"{agent}\"\n")
    };
    let session = |begin: u32, lasts: u32, agent: &str| {
        line(begin, "POST /auth/login", 200, agent)
            + &line(begin + 60, "GET /v1/orders", 200, agent)
            + &line(begin + lasts, "GET /v1/orders", 401, agent)
    };
    let alone: String = (0..4)
        .map(|at| session(at * 2_000, 905, "Firefox/1"))
        .collect();
    let login = |at| line(at, "POST /auth/login", 200, "Chrome/2");
    let shared = login(7_990)
        + &login(8_000)
        + &line(8_900, "GET /v1/orders", 401, "Chrome/2")
        + &login(8_905)
        + &line(9_100, "GET /v1/orders", 401, "Chrome/2");
    leads(
        &facts().log("access.log", &format!("{alone}{shared}")),
        "TN0601",
    );
    let other: String = (0..4)
        .map(|at| session(20_000 + at * 2_000, 200 + at * 150, "Edge/3"))
        .collect();
    leaves_open(
        &facts().log("access.log", &format!("{alone}{other}")),
        "TN0601",
    );
}

#[test]
fn keycloak_names_a_refused_refresh_in_a_field() {
    let event = |kind: &str| {
        format!(
            "2026-09-21 08:03:34,124 WARN  [org.keycloak.events] (executor-thread-2) type=\"{kind}\", realmId=\"4c1f\", realmName=\"shop\", clientId=\"app\", userId=\"null\", ipAddress=\"198.51.100.228\", error=\"invalid_token\", reason=\"Offline user session not found\"\n"
        )
    };
    confirms(
        &facts().log("keycloak.log", &event("REFRESH_TOKEN_ERROR").repeat(3)),
        "TN0610",
    );
    leaves_open(
        &facts().log("keycloak.log", &event("INTROSPECT_TOKEN_ERROR").repeat(3)),
        "TN0610",
    );
}
