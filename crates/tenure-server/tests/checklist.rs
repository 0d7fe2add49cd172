//! What an attacker or a hasty operator tries, as far as no other test does.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod app;

use std::collections::HashSet;
use std::future::ready;
use std::path::Path;
use std::time::Duration;

use app::{App, EMAIL, PASSWORD, basic};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{Request, header};
use serde_json::{Value, json};
use tenure_core::id::Subject;
use tenure_core::secret::sha256;
use tenure_store::{AuditQuery, Sqlite, SqliteOptions, Store as _};

/// Sends and hangs up before the answer.
async fn send_and_hang_up(app: &App, request: Request<Body>) {
    tokio::select! {
        biased;
        seen = app.send(request) => panic!("answered before anybody could hang up: {seen:?}"),
        () = ready(()) => {}
    }
}

/// Returns once the audit trail of the demo account has the event.
async fn traced(app: &App, name: &str) {
    let trail = Sqlite::open(&SqliteOptions::new(app.data())).unwrap();
    let query = AuditQuery {
        subject: Some(Subject::new("demo")),
        ..AuditQuery::default()
    };
    let traced = async {
        loop {
            let events = trail.audit(&query).await.unwrap();
            if events.iter().any(|event| event.event == name) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), traced)
        .await
        .unwrap_or_else(|_| panic!("the audit trail has no {name}"));
}

#[tokio::test]
async fn a_new_password_ends_every_session_even_if_its_caller_hangs_up() {
    let app = App::on_disk().await;
    let token = app.session().await.text("refresh_token");
    let operator = app.operator("tenure:admin").await;
    let request = Request::post("/admin/users/demo/password")
        .header(header::AUTHORIZATION, format!("Bearer {operator}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(json!({ "password": "another password" }).to_string().into())
        .unwrap();
    send_and_hang_up(&app, request).await;

    traced(&app, "sessions_ended").await;
    app.login(EMAIL, PASSWORD)
        .await
        .refused(401, "invalid_credentials");
    app.refresh(&token).await.ended("credentials_changed");
}

#[tokio::test]
async fn a_thief_who_hangs_up_leaves_a_trace() {
    let app = App::on_disk().await;
    let copied = app.session().await.text("refresh_token");
    let successor = app.refresh(&copied).await.text("refresh_token");
    let newest = app.refresh(&successor).await.text("refresh_token");
    app.later(61).await;
    let body = format!("grant_type=refresh_token&client_id=demo&refresh_token={copied}");
    let request = Request::post("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.into())
        .unwrap();
    send_and_hang_up(&app, request).await;

    traced(&app, "session_ended").await;
    app.refresh(&newest).await.ended("theft_detected");
}

fn claims(jwt: &str) -> Value {
    let claims = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn an_access_token_says_all_that_rfc_9068_asks_for() {
    let app = App::start().await;
    let session = app.session().await;
    let access = session.text("access_token");
    let header = BASE64.decode(access.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["typ"], "at+jwt");
    let claims = claims(&access);
    let required = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
    for claim in required {
        assert!(!claims[claim].is_null(), "{claim}");
    }
    let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(session.json()["expires_in"], life);
}

/// RFC 9068 section 4: whoever is given a token for another resource could use it here.
#[tokio::test]
async fn a_token_for_another_resource_opens_none_of_our_own_routes() {
    const API: &str = "https%3A%2F%2Fapi.example.com";
    const OWN: &str = "http%3A%2F%2F127.0.0.1%3A8420";
    let app = App::start().await;
    let shop = basic("shop:demo-secret");
    let headers = [("authorization", shop.as_str())];
    let body = json!({ "email": EMAIL, "password": PASSWORD, "client_id": "shop" });
    let begun = app.post_with("/api/auth/login", &headers, &body).await;
    let access = begun.text("access_token");
    let both = json!(["https://api.example.com", "http://127.0.0.1:8420"]);
    assert_eq!(claims(&access)["aud"], both);

    let paths = ["/oauth2/userinfo", "/api/auth/me", "/api/auth/sessions"];
    for path in paths {
        assert_eq!(app.get(path, &access).await.status, 200, "{path}");
    }
    let refresh_token = begun.text("refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={refresh_token}&resource={API}");
    let narrowed = app.post_form("/oauth2/token", &headers, form).await;
    let access = narrowed.text("access_token");
    assert_eq!(claims(&access)["aud"], "https://api.example.com");
    for path in paths {
        let seen = app.get(path, &access).await;
        seen.refused(401, "invalid_token");
        let why = seen.text("error_description");
        assert_eq!(why, "the token is for another resource", "{path}");
    }

    for (resource, status) in [(OWN, 200), (API, 401)] {
        let form = format!("grant_type=client_credentials&scope=tenure:admin&resource={resource}");
        let token = app.post_form("/oauth2/token", &headers, form).await;
        let seen = app.get("/admin/audit", &token.text("access_token")).await;
        assert_eq!(seen.status, status, "{resource}: {}", seen.body);
    }
}

#[tokio::test]
async fn no_forged_header_makes_a_token_good() {
    let app = App::start().await;
    let access = app.session().await.text("access_token");
    assert_eq!(app.get("/api/auth/me", &access).await.status, 200);
    let [real, claims, signature] = access.split('.').collect::<Vec<_>>()[..] else {
        panic!("an access token has three parts");
    };
    let real: Value = serde_json::from_slice(&BASE64.decode(real).unwrap()).unwrap();
    let kid = real["kid"].as_str().unwrap();
    let key = json!({ "kty": "oct", "k": "AAAA" });
    let long = "k".repeat(100_000);
    let mut headers: Vec<Value> = [
        "none", "None", "NONE", "nOnE", "", "HS256", "PS256", "RS256",
    ]
    .iter()
    .map(|alg| json!({ "alg": alg, "typ": "at+jwt", "kid": kid }))
    .collect();
    let kids = [
        "",
        "../../../dev/null",
        "' or 1=1 --",
        "http://127.0.0.1:9/key",
        &long,
    ];
    headers.extend(kids.map(|kid| json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid })));
    headers.push(json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid, "jwk": key }));
    headers.push(json!({ "alg": "ES256", "typ": "at+jwt", "jku": "http://127.0.0.1:9/keys" }));
    headers.push(json!({ "alg": "ES256", "typ": "JWT", "kid": kid }));
    headers.push(json!([]));
    let mut forged: Vec<String> = headers
        .iter()
        .flat_map(|header| {
            let header = BASE64.encode(header.to_string());
            [signature, "", "AA"].map(|signature| format!("{header}.{claims}.{signature}"))
        })
        .collect();
    let zero = BASE64.encode([0; 64]);
    let own = access.split('.').next().unwrap();
    let odd = BASE64.encode(b"{\"alg\":\"ES256\",\"kid\":\"\xff\"}");
    let twice = BASE64.encode(format!(
        "{{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"{kid}\"}}"
    ));
    forged.extend([
        format!("{own}.{claims}.{zero}"),
        format!("{own}.{claims}.{signature}="),
        format!("{own}.{claims}.{signature}.{signature}"),
        format!("{odd}.{claims}.{signature}"),
        format!("{twice}.{claims}.{signature}"),
        "..".to_owned(),
        "a.b.c".to_owned(),
    ]);
    for token in forged {
        let shown: String = token.chars().take(120).collect();
        let seen = app.get("/api/auth/me", &token).await;
        assert_eq!(seen.status, 401, "{shown}");
        assert_eq!(seen.text("error"), "invalid_token", "{shown}");
    }
}

