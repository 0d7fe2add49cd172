use std::time::Duration;

use super::{Answer, Dialect, Granted, LONGEST_RETRY_AFTER, Outcome, Trouble, classify};
use crate::lineage::EndCause;
use crate::secret::Secret;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT

fn judge(status: u16, body: &str) -> Outcome {
    judge_with(status, None, body)
}

fn judge_with(status: u16, retry_after: Option<&str>, body: &str) -> Outcome {
    let answer = Answer {
        status,
        retry_after,
        body: body.as_bytes(),
    };
    classify(&Ok(answer), &Dialect::OAUTH2, NOW)
}

fn granted(access: &str, refresh: Option<&str>, seconds: Option<f64>) -> Outcome {
    Outcome::Granted(Granted {
        access_token: Secret::new(access),
        refresh_token: refresh.map(Secret::new),
        expires_in: seconds.map(Duration::from_secs_f64),
    })
}

fn transient(trouble: Trouble) -> Outcome {
    Outcome::transient(trouble)
}

#[test]
fn a_success_carries_its_tokens() {
    let cases = [
        (
            r#"{"access_token":"a","refresh_token":"r","expires_in":900}"#,
            granted("a", Some("r"), Some(900.0)),
        ),
        (
            r#"{"access_token":"a","expires_in":"900"}"#,
            granted("a", None, Some(900.0)),
        ),
        (
            r#"{"access_token":"a","expires_in":0.5}"#,
            granted("a", None, Some(0.5)),
        ),
        (r#"{"access_token":"a"}"#, granted("a", None, None)),
        (
            r#"{"access_token":"a","extra":[{}]}"#,
            granted("a", None, None),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(judge(200, body), expected, "{body}");
    }
}

#[test]
fn a_blank_is_absent() {
    for blank in [
        r#""""#,
        "null",
        r#"" ""#,
        r#""undefined""#,
        r#""null""#,
        "7",
        "[]",
    ] {
        let body = format!(r#"{{"access_token":"a","refresh_token":{blank}}}"#);
        assert_eq!(judge(200, &body), granted("a", None, None), "{body}");
        let body = format!(r#"{{"access_token":{blank},"refresh_token":"r"}}"#);
        assert_eq!(
            judge(200, &body),
            transient(Trouble::Unintelligible),
            "{body}"
        );
    }
}

#[test]
fn a_lifetime_that_cannot_be_is_absent() {
    for odd in ["0", "-5", r#""soon""#, "null", "1e300", r#""NaN""#, "true"] {
        let body = format!(r#"{{"access_token":"a","expires_in":{odd}}}"#);
        assert_eq!(judge(200, &body), granted("a", None, None), "{body}");
    }
}

#[test]
fn a_success_that_cannot_be_read_is_transient() {
    for body in [
        "",
        "{}",
        "[]",
        "<html>Welcome to the hotel Wi-Fi</html>",
        r#"{"access_token":"a""#,
        r#"{"error":"invalid_grant"}"#,
    ] {
        assert_eq!(
            judge(200, body),
            transient(Trouble::Unintelligible),
            "{body}"
        );
    }
}

#[test]
fn only_a_well_formed_invalid_grant_on_400_or_401_is_definitive() {
    let body = r#"{"error":"invalid_grant","tenure_reason":"theft_detected"}"#;
    for status in 100..=599 {
        let outcome = judge(status, body);
        match status {
            400 | 401 => assert_eq!(outcome, Outcome::Definitive(EndCause::TheftDetected)),
            200..=299 => assert_eq!(outcome, transient(Trouble::Unintelligible)),
            _ => assert_eq!(outcome, transient(Trouble::Status(status))),
        }
    }
}

#[test]
fn a_dialect_may_have_its_errors_under_further_statuses() {
    let judge = |status, body: &str| {
        let answer = Answer {
            status,
            retry_after: None,
            body: body.as_bytes(),
        };
        let dialect = Dialect::OAUTH2.also_under(403).also_under(200);
        classify(&Ok(answer), &dialect, NOW)
    };
    let body = r#"{"error":"invalid_grant"}"#;
    for status in [200, 400, 401, 403] {
        assert_eq!(judge(status, body), Outcome::Definitive(EndCause::Unknown));
    }
    for status in [201, 404, 429, 500] {
        assert!(matches!(judge(status, body), Outcome::Transient { .. }));
    }
    let html = "<html>Request blocked</html>";
    assert_eq!(judge(403, html), transient(Trouble::Status(403)));
    assert_eq!(judge(200, html), transient(Trouble::Unintelligible));
    let both = r#"{"access_token":"a","error":"invalid_grant"}"#;
    assert_eq!(judge(200, both), granted("a", None, None));
}

#[test]
fn every_reason_is_carried_and_an_unheard_one_is_unknown() {
    for cause in EndCause::ALL {
        let body = format!(r#"{{"error":"invalid_grant","tenure_reason":"{cause}"}}"#);
        assert_eq!(judge(400, &body), Outcome::Definitive(cause));
    }
    for body in [
        r#"{"error":"invalid_grant","tenure_reason":"full_moon"}"#,
        r#"{"error":"invalid_grant","tenure_reason":null}"#,
        r#"{"error":"invalid_grant"}"#,
    ] {
        assert_eq!(judge(401, body), Outcome::Definitive(EndCause::Unknown));
    }
}

#[test]
fn a_refusal_that_cannot_be_read_is_transient() {
    for body in [
        "",
        "<html>Bad Request</html>",
        r#"{"error":"invalid_grant""#,
        r#"{"error":["invalid_grant"]}"#,
        r#"{"error":{"code":"invalid_grant"}}"#,
        r#"{"message":"invalid_grant"}"#,
        r#"{"error":"INVALID_GRANT"}"#,
        r#"{"error":"server_error"}"#,
        r#""invalid_grant""#,
    ] {
        for status in [400, 401] {
            assert_eq!(
                judge(status, body),
                transient(Trouble::Status(status)),
                "{body}"
            );
        }
    }
}

#[test]
fn errors_of_our_own_making_keep_the_session() {
    for error in Dialect::OAUTH2.misconfigured.iter() {
        let error = error.code.as_ref();
        let body = format!(r#"{{"error":"{error}"}}"#);
        for status in [400, 401] {
            assert_eq!(judge(status, &body), Outcome::Misconfigured(error.into()));
        }
        assert_eq!(judge(403, &body), transient(Trouble::Status(403)));
    }
}

#[test]
fn trouble_on_the_way_is_transient() {
    for trouble in [
        Trouble::Timeout,
        Trouble::Dns,
        Trouble::Connection,
        Trouble::Lost,
        Trouble::Tls,
        Trouble::Unintelligible,
    ] {
        assert_eq!(
            classify(&Err(trouble), &Dialect::OAUTH2, NOW),
            transient(trouble)
        );
    }
}

#[test]
fn retry_after_is_read_in_both_forms_and_capped() {
    let cases = [
        ("0", Some(0)),
        (" 17 ", Some(17)),
        ("86400", Some(LONGEST_RETRY_AFTER.as_secs())),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
        ("Sun Nov  6 08:50:37 1994", Some(60)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        (
            "Sat, 06 Nov 2094 08:00:00 GMT",
            Some(LONGEST_RETRY_AFTER.as_secs()),
        ),
        ("-1", None),
        ("soon", None),
        ("", None),
    ];
    for (header, seconds) in cases {
        let Outcome::Transient { retry_after, .. } = judge_with(503, Some(header), "") else {
            panic!("503 is transient");
        };
        assert_eq!(retry_after, seconds.map(Duration::from_secs), "{header:?}");
    }
}
