use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

const TOKEN: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL2EifQ.c2lnbmF0dXJlLWJ5dGVz";

#[test]
fn what_a_diagnosis_needs_stays() {
    for kept in [
        r#"{"error":"invalid_token","error_description":"the audience is not one of the allowed"}"#,
        r#"{"message":"Missing Authentication Token"}"#,
        "Jwt issuer is not configured",
        "OAuth2AuthenticationException: An error occurred while attempting to decode the Jwt",
        "upstream api-7d9f8b6c5d-x2x9k in eu-central-1 answered 401 after 12.5 s",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aB3dE5fGh/.well-known/jwks.json",
        "https://login.example.com/realms/main?ui_locales=de&page=2#top",
        r#"{"kid":"Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MFpaWlo","requestId":"0b9f7c3e-5a3d-4d0e-9a55-1f2e3d4c5b6a"}"#,
        r#"10.1.2.3 - - [21/Nov/2026:18:01:53 +0000] "GET /api/v1/users HTTP/1.1" 401 58 "-" "curl/8.5.0""#,
        "Invalid token: Signature verification failed",
        r#"token_use: access, token_type: "Bearer", grant_type=refresh_token"#,
        "Expected 'https://a.example.com/' but was 'http://a.example.com'",
        "Authorization: Bearer undefined",
        "/usr/lib/python3.11/site-packages/jwt/api_jwt.py line 210",
        "2026-11-21T18:01:53.123456Z",
    ] {
        assert_eq!(text(kept), kept);
    }
}

#[test]
fn a_secret_that_says_what_it_is_is_never_taken_for_an_audience() {
    for secret in [
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "tnr1_aaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let print = Fingerprint::of(secret);
        assert_eq!(id(secret), print.to_string());
        assert_eq!(
            text(&format!("audience: {secret}")),
            format!("audience: {print}")
        );
    }
}

#[test]
fn the_gateway_s_sentence_about_a_broken_header_stays_readable() {
    let said = format!(
        "'{TOKEN}' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer {TOKEN}'."
    );
    let print = Fingerprint::of(TOKEN);
    assert_eq!(
        text(&said),
        format!(
            "'{print}' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer {print}'."
        )
    );
}

#[test]
fn each_kind_of_field_is_shown_by_its_rule() {
    let print = Fingerprint::of(TOKEN);
    assert_eq!(
        header("Authorization", &format!("Bearer {TOKEN}")),
        format!("Bearer {print}")
    );
    assert_eq!(
        header("authorization", &format!("Bearer  \"{TOKEN}\" ")),
        format!("Bearer  \"{print}\" ")
    );
    assert_eq!(header("authorization", TOKEN), print.to_string());
    assert_eq!(
        header("authorization", "Bearer undefined"),
        "Bearer undefined"
    );
    assert_eq!(header("authorization", "Bearer"), "Bearer");
    assert_eq!(
        header("x-api-key", "short"),
        Fingerprint::of("short").to_string()
    );
    let short = Fingerprint::of("s3");
    assert_eq!(
        header("cookie", "a=s3; b=s3"),
        format!("a={short}; b={short}")
    );
    assert_eq!(
        header("set-cookie", "a=s3; Path=/; HttpOnly"),
        format!("a={short}; Path=/; HttpOnly")
    );
    let challenge = r#"Bearer realm="api", error="invalid_token", error_description="The token expired at 12:00", scope="a b""#;
    assert_eq!(header("WWW-Authenticate", challenge), challenge);
    for (name, value) in [
        (
            "x-amz-cf-id",
            "Hn3kM2xQ0bqB0aZ1c9vT8rW7yP6sL5dF4gJ3hK2mN1oQ==",
        ),
        (
            "x-amzn-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793",
        ),
        ("cf-ray", "7f1e2d3c4b5a6978-FRA"),
        ("etag", "W/\"Hn3kM2xQ0bqB0aZ1c9vT8rW7yP6sL5dF\""),
    ] {
        assert_eq!(header(name, value), value);
    }
    let hidden = Fingerprint::of("abc");
    assert_eq!(
        url("https://user:pw@a.example/cb?code=abc&state=abc&x=1#access_token=abc&n=2"),
        format!(
            "https://{}@a.example/cb?code={hidden}&state={hidden}&x=1#access_token={hidden}&n=2",
            Fingerprint::of("user:pw")
        )
    );
}

