//! Frameworks and authorization.

use serde_json::json;

use crate::support::{Facts, NOW, confirms, facts, jwt, leads, leaves_open};

const CHALLENGE: &[(&str, &str)] = &[("www-authenticate", "Bearer")];
const INVALID: &[(&str, &str)] = &[("www-authenticate", "Bearer error=\"invalid_token\"")];
const SCOPE: &[(&str, &str)] = &[("www-authenticate", "Bearer error=\"insufficient_scope\"")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[test]
fn a_dead_token_that_supabase_calls_forbidden_is_told_from_a_missing_permission() {
    let body = r#"{"code":403,"error_code":"bad_jwt","msg":"invalid JWT: token is expired"}"#;
    confirms(&facts().answer("client", 403, JSON, body), "TN0501");
    let other = r#"{"code":403,"error_code":"not_admin","msg":"User not allowed"}"#;
    leaves_open(&facts().answer("client", 403, JSON, other), "TN0501");
}

#[test]
fn a_right_that_the_database_refuses_has_its_sqlstate() {
    let body = r#"{"code":"42501","details":null,"hint":null,"message":"permission denied for table orders"}"#;
    confirms(&facts().answer("client", 403, JSON, body), "TN0502");
    let expired = r#"{"code":"PGRST301","details":null,"hint":null,"message":"JWT expired"}"#;
    leaves_open(&facts().answer("client", 401, JSON, expired), "TN0502");
}

#[test]
fn oauth2_proxy_is_confirmed_by_its_log_or_by_login_and_forbidden_together() {
    let login = [(
        "location",
        "https://issuer.example/authorize?redirect_uri=https%3A%2F%2Fapi.example%2Foauth2%2Fcallback",
    )];
    let probes = || {
        facts()
            .answers(&["client", "altered"], 403, &[], "Forbidden\n")
            .answer("bare", 302, &login, "")
    };
    confirms(&probes(), "TN0503");
    let log = "[2026/11/20 11:02:41] [jwt_session.go:53] Error retrieving session from token in Authorization header: [unable to verify bearer token]\n";
    confirms(
        &facts()
            .answer("client", 403, &[], "Forbidden\n")
            .log("oauth2-proxy.log", log),
        "TN0503",
    );
    let elsewhere = [("location", "https://app.example/login")];
    let other = facts()
        .answers(&["client", "altered"], 403, &[], "Forbidden\n")
        .answer("bare", 302, &elsewhere, "");
    leaves_open(&other, "TN0503");
}

#[test]
fn a_page_of_oauth2_proxy_is_for_signing_in_or_says_that_somebody_may_not() {
    let page =
        |words: &str| format!("<html><h1>403</h1>{words}<a href=\"#\">OAuth2 Proxy</a></html>");
    let with = |words: &str| facts().answer("client", 403, &[], &page(words));
    confirms(&with("Sign in with OpenID"), "TN0503");
    leaves_open(&with("You do not have permission"), "TN0503");
}

#[test]
fn errors_that_were_got_over_are_no_cause_of_today() {
    let lines = "2026/11/20 10:00:33 [error] 31#31: *1840 auth request unexpected status: 502 while sending to client\n";
    let well = facts()
        .token(&jwt(&json!({})))
        .answers(&["client", "again-1"], 200, JSON, "{}")
        .answers(&["bare", "altered"], 401, CHALLENGE, "{}")
        .log("error.log", lines);
    leaves_open(&well, "TN0510");
}

#[test]
fn a_refusal_out_of_a_cache_says_nothing_of_roles() {
    let body = r#"{"message":"role admin is required"}"#;
    let cached = facts()
        .token(&jwt(&json!({"roles": ["user"]})))
        .answers(&["client", "bare", "altered"], 403, SCOPE, body)
        .answer("fresh", 200, JSON, "{}");
    leaves_open(&cached, "TN0513");
    leaves_open(&cached, "TN0515");
}

#[test]
fn a_page_that_carries_a_token_of_its_own_is_no_csrf_refusal() {
    let page = r#"<meta name="csrf-token" content="x"><h1>403</h1>"#;
    leaves_open(&facts().answer("client", 403, &[], page), "TN0507");
}

#[test]
fn fastapi_says_403_of_a_missing_header() {
    let missing = r#"{"detail":"Not authenticated"}"#;
    let works = || {
        facts()
            .token(&jwt(&json!({})))
            .answer("client", 200, JSON, "{}")
            .answer("bare", 403, JSON, missing)
    };
    let built_with =
        |version: &str| works().file("requirements.txt", &format!("fastapi=={version}\n"));
    confirms(&built_with("0.115.6"), "TN0504");
    leaves_open(&built_with("0.122.0"), "TN0504");
    // Only the doctor met it.
    leaves_open(&works(), "TN0504");
    let upgraded = facts()
        .token(&jwt(&json!({})))
        .answer("client", 200, JSON, "{}")
        .answer("bare", 401, JSON, missing);
    leaves_open(&upgraded, "TN0504");
    // What refuses the token is another fault, though the framework is an old one.
    let invalid = facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, INVALID, "{}")
        .answer("bare", 403, JSON, missing);
    leaves_open(&invalid, "TN0504");
    // The header is lost on the way: that is what has to be mended.
    let lost =
        facts()
            .token(&jwt(&json!({})))
            .answers(&["client", "bare", "altered"], 403, JSON, missing);
    leaves_open(&lost, "TN0504");
}

