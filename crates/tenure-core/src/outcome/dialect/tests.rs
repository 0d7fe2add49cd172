use std::time::Duration;

use super::{Dialect, ErrorPattern, Refusal};
use crate::lineage::EndCause;
use crate::outcome::{Answer, Granted, Outcome, Trouble, classify};
use crate::secret::Secret;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp(1_700_000_000); // 2023-11-14T22:13:20Z

fn judge(dialect: &Dialect, status: u16, body: &str) -> Outcome {
    let answer = Answer {
        status,
        retry_after: None,
        body: body.as_bytes(),
    };
    classify(&Ok(answer), dialect, NOW)
}

fn granted(access: &str, refresh: Option<&str>, seconds: Option<u64>) -> Outcome {
    Outcome::Granted(Granted {
        access_token: Secret::new(access),
        refresh_token: refresh.map(Secret::new),
        expires_in: seconds.map(Duration::from_secs),
    })
}

fn nested() -> Dialect {
    Dialect {
        access_token: "data.tokens.access".into(),
        refresh_token: "data.tokens.refresh".into(),
        expires_at: Some("data.until".into()),
        error: "error.code".into(),
        message: Some("error.text".into()),
        ends: vec![
            ErrorPattern::code("SESSION_EXPIRED"),
            ErrorPattern::saying("DENIED", "Refresh token "),
        ]
        .into(),
        misconfigured: vec![ErrorPattern::code("DENIED")].into(),
        ..Dialect::CAMEL_CASE
    }
}

#[test]
fn fields_are_found_where_their_path_leads() {
    let body = r#"{"data":{"tokens":{"access":"a","refresh":"r"},"until":1700000060}}"#;
    assert_eq!(
        judge(&nested(), 200, body),
        granted("a", Some("r"), Some(60))
    );
    for elsewhere in [
        r#"{"data.tokens.access":"a"}"#,
        r#"{"access":"a"}"#,
        r#"{"data":{"tokens":"a"}}"#,
        r#"{"data":[{"tokens":{"access":"a"}}]}"#,
        r#"{"data":{"tokens":{"access":" undefined "}}}"#,
        r#"[{"data":{"tokens":{"access":"a"}}}]"#,
    ] {
        let outcome = judge(&nested(), 200, elsewhere);
        let expected = Outcome::transient(Trouble::Unintelligible);
        assert_eq!(outcome, expected, "{elsewhere}");
    }
}

#[test]
fn an_end_is_recognised_by_its_code_and_by_how_its_text_begins() {
    let body =
        |code: &str, text: &str| format!(r#"{{"error":{{"code":"{code}","text":"{text}"}}}}"#);
    let over = Outcome::Definitive(EndCause::Unknown);
    for (code, text) in [
        ("SESSION_EXPIRED", ""),
        ("com.example.auth#SESSION_EXPIRED", "whatever"),
        ("DENIED", "Refresh token expired"),
        ("DENIED", "REFRESH TOKEN revoked"),
    ] {
        for status in [400, 401] {
            assert_eq!(
                judge(&nested(), status, &body(code, text)),
                over,
                "{code} {text}"
            );
        }
        let unmarked = judge(&nested(), 403, &body(code, text));
        assert_eq!(unmarked, Outcome::transient(Trouble::Status(403)));
    }
    let denied = |text: &str| judge(&nested(), 400, &body("DENIED", text));
    let ours = |says: &str| Outcome::Misconfigured(says.into());
    assert_eq!(denied("Wrong secret"), ours("DENIED (Wrong secret)"));
    assert_eq!(denied("Refresh"), ours("DENIED (Refresh)"));
    assert_eq!(denied(""), ours("DENIED"));
    let unheard = judge(&nested(), 401, &body("session_expired", ""));
    assert_eq!(unheard, Outcome::transient(Trouble::Status(401)));
}

#[test]
fn a_moment_becomes_what_is_left_until_then() {
    for (moment, left) in [
        ("1700000090", Some(90)),
        ("1700000090000", Some(90)),
        (r#""1700000090""#, Some(90)),
        (r#""2023-11-14T22:14:50Z""#, Some(90)),
        (r#""2023-11-14T22:14:50.999Z""#, Some(90)),
        (r#""2023-11-14T23:14:50+01:00""#, Some(90)),
        (r#""2023-11-14T22:14:50""#, Some(90)),
        (r#""2023-11-14T22:14:50.123456""#, Some(90)),
        ("1700000000", None),
        ("1600000000", None),
        (r#""2023-11-14""#, None),
        (r#""soon""#, None),
        ("null", None),
        ("-1", None),
        ("1e300", None),
    ] {
        let body = format!(r#"{{"accessToken":"a","accessExpiresAt":{moment}}}"#);
        let outcome = judge(&Dialect::CAMEL_CASE, 200, &body);
        assert_eq!(outcome, granted("a", None, left), "{moment}");
    }
}

#[test]
fn a_length_counts_more_than_a_moment() {
    let body = r#"{"accessToken":"a","expiresIn":"60","accessExpiresAt":1700000090}"#;
    assert_eq!(
        judge(&Dialect::CAMEL_CASE, 200, body),
        granted("a", None, Some(60))
    );
}

#[test]
fn an_explanation_is_cut_to_one_line() {
    let long = format!(
        r#"{{"error":"x","error_description":"two\nlines {}"}}"#,
        "y".repeat(9999)
    );
    let Some(Refusal { code, message }) = Dialect::OAUTH2.refusal(long.as_bytes()) else {
        panic!("an error");
    };
    let message = message.expect("an explanation");
    assert_eq!(code, "x");
    assert!(
        message.starts_with("twolines yyy") && message.len() == 300,
        "{message}"
    );
    for nothing in [
        "",
        "<html>",
        r#"{"error":""}"#,
        r#"{"error":["x"]}"#,
        r#""x""#,
    ] {
        assert_eq!(
            Dialect::OAUTH2.refusal(nothing.as_bytes()),
            None,
            "{nothing}"
        );
    }
}
