//! One log per pattern, as an app or service writes it.

use std::fmt::Write as _;

use tenure_doctor::logs::Pattern;

use super::{finding, patterns, read, read_all};

#[test]
fn two_refreshes_of_one_token_at_once_and_then_invalid_grant() {
    let logs = read(
        r#"{"level":30,"time":1795284000000,"pid":1,"user_id":"u1","msg":"refresh requested","token_hash":"aaaaaaaaaaaa"}
{"level":30,"time":1795284000140,"pid":1,"user_id":"u1","msg":"refresh requested","token_hash":"aaaaaaaaaaaa"}
{"level":30,"time":1795284000200,"pid":1,"user_id":"u1","msg":"refresh succeeded","token_hash":"aaaaaaaaaaaa","new_token_hash":"bbbbbbbbbbbb"}
{"level":40,"time":1795284000260,"pid":1,"user_id":"u1","msg":"refresh failed","token_hash":"aaaaaaaaaaaa","status":400,"error":"invalid_grant"}
"#,
    );
    assert_eq!(patterns(&logs), [Pattern::RefreshRace]);
    let race = finding(&logs, Pattern::RefreshRace);
    assert_eq!(race.figures["gap_ms"], "140");
    assert_eq!(race.figures["token"], "sha256:aaaaaaaaaaaa");
    assert_eq!(race.source.to_string(), "app.log:4");
}

