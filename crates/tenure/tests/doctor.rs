//! `tenure doctor` from outside: forms, exit codes, refusals.

mod support;

use serde_json::Value;
use support::Place;

/// RFC 7519 section 6.1: an unsecured JWT, expired since 2011.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLCJleHAiOjEzMDA4MTkzODAsImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";

fn place() -> Place {
    let place = Place::new();
    place.write("token.txt", TOKEN);
    place
}

#[test]
fn every_form_has_the_same_exit_code() {
    let place = place();
    let plain = place.run(&["doctor", "token", "--token-file", "token.txt"]);
    assert!([0, 1, 3].contains(&plain.code), "{}", plain.stderr);
    for form in ["--json", "--sarif", "--junit", "--markdown"] {
        let shown = place.run(&["doctor", "token", "--token-file", "token.txt", form]);
        assert_eq!(shown.code, plain.code, "{form}: {}", shown.stderr);
        assert!(!shown.stdout.contains(TOKEN), "{form}");
    }
}

#[test]
fn only_one_form_can_be_asked_for() {
    let refused = place().run(&[
        "doctor",
        "token",
        "--token-file",
        "token.txt",
        "--json",
        "--junit",
    ]);
    assert_eq!(refused.code, 2);
}

#[test]
fn nothing_given_is_a_question_not_a_diagnosis() {
    let help = place().run(&["doctor"]);
    assert_eq!(help.code, 2);
    assert!(help.stderr.contains("--token-file"));
}

#[test]
fn an_input_that_cannot_be_read_is_named() {
    for args in [
        ["doctor", "--token-file", "absent.txt"],
        ["doctor", "--files", "absent.env"],
        ["doctor", "--logs", "absent.log"],
        ["doctor", "report", "absent.json"],
    ] {
        let refused = place().run(&args);
        assert_eq!(refused.code, 2, "{args:?}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("absent."),
            "{args:?}: {}",
            refused.stderr
        );
    }
}

#[test]
fn a_cause_that_does_not_exist_cannot_be_suppressed_or_explained() {
    let place = place();
    for args in [
        &["doctor", "explain", "TN0000"][..],
        &[
            "doctor",
            "token",
            "--token-file",
            "token.txt",
            "--suppress",
            "TN0000",
        ],
    ] {
        let refused = place.run(args);
        assert_eq!(refused.code, 2, "{}", refused.stdout);
        assert!(refused.stderr.contains("TN0000"), "{}", refused.stderr);
    }
}

#[test]
fn the_document_of_causes_is_what_the_command_prints() {
    let printed = place().run(&["doctor", "explain", "--all", "--markdown"]);
    assert_eq!(printed.code, 0);
    let written = include_str!("../../../docs/causes.md");
    // Not `assert_eq`, which would print both documents.
    assert!(
        printed.stdout == written,
        "write it again: tenure doctor explain --all --markdown > docs/causes.md"
    );
}

#[test]
fn kept_evidence_becomes_a_document_without_the_inputs() {
    let place = place();
    let looked = place.run(&[
        "doctor",
        "token",
        "--token-file",
        "token.txt",
        "--evidence-out",
        "evidence.json",
        "--json",
    ]);
    place.write("answer.json", &looked.stdout);
    std::fs::remove_file(place.path("token.txt")).unwrap();
    let kept: Value =
        serde_json::from_slice(&std::fs::read(place.path("evidence.json")).unwrap()).unwrap();
    let answer: Value = serde_json::from_str(&looked.stdout).unwrap();
    assert_eq!(kept, answer["evidence"]);
    for args in [
        &["doctor", "report", "evidence.json"][..],
        &["doctor", "report", "answer.json", "evidence.json"],
    ] {
        let report = place.run(args);
        assert_eq!(report.code, 0, "{}", report.stderr);
        assert!(report.stdout.contains("## Audit log"), "{}", report.stdout);
    }
    let page = place.run(&[
        "doctor",
        "report",
        "evidence.json",
        "--html",
        "--out",
        "page.html",
    ]);
    assert_eq!((page.code, page.stdout.as_str()), (0, ""));
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>"), "{page}");
}

#[test]
fn a_json_file_of_something_else_is_no_evidence() {
    let place = place();
    place.write("package.json", "{\"name\": \"x\"}");
    let refused = place.run(&["doctor", "report", "package.json"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("--evidence-out"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_pipe_gets_no_colour_unless_it_is_asked_for() {
    let place = place();
    let args = ["doctor", "token", "--token-file", "token.txt"];
    assert!(!place.run(&args).stdout.contains('\u{1b}'));
    let asked = place.run(&[&args[..], &["--color", "always"]].concat());
    assert!(asked.stdout.contains('\u{1b}'));
}

#[test]
fn every_step_of_a_cause_names_commands_and_flags_that_exist() {
    let help = place().ok(&["doctor", "--help"]);
    let known = |flag: &str| help.split_whitespace().any(|word| word == flag);
    let commands = ["tenure doctor ", "tenure audit ", "--"];
    for cause in tenure_doctor::cause::all() {
        for step in cause.next {
            let tenure_doctor::cause::Step::Supply(what, how) = step else {
                continue;
            };
            let begins = commands.iter().any(|command| how.starts_with(command));
            assert!(begins, "{}: {what}: {how}", cause.id);
            let flags = how.split([' ', ',']).filter(|word| word.starts_with("--"));
            for flag in flags.filter(|_| !how.starts_with("tenure ")) {
                assert!(known(flag), "{}: {what}: {flag}", cause.id);
            }
        }
    }
}
