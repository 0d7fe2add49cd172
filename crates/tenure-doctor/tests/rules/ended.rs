//! Refreshes that are refused for good, in the words of issuers, and what stands behind them.

use serde_json::json;
use tenure_doctor::exchange::Failure;

use crate::support::{Facts, NOW, confirms, facts, jwt, leads, leaves_open, verdict};

/// A refresh that is refused in these words.
fn refused(words: &str) -> Facts {
    let body = json!({"error": "invalid_grant", "error_description": words});
    facts().answer("refresh", 400, &[], &body.to_string())
}

#[test]
fn words_for_an_ended_session_confirm_it_where_no_api_takes_its_token() {
    for words in [
        "Token has been expired or revoked.",
        "AADSTS50173: The provided grant has expired due to it being revoked.",
        "AADSTS700084: The refresh token was issued to a single page app.",
        "expired access/refresh token",
        "Refresh token revoked",
    ] {
        confirms(&refused(words), "TN0610");
    }
    let taken = refused("Refresh token revoked").answer("client", 200, &[], "{}");
    leaves_open(&taken, "TN0610");
}

#[test]
fn words_that_fit_a_used_token_too_confirm_nothing() {
    for words in [
        "Unknown or invalid refresh token.",
        "The refresh token is invalid or expired.",
        "unknown, invalid, or expired refresh token",
    ] {
        let refused = refused(words);
        leads(&refused, "TN0610");
        leaves_open(&refused, "TN0610");
    }
    leads(
        &refused("The specified refresh token has already been redeemed."),
        "TN0602",
    );
}

#[test]
fn a_client_that_the_issuer_does_not_know_is_confirmed_by_words_for_nothing_else() {
    confirms(
        &refused("AADSTS700016: Application with identifier was not found"),
        "TN0608",
    );
    leaves_open(&refused("client not found"), "TN0608");
}

#[test]
fn an_expired_token_of_an_ended_session_is_not_the_clients_fault() {
    let expired = jwt(&json!({"iat": NOW - 4_000, "exp": NOW - 3_000}));
    let body = r#"{"error":"invalid_token","error_description":"the token has expired"}"#;
    let away = || {
        facts()
            .token(&expired)
            .answers(&["client", "again-1"], 401, &[], body)
    };
    confirms(&away(), "TN0415");
    let over = r#"{"error":"invalid_grant","error_description":"over","tenure_reason":"expired_absolute"}"#;
    let ended = away().answer("refresh", 400, &[], over);
    confirms(&ended, "TN0712");
    leaves_open(&ended, "TN0415");
    confirms(&away().answer("refresh", 200, &[], "{}"), "TN0415");
}

/// The service's log: what follows the time of each line.
fn service(lines: &[&str]) -> Facts {
    let line = |line: &&str| format!("{{\"timestamp\":\"2026-09-21T13:00:00Z\",{line}}}\n");
    facts().log("tenure.log", &lines.iter().map(line).collect::<String>())
}

const BEGAN: &str = r#""event":"session_started","sid":"a1","client":"app""#;
const REFUSED: &str = r#""event":"refresh","verdict":"ended","sid":"a1""#;

#[test]
fn the_services_log_tells_why_it_refuses_a_refresh() {
    let all = r#""event":"sessions_ended","reason":"revoked_by_user","count":2"#;
    confirms(&service(&[BEGAN, all, REFUSED]), "TN0701");
    leaves_open(&service(&[BEGAN, all]), "TN0701");
    let unsaid = service(&[BEGAN, REFUSED]);
    leads(&unsaid, "TN0712");
    leaves_open(&unsaid, "TN0712");
    let audit =
        "2026-09-21T12:59:00Z  sessions_ended  account_disabled (1 sessions)  u1  -  -  -\n";
    confirms(&unsaid.log("audit.txt", audit), "TN0702");
    let out = r#""event":"session_ended","sid":"a1","reason":"logged_out""#;
    assert_eq!(verdict(&service(&[BEGAN, out, REFUSED]), "TN0701"), None);
}

const ME: &str = "https://issuer.example/api/auth/me";

#[test]
fn an_issuer_that_is_not_reached_is_told_from_an_api_that_is_not() {
    let token = jwt(&json!({}));
    let closed = |url: &str| {
        let client = facts().token(&token).failed("client", Failure::Refused);
        client.requested("GET", url, &[])
    };
    confirms(&closed(ME), "TN0716");
    leaves_open(&closed("https://api.example/v1/things"), "TN0716");
    let gone = |discovery: u16| {
        let client = facts().token(&token).answer("client", 502, &[], "<html>");
        let client = client.requested("GET", ME, &[]);
        client.answer("discovery", discovery, &[], "<html>")
    };
    confirms(&gone(502), "TN0716");
    leaves_open(&gone(200), "TN0716");
}

