//! What must not be told is not told.

use proptest::prelude::*;
use tenure_doctor::logs::timeline;

use super::read;

/// Lines in which a secret may stand, as `@`.
const LINES: &[&str] = &[
    r#"{"level":30,"time":1795284000000,"pid":1,"req":{"method":"GET","url":"/api?access_token=@","headers":{"authorization":"Bearer @","cookie":"sid=@"}},"res":{"statusCode":401}}"#,
    r#"{"level":30,"time":1795284000000,"user":"@","msg":"refresh failed","refresh_token":"@","error":"@"}"#,
    r#"{"level":"warn","message":"refresh_failed @ {\"status\":503,\"refreshToken\":\"@\"}","timestamp":"2026-11-21T18:00:00Z"}"#,
    r#"token_refresh_started {"refresh_token":"@","client":"@"}"#,
    r#"token_refresh_succeeded {"new_refresh_token":"@","access_token":"@"}"#,
    r#"session_cleared {"reason":"@"}"#,
    r#"store_session_read {"missing":["@","refresh_token"],"id_token":12}"#,
    r#"time=2026-11-21T18:00:00Z msg="logged in" user=@ session=@ host=@"#,
    r#"192.0.2.1 - @ [21/Nov/2026:18:00:00 +0000] "GET /reset/@?t=@ HTTP/1.1" 403 2 "https://a/@" "@""#,
    r#"{"event":"auth_retry_exhausted","status":403,"had_retry_token":true,"path":"/@","pod":"@","token":"@"}"#,
    "[WARNING] core.auth: Using memory cache for: refresh_token:@ (cache=None)",
    r#"{"event":"refresh reuse detected","token_id":"@","jti":"@","family":"@"}"#,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("TENURE_FULL").is_some() { 5_000 } else { 100 }))]

    #[test]
    fn a_planted_secret_is_in_no_output(
        secret in prop_oneof![
            "[A-Za-z0-9_-]{10}[0-9][A-Za-z][A-Za-z0-9_-]{20,60}",
            "eyJ[A-Za-z0-9]{20,40}\\.eyJ[A-Za-z0-9]{20,40}\\.[A-Za-z0-9_-]{20,40}",
            "[a-z]{4,10}\\.[a-z]{4,10}[+]x@[a-z]{5,10}\\.example",
        ],
        order in Just((0..LINES.len()).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let text: Vec<_> = order.iter().map(|at| LINES[*at].replace('@', &secret)).collect();
        let logs = read(&text.join("\n"));
        prop_assert!(!logs.findings.is_empty());
        let outputs = [
            serde_json::to_string(&logs).unwrap(),
            format!("{logs:?}"),
            timeline::text(&logs.timeline, 200),
            timeline::svg(&logs.timeline),
        ];
        for output in outputs {
            for part in secret.split(['.', '-', '_', '@', '+']).filter(|part| part.len() > 12).chain([secret.as_str()]) {
                prop_assert!(!output.contains(part), "{part} in {output}");
            }
        }
    }
}