#[tokio::test]
async fn the_two_metadata_documents_are_one_whatever_a_stranger_calls_the_host() {
    let app = App::start().await;
    let document = async |path: &str| {
        let request = Request::get(path)
            .header(header::HOST, "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https");
        let seen = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(seen.status, 200);
        assert!(!seen.body.contains("evil"), "{}", seen.body);
        seen.json()
    };
    let oidc = document("/.well-known/openid-configuration").await;
    assert_eq!(
        oidc,
        document("/.well-known/oauth-authorization-server").await
    );
}

#[tokio::test]
async fn every_successor_differs_and_no_answer_is_cached() {
    let app = App::start().await;
    let token = app.session().await.text("refresh_token");
    let mut seen = HashSet::from([token.clone()]);
    for _ in 0..1000 {
        let answer = app.refresh(&token).await;
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert!(seen.insert(answer.text("refresh_token")));
    }
    let form = format!("grant_type=refresh_token&client_id=demo&unknown=1&refresh_token={token}");
    let answer = app.post_form("/oauth2/token", &[], form).await;
    assert_eq!(answer.status, 200, "unknown parameters are ignored");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_sign_in_right_after_a_new_password_stays() {
    let app = App::start().await;
    let path = "/admin/users/demo/password";
    let changed = app
        .admin(path, &json!({ "password": "another password" }))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let tokens = app.login(EMAIL, "another password").await;
    let refreshed = app.refresh(&tokens.text("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
}

/// Everything in the files of a directory, one after the other.
fn contents(directory: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(directory).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect()
}

#[tokio::test]
async fn the_codes_of_a_device_are_stored_as_hashes() {
    let app = App::on_disk().await;
    let form = "client_id=demo".to_owned();
    let begun = app.post_form("/oauth2/device_authorization", &[], form);
    let begun = begun.await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let (code, shown) = (begun.text("device_code"), begun.text("user_code"));
    let user_code = shown.replace('-', "");
    let stored = contents(app.data());
    let holds = |what: &[u8]| stored.windows(what.len()).any(|bytes| bytes == what);
    for secret in [&code, &shown, &user_code] {
        assert!(!holds(secret.as_bytes()), "{secret} is stored in the clear");
        let hash = sha256(secret.as_bytes());
        assert_eq!(holds(&hash), *secret != shown, "the search finds {secret}");
    }
}

/// Every `.rs` file below a directory, in one text.
fn sources(directory: &Path, into: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_checklist_names_exists() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut text = String::new();
    sources(crates, &mut text);
    let page = std::fs::read_to_string(crates.with_file_name("docs/checklist.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.split('|').nth(3));
    let names: Vec<&str> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| name.contains('_') && !name.contains(['/', '-', ' ']))
        .collect();
    assert!(names.len() > 80, "{} tests are named", names.len());
    for name in names {
        let function = format!("fn {name}()");
        let (before, _) = text
            .split_once(&function)
            .unwrap_or_else(|| panic!("no test {name}"));
        let attributes: Vec<&str> = before.lines().rev().take(5).collect();
        assert!(
            attributes.iter().any(|line| line.contains("test")),
            "{name} is no test"
        );
    }
}
