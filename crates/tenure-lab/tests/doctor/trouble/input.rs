//! What is given and cannot be used.

use std::fs::File;
use std::process::Stdio;

use serde_json::json;

use crate::place::Place;

const GIB: u64 = 1 << 30;

/// Bytes of a line that is too long for anybody: 10 GB with `TENURE_FULL`, else 128 MiB.
fn long() -> u64 {
    if std::env::var_os("TENURE_FULL").is_some() {
        10_000_000_000
    } else {
        128 << 20
    }
}

/// Root may read any file, but not what the kernel itself refuses: a process' memory at address 0, and a directory.
const UNREADABLE: [&str; 2] = ["/proc/self/mem", "/"];

#[tokio::test]
async fn what_the_kernel_refuses_to_read_is_named_by_each_command() {
    let place = Place::new();
    for name in UNREADABLE {
        for args in [
            &["token", "--token-file", name][..],
            &["token", "--token-file", name, "--json"],
            &["drift", name],
            &["logs", name],
            &["report", name],
            &["probe", "http://127.0.0.1:1/", "--header-file", name],
            &["probe", "http://127.0.0.1:1/", "--ca", name],
            &["--files", name],
            &["--logs", name],
        ] {
            let ended = place.run(args).await;
            ended.told(2, name);
            assert_eq!(ended.stdout, "", "{args:?}");
            let words =
                ended.stderr.contains("cannot be read") || ended.stderr.contains("Is a directory");
            assert!(words, "{args:?}: {}", ended.stderr);
        }
    }
}

/// The command with so much address space, which a line held whole would not fit into.
fn confined(place: &Place, args: &[&str], stdin: Stdio) -> tokio::process::Command {
    let doctor = place.doctor(args);
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", "ulimit -v 1000000; exec \"$@\"", "sh"])
        .arg(doctor.as_std().get_program())
        .args(doctor.as_std().get_args())
        .current_dir(place.path("."))
        .env("TENURE_LOG", "off")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_line_of_gigabytes_is_passed_over_and_the_rest_is_read() {
    use std::io::{Seek, SeekFrom, Write};

    let place = Place::new();
    let mut file = File::create(place.path("app.log")).unwrap();
    let before = "2026-11-21T18:00:00Z token_refresh_failed {\"status\":503}\n";
    let after = "\n2026-11-21T18:00:00Z session_cleared {\"reason\":\"refresh_failed\"}\n";
    file.write_all(before.as_bytes()).unwrap();
    // Sparse: what was never written reads as NUL bytes, and takes no room.
    file.seek(SeekFrom::Current(i64::try_from(long()).unwrap()))
        .unwrap();
    file.write_all(after.as_bytes()).unwrap();
    drop(file);
    for (name, input) in [
        ("app.log", Stdio::null()),
        ("-", File::open(place.path("app.log")).unwrap().into()),
    ] {
        let args = ["logs", name, "--json"];
        let output = confined(&place, &args, input).output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let file = &json["evidence"]["logs"]["files"][0];
        assert_eq!((&file["lines"], &file["unread"]), (&json!(3), &json!(1)));
        assert!(stderr.contains("1 "), "{stderr}");
        let found = json["evidence"]["logs"]["findings"].to_string();
        assert!(found.contains("wiped-on-transient"), "{found}");
    }
}

#[tokio::test]
async fn a_file_far_too_large_for_what_it_is_given_as_is_refused_at_once() {
    let place = Place::new();
    File::create(place.path("huge"))
        .unwrap()
        .set_len(10 * GIB)
        .unwrap();
    for args in [
        &["token", "--token-file", "huge"][..],
        &["token", "--token-file", "huge", "--pem", "huge"],
        &["drift", "huge"],
        &["probe", "http://127.0.0.1:1/", "--burn-refresh", "huge"],
    ] {
        let output = confined(&place, args, Stdio::null())
            .output()
            .await
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains("huge has more than 16 MiB"), "{stderr}");
    }
    for args in [
        &["report", "huge"][..],
        &["probe", "http://127.0.0.1:1/", "--ca", "huge"],
    ] {
        let output = confined(&place, args, Stdio::null())
            .output()
            .await
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains("huge"), "{stderr}");
    }
}

