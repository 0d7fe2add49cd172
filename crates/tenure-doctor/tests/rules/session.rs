//! Sessions and refreshes.

use serde_json::json;

use crate::support::{Facts, NOW, confirms, facts, healthy, jwt, leads, leaves_open, verdict};

const TOKENS: &str = r#"{"access_token":"a","refresh_token":"r","expires_in":900}"#;

/// Lines of an app's own log: seconds after [`NOW`] with what follows the time.
fn lines(lines: &[(f64, &str)]) -> String {
    let start = 1_790_000_000_000.0;
    let line = |(at, rest): &(f64, &str)| {
        let (before, after) = rest.split_at(1);
        format!("{before}\"time\":{:.0},{after}\n", start + at * 1_000.0)
    };
    lines.iter().map(line).collect()
}

fn log(text: &[(f64, &str)]) -> Facts {
    facts().now(NOW + 100_000).log("app.log", &lines(text))
}

/// Sign-ins of an app with 15-minute tokens, each with a refusal so many seconds later.
fn signed_in_again(after: &[f64]) -> Facts {
    let mut all = Vec::new();
    for (at, after) in after.iter().enumerate() {
        let begin = f64::from(u32::try_from(at).unwrap()) * 20_000.0;
        all.extend([
            (
                begin,
                r#"{"device":"d1","msg":"login_succeeded","expires_in":900}"#,
            ),
            (
                begin + 5.0,
                r#"{"device":"d1","msg":"request","path":"/api/feed","status":200}"#,
            ),
            (
                begin + after,
                r#"{"device":"d1","msg":"request","path":"/api/feed","status":401}"#,
            ),
            (
                begin + after + 0.1,
                r#"{"device":"d1","msg":"redirect_to_login","reason":"401"}"#,
            ),
        ]);
    }
    log(&all)
}

#[test]
fn incident_i2_every_session_ends_with_its_first_token() {
    confirms(&signed_in_again(&[901.0, 903.0, 960.0]), "TN0601");
    leaves_open(&signed_in_again(&[20.0, 903.0, 4_000.0]), "TN0601");
}

#[test]
fn a_refused_refresh_speaks_against_a_client_that_never_refreshes() {
    let refused =
        r#"{"device":"d1","msg":"token_refresh_failed","status":400,"error":"invalid_grant"}"#;
    let with = log(&[
        (
            0.0,
            r#"{"device":"d1","msg":"login_succeeded","expires_in":900}"#,
        ),
        (
            901.0,
            r#"{"device":"d1","msg":"request","path":"/api/feed","status":401}"#,
        ),
        (901.1, refused),
    ]);
    leaves_open(&with, "TN0601");
}

#[test]
fn incident_i3_two_clients_of_one_app_race() {
    let race = [
        (
            0.0,
            r#"{"device":"identity","msg":"token_refresh_started","refresh_token_fp":"aaaaaaaaaaaa"}"#,
        ),
        (
            0.02,
            r#"{"device":"biometric","msg":"token_refresh_started","refresh_token_fp":"aaaaaaaaaaaa"}"#,
        ),
        (
            0.03,
            r#"{"device":"identity","msg":"token_refresh_succeeded","refresh_token_fp":"bbbbbbbbbbbb"}"#,
        ),
        (
            0.05,
            r#"{"device":"biometric","msg":"token_refresh_failed","status":400,"error":"invalid_grant"}"#,
        ),
    ];
    confirms(&log(&race), "TN0602");
    let apart = [
        race[0],
        race[2],
        (
            900.0,
            r#"{"device":"identity","msg":"token_refresh_started","refresh_token_fp":"bbbbbbbbbbbb"}"#,
        ),
        (
            900.1,
            r#"{"device":"identity","msg":"token_refresh_failed","status":400,"error":"invalid_grant"}"#,
        ),
    ];
    leaves_open(&log(&apart), "TN0602");
}