#[test]
fn django_rest_framework_says_403_by_the_order_of_its_classes() {
    let missing = r#"{"detail":"Authentication credentials were not provided."}"#;
    let expired = r#"{"detail":"Signature has expired"}"#;
    let bare = facts()
        .token(&jwt(&json!({})))
        .answer("client", 403, JSON, expired)
        .answer("bare", 403, JSON, missing);
    confirms(&bare, "TN0505");
    let role = r#"{"detail":"You do not have permission to perform this action."}"#;
    let lacking = facts()
        .token(&jwt(&json!({})))
        .answer("client", 403, JSON, role)
        .answer("bare", 403, JSON, missing);
    leaves_open(&lacking, "TN0505");
    let right = facts()
        .token(&jwt(&json!({})))
        .answer("client", 401, JSON, expired)
        .answer("bare", 401, JSON, missing);
    leaves_open(&right, "TN0505");
    let lost = facts()
        .token(&jwt(&json!({})))
        .answers(&["client", "bare"], 403, JSON, missing);
    leaves_open(&lost, "TN0505");
}

#[test]
fn springs_guarded_error_page_needs_an_endpoint_that_accepts_the_token() {
    let decode = [(
        "www-authenticate",
        "Bearer error=\"invalid_token\", error_description=\"An error occurred while attempting to decode the Jwt\"",
    )];
    let refused = || {
        facts()
            .token(&jwt(&json!({})))
            .answer("client", 401, &[], "")
            .answer("bare", 401, CHALLENGE, "")
            .answer("altered", 401, &decode, "")
    };
    confirms(
        &refused().answer("other-endpoint", 200, JSON, "{}"),
        "TN0506",
    );
    leaves_open(&refused().answer("other-endpoint", 401, &[], ""), "TN0506");
}

#[test]
fn a_csrf_refusal_names_itself_or_is_in_the_log() {
    let page = "<p>CSRF verification failed. Request aborted.</p>";
    let url = "https://api.example/v1/things";
    let named = facts()
        .answer("client", 403, &[], page)
        .requested("POST", url, &[]);
    confirms(&named, "TN0507");
    let line = "2026-11-20T10:11:12.345Z DEBUG 1 --- [exec-5] o.s.security.web.csrf.CsrfFilter : Invalid CSRF token found for http://api.example/v1/things\n";
    let logged = |method: &str| {
        facts()
            .answer("client", 403, &[], "")
            .requested(method, url, &[])
            .log("service.log", line)
    };
    confirms(&logged("POST"), "TN0507");
    leaves_open(&logged("GET"), "TN0507");
}

