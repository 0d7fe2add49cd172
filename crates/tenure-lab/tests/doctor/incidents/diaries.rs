//! I2, I3 and I5: the log settles it.

use std::fmt::Write as _;

use super::{ACCESS, NEXT_REFRESH, REFRESH, documented, search};
use crate::place::Place;

/// Reads the log; the cause has to be the first, and confirmed.
async fn settles(log: &str, cause: &str, layer: &str) {
    let place = Place::new();
    place.write("app.log", log);
    assert!(!search().in_path(&place.path("app.log")).unwrap().is_empty());
    let args = ["logs", "app.log", "--evidence-out", "evidence.json"];
    let seen = place.diagnose(&args).await;
    seen.found(cause, layer);
    assert_eq!(seen.confirmed().first(), Some(&cause), "{}", seen.seen());
    assert_eq!(search().in_bytes("json", seen.ended.stdout.as_bytes()), []);
    documented(&place, "evidence.json", cause).await;
}

#[tokio::test]
async fn i2_signed_out_every_15_minutes_because_nobody_calls_the_refresh() {
    let mut log = String::new();
    for hour in 9..13 {
        write!(
            log,
            "2026-11-20T{hour:02}:00:00.000Z login_succeeded {{\"user\":\"u1\",\"expires_in\":900,\"access_token\":\"{ACCESS}\",\"refresh_token\":\"{REFRESH}\"}}\n\
             2026-11-20T{hour:02}:07:00.000Z api_response {{\"user\":\"u1\",\"path\":\"/api/feed\",\"status\":200}}\n\
             2026-11-20T{hour:02}:15:0{second}.000Z api_response {{\"user\":\"u1\",\"path\":\"/api/feed\",\"status\":401}}\n\
             2026-11-20T{hour:02}:15:0{second}.040Z redirect {{\"user\":\"u1\",\"to\":\"/login\",\"reason\":\"error\"}}\n",
            second = hour - 8,
        )
        .unwrap();
    }
    settles(&log, "TN0601", "client").await;
}

#[tokio::test]
async fn i3_a_refresh_that_got_no_answer_cleared_all_tokens() {
    for end in [
        r#""status":503"#,
        r#""status":429"#,
        r#""error":"java.net.SocketTimeoutException: timeout""#,
        r#""error":"StreamResetException: stream was reset: REFUSED_STREAM connection""#,
    ] {
        let log = format!(
            "2026-11-20T10:14:50.000Z api_response {{\"client\":\"desktop\",\"path\":\"/api/me\",\"status\":200,\"authorization\":\"Bearer {ACCESS}\"}}\n\
             2026-11-20T10:15:00.000Z token_refresh_started {{\"client\":\"desktop\",\"refresh_token\":\"{REFRESH}\"}}\n\
             2026-11-20T10:15:00.800Z token_refresh_failed {{\"client\":\"desktop\",{end}}}\n\
             2026-11-20T10:15:00.802Z tokens_cleared {{\"client\":\"desktop\",\"reason\":\"refresh_failed\"}}\n\
             2026-11-20T10:15:00.850Z navigate_to_login {{\"client\":\"desktop\"}}\n"
        );
        settles(&log, "TN0604", "client").await;
    }
}

#[tokio::test]
async fn i3_two_clients_used_one_refresh_token_and_its_family_was_revoked() {
    let log = format!(
        "2026-11-20T10:15:00.000Z token_refresh_started {{\"user\":\"u1\",\"client\":\"identity\",\"refresh_token\":\"{REFRESH}\"}}\n\
         2026-11-20T10:15:00.090Z token_refresh_started {{\"user\":\"u1\",\"client\":\"biometric\",\"refresh_token\":\"{REFRESH}\"}}\n\
         2026-11-20T10:15:00.300Z token_refresh_succeeded {{\"user\":\"u1\",\"client\":\"identity\",\"refresh_token\":\"{REFRESH}\",\"new_refresh_token\":\"{NEXT_REFRESH}\"}}\n\
         2026-11-20T10:15:00.340Z token_refresh_failed {{\"user\":\"u1\",\"client\":\"biometric\",\"refresh_token\":\"{REFRESH}\",\"status\":400,\"error\":\"invalid_grant\"}}\n\
         2026-11-20T10:15:02.000Z token_refresh_failed {{\"user\":\"u1\",\"client\":\"identity\",\"refresh_token\":\"{NEXT_REFRESH}\",\"status\":400,\"error\":\"invalid_grant\"}}\n"
    );
    settles(&log, "TN0602", "client").await;
}

#[tokio::test]
async fn i3_a_missing_refresh_token_was_stored_as_an_empty_one() {
    let log = format!(
        "2026-11-20T10:00:00.000Z token_refresh_started {{\"client\":\"desktop\",\"refresh_token\":\"{REFRESH}\"}}\n\
         2026-11-20T10:00:00.300Z token_refresh_succeeded {{\"client\":\"desktop\",\"access_token\":\"{ACCESS}\"}}\n\
         2026-11-20T10:00:00.310Z session_write_succeeded {{\"client\":\"desktop\",\"refresh_token\":\"\",\"access_token_length\":901}}\n\
         2026-11-20T10:14:30.000Z token_refresh_started {{\"client\":\"desktop\",\"refresh_token\":\"\"}}\n\
         2026-11-20T10:14:30.200Z token_refresh_failed {{\"client\":\"desktop\",\"status\":400,\"error\":\"invalid_request\"}}\n"
    );
    settles(&log, "TN0605", "client").await;
}

#[tokio::test]
async fn i5_refresh_tokens_were_in_the_memory_of_one_process() {
    let log = format!(
        "2026-11-20 10:00:00,120 [WARNING] core.security_engine.auth: Using memory cache for: refresh_token:{REFRESH} (cache=None, redis_available=False)\n\
         2026-11-20 10:00:00,130 [INFO] uvicorn.access: 192.0.2.7 - \"POST /auth/login HTTP/1.1\" 200\n\
         2026-11-20 10:14:15,000 [INFO] api: token expiring in 45s\n\
         2026-11-20 10:20:00,000 [INFO] uvicorn.error: Started server process [4242]\n\
         2026-11-20 10:20:00,400 [INFO] uvicorn.error: Application startup complete.\n\
         2026-11-20 10:21:00,000 [INFO] uvicorn.access: 192.0.2.7 - \"POST /auth/refresh HTTP/1.1\" 401\n\
         2026-11-20 10:21:00,001 [WARNING] core.security_engine.auth: refresh failed status=401 detail=\"Session expired\"\n"
    );
    settles(&log, "TN0606", "store").await;
}
