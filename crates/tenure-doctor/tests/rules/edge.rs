//! CDN, firewall and proxy.

use serde_json::json;

use super::support::{
    Facts, Headers, URL, confirms, facts, healthy, jwt, leads, leaves_open, verdict,
};
use tenure_doctor::probe::Probe;
use tenure_doctor::{Source, Verdict, diagnose};

const HTML: (&str, &str) = ("content-type", "text/html; charset=UTF-8");
const JSON: (&str, &str) = ("content-type", "application/json");
const MISSING: &str = r#"{"detail":"Missing bearer token"}"#;
const BEARER: (&str, &str) = ("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln");

fn cloudfront(server: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("server", server),
        ("via", "1.1 3f2a.cloudfront.net (CloudFront)"),
        ("x-cache", "Error from cloudfront"),
        ("x-amz-cf-id", "abc"),
        JSON,
    ]
}

/// Refused in these words with the token, without it and with a forged one.
fn all_refused(status: u16, headers: Headers<'_>, body: &str) -> Facts {
    facts()
        .token(&jwt(&json!({})))
        .answers(&["client", "bare", "altered"], status, headers, body)
}

fn direct_works(facts: Facts) -> Facts {
    facts.answer("direct", 200, &[JSON], r#"{"ok":true}"#)
}

fn echo(facts: Facts, arrived: &str) -> Facts {
    let body = format!(r#"{{"headers":{{"host":"api.example","user-agent":"x"{arrived}}}}}"#);
    facts.answer("echo", 200, &[JSON], &body).requested(
        "GET",
        "https://api.example/echo",
        &[BEARER],
    )
}

#[test]
fn cloudfront_that_loses_the_token_is_found_by_going_around_it() {
    let refused = || all_refused(401, &cloudfront("uvicorn"), MISSING);
    leads(&direct_works(refused()), "TN0201");
    confirms(&echo(refused(), ""), "TN0201");
    let no_header = r#"{"detail":"Missing Authorization header"}"#;
    let told = all_refused(401, &cloudfront("uvicorn"), no_header);
    confirms(&direct_works(told), "TN0201");
}

#[test]
fn a_header_that_was_replaced_by_other_credentials_was_not_taken_off() {
    let lost = || direct_works(all_refused(401, &[JSON], MISSING));
    leaves_open(&lost(), "TN0201");
    let replaced = echo(lost(), r#","authorization":"Basic ZWRnZTp0aHJvd2F3YXk=""#);
    confirms(&replaced, "TN0210");
    assert_eq!(verdict(&replaced, "TN0201"), Some(Verdict::RuledOut));
}

#[test]
fn cloudfront_is_not_to_blame_where_the_service_may_mean_a_bad_token() {
    let vague = r#"{"detail":"Missing or invalid token"}"#;
    leaves_open(
        &direct_works(all_refused(401, &cloudfront("uvicorn"), vague)),
        "TN0201",
    );
    let arrives = echo(
        all_refused(401, &cloudfront("uvicorn"), MISSING),
        r#","authorization":"Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln""#,
    );
    assert_eq!(verdict(&arrives, "TN0201"), Some(Verdict::RuledOut));
}

#[test]
fn a_cached_refusal_is_known_by_what_the_service_says_past_the_cache() {
    let hit: Headers<'_> = &[("x-cache", "HIT"), ("age", "4"), JSON];
    let cached = || all_refused(401, hit, MISSING);
    confirms(
        &cached().answer("fresh", 200, &[("x-cache", "MISS"), JSON], "{}"),
        "TN0202",
    );
    confirms(&direct_works(cached()), "TN0202");
    let forgotten = facts()
        .answer("client", 401, hit, MISSING)
        .answer("again-1", 401, hit, MISSING)
        .answer("again-2", 200, &[("x-cache", "MISS"), JSON], "{}");
    confirms(&forgotten, "TN0202");
}

#[test]
fn a_cached_refusal_that_the_service_repeats_is_not_the_cause() {
    let hit: Headers<'_> = &[("x-cache", "HIT"), ("age", "4"), JSON];
    let cached =
        all_refused(401, hit, MISSING).answer("fresh", 401, &[("x-cache", "MISS"), JSON], MISSING);
    leaves_open(&cached, "TN0202");
}

#[test]
fn a_success_out_of_a_cache_without_a_token_gives_data_away() {
    let hit: Headers<'_> = &[("x-cache", "HIT"), ("age", "9"), JSON];
    let given = facts()
        .answer("client", 200, hit, r#"{"name":"A"}"#)
        .answer("bare", 200, hit, r#"{"name":"A"}"#)
        .answer("altered", 200, hit, r#"{"name":"A"}"#);
    confirms(
        &given.answer("bare-fresh", 401, &[("x-cache", "MISS"), JSON], MISSING),
        "TN0203",
    );
}

#[test]
fn a_cache_of_what_is_public_gives_nothing_away() {
    let hit: Headers<'_> = &[("x-cache", "HIT"), ("age", "9"), JSON];
    let public = facts().answers(&["client", "bare"], 200, hit, "{}").answer(
        "bare-fresh",
        200,
        &[("x-cache", "MISS"), JSON],
        "{}",
    );
    assert_eq!(verdict(&public, "TN0203"), Some(Verdict::RuledOut));
}

#[test]
fn a_cache_without_a_mark_is_found_by_what_a_query_changes() {
    let refused = facts()
        .answers(
            &["client", "bare", "altered", "again-1"],
            403,
            &[JSON],
            "{}",
        )
        .answer("fresh", 200, &[JSON], "{}");
    leads(
        &refused.answer("bare-fresh", 401, &[JSON], MISSING),
        "TN0202",
    );
}

#[test]
fn a_rule_about_clients_is_found_by_asking_as_a_browser() {
    let page: Headers<'_> = &[("server", "Varnish"), HTML];
    let blocked = |status| {
        all_refused(403, page, "<h1>Error 403</h1>").answer("browser", status, &[JSON], "{}")
    };
    leads(&blocked(200), "TN0206");
    leaves_open(&blocked(403), "TN0206");
}

#[test]
fn a_challenge_of_cloudflare_is_one() {
    let challenge: Headers<'_> = &[
        ("server", "cloudflare"),
        ("cf-ray", "8c"),
        ("cf-mitigated", "challenge"),
        HTML,
    ];
    let page = "<title>Just a moment...</title>";
    confirms(&all_refused(403, challenge, page), "TN0204");
    let refresh = facts()
        .answer("client", 401, &[JSON], r#"{"error":"expired"}"#)
        .answer("refresh", 403, challenge, page);
    confirms(&refresh, "TN0204");
}

#[test]
fn a_service_behind_cloudflare_that_refuses_is_not_cloudflare() {
    let passed: Headers<'_> = &[("server", "cloudflare"), ("cf-ray", "8c"), JSON];
    leaves_open(
        &all_refused(403, passed, r#"{"error":"forbidden"}"#),
        "TN0204",
    );
}

#[test]
fn a_firewall_that_counts_bytes_is_found_by_two_bodies() {
    let rest: Headers<'_> = &[
        ("x-amzn-requestid", "1"),
        ("x-amzn-errortype", "ForbiddenException"),
        JSON,
    ];
    let forbidden = r#"{"message":"Forbidden"}"#;
    let large = |status, headers: Headers<'_>, body| {
        facts()
            .answer("client", 403, headers, body)
            .answer("small-body", 200, &[JSON], "{}")
            .answer("large-body", status, headers, body)
    };
    confirms(&large(403, rest, forbidden), "TN0205");
    let service = r#"{"error":"no uploads for you"}"#;
    leaves_open(&large(403, &[JSON], service), "TN0205");
    leaves_open(&large(413, rest, forbidden), "TN0205");
    confirms(
        &large(
            403,
            &[("server", "awselb/2.0"), HTML],
            "<h1>403 Forbidden</h1>",
        ),
        "TN0206",
    );
}

#[test]
fn the_access_log_of_a_gateway_names_its_firewall() {
    let line = |code: &str| {
        format!(
            r#"{{"requestId":"1","requestTime":"21/Nov/2026:10:00:00 +0000","status":"403","wafResponseCode":"{code}"}}"#
        )
    };
    confirms(&facts().log("access.json", &line("WAF_BLOCK")), "TN0205");
    leaves_open(&facts().log("access.json", &line("WAF_ALLOW")), "TN0205");
}

#[test]
fn the_page_of_cloudfront_that_blocks_is_told_from_other_pages_of_it() {
    let page = "<H1>403 ERROR</H1> Request blocked. We can't connect to the server for this app.";
    confirms(&all_refused(403, &cloudfront("CloudFront"), page), "TN0206");
    let geo = "The Amazon CloudFront distribution is configured to block access from your country.";
    leaves_open(&all_refused(403, &cloudfront("CloudFront"), geo), "TN0206");
    let balancer = all_refused(
        403,
        &[("server", "awselb/2.0"), HTML],
        "<h1>403 Forbidden</h1>",
    );
    leaves_open(&balancer, "TN0206");
}

#[test]
fn cognito_says_itself_that_a_firewall_blocks() {
    let refresh = |body| facts().answer("refresh", 400, &[JSON], body);
    confirms(
        &refresh(
            r#"{"__type":"ForbiddenException","message":"Request not allowed due to WAF block."}"#,
        ),
        "TN0207",
    );
    leaves_open(
        &refresh(r#"{"__type":"NotAuthorizedException","message":"Invalid Refresh Token"}"#),
        "TN0207",
    );
}

#[test]
fn the_gate_of_a_platform_is_known_by_its_page() {
    let page = "<title>Authentication Required</title>";
    let gate: Headers<'_> = &[("server", "Vercel"), ("x-vercel-id", "fra1::1"), HTML];
    confirms(&all_refused(401, gate, page), "TN0208");
    let app: Headers<'_> = &[("server", "Vercel"), ("x-vercel-id", "fra1::1"), JSON];
    leaves_open(
        &all_refused(401, app, r#"{"error":"Authentication required"}"#),
        "TN0208",
    );
}

#[test]
fn a_gate_of_user_and_password_is_the_proxys_own() {
    let page = "<center><h1>401 Authorization Required</h1></center><hr><center>nginx</center>";
    let basic = ("www-authenticate", "Basic realm=\"staging\"");
    confirms(&all_refused(401, &[basic, HTML], page), "TN0209");
    let django = r#"{"detail":"Authentication credentials were not provided."}"#;
    leaves_open(&all_refused(401, &[basic, JSON], django), "TN0209");
    confirms(&direct_works(all_refused(401, &[basic], "")), "TN0209");
    let both = ("www-authenticate", "Bearer realm=\"api\"");
    leaves_open(
        &direct_works(all_refused(401, &[basic, both], "")),
        "TN0209",
    );
}

#[test]
fn a_gate_is_told_by_the_probe_that_was_sent() {
    let page = "<center><h1>401 Authorization Required</h1></center><hr><center>nginx</center>";
    let basic: Headers<'_> = &[("www-authenticate", "Basic realm=\"staging\""), HTML];
    let gate = facts().answers(&["client", "garbage"], 401, basic, page);
    confirms(&gate, "TN0209");
    let diagnosis = diagnose(&gate.evidence());
    let mut clues = diagnosis.ranked.iter().flat_map(|ranked| &ranked.evidence);
    assert!(clues.all(|clue| clue.source != Source::Probe(Probe::Altered)));
}

#[test]
fn another_token_in_its_place_is_seen_by_an_echo() {
    let refused = || all_refused(401, &[("server", "nginx"), JSON], r#"{"error":"refused"}"#);
    let other = r#","authorization":"Bearer eyJhbGciOiJSUzI1NiJ9.e31.c2ln""#;
    leads(&echo(refused(), other), "TN0210");
    let put_in = all_refused(401, &[JSON], r#"{"detail":"invalid signature"}"#);
    confirms(&echo(put_in, other), "TN0210");
    leaves_open(&echo(refused(), ""), "TN0210");
    let same = r#","Authorization":"Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln""#;
    leaves_open(&echo(refused(), same), "TN0210");
    let no_echo = refused()
        .answer("echo", 200, &[JSON], r#"{"hello":"world"}"#)
        .requested("GET", "https://api.example/echo", &[BEARER]);
    leaves_open(&no_echo, "TN0210");
}

#[test]
fn envoy_that_keeps_the_token_speaks_for_forged_ones_and_the_service_for_good_ones() {
    let envoy: Headers<'_> = &[("server", "envoy"), ("content-type", "text/plain")];
    let upstream: Headers<'_> = &[
        ("server", "envoy"),
        ("x-envoy-upstream-service-time", "2"),
        JSON,
    ];
    let cut = |by: Headers<'_>, body: &str| {
        facts()
            .answer("client", 401, upstream, body)
            .answer("bare", 401, envoy, "Jwt is missing")
            .answer("altered", 401, by, "Jwt verification fails")
    };
    confirms(&cut(envoy, MISSING), "TN0211");
    leaves_open(&cut(envoy, r#"{"error":"wrong audience"}"#), "TN0211");
    let both_upstream = facts().answers(&["client", "bare", "altered"], 401, upstream, MISSING);
    leaves_open(&both_upstream, "TN0211");
}

#[test]
fn apache_that_drops_the_token_is_found_by_an_echo_or_by_going_around_it() {
    let apache: Headers<'_> = &[("server", "Apache/2.4.62 (Debian)"), JSON];
    let refused = || all_refused(401, apache, MISSING);
    confirms(&echo(refused(), ""), "TN0212");
    let elsewhere = ("server", "uvicorn");
    confirms(
        &refused().answer("direct", 200, &[elsewhere, JSON], "{}"),
        "TN0212",
    );
    leaves_open(&direct_works(refused()), "TN0212");
    leaves_open(&refused(), "TN0212");
    let proxied = r#","x-forwarded-server":"api.example""#;
    leaves_open(&echo(refused(), proxied), "TN0212");
    leaves_open(
        &direct_works(all_refused(401, apache, r#"{"error":"unauthorized"}"#)),
        "TN0212",
    );
}

#[test]
fn a_name_with_an_underscore_is_dropped_on_the_way_only_where_it_works_past_it() {
    let nginx: Headers<'_> = &[("server", "nginx/1.22.1"), JSON];
    let key: Headers<'_> = &[("x_api_key", "k-3f9a1c77d2e84b06")];
    let refused = || {
        facts()
            .answer("client", 401, nginx, MISSING)
            .requested("GET", URL, key)
            .answer("bare", 401, nginx, MISSING)
    };
    confirms(&direct_works(refused()), "TN0213");
    let log = "2026/11/21 10:00:00 [info] 7#7: *1 client sent invalid header line: \"x_api_key: k\" while reading client request headers";
    confirms(&refused().log("error.log", log), "TN0213");
    leaves_open(&refused(), "TN0213");
    leaves_open(&refused().answer("direct", 401, &[JSON], MISSING), "TN0213");
}

#[test]
fn a_renamed_challenge_is_never_the_whole_story() {
    let renamed: Headers<'_> = &[
        ("x-amzn-remapped-www-authenticate", "Bearer"),
        ("x-amzn-requestid", "1"),
        JSON,
    ];
    leaves_open(&all_refused(401, renamed, "{}"), "TN0214");
}

#[test]
fn a_gate_for_browsers_sends_every_request_to_a_sign_in() {
    let login: Headers<'_> = &[("location", "https://gate.example/oauth2/start?rd=%2Fv1")];
    confirms(&all_refused(302, login, ""), "TN0215");
    let elsewhere: Headers<'_> = &[("location", "https://api.example/v1/things/")];
    leaves_open(&all_refused(302, elsewhere, ""), "TN0215");
    let slash = all_refused(307, &[("location", "https://api.example/v1/login/")], "");
    let slash = slash.requested("GET", "https://api.example/v1/login", &[BEARER]);
    leaves_open(&slash, "TN0215");
    let only_bare = facts()
        .token(&jwt(&json!({})))
        .answer("client", 200, &[JSON], "{}")
        .answer("bare", 302, login, "")
        .answer("altered", 401, &[JSON], "{}");
    healthy(&only_bare);
}
