//! Each format, after its documentation: the same 401 is counted in all of them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tenure_doctor::logs::{Analyst, Pattern};

use super::{finding, read, read_all};

/// 2026-11-21T18:00:00Z.
const SIX: u64 = 1_795_284_000_000;

/// Format and line.
const LINES: &[(&str, &str)] = &[
    (
        "pino-http",
        r#"{"level":30,"time":1795284000000,"pid":30,"hostname":"api-1","req":{"id":1,"method":"GET","url":"/api/feed","headers":{"host":"a.example"}},"res":{"statusCode":401,"headers":{}},"responseTime":4,"msg":"request completed"}"#,
    ),
    (
        "winston",
        r#"{"level":"info","message":"GET /api/feed","timestamp":"2026-11-21T18:00:00.000Z","path":"/api/feed","status":401}"#,
    ),
    (
        "structlog",
        r#"{"event":"answered","level":"info","timestamp":"2026-11-21T18:00:00Z","path":"/api/feed","status_code":401}"#,
    ),
    (
        "tracing",
        r#"{"timestamp":"2026-11-21T18:00:00.000000Z","level":"INFO","fields":{"message":"finished processing request","path":"/api/feed","status":401},"target":"tower_http::trace"}"#,
    ),
    (
        "api-gateway",
        r#"{"requestId":"c6af9ac6","ip":"192.0.2.1","requestTime":"21/Nov/2026:18:00:00 +0000","httpMethod":"GET","resourcePath":"/api/feed","status":"401","protocol":"HTTP/1.1","responseLength":"26"}"#,
    ),
    (
        "traefik",
        r#"{"ClientAddr":"192.0.2.1:4711","DownstreamStatus":401,"RequestMethod":"GET","RequestPath":"/api/feed","RouterName":"api@file","StartUTC":"2026-11-21T18:00:00Z","time":"2026-11-21T18:00:00Z","level":"info","msg":""}"#,
    ),
    (
        "logfmt",
        r#"time=2026-11-21T18:00:00Z level=info msg="request answered" method=GET path=/api/feed status=401"#,
    ),
    (
        "event",
        r#"2026-11-21 18:00:00,000 - api.http - INFO - answered {"path": "/api/feed", "status": 401}"#,
    ),
    (
        "combined",
        r#"192.0.2.1 - - [21/Nov/2026:18:00:00 +0000] "GET /api/feed HTTP/1.1" 401 26 "-" "Mozilla/5.0""#,
    ),
    (
        "envoy",
        r#"[2026-11-21T18:00:00.000Z] "GET /api/feed HTTP/1.1" 401 - jwt_authn_access_denied{Jwt_is_expired} - "-" 0 14 0 - "-" "curl" "id" "a.example" "-""#,
    ),
    (
        "haproxy",
        r#"Nov 21 18:00:00 edge haproxy[7]: 192.0.2.1:4711 [21/Nov/2026:18:00:00.000] web api/one 0/0/0/3/3 401 184 - - ---- 1/1/0/0/0 0/0 "GET /api/feed HTTP/1.1""#,
    ),
];

#[test]
fn every_format_is_recognised_and_its_status_counted() {
    for (format, line) in LINES {
        let logs = read(line);
        let file = &logs.files[0];
        assert_eq!(file.formats.keys().collect::<Vec<_>>(), [format], "{line}");
        assert_eq!(file.statuses.get(&401), Some(&1), "{line}");
        let refusals = finding(&logs, Pattern::Refusals);
        assert_eq!(refusals.first_ms, Some(SIX), "{line}");
        assert_eq!(refusals.count, 1);
    }
}

#[test]
fn formats_may_change_from_line_to_line_and_from_file_to_file() {
    let all: Vec<_> = LINES.iter().map(|(_, line)| *line).collect();
    let logs = read_all(&[("a.log", &all.join("\n")), ("b.log", &all.join("\r\n"))]);
    assert_eq!(
        finding(&logs, Pattern::Refusals).count,
        2 * LINES.len() as u64
    );
    assert_eq!(logs.files[1].lines, LINES.len() as u64);
}

#[test]
fn uvicorn_and_containers_are_understood() {
    let logs = read("INFO:     127.0.0.1:50188 - \"GET /api/feed HTTP/1.1\" 401 Unauthorized\n");
    assert_eq!(
        logs.files[0].formats.keys().collect::<Vec<_>>(),
        ["uvicorn"]
    );
    assert_eq!(finding(&logs, Pattern::Refusals).count, 1);
    let logs = read("api-1  | 2026-11-21T18:00:00Z INFO answered status=401 path=/api/feed\n");
    assert_eq!(finding(&logs, Pattern::Refusals).first_ms, Some(SIX));
}

