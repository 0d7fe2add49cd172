//! What a browser's or a client's own record (HAR) shows.

use serde_json::{Value, json};

use crate::support::{Facts, Headers, URL, confirms, facts, healthy, leads, leaves_open, verdict};

const CHALLENGE: Headers<'_> = &[("www-authenticate", "Bearer")];
const HTML: (&str, &str) = ("content-type", "text/html; charset=UTF-8");
const JSON: (&str, &str) = ("content-type", "application/json");
const MISSING: &str = r#"{"detail":"Missing bearer token"}"#;
const TOKEN: (&str, &str) = ("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln");
const BEARER: Headers<'_> = &[TOKEN];
const LOWER: Headers<'_> = &[("authorization", "bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln")];
const RAW: Headers<'_> = &[("authorization", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln")];

/// Method, URL, request fields, status (0: none), answer fields.
type Call<'a> = (&'a str, &'a str, Headers<'a>, u16, Headers<'a>);

/// A HAR of these calls.
fn har(calls: &[Call<'_>]) -> Facts {
    let calls: Vec<_> = calls.iter().map(|call| (*call, "")).collect();
    with_bodies(&calls)
}

/// The same, each with the body of its answer.
fn with_bodies(calls: &[(Call<'_>, &str)]) -> Facts {
    let fields = |headers: Headers<'_>| -> Value {
        let field = |(name, value): &(&str, &str)| json!({"name": name, "value": value});
        headers.iter().map(field).collect()
    };
    let entry = |((method, url, sent, status, answered), body): &(Call<'_>, &str)| {
        json!({
            "startedDateTime": "2026-11-21T18:00:00.000Z", "time": 3,
            "request": {"method": method, "url": url, "headers": fields(sent)},
            "response": {"status": status, "headers": fields(answered), "content": {"text": body}},
        })
    };
    let entries: Vec<_> = calls.iter().map(entry).collect();
    let har = json!({"log": {"version": "1.2", "entries": entries}});
    facts().log("page.har", &har.to_string())
}

#[test]
fn a_token_that_came_later_is_confirmed_by_a_browsers_record_with_credentials() {
    let early = ("GET", URL, &[] as Headers<'_>, 401, CHALLENGE);
    let later = ("GET", URL, BEARER, 200, &[] as Headers<'_>);
    confirms(&har(&[early, later]), "TN0101");
    let login = (
        "POST",
        "https://api.example/login",
        &[] as Headers<'_>,
        200,
        &[] as Headers<'_>,
    );
    leaves_open(&har(&[early, login, later]), "TN0101");
    let exported_without = ("GET", URL, &[] as Headers<'_>, 200, &[] as Headers<'_>);
    leaves_open(&har(&[early, exported_without]), "TN0101");
}

#[test]
fn the_scheme_is_confirmed_by_a_browsers_record_of_one_token_in_two_ways() {
    let call = |sent, status| ("GET", URL, sent, status, &[] as Headers<'_>);
    confirms(&har(&[call(LOWER, 401), call(BEARER, 200)]), "TN0104");
    confirms(&har(&[call(RAW, 401), call(BEARER, 200)]), "TN0103");
    leaves_open(&har(&[call(BEARER, 401), call(BEARER, 200)]), "TN0104");
    let other: Headers<'_> = &[("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e31.c2ln")];
    leaves_open(&har(&[call(LOWER, 401), call(other, 200)]), "TN0104");
    leaves_open(&har(&[call(RAW, 401), call(other, 200)]), "TN0103");
}

#[test]
fn a_word_in_a_browsers_record_is_confirmed_unless_the_call_went_well_later() {
    let word: Headers<'_> = &[("authorization", "Bearer undefined")];
    let call = |sent, status| ("GET", URL, sent, status, &[] as Headers<'_>);
    confirms(&har(&[call(word, 401)]), "TN0102");
    leaves_open(&har(&[call(word, 401), call(BEARER, 200)]), "TN0102");
}

#[test]
fn a_refused_preflight_is_confirmed_by_a_browsers_record_in_which_the_call_never_went_out() {
    let page: Headers<'_> = &[("origin", "https://app.example")];
    let asked = |challenge| ("OPTIONS", URL, page, 401, challenge);
    let call = |status| ("GET", URL, page, status, &[] as Headers<'_>);
    confirms(&har(&[asked(CHALLENGE), call(0)]), "TN0110");
    leaves_open(&har(&[asked(CHALLENGE), call(200)]), "TN0110");
    let gate: Headers<'_> = &[("www-authenticate", "Basic realm=\"staging\"")];
    leaves_open(&har(&[asked(gate), call(0)]), "TN0110");
}

#[test]
fn a_cookie_left_out_is_confirmed_by_a_browsers_record_that_shows_cookies() {
    let page: Headers<'_> = &[("origin", "https://app.other")];
    let cookie: Headers<'_> = &[("cookie", "session=3f7ac01d")];
    let strict: Headers<'_> = &[("set-cookie", "session=3f7ac01d; Secure; SameSite=Strict")];
    let none: Headers<'_> = &[("set-cookie", "session=3f7ac01d; Secure; SameSite=None")];
    let nothing: Headers<'_> = &[];
    let refused = ("GET", URL, page, 401, nothing);
    confirms(
        &har(&[("GET", URL, cookie, 200, nothing), refused]),
        "TN0112",
    );
    let login = |set| ("POST", "https://api.example/login", page, 200, set);
    confirms(&har(&[login(strict), refused]), "TN0112");
    leaves_open(&har(&[login(none), refused]), "TN0112");
    leaves_open(&har(&[refused]), "TN0112");
}

#[test]
fn a_large_header_is_confirmed_by_a_browsers_record_and_by_nginx_s_log() {
    let both: Headers<'_> = &[TOKEN, ("cookie", "a=b")];
    let call = |sent| ("GET", URL, sent, 431, &[] as Headers<'_>);
    confirms(&har(&[call(BEARER)]), "TN0113");
    leaves_open(&har(&[call(both)]), "TN0113");
    let line = |field: &str| {
        let head = "2026/11/21 18:42:30 [info] 14983#14983: *4 client sent too long header line";
        facts().log(
            "error.log",
            &format!("{head}: \"{field}: x\" while reading client request headers"),
        )
    };
    confirms(&line("Authorization"), "TN0113");
    leaves_open(&line("Cookie"), "TN0113");
}

#[test]
fn a_redirect_that_drops_the_header_is_confirmed_by_a_browsers_record() {
    let to = "https://www.example/v1/things";
    let moved: Headers<'_> = &[("location", to)];
    let first = ("GET", URL, BEARER, 308, moved);
    let nothing: Headers<'_> = &[];
    confirms(&har(&[first, ("GET", to, nothing, 401, nothing)]), "TN0107");
    leaves_open(&har(&[first, ("GET", to, BEARER, 401, nothing)]), "TN0107");
    leaves_open(&har(&[first, ("GET", to, nothing, 200, nothing)]), "TN0107");
}

#[test]
fn an_api_call_that_is_led_to_a_sign_in_page_is_no_success() {
    let to_login: Headers<'_> = &[("location", "/oauth2/start?rd=%2Fv1")];
    let start = "https://api.example/oauth2/start?rd=%2Fv1";
    let led = |sent| {
        with_bodies(&[
            (("GET", URL, sent, 302, to_login), ""),
            (("GET", start, sent, 200, &[HTML]), "<form>"),
        ])
    };
    let program: Headers<'_> = &[TOKEN, ("accept", "application/json")];
    leads(&led(program), "TN0215");
    healthy(&led(&[("accept", "text/html,*/*;q=0.8")]));
    let signed_in = with_bodies(&[
        (("GET", URL, BEARER, 302, to_login), ""),
        (("GET", URL, BEARER, 200, &[JSON]), "{}"),
    ]);
    healthy(&signed_in);
}

#[test]
fn a_recorded_403_beside_successes_with_the_same_token_is_about_rights() {
    let denied = r#"{"error":"insufficient_scope"}"#;
    let other = ("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.b3RoZXI");
    let admin = "https://api.example/admin";
    let beside = |with| {
        with_bodies(&[
            (("GET", URL, &[with], 200, &[JSON]), "{}"),
            (("GET", admin, BEARER, 403, &[JSON]), denied),
        ])
    };
    leads(&beside(TOKEN), "TN0513");
    assert_eq!(verdict(&beside(other), "TN0513"), None);
}

#[test]
fn a_recorded_field_with_an_underscore_does_not_come_through_nginx() {
    let nginx: Headers<'_> = &[("server", "nginx/1.22.1"), JSON];
    let sent = |name| {
        let key: Headers<'_> = &[(name, "eyJhbGciOiJSUzI1NiJ9.e30.c2ln")];
        with_bodies(&[(("GET", URL, key, 401, nginx), MISSING)])
    };
    leads(&sent("X_API_KEY"), "TN0213");
    leaves_open(&sent("X-API-KEY"), "TN0213");
}

#[test]
fn a_call_that_a_redirect_or_a_hand_sent_without_a_token_is_not_early() {
    let none: Headers<'_> = &[];
    let moved: Headers<'_> = &[("location", URL)];
    let first = ("GET", "https://old.example/v1/things", BEARER, 301, moved);
    let early = ("GET", URL, none, 401, CHALLENGE);
    let later = ("GET", URL, BEARER, 200, none);
    leaves_open(&har(&[first, early, later]), "TN0101");
    confirms(&har(&[first, early, later]), "TN0107");
    let by_hand: Headers<'_> = &[("user-agent", "curl/8.5.0")];
    let tried = ("GET", URL, by_hand, 401, CHALLENGE);
    leaves_open(&har(&[tried, later]), "TN0101");
}

#[test]
fn a_refresh_between_calls_without_a_token_is_no_sign_in() {
    let none: Headers<'_> = &[];
    let call = |url, sent, status| ("GET", url, sent, status, none);
    let others = "https://api.example/v1/others";
    let refresh = ("POST", "https://api.example/auth/refresh", none, 200, none);
    let early = [call(URL, none, 401), call(others, none, 401)];
    let later = call(URL, BEARER, 200);
    confirms(&har(&[early[0], early[1], refresh, later]), "TN0101");
    // One call alone may be how the page learns that it has to refresh.
    leaves_open(&har(&[early[0], refresh, later]), "TN0101");
}

#[test]
fn a_browsers_word_for_the_site_counts_and_so_does_the_default_of_a_cookie() {
    let across: Headers<'_> = &[
        ("origin", "https://partner.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "cors"),
    ];
    let within: Headers<'_> = &[
        ("origin", "https://www.shop.example"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-mode", "cors"),
    ];
    let set: Headers<'_> = &[("set-cookie", "sid=3f7a; Path=/; Secure; HttpOnly")];
    let calls = |sent| {
        [
            ("POST", "https://api.shop.example/login", sent, 200, set),
            (
                "GET",
                "https://api.shop.example/orders",
                sent,
                401,
                &[] as Headers<'_>,
            ),
        ]
    };
    confirms(&har(&calls(across)), "TN0112");
    leaves_open(&har(&calls(within)), "TN0112");
}

#[test]
fn a_refusal_that_the_page_never_saw_is_in_the_services_log() {
    let page: Headers<'_> = &[("origin", "https://app.example"), TOKEN];
    let allow: Headers<'_> = &[("access-control-allow-origin", "https://app.example")];
    let asked = ("OPTIONS", URL, page, 204, allow);
    let well = ("GET", URL, page, 200, allow);
    let unseen = ("GET", URL, page, 0, &[] as Headers<'_>);
    let line = |status| {
        format!(
            "192.0.2.7 - - [21/Nov/2026:18:00:00 +0000] \"GET /v1/things HTTP/1.1\" {status} 72 \"-\" \"Mozilla/5.0\"\n"
        )
    };
    let calls = || har(&[asked, well, asked, unseen]);
    confirms(
        &calls().log("access.log", &(line(200) + &line(401))),
        "TN0111",
    );
    leaves_open(
        &calls().log("access.log", &(line(200) + &line(502))),
        "TN0111",
    );
    leaves_open(&calls(), "TN0111");
}