fn har(headers: &serde_json::Value) -> String {
    let entry = |second: u64, status: u64| {
        json!({
            "startedDateTime": format!("2026-11-21T18:00:0{second}.000Z"), "time": 12,
            "request": {"method": "GET", "url": "https://api.example.com/items", "headers": headers, "cookies": []},
            "response": {"status": status, "statusText": "", "headers": [], "content": {"mimeType": "application/json", "text": "{}"}},
        })
    };
    let creator = json!({"name": "WebInspector", "version": "537.36"});
    json!({"log": {"version": "1.2", "creator": creator, "entries": [entry(0, 401), entry(1, 401), entry(2, 401)]}}).to_string()
}

#[tokio::test]
async fn a_har_without_headers_says_nothing_about_whether_one_was_missing() {
    let place = Place::new();
    // As Chrome exports by default: without what carries credentials.
    let sanitized = json!([{"name": "Accept", "value": "application/json"}]);
    place.write("traffic.har", har(&sanitized));
    let seen = place.diagnose(&["logs", "traffic.har"]).await;
    assert_eq!(seen.ended.code, 3, "{}", seen.seen());
    assert_eq!(seen.json["outcome"], "undecided", "{}", seen.seen());
    let never_attached = ["TN0101", "TN0102"];
    let blamed = seen
        .open()
        .into_iter()
        .any(|(id, _)| never_attached.contains(&id));
    assert!(!blamed, "{}", seen.seen());
    let said = (seen.json["evidence"]["logs"].to_string() + &seen.ended.stderr).to_lowercase();
    assert!(said.contains("unknown"), "{said}");
    assert!(!said.contains("missing"), "{said}");

    let whole = json!([{"name": "Authorization", "value": "Bearer undefined"}]);
    place.write("whole.har", har(&whole));
    let seen = place.diagnose(&["logs", "whole.har"]).await;
    let said = seen.json["evidence"]["logs"].to_string() + &seen.ended.stderr;
    assert!(!said.to_lowercase().contains("sanitized"), "{said}");
}

#[tokio::test]
async fn a_file_that_ends_too_early_is_named_and_quotes_nothing() {
    let place = Place::new();
    let whole = har(&json!([]));
    place.write("cut.har", &whole[..whole.len() / 2]);
    place.write("cut.json", r#"{"now": 1, "exchanges": ["#);
    place.write("cut.jwks", r#"{"keys": [{"kty": "EC""#);
    place.write("token.txt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln");
    let cut = place.run(&["logs", "cut.har"]).await;
    assert!(cut.stderr.contains("cut.har"), "{}", cut.stderr);
    place.run(&["report", "cut.json"]).await.told(2, "cut.json");
    let args = ["token", "--token-file", "token.txt", "--jwks", "cut.jwks"];
    let keys = place.run(&args).await;
    let said = keys.stdout + &keys.stderr;
    assert!(said.contains("cut.jwks"), "{said}");
}

#[tokio::test]
async fn a_token_on_the_command_line_is_refused_and_not_repeated() {
    let place = Place::new();
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLWE";
    let refused = place.run(&["token", token]).await;
    refused.told(2, "--token-file");
    assert!(!refused.stderr.contains(token), "{}", refused.stderr);
    let refused = place
        .run(&["token", "--token-file", "a-file-that-is-not-there"])
        .await;
    refused.told(2, "a-file-that-is-not-there");
}

#[tokio::test]
async fn nothing_on_stdin_is_a_missing_token_and_not_a_crash() {
    let place = Place::new();
    for stdin in ["", "\n", "undefined\n", "\u{0}\u{1}"] {
        let ended = place.run_with(&["token"], stdin).await;
        assert!([1, 2, 3].contains(&ended.code), "{stdin:?}: {ended:?}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    place.write("token.txt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln");
    let args = [
        "token",
        "--token-file",
        "token.txt",
        "--evidence-out",
        "absent/evidence.json",
    ];
    place
        .run(&args)
        .await
        .told(2, "absent/evidence.json cannot be written");
    let mut full = place.doctor(&["token", "--token-file", "token.txt", "--json"]);
    let full = full
        .as_std_mut()
        .stdout(File::options().write(true).open("/dev/full").unwrap());
    let output = full.output().unwrap();
    assert!(
        !matches!(output.status.code(), Some(0 | 1 | 3)),
        "{output:?}"
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("No space left"), "{said}");
}
