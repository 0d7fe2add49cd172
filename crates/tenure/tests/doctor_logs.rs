//! `tenure doctor logs` from outside.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::fs;

use serde_json::Value;
use support::Place;

const WIPED: &str = "2026-11-21T18:00:00.100Z token_refresh_failed {\"status\":503,\"refresh_token\":\"planted-secret-0123456789\"}\n2026-11-21T18:00:00.300Z will_clear_session {}\n";

fn evidence(place: &Place) -> Value {
    let text = fs::read_to_string(place.path("evidence.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn files_and_stdin_are_read_and_their_patterns_kept() {
    let place = Place::new();
    place.write("app.log", WIPED);
    let runs = [
        place.run(&[
            "doctor",
            "logs",
            "app.log",
            "--evidence-out",
            "evidence.json",
        ]),
        place.run_with(
            &["doctor", "logs", "-", "--evidence-out", "evidence.json"],
            WIPED,
        ),
    ];
    for (ended, name) in runs.into_iter().zip(["app.log", "stdin"]) {
        assert!(
            [1, 3].contains(&ended.code),
            "{} {}",
            ended.code,
            ended.stderr
        );
        assert!(ended.stdout.contains("refresh sha256:"), "{}", ended.stdout);
        assert!(
            !(ended.stdout + &ended.stderr).contains("planted"),
            "a token was shown"
        );
        let logs = &evidence(&place)["logs"];
        assert_eq!(logs["files"][0]["lines"], 2);
        assert_eq!(
            logs["findings"][0]["pattern"], "wiped-on-transient",
            "{name}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_named_and_ends_with_2() {
    let place = Place::new();
    fs::write(place.path("program"), b"\x7fELF\0\0\0\n\0\0\0").unwrap();
    fs::write(place.path("cut.gz"), b"\x1f\x8b\x08").unwrap();
    for (name, why) in [
        ("absent.log", "absent.log cannot be read"),
        ("program", "program cannot be read as a log"),
        (
            "cut.gz",
            "cut.gz cannot be read as a log: reading ended early",
        ),
        (".", ". cannot be read as a log"),
    ] {
        let refused = place.run(&["doctor", "logs", name]);
        assert_eq!(refused.code, 2, "{name}: {}", refused.stdout);
        assert!(refused.stderr.contains(why), "{name}: {}", refused.stderr);
    }
}

#[test]
fn odd_lines_are_noted_and_the_rest_is_read() {
    let place = Place::new();
    fs::write(
        place.path("app.log"),
        [WIPED.as_bytes(), b"\0\0\n"].concat(),
    )
    .unwrap();
    let ended = place.run(&[
        "doctor",
        "logs",
        "app.log",
        "--evidence-out",
        "evidence.json",
    ]);
    assert_ne!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("note: app.log: 1 lines with NUL bytes"),
        "{}",
        ended.stderr
    );
    assert_eq!(evidence(&place)["logs"]["files"][0]["unread"], 1);
}

#[test]
fn times_without_a_year_are_the_last_ones_before_now() {
    let place = Place::new();
    let failed = "Jan  2 10:00:00 phone app[7]: token_refresh_failed {\"status\":503}";
    let cleared = "Jan  2 10:00:01 phone app[7]: will_clear_session {}";
    place.write("messages", &format!("{failed}\n{cleared}\n"));
    place.run(&[
        "doctor",
        "logs",
        "messages",
        "--evidence-out",
        "evidence.json",
    ]);
    let evidence = evidence(&place);
    let at = evidence["logs"]["timeline"][0]["at_ms"].as_u64().unwrap();
    let age = evidence["now"].as_u64().unwrap() - at / 1_000;
    assert!(age < 366 * 24 * 3600, "{age} s ago");
}
