//! What stands before the service and asks for something else than its token.

use serde_json::json;
use tenure_doctor::exchange::Failure;

use super::support::{Facts, Headers, URL, confirms, facts, jwt, leads, leaves_open};

const JSON: (&str, &str) = ("content-type", "application/json");
const HTML: (&str, &str) = ("content-type", "text/html");

fn client(status: u16, headers: Headers<'_>, body: &str) -> Facts {
    facts()
        .token(&jwt(&json!({})))
        .answers(&["client", "again-1"], status, headers, body)
}

#[test]
fn a_gateway_that_names_the_api_key_settles_it() {
    let asked = [
        r#"{"message":"No API key found in request"}"#,
        r#"{"fault":{"faultstring":"Invalid ApiKey","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}"#,
        r#"{"statusCode":401,"message":"Access denied due to missing subscription key."}"#,
        r#"{"code":16,"message":"Method doesn't allow unregistered callers."}"#,
    ];
    for body in asked {
        confirms(&client(401, &[JSON], body), "TN0311");
    }
    let challenge: Headers<'_> = &[JSON, ("www-authenticate", "Key realm=\"kong\"")];
    confirms(&client(401, challenge, "{}"), "TN0311");
    let either = r#"{"message":"Missing API key or bearer token"}"#;
    leaves_open(&client(401, &[JSON], either), "TN0311");
    leaves_open(&client(404, &[JSON], asked[0]), "TN0311");
}

#[test]
fn a_server_that_wants_a_certificate_says_so_by_its_page_or_by_an_alert() {
    let page = "<center>No required SSL certificate was sent</center>";
    confirms(&client(400, &[HTML], page), "TN0314");
    let quoted = r#"{"error":"No required SSL certificate was sent"}"#;
    leaves_open(&client(400, &[JSON], quoted), "TN0314");
    let alert = |why: &str| facts().failed("client", Failure::Tls(why.to_owned()));
    confirms(&alert("received fatal alert: UnknownCA"), "TN0314");
    leaves_open(&alert("invalid peer certificate: Expired"), "TN0314");
    let curl = "* TLSv1.3 (IN), TLS alert, bad certificate (554):\n";
    leads(&facts().log("curl.txt", curl), "TN0314");
    let sent = "* TLSv1.3 (OUT), TLS alert, bad certificate (554):\n";
    leaves_open(&facts().log("curl.txt", sent), "TN0314");
}

#[test]
fn what_a_platform_says_of_its_own_token_is_not_about_the_services() {
    let iap: Headers<'_> = &[("x-goog-iap-generated-response", "true")];
    let body = "Invalid IAP credentials: JWT audience doesn't match this application ('aud' claim (api) doesn't match)";
    let refused = || client(401, iap, body);
    confirms(&refused(), "TN0208");
    leaves_open(&refused(), "TN0412");
    let google = refused().token(&jwt(&json!({"iss": "https://accounts.google.com"})));
    leaves_open(&google, "TN0208");
}

#[test]
fn a_password_is_asked_for_by_a_proxys_page_whatever_its_scheme() {
    let digest: Headers<'_> = &[
        ("server", "lighttpd/1.4.69"),
        ("www-authenticate", "Digest realm=\"tools\", nonce=\"1\""),
        HTML,
    ];
    let page = "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><h1>401 Unauthorized</h1>";
    confirms(&client(401, digest, page), "TN0209");
    let service: Headers<'_> = &[("www-authenticate", "Digest realm=\"tools\""), JSON];
    leaves_open(&client(401, service, "{}"), "TN0209");
    let both: Headers<'_> = &[digest[0], digest[1], ("www-authenticate", "Bearer"), HTML];
    leaves_open(&client(401, both, page), "TN0209");
    let squid: Headers<'_> = &[("proxy-authenticate", "Basic realm=\"office\"")];
    confirms(&client(407, squid, ""), "TN0209");
}

#[test]
fn a_firewalls_page_or_a_rule_on_the_client_settles_the_block() {
    let akamai: Headers<'_> = &[("server", "AkamaiGHost"), HTML];
    let denied = "<TITLE>Access Denied</TITLE> Reference #18.5d1e2f17";
    confirms(&client(403, akamai, denied), "TN0206");
    leaves_open(&client(403, &[("server", "nginx"), HTML], denied), "TN0206");
    let nginx: Headers<'_> = &[("server", "nginx"), HTML];
    let page = "<center><h1>403 Forbidden</h1></center><hr><center>nginx</center>";
    let refused = || client(403, nginx, page).answers(&["bare", "altered"], 403, nginx, page);
    leaves_open(&refused(), "TN0206");
    confirms(&refused().answer("browser", 200, &[JSON], "{}"), "TN0206");
    let now_and_then = refused().answer("again-2", 200, &[JSON], "{}");
    leaves_open(
        &now_and_then.answer("browser", 200, &[JSON], "{}"),
        "TN0206",
    );
}

