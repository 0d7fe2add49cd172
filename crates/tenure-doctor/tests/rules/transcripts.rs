//! What a command-line client prints, and what a browser's console says.

use serde_json::json;

use crate::support::{Facts, confirms, facts, jwt, leads, leaves_open};

/// A call: request, its fields, status, the answer's fields, body.
type Call<'a> = (&'a str, &'a [&'a str], &'a str, &'a [&'a str], &'a str);

/// A transcript of `curl -v` of these calls.
fn curl(calls: &[Call<'_>]) -> Facts {
    let mut text = String::new();
    for (request, sent, status, answered, body) in calls {
        let start = [
            "* Connected to shop.example (192.0.2.7) port 80 (#0)".to_owned(),
            format!("> {request} HTTP/1.1"),
            "> Host: shop.example".to_owned(),
        ];
        let sent = sent.iter().map(|field| format!("> {field}"));
        let status = ["> ".to_owned(), format!("< HTTP/1.1 {status}")];
        let answered = answered.iter().map(|field| format!("< {field}"));
        let end = [
            "< ".to_owned(),
            "{ [9 bytes data]".to_owned(),
            (*body).to_owned(),
        ];
        let lines = start.into_iter().chain(sent).chain(status);
        for line in lines.chain(answered).chain(end) {
            text += &line;
            text.push('\n');
        }
    }
    facts().log("curl.txt", &text)
}

const BEARER: &str = "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln";

#[test]
fn a_transcript_of_curl_is_the_clients_own_request() {
    let limited = (
        "GET /v1",
        &[BEARER] as &[_],
        "429 Too Many Requests",
        &["Retry-After: 6"] as &[_],
        "slow down",
    );
    let well = ("GET /v1", &[BEARER] as &[_], "200 OK", &[] as &[_], "[]");
    confirms(&curl(&[well, limited]), "TN0316");
    leaves_open(&curl(&[well]), "TN0316");
    let large = (
        "GET /v1",
        &[BEARER] as &[_],
        "431 Request Header Fields Too Large",
        &[] as &[_],
        "",
    );
    confirms(&curl(&[large]), "TN0113");
}

#[test]
fn a_cookie_that_is_not_kept_is_confirmed_by_a_transcript() {
    let set = |cookie| ("POST /login", &[] as &[_], "200 OK", cookie, "{}");
    let secure: &[&str] = &["Set-Cookie: sessionid=3f7a; Path=/; Secure"];
    let open: &[&str] = &["Set-Cookie: sessionid=3f7a; Path=/"];
    let narrow: &[&str] = &["Set-Cookie: sessionid=3f7a; Path=/auth"];
    let foreign: &[&str] = &["Set-Cookie: sessionid=3f7a; Path=/; Domain=other.example"];
    let bare = (
        "GET /orders",
        &["Cookie: theme=dark"] as &[_],
        "401 Unauthorized",
        &[] as &[_],
        "",
    );
    let kept = (
        "GET /orders",
        &["Cookie: sessionid=3f7a"] as &[_],
        "401 Unauthorized",
        &[] as &[_],
        "",
    );
    confirms(&curl(&[set(secure), bare]), "TN0112");
    confirms(&curl(&[set(narrow), bare]), "TN0112");
    confirms(&curl(&[set(foreign), bare]), "TN0112");
    leaves_open(&curl(&[set(secure), kept]), "TN0112");
    leaves_open(&curl(&[set(open), bare]), "TN0112");
    leaves_open(&curl(&[bare, set(secure)]), "TN0112");
}

#[test]
fn what_is_sent_around_the_token_is_confirmed_by_a_transcript() {
    let refused = |field| {
        let sent: &[&str] = field;
        curl(&[(
            "GET /v1",
            sent,
            "401 Unauthorized",
            &["WWW-Authenticate: Bearer"],
            "",
        )])
    };
    confirms(
        &refused(&["Authorization: Bearer \"eyJhbGciOiJSUzI1NiJ9.e30.c2ln\""]),
        "TN0105",
    );
    confirms(
        &refused(&["Authorization: Bearer Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"]),
        "TN0105",
    );
    confirms(
        &refused(&["Authorization: Bearer%20eyJhbGciOiJSUzI1NiJ9.e30.c2ln"]),
        "TN0105",
    );
    leaves_open(&refused(&[BEARER]), "TN0105");
}

#[test]
fn a_browsers_console_leads_to_preflights_and_cookies() {
    let console = |says: &str| facts().log("console.log", &format!("12:00:01 error: {says}\n"));
    let blocked = "Access to fetch at 'https://api.example/v1' from origin 'https://app.example' has been blocked by CORS policy: ";
    let preflight = "Response to preflight request doesn't pass access control check: It does not have HTTP ok status.";
    leads(&console(&format!("{blocked}{preflight}")), "TN0110");
    let missing = "No 'Access-Control-Allow-Origin' header is present on the requested resource.";
    leads(&console(&format!("{blocked}{missing}")), "TN0111");
    leads(
        &console(
            "Cookie “sid” has been rejected because a non-HTTPS cookie can’t be set as “secure”.",
        ),
        "TN0112",
    );
}

#[test]
fn a_password_in_place_of_the_token_is_refused_with_a_challenge_for_it() {
    let basic: &[&str] = &["Authorization: Basic ZGVwbG95OnNlY3JldA=="];
    let call = |answered| ("GET /v1", basic, "401 Unauthorized", answered, "{}");
    let token = || jwt(&json!({}));
    let asks: &[&str] = &["WWW-Authenticate: Bearer"];
    confirms(&curl(&[call(asks)]).token(&token()), "TN0103");
    leaves_open(&curl(&[call(asks)]), "TN0103");
    let either: &[&str] = &[
        "WWW-Authenticate: Bearer",
        "WWW-Authenticate: Basic realm=\"x\"",
    ];
    leaves_open(&curl(&[call(either)]).token(&token()), "TN0103");
}

#[test]
fn an_opaque_token_is_what_the_services_parser_complains_of() {
    let line = "2026-11-21T18:00:00Z error: request refused: Invalid Compact JWS status=401\n";
    let log = || facts().log("api.log", line);
    confirms(&log().token("xJq3mW0cVtB7sKzRfYp2LhD9aE4uNg6I"), "TN0115");
    leaves_open(&log().token(&jwt(&json!({}))), "TN0115");
    leaves_open(&log(), "TN0115");
}
