//! Logs that look alarming and are well.

use super::{patterns, read};

/// What happened, and the log.
const WELL: &[(&str, &str)] = &[
    (
        "an error that was recovered from",
        r#"2026-11-21T18:00:00Z token_refresh_failed {"status":503}
2026-11-21T18:00:02Z token_refresh_started {}
2026-11-21T18:00:02Z token_refresh_succeeded {}
2026-11-21T18:00:03Z api_response {"path":"/me","status":200}
"#,
    ),
    (
        "a refused request, a refresh, and the request again",
        r#"{"level":30,"time":1795284000000,"pid":1,"hostname":"h","userId":"u","req":{"method":"POST","url":"/login"},"res":{"statusCode":200}}
{"level":30,"time":1795284900000,"pid":1,"hostname":"h","userId":"u","req":{"method":"GET","url":"/me"},"res":{"statusCode":401}}
{"level":30,"time":1795284900100,"pid":2,"hostname":"h","userId":"u","req":{"method":"POST","url":"/auth/refresh"},"res":{"statusCode":200}}
{"level":30,"time":1795284900200,"pid":2,"hostname":"h","userId":"u","req":{"method":"GET","url":"/me"},"res":{"statusCode":200}}
"#,
    ),
    (
        "a user who signed out, and a token that is dead since",
        r#"time=2026-11-21T18:00:00Z msg="refresh ok" user=u token_fp=aaaaaaaaaaaa new_token_fp=bbbbbbbbbbbb
time=2026-11-21T18:10:00Z msg="session revoked" user=u reason=user_logout
time=2026-11-21T18:11:00Z msg="refresh refused" user=u token_fp=bbbbbbbbbbbb status=400 error=invalid_grant
"#,
    ),
    (
        "two users who refresh at once",
        r#"time=2026-11-21T18:00:00.000Z msg="refresh sent" user=a token_fp=aaaaaaaaaaaa
time=2026-11-21T18:00:00.010Z msg="refresh sent" user=b token_fp=bbbbbbbbbbbb
time=2026-11-21T18:00:00.100Z msg="refresh ok" user=a token_fp=aaaaaaaaaaaa new_token_fp=cccccccccccc
time=2026-11-21T18:00:00.110Z msg="refresh refused" user=b token_fp=bbbbbbbbbbbb status=400 error=invalid_grant
"#,
    ),
    (
        "a refresh that client and server both wrote down",
        r#"time=2026-11-21T18:00:00.000Z msg="refresh sent" user=a token_fp=aaaaaaaaaaaa
time=2026-11-21T18:00:00.050Z msg="refresh refused" user=a token_fp=aaaaaaaaaaaa status=400 error=invalid_grant
time=2026-11-21T18:00:00.060Z msg="refresh refused" user=a token_fp=aaaaaaaaaaaa status=400 error=invalid_grant
"#,
    ),
    (
        "a token that does not rotate, and expires after a month",
        r#"time=2026-10-21T18:00:00Z msg="refresh ok" user=u token_fp=aaaaaaaaaaaa
time=2026-10-21T19:00:00Z msg="refresh ok" user=u token_fp=aaaaaaaaaaaa
time=2026-11-21T18:00:00Z msg="refresh refused" user=u token_fp=aaaaaaaaaaaa status=400 error=invalid_grant
"#,
    ),
    (
        "a sign-out by the user while the network was bad",
        r#"2026-11-21T18:00:00.000Z token_refresh_failed {"error":"timeout"}
2026-11-21T18:00:00.500Z session_cleared {"reason":"user_logout"}
2026-11-21T18:00:00.600Z navigate_to_login {"reason":"user_logout"}
"#,
    ),
    (
        "a sign-out that a dead token deserves",
        r#"2026-11-21T18:00:00.000Z token_refresh_failed {"status":503}
2026-11-21T18:00:00.300Z token_refresh_failed {"status":400,"error":"invalid_grant"}
2026-11-21T18:00:00.400Z session_cleared {"reason":"invalid_grant"}
2026-11-21T18:00:00.500Z redirect_to_login {}
2026-11-21T18:00:05.000Z api_response {"path":"/config","status":401}
"#,
    ),
    (
        "a refused request long after a restart, recovered",
        r"2026-11-21T18:00:00Z INFO login succeeded user=a
2026-11-21T18:00:05Z INFO login succeeded user=b
2026-11-21T18:05:00Z INFO Application startup complete.
2026-11-21T18:06:00Z INFO answered user=a status=401 path=/me
2026-11-21T18:06:01Z INFO refresh ok user=a
2026-11-21T18:06:02Z INFO answered user=b status=401 path=/me
2026-11-21T18:06:03Z INFO refresh ok user=b
",
    ),
    (
        "a first start without a session, and public requests",
        r#"2026-11-21T18:00:00Z app_start {}
2026-11-21T18:00:00Z request_start {"path":"/config","has_token":false}
2026-11-21T18:00:00Z api_response {"path":"/config","status":200}
2026-11-21T18:00:01Z store_session_read {"has_id_token":false,"has_access_token":false,"has_refresh_token":false}
2026-11-21T18:00:01Z bootstrap_complete {"signed_in":false}
"#,
    ),
    (
        "a page that some may not see, on several workers",
        r#"{"time":1795284000000,"level":30,"pid":1,"userId":"a","req":{"method":"GET","url":"/admin"},"res":{"statusCode":403}}
{"time":1795284000100,"level":30,"pid":2,"userId":"a","req":{"method":"GET","url":"/home"},"res":{"statusCode":200}}
{"time":1795284000200,"level":30,"pid":1,"userId":"a","req":{"method":"GET","url":"/admin"},"res":{"statusCode":403}}
{"time":1795284000300,"level":30,"pid":2,"userId":"b","req":{"method":"GET","url":"/admin"},"res":{"statusCode":200}}
"#,
    ),
    (
        "a cache of templates in memory",
        "[INFO] web.templates: Using memory cache for: templates\n",
    ),
    (
        "people with wrong passwords",
        r#"192.0.2.1 - - [21/Nov/2026:18:00:00 +0000] "POST /login HTTP/1.1" 401 26 "-" "a"
192.0.2.1 - - [21/Nov/2026:18:00:09 +0000] "POST /login HTTP/1.1" 200 26 "-" "a"
192.0.2.1 - - [21/Nov/2026:18:00:10 +0000] "GET /me HTTP/1.1" 200 26 "-" "a"
"#,
    ),
];

#[test]
fn healthy_logs_show_no_pattern() {
    for (what, log) in WELL {
        let logs = read(log);
        assert_eq!(patterns(&logs), [], "{what}: {:?}", logs.findings);
    }
}