#[test]
fn a_setting_that_takes_the_field_off_counts_where_the_service_misses_it() {
    let missing = r#"{"detail":"no token provided"}"#;
    let refused = |body| client(401, &[JSON], body).answer("bare", 401, &[JSON], missing);
    let takes = "location / { \n proxy_set_header Authorization \"\";\n}";
    confirms(&refused(missing).file("nginx.conf", takes), "TN0201");
    let passes = "location / { \n proxy_set_header Authorization $http_authorization;\n}";
    leaves_open(&refused(missing).file("nginx.conf", passes), "TN0201");
    let judged = r#"{"detail":"the signature is bad"}"#;
    leaves_open(&refused(judged).file("nginx.conf", takes), "TN0201");
}

#[test]
fn another_value_in_the_echo_may_be_the_clients_own_token_damaged() {
    let damaged = facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, &[JSON], r#"{"detail":"not a token"}"#)
        .answer("bare", 401, &[JSON], r#"{"detail":"no token provided"}"#);
    let echo = r#"{"headers":{"host":"api.example","authorization":"Bearer eyjhbgcioijsuzi1nij9.e30.c2ln"}}"#;
    leaves_open(&damaged.answer("echo", 200, &[JSON], echo), "TN0210");
}

#[test]
fn a_limit_that_ends_the_clients_record_is_what_turned_it_away() {
    let entry = |status: u16| {
        json!({
            "startedDateTime": "2026-11-21T10:00:00.000Z", "time": 1,
            "request": {"method": "GET", "url": URL, "headers": []},
            "response": {"status": status, "headers": [], "content": {"size": 0, "mimeType": "", "text": ""}},
        })
    };
    let record = |statuses: &[u16]| {
        let entries: Vec<_> = statuses.iter().copied().map(entry).collect();
        facts().log(
            "x.har",
            &json!({"log": {"version": "1.2", "entries": entries}}).to_string(),
        )
    };
    confirms(&record(&[200, 429, 429]), "TN0316");
    leaves_open(&record(&[429, 200]), "TN0316");
}

#[test]
fn app_services_own_gate_speaks_of_another_tenants_token() {
    let page = "You do not have permission to view this directory or page.";
    let tenant: Headers<'_> = &[(
        "www-authenticate",
        "Bearer realm=\"api.example\" authorization_uri=\"https://login.windows.net/7c1f/oauth2/authorize\"",
    )];
    confirms(&client(401, tenant, page), "TN0208");
    leaves_open(&client(401, tenant, "{}"), "TN0208");
    leaves_open(&client(401, &[JSON], page), "TN0208");
    let of_microsoft = jwt(&json!({"iss": "https://login.microsoftonline.com/7c1f/v2.0"}));
    leaves_open(&client(401, tenant, page).token(&of_microsoft), "TN0208");
}

#[test]
fn a_gate_for_people_is_known_by_where_it_leads() {
    let access: Headers<'_> = &[(
        "location",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/api.example",
    )];
    confirms(&client(302, access, ""), "TN0215");
    let login: Headers<'_> = &[("location", "https://www.example/login")];
    let asked = || client(302, login, "").answer("bare", 302, login, "");
    leaves_open(&asked(), "TN0215");
    confirms(&asked().answer("garbage", 302, login, ""), "TN0215");
    leaves_open(&asked().answer("garbage", 401, &[], ""), "TN0215");
}

#[test]
fn the_clients_own_answer_without_a_token_comes_from_a_cache() {
    let own = r#"{"user":"u-7"}"#;
    let given = || client(200, &[JSON], own).answer("bare", 200, &[JSON], own);
    confirms(&given().answer("bare-fresh", 401, &[JSON], "{}"), "TN0203");
    leaves_open(&given().answer("bare-fresh", 200, &[JSON], own), "TN0203");
    let other = client(200, &[JSON], own).answer("bare", 200, &[JSON], "{\"user\":null}");
    leaves_open(&other.answer("bare-fresh", 401, &[JSON], "{}"), "TN0203");
}

#[test]
fn a_gateway_that_verifies_may_hand_no_token_on() {
    let service: Headers<'_> = &[JSON, ("server", "uvicorn")];
    let none = r#"{"error":"unauthorized","error_description":"no token"}"#;
    let gateway = |words: &str| format!(r#"{{"statusCode":401,"message":"{words}"}}"#);
    let refused = || {
        client(401, service, none)
            .answer(
                "bare",
                401,
                &[JSON],
                &gateway("nothing was found in the headers"),
            )
            .answer("altered", 401, &[JSON], &gateway("the signature is wrong"))
    };
    leads(&refused().answer("direct", 200, service, "{}"), "TN0201");
    leaves_open(&refused().answer("direct", 401, service, none), "TN0201");
}

#[test]
fn apaches_digest_gate_names_the_scheme_that_it_did_not_want() {
    let line = "[Sat Nov 21 21:19:32.999620 2026] [auth_digest:error] [pid 23:tid 24] [client 192.0.2.7:0] \
                AH01781: client used wrong authentication scheme `Bearer': /things\n";
    confirms(&facts().log("error.log", line), "TN0209");
}