#[test]
fn a_race_of_two_apps_shows_in_their_two_logs() {
    let log = |at: &str, end: &str| {
        format!(
            "2026-11-21T18:00:00.{at}0Z token_refresh_started {{\"refresh_token\":\"r-one-and-only\",\"user\":\"u\"}}\n2026-11-21T18:00:00.{at}9Z {end}\n"
        )
    };
    let identity = log("10", r#"token_refresh_succeeded {"user":"u"}"#);
    let biometric = log(
        "35",
        r#"token_refresh_failed {"user":"u","error":"invalid_grant"}"#,
    );
    let logs = read_all(&[("identity.log", &identity), ("biometric.log", &biometric)]);
    assert_eq!(patterns(&logs), [Pattern::RefreshRace]);
}

#[test]
fn a_rotated_token_that_comes_back_a_day_later() {
    let logs = read(
        r#"time=2026-11-20T18:00:00Z msg="refresh ok" user=u1 token_fp=aaaaaaaaaaaa new_token_fp=bbbbbbbbbbbb
time=2026-11-21T18:00:00Z msg="refresh refused" user=u1 token_fp=aaaaaaaaaaaa status=400 error=invalid_grant
"#,
    );
    assert_eq!(patterns(&logs), [Pattern::RefreshReuse]);
    assert_eq!(
        finding(&logs, Pattern::RefreshReuse).figures["gap_s"],
        "86400"
    );
}

#[test]
fn a_sign_out_that_follows_what_says_nothing() {
    let ends = [
        (r#""status":503"#, "503"),
        (r#""status":429"#, "429"),
        (r#""error":"SocketTimeoutException: timeout""#, "timeout"),
        (r#""error":"ECONNRESET""#, "network"),
        (
            r#""status":403,"error":"ForbiddenException: Request not allowed due to WAF block.""#,
            "403 WAF block",
        ),
        (
            r#""status":400,"error":"invalid_request""#,
            "400 invalid_request",
        ),
    ];
    for (end, shown) in ends {
        let logs = read(&format!(
            "2026-11-21T18:00:00.100Z token_refresh_failed {{{end}}}\n2026-11-21T18:00:00.300Z will_clear_session {{\"reason\":\"refresh_failed\"}}\n"
        ));
        assert_eq!(patterns(&logs), [Pattern::WipedOnTransient], "{end}");
        assert_eq!(
            finding(&logs, Pattern::WipedOnTransient).figures["answer"],
            shown
        );
    }
}

#[test]
fn a_sign_out_without_times_is_next_to_its_cause() {
    let logs = read("token_refresh_failed {\"status\":502}\ntokens cleared, redirect to login\n");
    assert_eq!(patterns(&logs), [Pattern::WipedOnTransient]);
}

#[test]
fn sessions_that_end_with_their_first_token() {
    let mut log = String::new();
    for user in 0..4_u64 {
        let login = 1_795_284_000_000 + user * 100_000;
        let first = login + 900_000 + user * 3_000;
        for (at, url, status) in [
            (login, "/login", 200),
            (login + 9_000, "/api/feed", 200),
            (first, "/api/feed", 401),
        ] {
            let method = if url == "/login" { "POST" } else { "GET" };
            writeln!(
                log,
                r#"{{"level":30,"time":{at},"pid":7,"hostname":"h","req":{{"method":"{method}","url":"{url}"}},"res":{{"statusCode":{status}}},"userId":"u{user}","msg":"request completed"}}"#
            )
            .unwrap();
        }
    }
    let logs = read(&log);
    assert_eq!(patterns(&logs), [Pattern::RefreshNeverCalled]);
    let never = finding(&logs, Pattern::RefreshNeverCalled);
    assert_eq!(never.count, 4);
    assert_eq!(never.figures["lifetime_s"], "900");
    assert_eq!(
        never.figures["histogram"],
        "900 s: 1, 903 s: 1, 906 s: 1, 909 s: 1"
    );
}

#[test]
fn a_fresh_token_that_is_refused() {
    let logs = read(
        r#"token_refresh_succeeded {"at":1795284000000}
auth_retry_exhausted {"status":403,"had_retry_token":true,"path":"/memories"}
"#,
    );
    assert_eq!(patterns(&logs), [Pattern::FreshTokenRefused]);
    assert_eq!(
        finding(&logs, Pattern::FreshTokenRefused).figures["status"],
        "403"
    );
}

#[test]
fn a_request_that_did_not_wait_for_the_session() {
    let logs = read(
        r#"2026-11-21T18:00:00.000Z app_start {}
2026-11-21T18:00:00.120Z api_request_failed {"path":"/memories","status":403,"has_token":false}
2026-11-21T18:00:00.140Z api_request_failed {"path":"/me","status":403,"has_token":false}
2026-11-21T18:00:00.600Z bootstrap_complete {"signed_in":true}
2026-11-21T18:00:01.000Z api_request {"path":"/me","status":200}
"#,
    );
    assert_eq!(patterns(&logs), [Pattern::RequestBeforeRestore]);
    assert_eq!(
        finding(&logs, Pattern::RequestBeforeRestore).figures["requests"],
        "2"
    );
}

#[test]
fn a_store_that_lost_one_of_its_keys() {
    for line in [
        r#"store_session_read {"keys":{"idToken":1071,"accessToken":1091,"refreshToken":0}}"#,
        r#"store_session_read {"has_id_token":true,"has_access_token":true,"has_refresh_token":false}"#,
        r#"store_session_read {"id_token":{"present":true,"length":1071},"refresh_token":{"present":false}}"#,
    ] {
        let logs = read(line);
        assert_eq!(patterns(&logs), [Pattern::StoreKeyMissing], "{line}");
        assert_eq!(
            finding(&logs, Pattern::StoreKeyMissing).figures["missing"],
            "refreshtoken"
        );
    }
}

#[test]
fn an_empty_refresh_token_is_stored_and_sent() {
    let logs = read(
        "session_write_succeeded {\"refresh_token\":\"\",\"access_token_length\":900}\ntoken_refresh_started {\"refresh_token\":\"\"}\n",
    );
    assert_eq!(patterns(&logs), [Pattern::EmptyRefreshToken]);
    assert_eq!(finding(&logs, Pattern::EmptyRefreshToken).count, 2);
}

#[test]
fn sessions_in_the_memory_of_a_process() {
    let logs = read(
        "[WARNING] core.security_engine.auth: Using memory cache for: refresh_token:42 (cache=None, redis_available=False)\n",
    );
    assert_eq!(patterns(&logs), [Pattern::MemoryFallback]);
}

#[test]
fn workers_that_answer_the_same_user_differently() {
    let line = |at: u64, pid: u64, status: u64| {
        format!(
            r#"{{"level":30,"time":{},"pid":{pid},"hostname":"h","userId":"u1","req":{{"method":"GET","url":"/api/feed"}},"res":{{"statusCode":{status}}},"msg":"request completed"}}"#,
            1_795_284_000_000 + at
        )
    };
    let logs = read(
        &[
            line(0, 11, 401),
            line(900, 12, 200),
            line(1_800, 11, 401),
            line(2_000, 12, 200),
        ]
        .join("\n"),
    );
    assert_eq!(patterns(&logs), [Pattern::WorkersDisagree]);
    let workers = finding(&logs, Pattern::WorkersDisagree);
    assert_eq!(
        (
            workers.figures["answers"].as_str(),
            workers.figures["refuses"].as_str()
        ),
        ("h pid 12", "h pid 11")
    );
}

#[test]
fn users_who_are_lost_with_a_restart() {
    let logs = read(
        r#"2026-11-21T18:00:00Z INFO login succeeded user=a
2026-11-21T18:00:05Z INFO login succeeded user=b
2026-11-21T18:05:00Z INFO Application startup complete.
2026-11-21T18:06:00Z WARNING refresh failed user=a status=401 detail="Session expired"
2026-11-21T18:07:00Z WARNING refresh failed user=b status=401 detail="Session expired"
"#,
    );
    assert_eq!(patterns(&logs), [Pattern::RefusedAfterRestart]);
    assert_eq!(
        finding(&logs, Pattern::RefusedAfterRestart).figures["users"],
        "2"
    );
}

#[test]
fn a_session_that_is_cleared_while_the_app_looks_signed_in() {
    let logs = read(
        r#"2026-11-21T18:00:00Z clear_session {"reason":"refresh_invalid"}
2026-11-21T18:00:30Z api_response {"path":"/settings","status":401}
"#,
    );
    assert_eq!(patterns(&logs), [Pattern::ClearedSilently]);
}

#[test]
fn what_led_to_a_finding_is_in_the_timeline() {
    let logs = read(
        "2026-11-21T17:45:00Z login_succeeded {}\n2026-11-21T18:00:00Z token_refresh_failed {\"status\":503}\n2026-11-21T18:00:00Z session_cleared {}\n2026-11-21T18:00:09Z api {\"path\":\"/me\",\"status\":401}\n",
    );
    let what: Vec<_> = logs
        .timeline
        .iter()
        .map(|event| event.what.as_str())
        .collect();
    assert_eq!(
        what,
        [
            "signed in",
            "refresh: 503",
            "session cleared",
            "request /me: 401"
        ]
    );
}