#[test]
fn redacting_twice_changes_nothing() {
    for said in contexts(TOKEN) {
        let once = text(&said);
        assert_eq!(text(&once), once, "{said}");
    }
}

#[test]
fn long_and_broken_texts_are_read_in_reasonable_time() {
    for unit in [
        "%25",
        "\\u005c",
        "eyJ.",
        "\"token\":\"",
        "a@",
        "Bearer ",
        "+1 ",
        "\\\"",
        "A1b2/",
        "://",
    ] {
        let long = unit.repeat(200_000 / unit.len());
        assert!(!text(&long).is_empty());
    }
}

/// Ways in which values get into texts.
fn contexts(value: &str) -> Vec<String> {
    let json = serde_json::json!({"detail": {"seen": value}}).to_string();
    let each = |write: fn(u8) -> String| value.bytes().map(write).collect::<Vec<_>>().concat();
    let percent = each(|byte| format!("%{byte:02X}"));
    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let unicode = each(|byte| format!("\\u{byte:04x}"));
    vec![
        value.to_owned(),
        format!("got '{value}' instead of a token"),
        format!("<p>\"{value}\"</p>"),
        json.clone(),
        serde_json::json!({ "body": json }).to_string(),
        format!("GET /cb?x={form}&y=1 HTTP/1.1"),
        format!("next={percent}"),
        format!("twice: {}", percent.replace('%', "%25")),
        format!("{{\"at\":\"{unicode}\"}}"),
        format!("Authorization: Bearer {value}"),
        format!("authorization: {value}"),
        format!("Cookie: s={value}; t={value}"),
        format!("{{\"refresh_token\":\"{value}\"}}"),
        format!("password={value} next"),
        format!("b64 {}", STANDARD.encode(value)),
        format!("b64 {}", URL_SAFE_NO_PAD.encode(format!("user:{value}"))),
        format!("first line\\n{value}\\nlast"),
        format!("\"{value}\" + '{value}'"),
        format!("https://{form}@host.example/p"),
        format!("[{value},{value}];{value}"),
    ]
}

fn secret() -> impl Strategy<Value = String> {
    let random = |lengths| {
        prop::collection::vec(any::<u8>(), lengths)
            .prop_map(|bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes))
    };
    let standard =
        prop::collection::vec(any::<u8>(), 30..60).prop_map(|bytes| STANDARD.encode(bytes));
    let hex = prop::collection::vec(any::<u8>(), 16..40).prop_map(|bytes| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat()
    });
    let hex = hex.prop_filter("is no number", |hex| {
        hex.contains(|c: char| c.is_ascii_lowercase())
    });
    let jwt = (random(30..60), random(32..65))
        .prop_map(|(claims, signature)| format!("eyJhbGciOiJSUzI1NiJ9.{claims}.{signature}"));
    let mail = "[a-z]{3,9}\\.[a-z]{2,9}@[a-z]{3,9}\\.(example|com|co\\.uk|de)";
    let phone = "\\+[1-9][0-9]{9,12}".prop_map(|number| number);
    prop_oneof![4 => random(32..48), 2 => standard, 2 => hex, 4 => jwt, 3 => mail, 1 => phone]
}

fn cases() -> u32 {
    if std::env::var_os("TENURE_FULL").is_some() {
        20_000
    } else {
        300
    }
}

/// The value as it would still be found: as it is, and through what readers undo.
fn readings(text: &str) -> [String; 3] {
    let decoded = percent(&percent(text)).into_owned();
    [text.to_owned(), decoded, word::plain(text).into_owned()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_planted_secret_is_shown_wherever_it_stands(secret in secret()) {
        let base64 = [STANDARD.encode(&secret), URL_SAFE_NO_PAD.encode(&secret)];
        for said in contexts(&secret) {
            let redacted = text(&said);
            for reading in readings(&redacted) {
                prop_assert!(!reading.contains(&secret), "{said}\n{reading}");
                prop_assert!(base64.iter().all(|b| !reading.contains(b)), "{said}\n{reading}");
            }
        }
    }

    #[test]
    fn nothing_makes_it_fail(said in any::<String>(), name in "[a-zA-Z-]{0,20}") {
        text(&said);
        header(&name, &said);
    }
}
