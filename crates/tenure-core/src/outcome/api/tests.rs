use super::{ApiAnswer, ApiVerdict, judge};

fn bare(status: u16) -> ApiAnswer<'static> {
    ApiAnswer {
        status,
        www_authenticate: None,
        error_type: None,
        body: b"",
    }
}

fn challenged(status: u16, challenge: &str) -> ApiVerdict {
    judge(&ApiAnswer {
        www_authenticate: Some(challenge),
        ..bare(status)
    })
}

#[test]
fn the_status_decides_where_nothing_is_marked() {
    for status in 100..=599 {
        let expected = match status {
            200..=299 | 304 => ApiVerdict::Accepted,
            401 => ApiVerdict::TokenRefused,
            403 => ApiVerdict::Forbidden,
            _ => ApiVerdict::Other,
        };
        assert_eq!(judge(&bare(status)), expected, "{status}");
    }
}

#[test]
fn a_token_of_too_little_power_is_not_refreshed() {
    for challenge in [
        r#"Bearer error="insufficient_scope", scope="admin""#,
        r#"Bearer realm="a, error=invalid_token", error="insufficient_scope""#,
        r"bearer ERROR = insufficient_scope",
        r#"Basic realm="x", Bearer error="insufficient_scope""#,
        r#"Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="5""#,
    ] {
        for status in [401, 403] {
            let verdict = challenged(status, challenge);
            assert_eq!(verdict, ApiVerdict::Forbidden, "{status} {challenge}");
        }
    }
}

#[test]
fn a_forbidden_that_names_the_token_is_an_unauthorized() {
    for challenge in [
        r#"Bearer error="invalid_token""#,
        r#"Bearer realm="x", error=invalid_token, error_description="ended""#,
        r#"Bearer scope="" error="invalid_token" error_description="no commas here""#,
        r#"DPoP algs="ES256", error="invalid_token""#,
    ] {
        let verdict = challenged(403, challenge);
        assert_eq!(verdict, ApiVerdict::TokenRefused, "{challenge}");
    }
    for kind in [
        "UnauthorizedException",
        "UnauthorizedException:http://internal.amazon.com/coral/com.amazon.coral.service/",
    ] {
        let verdict = judge(&ApiAnswer {
            error_type: Some(kind),
            ..bare(403)
        });
        assert_eq!(verdict, ApiVerdict::TokenRefused, "{kind}");
    }
    for body in [
        r#"{"code":403,"error_code":"bad_jwt","msg":"invalid JWT"}"#,
        r#"{"code":"bad_jwt","message":"invalid JWT"}"#,
        r#"{"error":"invalid_token","error_description":"expired"}"#,
    ] {
        let verdict = judge(&ApiAnswer {
            body: body.as_bytes(),
            ..bare(403)
        });
        assert_eq!(verdict, ApiVerdict::TokenRefused, "{body}");
    }
}

#[test]
fn a_forbidden_that_only_mentions_the_token_is_not_about_it() {
    for challenge in [
        "",
        "Bearer",
        "=",
        "error",
        r#"Bearer realm="error=invalid_token""#,
        r#"Bearer error_description="invalid_token""#,
        r#"Bearer error="invalid_token_type""#,
        r#"Bearer error=""#,
    ] {
        assert_eq!(
            challenged(403, challenge),
            ApiVerdict::Forbidden,
            "{challenge}"
        );
    }
    for body in [
        "invalid_token",
        r#""invalid_token""#,
        r#"{"message":"invalid_token"}"#,
        r#"{"error":["invalid_token"]}"#,
        r#"{"error":"invalid_token""#,
        "<html>bad_jwt</html>",
    ] {
        let verdict = judge(&ApiAnswer {
            body: body.as_bytes(),
            ..bare(403)
        });
        assert_eq!(verdict, ApiVerdict::Forbidden, "{body}");
    }
    let verdict = judge(&ApiAnswer {
        error_type: Some("AccessDeniedException"),
        ..bare(403)
    });
    assert_eq!(verdict, ApiVerdict::Forbidden);
}