#[test]
fn an_error_line_of_nginx_is_a_known_text() {
    let logs = read(
        "2026/11/21 18:00:00 [error] 12#12: *1 auth request unexpected status: 502 while sending to client, client: 192.0.2.1, server: a, request: \"GET /api HTTP/1.1\", host: \"a\"\n",
    );
    assert_eq!(
        logs.files[0].formats.keys().collect::<Vec<_>>(),
        ["nginx-error"]
    );
    let text = finding(&logs, Pattern::Text);
    assert_eq!(text.figures["text"], "nginx-auth-request-status");
    assert_eq!(text.first_ms, Some(SIX));
}

#[test]
fn a_sanitized_har_does_not_say_that_the_header_was_missing() {
    let har = r#"{"log":{"version":"1.2","creator":{"name":"WebInspector"},"pages":[],"entries":[
      {"startedDateTime":"2026-11-21T17:59:59.900Z","time":100,"request":{"method":"GET","url":"https://a.example/api/feed","headers":[{"name":"accept","value":"*/*"}]},
       "response":{"status":401,"headers":[],"content":{"mimeType":"application/json","text":"{\"message\":\"Unauthorized\"}"}}},
      {"startedDateTime":"2026-11-21T18:00:02Z","time":5,"request":{"method":"GET","url":"https://a.example/x"},"response":{"status":0,"_error":"net::ERR_FAILED"}}]}}"#;
    let logs = read(har);
    assert_eq!(logs.files[0].formats["har"], 2);
    assert_eq!(finding(&logs, Pattern::Refusals).first_ms, Some(SIX));
    let said = serde_json::to_string(&logs).unwrap().to_lowercase();
    assert!(
        !said.contains("missing") && !said.contains("without"),
        "{said}"
    );
}

#[test]
fn a_har_on_one_line_with_a_body_of_any_size_is_read() {
    let body = "x\\n".repeat(1 << 20);
    let har = format!(
        r#"{{"log":{{"entries":[{{"startedDateTime":"2026-11-21T18:00:00Z","request":{{"method":"GET","url":"/a"}},"response":{{"status":403,"content":{{"text":"{body}"}}}}}}]}}}}"#
    );
    let logs = read(&har);
    assert_eq!(logs.files[0].problem, None);
    assert_eq!(finding(&logs, Pattern::Refusals).figures["403"], "1");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_recognised_whatever_the_name_with_all_its_members() {
    let (_, line) = LINES[0];
    let both = [gzip(&format!("{line}\n")), gzip(&format!("{line}\n"))].concat();
    let mut analyst = Analyst::new();
    analyst.read("rotated.log.1", both.as_slice());
    let logs = analyst.finish();
    assert_eq!(logs.files[0].problem, None);
    assert_eq!(finding(&logs, Pattern::Refusals).count, 2);
}

#[test]
fn a_broken_gzip_keeps_what_was_read_and_says_so() {
    let lines: String = (0..50_000)
        .map(|at| {
            LINES[0]
                .1
                .replace("\"id\":1,", &format!("\"id\":{},", at * 7_919 % 50_021))
                + "\n"
        })
        .collect();
    let whole = gzip(&lines);
    for part in [&whole[..whole.len() / 2], &whole[..20], &whole[..3]] {
        let mut analyst = Analyst::new();
        analyst.read("cut.gz", part);
        let logs = analyst.finish();
        assert!(logs.files[0].problem.is_some(), "{} bytes", part.len());
        assert_eq!(logs.files[0].lines > 1_000, part.len() > 1_000);
    }
}

#[test]
fn a_log_of_which_nothing_is_understood_says_nothing_about_health() {
    let looked = |text: &str| {
        let logs = read(text);
        let evidence = tenure_doctor::Evidence {
            logs,
            ..tenure_doctor::Evidence::default()
        };
        tenure_doctor::diagnose(&evidence).outcome
    };
    assert_eq!(
        looked("lorem ipsum\ndolor sit amet\n"),
        tenure_doctor::Outcome::Undecided
    );
    let (_, combined) = LINES
        .iter()
        .find(|(format, _)| *format == "combined")
        .unwrap();
    assert_eq!(
        looked(&combined.replace(" 401 ", " 200 ")),
        tenure_doctor::Outcome::Healthy
    );
}
