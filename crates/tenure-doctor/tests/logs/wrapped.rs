//! Lines that others collected or wrote for people: what is around them, and the answer that they tell of.

use tenure_doctor::logs::{Analyst, Pattern};
use tenure_doctor::{Evidence, Outcome, diagnose};

use super::{finding, read};

/// What wrote it, and a line with one answer 401.
const REFUSED: &[(&str, &str)] = &[
    (
        "kubectl",
        r#"[pod/web-5c8f/web] 2026-11-21T18:00:00.000000000Z 192.0.2.1 - - [21/Nov/2026:18:00:00 +0000] "GET /feed HTTP/1.1" 401 2 "-" "curl""#,
    ),
    (
        "containerd",
        r#"2026-11-21T18:00:00.1Z stdout F {"level":30,"time":1795284000000,"req":{"method":"GET","url":"/feed"},"res":{"statusCode":401},"msg":"request completed"}"#,
    ),
    (
        "docker",
        r#"{"log":"{\"msg\":\"answered\",\"url\":\"/feed\",\"status\":401}\n","stream":"stdout","time":"2026-11-21T18:00:00Z"}"#,
    ),
    (
        "journald",
        r#"{"__REALTIME_TIMESTAMP":"1795284000000000","_PID":"8","_HOSTNAME":"h","MESSAGE":"[api] GET /feed 401"}"#,
    ),
    (
        "syslog",
        r#"Nov 21 18:00:00 web-1 gunicorn[12]: 192.0.2.1 - - [21/Nov/2026:18:00:00 +0000] "GET /feed HTTP/1.1" 401 2 "-" "curl""#,
    ),
    (
        "logcat",
        r#"11-21 18:00:00.000  9120  4756 W ReactNativeJS: [api] GET /feed failed: status code 401 {"status":401}"#,
    ),
    (
        "Apple's log",
        "2026-11-21 18:00:00.000000+0000 0x1f3a     Default     0x0    611    0    Shop: (Shop) [a.b:auth] GET /feed 401",
    ),
    (
        "Serilog",
        "2026-11-21 18:00:00.000 +00:00 [INF] HTTP GET /feed responded 401 in 12.2 ms",
    ),
    (
        "ASP.NET Core",
        "      Request finished HTTP/1.1 GET http://a.example/feed - 401 0 - 1.9942ms",
    ),
    (
        "Gin",
        r#"[GIN] 2026/11/21 - 18:00:00 | 401 |     1.2ms |       192.0.2.1 | GET      "/feed""#,
    ),
    (
        "Rails",
        "I, [2026-11-21T18:00:00.000000 #12]  INFO -- : Completed 401 Unauthorized in 3ms",
    ),
    (
        "PHP-FPM",
        r#"127.0.0.1 -  21/Nov/2026:18:00:00 +0000 "GET /index.php" 401"#,
    ),
    (
        "Mojolicious",
        "[2026-11-21 18:00:00.46310] [19677] [info] 192.0.2.1 GET /feed 401",
    ),
    (
        "nginx in JSON",
        r#"{"time":"2026-11-21T18:00:00+00:00","client":"192.0.2.1","request":"GET /feed","status":401}"#,
    ),
    (
        "Cloud Run",
        r#"{"httpRequest":{"requestMethod":"GET","requestUrl":"https://a.example/feed","status":401,"remoteIp":"192.0.2.1"},"timestamp":"2026-11-21T18:00:00Z"}"#,
    ),
    (
        "API Gateway",
        "2026-11-21T18:00:00.701Z (64409ddb-b45f-41c3-bd65-693b3d0840fb) Gateway response type: UNAUTHORIZED with status code: 401",
    ),
    (
        "API Management",
        r#"{"time":"2026-11-21T18:00:00Z","category":"GatewayLogs","callerIpAddress":"192.0.2.1","properties":{"method":"GET","url":"https://a.example/feed","responseCode":401}}"#,
    ),
    (
        "Fastify",
        r#"{"level":30,"time":1795284000000,"reqId":"req-1","res":{"statusCode":401},"responseTime":1.5,"msg":"request completed"}"#,
    ),
];

#[test]
fn an_answer_is_counted_whatever_is_around_it() {
    for (who, line) in REFUSED {
        let logs = read(&format!("{line}\n"));
        assert_eq!(
            logs.files[0].statuses.get(&401),
            Some(&1),
            "{who}: {logs:?}"
        );
    }
}

#[test]
fn a_number_that_is_no_status_is_none() {
    for line in [
        "GET /feed took 450 ms",
        "loaded GET /feed from cache",
        "Completed 3 of 401 jobs",
        "wrote 401 rows",
    ] {
        assert!(
            read(&format!("{line}\n")).files[0].statuses.is_empty(),
            "{line}"
        );
    }
}

#[test]
fn a_time_without_a_year_is_the_last_one_before_now() {
    let mut analyst = Analyst::new().at(tenure_core::time::Timestamp(1_795_290_000));
    let line = "11-21 18:00:00.000  1  1 W A: [api] GET /feed 401\n12-24 18:00:00.000  1  1 W A: [api] GET /feed 401\n";
    analyst.read("logcat.txt", line.as_bytes());
    let refusals = analyst.finish();
    let refusals = finding(&refusals, Pattern::Refusals);
    assert_eq!(refusals.last_ms, Some(1_795_284_000_000));
    assert_eq!(refusals.first_ms, Some(1_795_284_000_000));
}

fn outcome(text: &str) -> Outcome {
    let evidence = Evidence {
        logs: read(text),
        ..Evidence::default()
    };
    diagnose(&evidence).outcome
}

fn access(address: &str, path: &str, status: u16, agent: &str) -> String {
    format!(
        "{address} - - [21/Nov/2026:18:00:00 +0000] \"GET {path} HTTP/1.1\" {status} 2 \"-\" \"{agent}\"\n"
    )
}

#[test]
fn who_is_only_served_is_well_and_scanners_are_refused_every_day() {
    let served = access("192.0.2.1", "/feed", 200, "okhttp").repeat(5);
    let probed = access("192.0.2.9", "/.env", 403, "curl")
        + &access("192.0.2.9", "/feed", 401, "sqlmap/1.7");
    assert_eq!(outcome(&(served.clone() + &probed)), Outcome::Healthy);
    let person = access("192.0.2.9", "/feed", 401, "okhttp");
    assert_eq!(outcome(&(served + &person)), Outcome::Undecided);
}

#[test]
fn nobody_is_called_well_where_nobody_was_served() {
    let bare = r#"{"level":30,"time":1795284000000,"msg":"app started"}"#;
    assert_eq!(outcome(&format!("{bare}\n")), Outcome::Undecided);
}

#[test]
fn other_statuses_turn_away_too() {
    let served = access("192.0.2.1", "/feed", 200, "okhttp");
    for status in [407, 419, 431, 494, 498] {
        let log = served.repeat(9) + &access("192.0.2.2", "/feed", status, "okhttp");
        assert_ne!(outcome(&log), Outcome::Healthy, "{status}");
    }
    let broken = access("192.0.2.2", "/feed", 500, "okhttp");
    assert_ne!(
        outcome(&(served.repeat(3) + &broken.repeat(3))),
        Outcome::Healthy
    );
    assert_eq!(outcome(&(served.repeat(9) + &broken)), Outcome::Healthy);
}