#[test]
fn a_public_endpoint_that_refuses_a_token_is_not_a_cached_answer_or_a_page() {
    let with = |bare: &[(&str, &str)]| {
        facts()
            .token(&jwt(&json!({"exp": NOW - 3_600})))
            .answers(&["client", "altered"], 401, INVALID, "{}")
            .answer("bare", 200, bare, "{}")
    };
    confirms(&with(JSON), "TN0508");
    let in_time = with(JSON).token(&jwt(&json!({})));
    leaves_open(&in_time, "TN0508");
    leaves_open(&with(&[("age", "12")]), "TN0508");
    leaves_open(&with(&[("content-type", "text/html")]), "TN0508");
    leaves_open(&with(JSON).answer("again-1", 200, JSON, "{}"), "TN0508");
}

#[test]
fn envoys_log_tells_a_service_that_is_down_from_one_that_denies() {
    let line = |details: &str| {
        format!(
            "[2026-11-20T10:00:00.000Z] \"GET /v1/things HTTP/1.1\" 403 UAEX {details} - \"-\" 0 0 5 - \"-\"\n"
        )
    };
    let with = |details: &str| {
        facts()
            .answer("client", 403, &[("server", "envoy")], "")
            .log("access.log", &line(details))
    };
    confirms(&with("ext_authz_error"), "TN0509");
    leaves_open(&with("ext_authz_denied"), "TN0509");
}

#[test]
fn auth_request_is_confirmed_by_nginx_error_log_only() {
    let page = "<center><h1>500 Internal Server Error</h1></center><hr><center>nginx</center>";
    let answers = || facts().answers(&["client", "bare"], 500, &[("server", "nginx")], page);
    let line = "2026/11/20 10:00:33 [error] 31#31: *1840 auth request unexpected status: 502 while sending to client\n";
    confirms(&answers().log("error.log", line), "TN0510");
    leaves_open(&answers(), "TN0510");
    leads(&answers(), "TN0510");
}

#[test]
fn forward_auth_refuses_large_bodies_with_an_empty_401() {
    let with = |large: &[(&str, &str)]| {
        facts()
            .answer("client", 401, &[], "")
            .answer("small-body", 201, JSON, "{}")
            .answer("large-body", 401, large, "")
    };
    confirms(&with(&[]), "TN0511");
    leaves_open(&with(CHALLENGE), "TN0511");
    let line = r#"{"level":"debug","middlewareName":"auth@file","middlewareType":"ForwardAuth","msg":"Request body is too large, maxBodySize: 1024","time":"2026-11-20T12:00:01Z"}"#;
    confirms(
        &facts().answer("client", 401, &[], "").log("t.json", line),
        "TN0511",
    );
}

#[test]
fn a_middleware_of_traefik_that_said_500_shows_by_what_its_log_leaves_out() {
    let line = |origin: &str| {
        format!(
            "{{\"DownstreamStatus\":500,\"RequestPath\":\"/v1/things\",\"RouterName\":\"r@file\",\"level\":\"info\",\"msg\":\"\",\"time\":\"2026-11-20T12:00:01Z\"{origin}}}\n"
        )
    };
    let with = |origin: &str| {
        facts()
            .answers(&["client", "bare"], 500, &[], "")
            .log("traefik.json", &line(origin))
    };
    confirms(&with(""), "TN0511");
    leaves_open(&with(",\"OriginStatus\":500"), "TN0511");
}

#[test]
fn a_policy_of_the_mesh_names_itself() {
    let denied = "RBAC: access denied";
    confirms(&facts().answer("client", 403, &[], denied), "TN0512");
    leaves_open(
        &facts()
            .answer("client", 200, JSON, "{}")
            .answer("bare", 403, &[], denied),
        "TN0512",
    );
}

#[test]
fn a_missing_role_is_one_that_the_token_does_not_carry() {
    confirms(&role_asked_for(&json!({"roles": ["user"]})), "TN0513");
    leaves_open(&role_asked_for(&json!({"roles": ["admin"]})), "TN0513");
    // The same person has it by now.
    let newer = with_other(&json!({"sub": "u1", "iat": 1_789_999_990, "roles": ["user", "admin"]}));
    leaves_open(&newer, "TN0513");
    let other = with_other(&json!({"sub": "u2", "roles": ["user", "admin"]}));
    confirms(&other, "TN0513");
    // A token of another audience says nothing about roles.
    let foreign = with_other(&json!({"sub": "u2", "aud": "other", "roles": ["admin"]}));
    leaves_open(&foreign, "TN0513");
}