#[test]
fn a_token_that_comes_back_after_its_answer_was_lost() {
    let server = [
        (
            900.0,
            r#"{"pid":7,"user":"u1","msg":"token_refreshed","refresh_token_fp":"aaaaaaaaaaaa","successor_fp":"bbbbbbbbbbbb"}"#,
        ),
        (
            960.0,
            r#"{"pid":7,"msg":"refresh_refused","error":"invalid_grant","reason":"already used","refresh_token_fp":"aaaaaaaaaaaa"}"#,
        ),
    ];
    let app = [
        (899.9, r#"{"device":"d1","msg":"token_refresh_started"}"#),
        (
            909.9,
            r#"{"device":"d1","msg":"token_refresh_failed","error":"SocketTimeoutException"}"#,
        ),
        (959.9, r#"{"device":"d1","msg":"token_refresh_started"}"#),
        (
            960.1,
            r#"{"device":"d1","msg":"token_refresh_failed","status":400,"error":"invalid_grant"}"#,
        ),
    ];
    let both = log(&server).log("phone.log", &lines(&app));
    confirms(&both, "TN0603");
    let alone = log(&server);
    leads(&alone, "TN0603");
    leaves_open(&alone, "TN0603");
    let heard = [
        app[0],
        (900.1, r#"{"device":"d1","msg":"token_refresh_succeeded"}"#),
        app[2],
        app[3],
    ];
    leaves_open(&log(&server).log("phone.log", &lines(&heard)), "TN0603");
}

#[test]
fn incident_i3_a_failed_refresh_wipes_the_session() {
    let cleared = (
        30.0,
        r#"{"device":"d1","msg":"session_cleared","reason":"refresh_failed"}"#,
    );
    for failure in [
        r#"{"device":"d1","msg":"token_refresh_failed","error":"SocketTimeoutException: timeout"}"#,
        r#"{"device":"d1","msg":"token_refresh_failed","status":503}"#,
        r#"{"device":"d1","msg":"token_refresh_failed","status":429}"#,
        r#"{"device":"d1","msg":"token_refresh_failed","error":"ECONNRESET"}"#,
    ] {
        confirms(&log(&[(29.9, failure), cleared]), "TN0604");
    }
    let dead =
        r#"{"device":"d1","msg":"token_refresh_failed","status":400,"error":"invalid_grant"}"#;
    leaves_open(&log(&[(29.9, dead), cleared]), "TN0604");
}

/// A browser's recording: seconds after 18:00, method, path, status.
fn browsed(calls: &[(u32, &str, &str, u16)]) -> Facts {
    let entry = |(at, method, path, status): &(u32, &str, &str, u16)| {
        json!({
            "startedDateTime": format!("2026-09-20T18:{:02}:{:02}.000Z", at / 60, at % 60), "time": 3,
            "request": {"method": method, "url": format!("https://app.example{path}"), "headers": [],
                // Only the sign-in says who it is.
                "postData": {"mimeType": "application/json", "text": if *at == 0 { r#"{"user":"ana"}"# } else { "" }}},
            "response": {"status": status, "headers": [], "content": {"text": ""}},
        })
    };
    let entries: Vec<_> = calls.iter().map(entry).collect();
    let har = json!({"log": {"version": "1.2", "creator": {}, "entries": entries}});
    facts().log("page.har", &har.to_string())
}

#[test]
fn a_page_for_signing_in_right_after_a_refresh_that_failed_in_passing() {
    let signed_in = (0, "POST", "/login", 200);
    let opened = (900, "GET", "/login", 200);
    let failed = (900, "POST", "/auth/refresh", 502);
    confirms(&browsed(&[signed_in, failed, opened]), "TN0604");
    leaves_open(&browsed(&[failed, opened]), "TN0604");
    let mut elsewhere = browsed(&[signed_in]);
    elsewhere = elsewhere.log(
        "phone.log",
        &lines(&[(0.0, r#"{"device":"d1","msg":"app_launched"}"#)]),
    );
    leaves_open(&elsewhere, "TN0604");
    let much_later = (960, "GET", "/login", 200);
    leaves_open(&browsed(&[signed_in, failed, much_later]), "TN0604");
    let again = (900, "POST", "/auth/refresh", 200);
    leaves_open(&browsed(&[signed_in, failed, again, opened]), "TN0604");
    healthy(&browsed(&[
        (0, "GET", "/login", 200),
        (1, "POST", "/login", 200),
    ]));
}

#[test]
fn an_empty_refresh_token_that_only_the_service_saw_is_likely() {
    let said = |reason: &str| {
        let line =
            format!(r#"{{"msg":"refresh refused","err":"invalid_grant","reason":"{reason}"}}"#);
        log(&[(0.0, &line)])
    };
    leads(&said("refresh_token is empty"), "TN0605");
    leaves_open(&said("refresh_token is empty"), "TN0605");
    assert_eq!(verdict(&said("refresh_token is unknown"), "TN0605"), None);
}

#[test]
fn an_issuer_that_says_of_a_refresh_that_its_token_is_expired() {
    let refused = |detail: &str| {
        let line = format!(
            r#"{{"pid":7,"msg":"request completed","path":"/token","status":400,"grant_type":"refresh_token","error":"invalid_grant","error_detail":"{detail}"}}"#
        );
        log(&[(0.0, &line)])
    };
    confirms(&refused("refresh token is expired"), "TN0610");
    leaves_open(&refused("refresh token not found"), "TN0610");
    let access = r#"{"pid":7,"msg":"request completed","path":"/orders","status":401,"error":"token is expired"}"#;
    leaves_open(&log(&[(0.0, access)]), "TN0610");
    let memory =
        "oidc-provider WARNING: a quick start development-only in-memory adapter is used\n";
    let both = refused("refresh token not found").log("provider.out", memory);
    leads(&both, "TN0606");
    leaves_open(&both, "TN0606");
    let alone = facts().log("provider.out", memory);
    assert_eq!(verdict(&alone, "TN0606"), None);
}

#[test]
fn incident_i3_an_empty_refresh_token_is_stored() {
    let stored =
        r#"{"device":"d1","msg":"session_write","refresh_token":"","access_token_length":900}"#;
    confirms(&log(&[(0.0, stored)]), "TN0605");
    let kept = r#"{"device":"d1","msg":"session_write","refresh_token_length":44,"access_token_length":900}"#;
    leaves_open(&log(&[(0.0, kept)]), "TN0605");
}

#[test]
fn an_answer_without_a_refresh_token_is_no_fault_by_itself() {
    let works = facts()
        .answer("client", 200, &[], "{}")
        .answer("bare", 401, &[("www-authenticate", "Bearer")], "")
        .answer(
            "refresh",
            200,
            &[],
            r#"{"access_token":"a","expires_in":900}"#,
        );
    healthy(&works);
}

#[test]
fn incident_i5_the_log_line_and_the_refused_refresh() {
    let memory = "2026-09-21 12:00:01,000 [WARNING] core.security_engine.auth: Using memory cache for: refresh_token:0f3a (cache=None, redis_available=False)\n";
    let refused = "2026-09-21 12:09:01,000 [WARNING] api.access: request method=POST path=/auth/refresh status=401 detail=\"Session expired\"\n";
    confirms(
        &facts().log("api.log", &format!("{memory}{refused}")),
        "TN0606",
    );
    leaves_open(&facts().log("api.log", refused), "TN0606");
    leaves_open(&facts().log("api.log", memory), "TN0606");
}

#[test]
fn a_refresh_that_works_now_and_then_is_of_processes_that_do_not_share() {
    let flips = |refusal: &str| {
        facts()
            .answer("refresh", 200, &[], TOKENS)
            .answer("refresh-again-1", 401, &[], refusal)
            .answer("refresh-again-2", 200, &[], TOKENS)
    };
    confirms(&flips(r#"{"detail":"Session expired"}"#), "TN0606");
    leaves_open(&flips(r#"{"error":"invalid_client"}"#), "TN0606");
}

#[test]
fn tokens_that_only_their_issuers_process_knows() {
    let issued = |pid: u32, token: &str, next: &str| {
        format!(
            r#"{{"pid":{pid},"user":"u{next}","msg":"token_refreshed","refresh_token_fp":"{token}","successor_fp":"{next}"}}"#
        )
    };
    let first = r#"{"pid":1,"user":"u","msg":"login_succeeded","refresh_token_fp":"a00000000000"}"#;
    let own = issued(1, "a00000000000", "a11111111111");
    let other = issued(1, "b00000000000", "b11111111111");
    let refused = |pid: u32, token: &str| {
        format!(
            r#"{{"pid":{pid},"msg":"refresh_refused","error":"invalid_grant","reason":"unknown refresh token","refresh_token_fp":"{token}"}}"#
        )
    };
    let log_of = |pid| {
        log(&[
            (0.0, first),
            (900.0, &own),
            (901.0, &other),
            (1_800.0, &refused(pid, "a11111111111")),
            (1_801.0, &refused(pid, "b11111111111")),
        ])
    };
    confirms(&log_of(2), "TN0606");
    leaves_open(&log_of(1), "TN0606");
}

#[test]
fn a_tracked_device_without_its_key() {
    let invalid = r#"{"__type":"NotAuthorizedException","message":"Invalid Refresh Token"}"#;
    let refused = |claims| {
        facts()
            .token(&jwt(&claims))
            .answer("refresh", 400, &[], invalid)
    };
    confirms(
        &refused(json!({"token_use": "access", "device_key": "d"})),
        "TN0607",
    );
    leaves_open(&refused(json!({"token_use": "access"})), "TN0607");
}

#[test]
fn a_client_that_the_user_pool_does_not_have() {
    let gone = r#"{"__type":"ResourceNotFoundException","message":"User pool client abc does not exist."}"#;
    confirms(&facts().answer("refresh", 400, &[], gone), "TN0608");
    let logged = r#"{"device":"d1","msg":"token_refresh_failed","error":"ResourceNotFoundException: User pool client abc does not exist."}"#;
    confirms(&log(&[(0.0, logged)]), "TN0608");
    let table =
        r#"{"__type":"ResourceNotFoundException","message":"Requested resource not found"}"#;
    leaves_open(&facts().answer("refresh", 400, &[], table), "TN0608");
}

/// The API accepts the token, and asks for one.
fn accepted() -> Facts {
    facts()
        .token(&jwt(&json!({"scope": "openid read"})))
        .answer("client", 200, &[], "{}")
        .answer("bare", 401, &[("www-authenticate", "Bearer")], "")
        .answer("altered", 401, &[("www-authenticate", "Bearer")], "no")
}

#[test]
fn a_token_that_outlives_its_session() {
    let inactive = accepted().answer("introspection", 200, &[], r#"{"active":false}"#);
    leads(&inactive, "TN0609");
    leaves_open(&inactive, "TN0609");
    confirms(&inactive.answer("userinfo", 401, &[], ""), "TN0609");
    let dead = accepted()
        .answer("introspection", 200, &[], r#"{"active":false}"#)
        .answer("refresh", 400, &[], r#"{"error":"invalid_grant"}"#);
    confirms(&dead, "TN0609");
    let said = accepted().answer(
        "userinfo",
        401,
        &[],
        r#"{"error_description":"Access token has been revoked"}"#,
    );
    confirms(&said, "TN0609");
    let cognito = accepted().answer(
        "refresh",
        400,
        &[],
        r#"{"__type":"NotAuthorizedException","message":"Refresh Token has been revoked"}"#,
    );
    confirms(&cognito, "TN0609");
    let active = accepted().answer("introspection", 200, &[], r#"{"active":true}"#);
    healthy(&active);
}

#[test]
fn sessions_that_idled_out() {
    let answer = |text: &str| {
        let body = json!({"error": "invalid_grant", "error_description": text}).to_string();
        facts().answer("refresh", 400, &[], &body)
    };
    confirms(&answer("Token is not active"), "TN0610");
    confirms(&answer("Session not active"), "TN0610");
    leaves_open(&answer("Invalid refresh token"), "TN0610");
    let access = facts().answer("client", 401, &[], "Token is not active");
    leaves_open(&access, "TN0610");
    let forgotten =
        "2026-09-21 12:00:01,000 [WARNING] auth: Using memory cache for: session (cache=None)\n";
    leaves_open(
        &answer("Session not active").log("auth.log", forgotten),
        "TN0610",
    );
}

/// Refreshes of two users, the second each after this pause; its outcome depends on that.
fn pauses(good: f64, refused: f64) -> Facts {
    let ok = [
        r#"{"user":"u1","msg":"token_refresh_succeeded"}"#,
        r#"{"user":"u2","msg":"token_refresh_succeeded"}"#,
    ];
    let no = [
        r#"{"user":"u1","msg":"refresh","path":"/token","grant_type":"refresh_token","status":401,"error":"invalid_grant"}"#,
        r#"{"user":"u2","msg":"refresh","path":"/token","grant_type":"refresh_token","status":401,"error":"invalid_grant"}"#,
    ];
    log(&[
        (0.0, ok[0]),
        (1.0, ok[1]),
        (good, ok[0]),
        (good + 1.0, ok[1]),
        (good + refused, no[0]),
        (good + refused + 1.0, no[1]),
    ])
}

#[test]
fn refreshes_that_fail_only_after_a_pause() {
    confirms(&pauses(900.0, 7_200.0), "TN0610");
    leaves_open(&pauses(900.0, 600.0), "TN0610");
}

#[test]
fn a_session_that_is_cleared_while_the_app_goes_on() {
    let goes_on = (
        60.0,
        r#"{"device":"d1","msg":"request","path":"/api/feed","status":401}"#,
    );
    let cleared = (
        30.0,
        r#"{"device":"d1","msg":"session_cleared","reason":"unknown"}"#,
    );
    confirms(&log(&[cleared, goes_on]), "TN0611");
    let shown = (
        30.1,
        r#"{"device":"d1","msg":"redirect_to_login","reason":"unknown"}"#,
    );
    leaves_open(&log(&[cleared, shown, goes_on]), "TN0611");
    let failed = (
        29.9,
        r#"{"device":"d1","msg":"token_refresh_failed","status":503}"#,
    );
    leaves_open(&log(&[failed, cleared, goes_on]), "TN0611");
}

#[test]
fn sign_ins_that_loop() {
    let hop = |facts: Facts, probe: &str, url: &str, to: &str| {
        facts
            .answer(probe, 302, &[("location", to)], "")
            .requested("GET", url, &[])
    };
    let (app, login, back) = (
        "https://app.example/",
        "https://id.example/authorize",
        "https://app.example/callback?error=state_mismatch",
    );
    let looped = hop(facts(), "client", app, login);
    let looped = hop(looped, "hop-1", login, back);
    let looped = hop(looped, "hop-2", back, app);
    let looped = hop(looped, "hop-3", app, login);
    // Probes keep no cookies: a browser may not loop.
    leads(&looped, "TN0612");
    leaves_open(&looped, "TN0612");
    let once = r#"{"time":1790000000000,"msg":"OAuth state mismatch"}"#;
    confirms(&looped.log("app.log", once), "TN0612");
    let refused = facts().answer("client", 400, &[], "error=redirect_uri_mismatch");
    confirms(&refused, "TN0612");
    let failed = r#"{"msg":"OAuth state mismatch"}"#;
    let often = [(0.0, failed), (1.0, failed), (2.0, failed)];
    confirms(&log(&often), "TN0612");
    leaves_open(&log(&often[..1]), "TN0612");
}

#[test]
fn a_verifier_that_waits_for_its_keys() {
    let waits = r#"{"message":"WaitPeriodNotYetEndedJwkError: Not allowed to fetch JWKS yet"}"#;
    confirms(&facts().answer("client", 401, &[], waits), "TN0613");
    let unknown = r#"{"message":"KidNotFoundInJwksError: JWK for kid \"k9\" not found"}"#;
    leaves_open(&facts().answer("client", 401, &[], unknown), "TN0613");
}
