//! Client and transport.

use serde_json::json;
use tenure_doctor::exchange::Failure;

use crate::support::{
    Facts, Headers, NOW, URL, confirms, facts, jwt, jwt_of, leads, leaves_open, verdict,
};
use tenure_doctor::Verdict;

const CHALLENGE: Headers<'_> = &[("www-authenticate", "Bearer")];
const INVALID: Headers<'_> = &[("www-authenticate", "Bearer error=\"invalid_token\"")];

/// Refused with the token in one way and without it in another.
fn refused() -> Facts {
    facts()
        .answer("client", 401, INVALID, "invalid token")
        .answer("bare", 401, CHALLENGE, "no token")
}

fn sent(facts: Facts, authorization: &str) -> Facts {
    facts.requested("GET", URL, &[("authorization", authorization)])
}

#[test]
fn requests_before_the_session_is_restored_are_confirmed_by_the_clients_log() {
    let line =
        |ms: u64, rest: &str| format!(r#"{{"time":{},"device":"d1",{rest}}}"#, NOW * 1000 + ms);
    let launched = line(0, r#""msg":"app launched""#);
    let refused = line(
        40,
        r#""msg":"request","method":"GET","path":"/feed","status":401"#,
    );
    let restored = line(60, r#""msg":"session restored""#);
    let well = line(
        90,
        r#""msg":"request","method":"GET","path":"/feed","status":200"#,
    );
    let early = [&launched, &refused, &restored, &well].map(String::as_str);
    confirms(&facts().log("app.log", &early.join("\n")), "TN0101");
    let late = [&launched, &restored, &refused, &well].map(String::as_str);
    leaves_open(&facts().log("app.log", &late.join("\n")), "TN0101");
}

#[test]
fn a_request_without_a_token_alone_does_not_say_why_it_has_none() {
    let bare = facts()
        .answer("client", 401, CHALLENGE, "no token")
        .requested("GET", URL, &[]);
    leaves_open(&bare, "TN0101");
}

#[test]
fn a_word_in_place_of_the_token_is_confirmed_unless_it_is_accepted() {
    for word in ["undefined", "null", "", "[object Object]"] {
        confirms(&refused().token(word), "TN0102");
    }
    confirms(
        &sent(
            facts().answer("client", 401, &[], "jwt malformed"),
            "Bearer undefined",
        ),
        "TN0102",
    );
    let accepted = facts().answer("client", 200, &[], "{}").token("undefined");
    leaves_open(&accepted, "TN0102");
    leaves_open(&refused().token(&jwt(&json!({}))), "TN0102");
}

#[test]
fn a_logged_word_needs_a_refusal_beside_it() {
    let line = |status: u16, header: &str| {
        format!(
            r#"{{"time":{},"level":30,"req":{{"method":"GET","url":"/v1/me","headers":{{"authorization":"{header}"}}}},"res":{{"statusCode":{status}}},"msg":"request completed"}}"#,
            NOW * 1000
        )
    };
    confirms(
        &facts().log("api.log", &line(401, "Bearer undefined")),
        "TN0102",
    );
    leaves_open(
        &facts().log("api.log", &line(200, "Bearer undefined")),
        "TN0102",
    );
}

#[test]
fn another_scheme_is_confirmed_where_bearer_is_accepted() {
    let token = jwt(&json!({}));
    let raw = |trimmed: u16| {
        sent(facts().answer("client", 401, CHALLENGE, ""), &token)
            .answer("bare", 401, CHALLENGE, "")
            .answer("trimmed", trimmed, &[], "{}")
            .token(&token)
    };
    confirms(&raw(200), "TN0103");
    leaves_open(&raw(401), "TN0103");
    let wanted = |probe: &str| refused().answer(probe, 200, &[], "{}").token(&token);
    confirms(&wanted("raw"), "TN0103");
    confirms(&wanted("token-scheme"), "TN0103");
    leaves_open(&wanted("other-token"), "TN0103");
    let asked: Headers<'_> = &[("www-authenticate", "Token")];
    let bare = facts()
        .answers(&["client", "bare"], 401, asked, "no credentials")
        .token(&token);
    leads(&bare, "TN0103");
    leaves_open(&bare, "TN0103");
}

#[test]
fn a_good_token_that_jsonwebtoken_cannot_decode_may_have_its_scheme_read_as_a_part_of_it() {
    let told = |words: &str| {
        let body = format!(r#"{{"error":"JsonWebTokenError","message":"{words}"}}"#);
        let text = jwt(&json!({}));
        let client = facts().token(&text).answer("client", 401, INVALID, &body);
        sent(client, &format!("Bearer {text}"))
            .answer("altered", 401, INVALID, &body)
            .answer("bare", 401, CHALLENGE, "no token")
    };
    let first = told("invalid token");
    assert!(verdict(&first, "TN0103") >= Some(Verdict::Possible));
    confirms(&first.answer("raw", 200, &[], "{}"), "TN0103");
    leaves_open(&told("invalid token"), "TN0103");
    assert!(
        verdict(&told("invalid signature"), "TN0103") < verdict(&told("invalid token"), "TN0103")
    );
}

#[test]
fn the_case_of_the_scheme_is_confirmed_where_it_alone_makes_the_difference() {
    let token = jwt(&json!({}));
    let lower = || {
        sent(
            facts().answer("client", 401, CHALLENGE, ""),
            &format!("bearer {token}"),
        )
        .answer("bare", 401, CHALLENGE, "")
        .token(&token)
    };
    confirms(&lower().answer("trimmed", 200, &[], "{}"), "TN0104");
    leaves_open(&lower().answer("trimmed", 401, CHALLENGE, ""), "TN0104");
    confirms(
        &refused().answer("lower", 200, &[], "{}").token(&token),
        "TN0104",
    );
    let works = facts()
        .answer("client", 200, &[], "{}")
        .answer("lower", 401, CHALLENGE, "");
    leaves_open(&works.token(&token), "TN0104");
}

#[test]
fn a_spoiled_token_is_confirmed_where_the_clean_one_is_accepted() {
    let token = jwt(&json!({}));
    let found = format!("\"{token}\"");
    let spoiled = |trimmed: u16| {
        refused()
            .answer("trimmed", trimmed, &[], "{}")
            .token(&found)
    };
    confirms(&spoiled(200), "TN0105");
    let newline = refused()
        .answer("trimmed", 200, &[], "{}")
        .token(&format!("{token} "));
    confirms(&newline, "TN0105");
    let clean = refused().answer("trimmed", 200, &[], "{}").token(&token);
    leaves_open(&clean, "TN0105");
}

#[test]
fn a_spoiled_token_is_confirmed_where_it_is_read_and_nothing_else_is_wrong_with_it() {
    let token = jwt(&json!({}));
    let twice = format!("Bearer {token}");
    confirms(&refused().token(&twice), "TN0105");
    let stripped = facts()
        .answer("client", 401, CHALLENGE, "no token")
        .answer("bare", 401, CHALLENGE, "no token");
    leaves_open(&stripped.token(&twice), "TN0105");
    leaves_open(&refused().token(&format!("{token}\n")), "TN0105");
    let both = refused()
        .answer("trimmed", 401, INVALID, "invalid token")
        .token(&twice);
    leaves_open(&both, "TN0105");
}

#[test]
fn two_tokens_are_confirmed_by_the_words_of_those_who_count_them() {
    for (status, body) in [
        (401, r#"{"message":"Multiple tokens provided"}"#),
        (400, "Found multiple bearer tokens in the request"),
        (400, "More than one method used for authentication"),
    ] {
        confirms(&facts().answer("client", status, &[], body), "TN0106");
    }
    let twice = |status, error| {
        facts().answer("client", status, &[], error).requested(
            "GET",
            &format!("{URL}?access_token=abcdefghijklmnop"),
            &[("authorization", "Bearer eyJ")],
        )
    };
    confirms(&twice(400, r#"{"error":"invalid_request"}"#), "TN0106");
    leaves_open(&twice(401, r#"{"error":"invalid_token"}"#), "TN0106");
}

/// Redirected to `location`; followed without the header, and refused there.
fn redirected(url: &str, location: &str) -> Facts {
    let bearer: Headers<'_> = &[("authorization", "Bearer eyJ")];
    facts()
        .answer("client", 307, &[("location", location)], "")
        .requested("GET", url, bearer)
        .answer("hop-1", 401, CHALLENGE, "")
        .requested("GET", location, &[])
}

fn kept(facts: Facts, location: &str, status: u16) -> Facts {
    facts.answer("kept-hop-1", status, &[], "{}").requested(
        "GET",
        location,
        &[("authorization", "Bearer eyJ")],
    )
}

#[test]
fn a_redirect_that_drops_the_header_is_confirmed_where_keeping_it_helps() {
    let (from, to) = ("https://api.example/me", "https://api.example:8443/me");
    confirms(&kept(redirected(from, to), to, 200), "TN0107");
    confirms(&redirected(from, "https://www.example/me"), "TN0107");
    leaves_open(&kept(redirected(from, to), to, 401), "TN0107");
    leaves_open(
        &redirected(from, "https://login.example/oauth2/start"),
        "TN0107",
    );
    leaves_open(&redirected(from, "https://api.example/v2/me"), "TN0107");
}

#[test]
fn a_redirect_from_http_to_https_is_a_cause_of_its_own() {
    let (from, to) = ("http://api.example/me", "https://api.example/me");
    let upgraded = kept(redirected(from, to), to, 200);
    confirms(&upgraded, "TN0109");
    leaves_open(&upgraded, "TN0107");
    leaves_open(&kept(redirected(from, to), to, 401), "TN0109");
}

#[test]
fn a_slash_that_leads_to_plain_http_is_a_cause_of_its_own() {
    let (from, to) = ("https://api.example/things", "http://api.example/things/");
    confirms(&redirected(from, to), "TN0108");
    leaves_open(&redirected(from, to), "TN0107");
    let closed = facts()
        .answer("client", 307, &[("location", to)], "")
        .requested("GET", from, &[("authorization", "Bearer eyJ")])
        .failed("hop-1", Failure::Refused)
        .requested("GET", to, &[]);
    confirms(&closed, "TN0108");
    let other_port = "https://api.example:8443/things/";
    leaves_open(&redirected(from, other_port), "TN0108");
    leads(&redirected(from, other_port), "TN0108");
    let same_origin = redirected(from, "https://api.example/things/");
    leaves_open(&same_origin, "TN0108");
}

#[test]
fn a_preflight_that_is_asked_for_a_token_is_confirmed_where_the_request_works() {
    let works = || {
        facts()
            .answer("client", 200, &[], "{}")
            .answer("bare", 401, CHALLENGE, "no")
    };
    confirms(&works().answer("preflight", 401, CHALLENGE, "no"), "TN0110");
    leaves_open(&works().answer("preflight", 405, &[], ""), "TN0110");
    leaves_open(
        &works().answer("preflight", 403, &[], "bots are not welcome"),
        "TN0110",
    );
    let no_route: Headers<'_> = &[("x-amzn-errortype", "MissingAuthenticationTokenException")];
    confirms(&works().answer("preflight", 403, no_route, "{}"), "TN0110");
    let authorizer: Headers<'_> = &[("apigw-requestid", "a1")];
    leaves_open(
        &works().answer("preflight", 401, authorizer, "{}"),
        "TN0110",
    );
    let gate = facts().answers(
        &["client", "bare", "altered", "preflight"],
        401,
        CHALLENGE,
        "no",
    );
    leaves_open(&gate, "TN0110");
}

#[test]
fn refusals_without_cors_fields_are_confirmed_beside_successes_with_them() {
    let cors: Headers<'_> = &[("access-control-allow-origin", "https://app.example")];
    let success = || {
        facts()
            .answer("client", 200, &[], "{}")
            .answer("origin", 200, cors, "{}")
    };
    let refusal = || success().answer("bare-origin", 401, CHALLENGE, "");
    confirms(
        &refusal().log(
            "a.log",
            "10.0.0.1 - - [21/Nov/2026:18:40:00 +0000] \"GET /orders HTTP/1.1\" 401 12",
        ),
        "TN0111",
    );
    let provoked = refusal().answer("preflight", 204, cors, "");
    assert_eq!(verdict(&provoked, "TN0111"), Some(Verdict::Possible));
    leaves_open(&success().answer("bare-origin", 401, cors, ""), "TN0111");
    leaves_open(&success().answer("bare", 401, CHALLENGE, ""), "TN0111");
    leaves_open(&success(), "TN0111");
}

#[test]
fn a_cookie_that_browsers_withhold_is_confirmed_where_the_request_works_by_it() {
    let cookie = ("cookie", "session=abcdefghijklmnop");
    let page = ("origin", "https://app.other");
    let star = ("access-control-allow-origin", "*");
    let named = ("access-control-allow-origin", "https://app.other");
    let allowed = ("access-control-allow-credentials", "true");
    let asked = |fields: Headers<'_>| {
        facts()
            .answer("client", 200, &[], "{}")
            .requested("GET", URL, &[cookie])
            .answer("bare", 401, &[], "")
            .answer("origin", 200, fields, "{}")
            .requested("GET", URL, &[cookie, page])
    };
    confirms(&asked(&[star]), "TN0112");
    confirms(
        &asked(&[
            named,
            allowed,
            ("set-cookie", "session=x; Secure; SameSite=Lax"),
        ]),
        "TN0112",
    );
    leaves_open(
        &asked(&[
            named,
            allowed,
            ("set-cookie", "session=x; Secure; SameSite=None"),
        ]),
        "TN0112",
    );
}

#[test]
fn a_token_that_is_too_large_is_confirmed_where_the_request_without_it_is_read() {
    let large = jwt(&json!({"groups": vec!["a group with a long name"; 400]}));
    let page = "<center>Request Header Or Cookie Too Large</center>";
    let refused = |bare: u16| {
        facts()
            .answer("client", 400, &[], page)
            .answer("bare", bare, &[], "")
    };
    confirms(&refused(401).token(&large), "TN0113");
    leaves_open(&refused(400).token(&large), "TN0113");
    let reset = |token: &str| {
        facts()
            .failed("client", Failure::Reset)
            .answer("bare", 401, &[], "")
            .failed("altered", Failure::Reset)
            .answer("garbage", 401, &[], "")
            .token(token)
    };
    confirms(&reset(&large), "TN0113");
    leaves_open(&reset(&jwt(&json!({}))), "TN0113");
}

#[test]
fn the_wrong_one_of_two_tokens_is_confirmed_where_the_other_is_accepted() {
    let id = jwt(&json!({"token_use": "id"}));
    let access = |sub: &str| jwt(&json!({"token_use": "access", "aud": null, "sub": sub}));
    let both = |sub: &str, other: u16| {
        refused()
            .answer("other-token", other, &[], "{}")
            .token(&id)
            .other_token(&access(sub))
    };
    confirms(&both("u1", 200), "TN0114");
    leaves_open(&both("u2", 200), "TN0114");
    leaves_open(&both("u1", 401), "TN0114");
    confirms(
        &facts().answer(
            "client",
            401,
            &[],
            "Token use not allowed: id. Expected: access",
        ),
        "TN0114",
    );
}

#[test]
fn a_token_that_the_api_cannot_read_is_confirmed_by_its_parser_or_by_one_that_it_can() {
    let opaque = "2YotnFZFEjr1zCsicMWpAA_2YotnFZFEjr1zCsicMWpAA";
    confirms(
        &facts()
            .answer("client", 401, &[], "jwt malformed")
            .token(opaque),
        "TN0115",
    );
    let signed = refused()
        .answer("other-token", 200, &[], "{}")
        .token(opaque);
    confirms(&signed.other_token(&jwt(&json!({}))), "TN0115");
    leaves_open(&refused().token(opaque), "TN0115");
    let header = json!({"alg": "dir", "enc": "A256GCM"});
    let encrypted = format!(
        "{}..aXY.Y2lwaGVydGV4dA.dGFn",
        jwt_of(&header, &json!({})).split('.').next().unwrap()
    );
    confirms(&refused().token(&encrypted), "TN0115");
    leaves_open(
        &facts()
            .answer("client", 401, &[], "jwt malformed")
            .token("undefined"),
        "TN0115",
    );
    leads(&refused().token(opaque), "TN0115");
}