#[test]
fn a_role_is_newer_than_the_token_where_a_newer_token_of_the_same_person_is_accepted() {
    let newer = json!({"sub": "u1", "iat": 1_789_999_990, "roles": ["user", "admin"]});
    confirms(&with_other(&newer), "TN0514");
    let somebody = json!({"sub": "u2", "iat": 1_789_999_990, "roles": ["user", "admin"]});
    leaves_open(&with_other(&somebody), "TN0514");
}

#[test]
fn a_role_that_is_asked_for_and_carried_is_looked_for_elsewhere() {
    let carried = json!({"realm_access": {"roles": ["admin"]}});
    confirms(&role_asked_for(&carried), "TN0515");
    let lacking = json!({"realm_access": {"roles": ["user"]}});
    leaves_open(&role_asked_for(&lacking), "TN0515");
}

#[test]
fn a_load_balancers_401_is_its_rules_where_the_token_is_good_or_the_service_accepts_it() {
    let balancer = [("server", "awselb/2.0"), ("content-type", "text/html")];
    let page = "<h1>401 Authorization Required</h1>";
    let all = |exp: u64| {
        facts().token(&jwt(&json!({"exp": exp}))).answers(
            &["client", "bare", "altered"],
            401,
            &balancer,
            page,
        )
    };
    confirms(&all(1_790_000_600), "TN0516");
    leaves_open(&all(1_789_999_900), "TN0516");
}

#[test]
fn an_issuer_that_jwt_authorizer_refuses_shows_in_the_configuration() {
    let with = |issuer: &str| {
        facts()
            .token(&jwt(&json!({})))
            .answer("client", 403, INVALID, "")
            .answer("bare", 401, CHALLENGE, "")
            .answer("altered", 401, INVALID, "")
            .file("service.toml", &format!("[auth]\nissuer = \"{issuer}\"\n"))
    };
    confirms(&with("https://other.example"), "TN0517");
    leaves_open(&with("https://issuer.example"), "TN0517");
}

#[test]
fn an_unknown_key_is_a_500_of_axum_jwt_auth() {
    let with = |kid: &str| {
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
        facts()
            .token(&jwt(&json!({})))
            .keys("jwks.json", &keys.to_string())
            .answer("client", 500, &[], "Internal error")
            .answer("bare", 401, &[], "Missing token")
    };
    confirms(&with("k2"), "TN0518");
    leaves_open(&with("k1"), "TN0518");
}

/// A refusal that names the role `admin`, of a token with these claims whose signature is good.
fn role_asked_for(claims: &serde_json::Value) -> Facts {
    facts()
        .token(&jwt(claims))
        .answer(
            "client",
            403,
            SCOPE,
            r#"{"message":"role admin is required"}"#,
        )
        .answer("bare", 401, CHALLENGE, "{}")
        .answer("altered", 401, INVALID, "{}")
}

/// A refusal without words, and another token with these claims that is accepted.
fn with_other(claims: &serde_json::Value) -> Facts {
    facts()
        .token(&jwt(&json!({"roles": ["user"]})))
        .other_token(&jwt(claims))
        .answer("client", 403, SCOPE, "{}")
        .answer("bare", 401, CHALLENGE, "{}")
        .answer("altered", 401, INVALID, "{}")
        .answer("other-token", 200, JSON, "{}")
}

#[test]
fn a_newer_token_at_hand_that_carries_the_role_speaks_for_a_stale_one() {
    let body = r#"{"message":"role admin is required"}"#;
    let newer = facts()
        .token(&jwt(&json!({"roles": ["user"]})))
        .other_token(&jwt(
            &json!({"iat": 1_789_999_990, "roles": ["user", "admin"]}),
        ))
        .answer("client", 403, SCOPE, body)
        .answer("bare", 401, CHALLENGE, "{}")
        .answer("altered", 401, INVALID, "{}");
    leaves_open(&newer, "TN0513");
    leads(&newer, "TN0514");
}