#[test]
fn an_outage_at_the_end_of_a_proxys_log_is_one() {
    let line = |status: u16| {
        format!(
            "192.0.2.7 - - [21/Sep/2026:13:00:00 +0000] \"POST /oauth2/token HTTP/1.1\" {status} 157 \"-\" \"app/1\"\n"
        )
    };
    let log = |last: u16| {
        facts().log(
            "access.log",
            &(line(200) + &line(502).repeat(6) + &line(last)),
        )
    };
    leads(&log(502), "TN0716");
    assert_eq!(verdict(&log(200), "TN0716"), None);
}

/// An app's own log.
fn app(lines: &[&str]) -> Facts {
    let line = |(at, line): (usize, &&str)| format!("2026-09-21T13:{at:02}:00.000Z INFO {line}\n");
    let text: String = lines.iter().enumerate().map(line).collect();
    facts().now(NOW + 100_000).log("main.log", &text)
}

#[test]
fn a_used_token_that_its_client_read_back_from_its_store_was_not_replaced_there() {
    let start = [
        r#"[session] refreshing {"refreshToken":"aaaa1111"}"#,
        r#"[session] refreshed {"refreshToken":"bbbb2222"}"#,
    ];
    let end = |token: &str| {
        [
            format!(r#"[session] restored {{"accessToken":263,"refreshToken":"{token}"}}"#),
            format!(r#"[session] refreshing {{"refreshToken":"{token}"}}"#),
            r#"[session] refresh failed {"status":400,"error":"invalid_grant"}"#.to_owned(),
        ]
    };
    let log = |token: &str| {
        let end = end(token);
        let lines: Vec<_> = start
            .into_iter()
            .chain(end.iter().map(String::as_str))
            .collect();
        app(&lines)
    };
    confirms(&log("aaaa1111"), "TN0603");
    leaves_open(&log("bbbb2222"), "TN0603");
}

#[test]
fn an_app_that_shows_a_user_without_a_session_is_told_from_one_that_has_it() {
    let log = |length: u32, had: bool| {
        let restored =
            format!(r#"[session] restored {{"accessToken":{length},"refreshToken":null}}"#);
        let request =
            format!(r#"request failed {{"path":"/v1/orders","status":401,"hadToken":{had}}}"#);
        let text = format!(
            "2026-09-21T13:00:00.000Z INFO [persist] rehydrated {{\"auth\":{{\"isLoggedIn\":true}}}}\n\
             2026-09-21T13:00:00.100Z INFO {restored}\n2026-09-21T13:00:00.500Z WARN {request}\n"
        );
        facts().now(NOW + 100_000).log("app.log", &text)
    };
    confirms(&log(0, false), "TN0611");
    leaves_open(&log(263, true), "TN0611");
    leaves_open(&log(0, true), "TN0611");
}

#[test]
fn a_session_cookie_that_is_taken_in_turns_is_known_to_one_process() {
    let flips = |fields: &[(&str, &str)]| {
        let probes = ["client", "again-1", "again-2", "again-3"];
        let mut all = facts();
        for (at, probe) in probes.iter().enumerate() {
            let status = if at % 2 == 0 { 401 } else { 200 };
            all = all.answer(probe, status, &[], "{}");
            all = all.requested("GET", "https://api.example/v1/things", fields);
        }
        all
    };
    leads(&flips(&[("cookie", "session=opaque")]), "TN0606");
    let bearer = flips(&[("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln")]);
    assert_eq!(verdict(&bearer, "TN0606"), None);
}

#[test]
fn a_page_that_the_service_refuses_is_seen_in_a_browsers_record() {
    let har = |allowed: &str, body: &str| {
        let field = |name: &str, value: &str| json!({"name": name, "value": value});
        let entry = json!({
            "startedDateTime": "2026-09-21T13:00:00.000Z", "time": 3,
            "request": {"method": "OPTIONS", "url": ME, "headers": [
                field("Origin", "https://shop.example"), field("Access-Control-Request-Method", "GET"),
            ]},
            "response": {
                "status": 405, "headers": [field("Allow", "GET,HEAD"), field(allowed, "https://shop.example")],
                "content": {"text": body},
            },
        });
        let har = json!({"log": {"version": "1.2", "entries": [entry]}});
        facts().log("page.har", &har.to_string())
    };
    let own = r#"{"error":"method_not_allowed","error_description":"read this with GET"}"#;
    confirms(&har("x-other", own), "TN0710");
    leaves_open(&har("access-control-allow-origin", own), "TN0710");
    leaves_open(&har("x-other", "Method Not Allowed"), "TN0710");
}
