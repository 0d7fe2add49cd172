//! `/admin/*`, as the adopter's own server sees it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod app;

use app::{API, App, EMAIL, PASSWORD, basic};
use axum::body::Body;
use http::{Request, header};
use serde_json::{Value, json};
use tenure_store::{Sqlite, SqliteOptions, Store as _};

const ROUTES: [(&str, &str); 11] = [
    ("POST", "/admin/sessions"),
    ("DELETE", "/admin/sessions/some?subject=demo"),
    ("GET", "/admin/subjects/demo/sessions"),
    ("DELETE", "/admin/subjects/demo/sessions"),
    ("POST", "/admin/users"),
    ("POST", "/admin/users/import"),
    ("POST", "/admin/users/demo/disable"),
    ("POST", "/admin/users/demo/enable"),
    ("POST", "/admin/users/demo/password"),
    ("GET", "/admin/audit"),
    ("GET", "/admin/audit?email=demo@example.com"),
];

async fn sessions_of(app: &App, subject: &str) -> Vec<Value> {
    let operator = app.operator("tenure:admin").await;
    let seen = app
        .get(&format!("/admin/subjects/{subject}/sessions"), &operator)
        .await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    seen.json()["sessions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn only_a_client_with_the_admin_scope_gets_in() {
    let app = App::start().await;
    let weaker = app.operator("openid").await;
    // A person's token with the scope is not the client's own.
    let body = json!({ "email": EMAIL, "password": PASSWORD, "client_id": "demo-api" });
    let headers = [("authorization", basic(API))];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let person = app
        .post_with("/api/auth/login", &headers, &body)
        .await
        .text("access_token");
    for (method, path) in ROUTES {
        let ask = async |bearer: Option<&str>| {
            let mut request = Request::builder().method(method).uri(path);
            if let Some(bearer) = bearer {
                request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
            }
            app.send(request.body(Body::empty()).unwrap()).await
        };
        let nobody = ask(None).await;
        assert_eq!(
            (nobody.status.as_u16(), nobody.body.as_str()),
            (401, ""),
            "{path}"
        );
        assert_eq!(
            nobody.headers[header::WWW_AUTHENTICATE],
            "Bearer realm=\"tenure\""
        );
        ask(Some("nonsense")).await.refused(401, "invalid_token");
        let seen = ask(Some(&weaker)).await;
        seen.refused(403, "insufficient_scope");
        let challenge = seen.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.contains("scope=\"tenure:admin\""), "{challenge}");
        ask(Some(&person)).await.refused(403, "access_denied");
    }
    assert_eq!(
        app.refresh(&app.session().await.text("refresh_token"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_session_for_a_user_of_the_adopters_own_table_goes_on_like_any_other() {
    let app = App::start().await;
    let body = json!({ "subject": "user-4711", "client_id": "demo", "device_label": "Till 3" });
    let made = app.admin("/admin/sessions", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let session = &made.json()["sessions"][0];
    let me = app
        .get("/api/auth/me", session["access_token"].as_str().unwrap())
        .await;
    assert_eq!(me.text("sub"), "user-4711");
    assert_eq!(me.json()["email"], Value::Null);
    assert_eq!(me.text("session_id"), session["sid"]);
    let next = app
        .refresh(session["refresh_token"].as_str().unwrap())
        .await;
    assert_eq!(next.status, 200, "{}", next.body);

    let next = app.refresh(&next.text("refresh_token")).await;
    let listed = sessions_of(&app, "user-4711").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["sid"], session["sid"]);
    assert_eq!(listed[0]["device"]["label"], "Till 3");
    assert_eq!(listed[0]["generation"], 1);
    assert_eq!(listed[0]["ended"], Value::Null);

    let operator = app.operator("tenure:admin").await;
    let path = |subject| {
        format!(
            "/admin/sessions/{}?subject={subject}",
            session["sid"].as_str().unwrap()
        )
    };
    app.delete(&path("demo"), &operator)
        .await
        .refused(404, "not_found");
    app.delete("/admin/sessions/x", &operator)
        .await
        .refused(400, "invalid_request");
    assert_eq!(app.delete(&path("user-4711"), &operator).await.status, 204);
    app.refresh(&next.text("refresh_token"))
        .await
        .ended("revoked_by_admin");
    assert_eq!(
        sessions_of(&app, "user-4711").await[0]["ended"]["cause"],
        "revoked_by_admin"
    );
}

#[tokio::test]
async fn many_sessions_are_made_at_once_and_ended_at_once() {
    let app = App::on_disk().await;
    let body = json!({ "subject": "load", "client_id": "demo", "count": 500 });
    let made = app.admin("/admin/sessions", &body).await.json();
    let made = made["sessions"].as_array().unwrap();
    assert_eq!(made.len(), 500);
    let mut sids: Vec<_> = made
        .iter()
        .map(|one| one["sid"].as_str().unwrap())
        .collect();
    sids.sort_unstable();
    sids.dedup();
    assert_eq!(sids.len(), 500);
    for one in made.iter().step_by(100) {
        let next = app.refresh(one["refresh_token"].as_str().unwrap()).await;
        assert_eq!(next.status, 200, "{}", next.body);
        assert!(one["refresh_expires_in"].as_u64().unwrap() > 0);
    }
    app.later(1).await;
    let operator = app.operator("tenure:admin").await;
    let seen = app.delete("/admin/subjects/load/sessions", &operator).await;
    assert_eq!(seen.json()["ended"], 500, "{}", seen.body);
    for one in made.iter().step_by(50) {
        app.refresh(one["refresh_token"].as_str().unwrap())
            .await
            .ended("revoked_by_admin");
    }
    let again = json!({ "subject": "load", "client_id": "demo" });
    let made = app.admin("/admin/sessions", &again).await.json();
    let token = made["sessions"][0]["refresh_token"].as_str().unwrap();
    assert_eq!(app.refresh(token).await.status, 200);
}

#[tokio::test]
async fn a_session_that_the_client_could_not_have_is_not_made() {
    let app = App::start().await;
    let ask = async |changes: Value| {
        let mut body = json!({ "subject": "s", "client_id": "demo" });
        body.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        app.admin("/admin/sessions", &body).await
    };
    ask(json!({ "scope": "openid tenure:admin" }))
        .await
        .refused(400, "invalid_scope");
    ask(json!({ "client_id": "nobody" }))
        .await
        .refused(400, "invalid_request");
    ask(json!({ "count": 0 }))
        .await
        .refused(400, "invalid_request");
    ask(json!({ "count": 10_001 }))
        .await
        .refused(400, "invalid_request");
    ask(json!({ "count": -1 }))
        .await
        .refused(400, "invalid_request");
    ask(json!({ "subject": "" }))
        .await
        .refused(400, "invalid_request");
    ask(json!({ "subject": "a\nb" }))
        .await
        .refused(400, "invalid_request");
    ask(json!({ "subjekt": "x" }))
        .await
        .refused(400, "invalid_request");
    app.admin("/admin/users/demo/disable", &json!({})).await;
    ask(json!({ "subject": "demo" }))
        .await
        .refused(409, "conflict");
    assert_eq!(sessions_of(&app, "s").await.len(), 0);
    let narrow = ask(json!({ "scope": "openid" })).await.json();
    assert_eq!(narrow["sessions"][0]["scope"], "openid");
}

#[tokio::test]
async fn an_account_is_added_disabled_and_enabled() {
    let app = App::start().await;
    let ana = json!({ "email": "ana@example.com", "password": "correct horse", "subject": "ana" });
    let added = app.admin("/admin/users", &ana).await;
    assert_eq!(
        (added.status.as_u16(), added.text("subject").as_str()),
        (201, "ana")
    );
    assert!(!added.body.contains("correct horse"));
    app.admin("/admin/users", &ana)
        .await
        .refused(409, "conflict");
    let both =
        json!({ "email": "b@example.com", "password": "correct horse", "password_hash": "x" });
    app.admin("/admin/users", &both)
        .await
        .refused(400, "invalid_request");
    let short = json!({ "email": "b@example.com", "password": "short" });
    app.admin("/admin/users", &short)
        .await
        .refused(400, "invalid_request");
    app.admin("/admin/users", &json!({ "email": "b" }))
        .await
        .refused(400, "invalid_request");

    let tokens = app.login("ana@example.com", "correct horse").await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let seen = app.admin("/admin/users/ana/disable", &json!({})).await;
    assert_eq!(seen.json()["ended"], 1, "{}", seen.body);
    app.refresh(&tokens.text("refresh_token"))
        .await
        .ended("account_disabled");
    app.get("/api/auth/me", &tokens.text("access_token"))
        .await
        .refused(401, "invalid_token");
    app.login("ana@example.com", "correct horse")
        .await
        .refused(401, "invalid_credentials");
    assert_eq!(
        app.admin("/admin/users/ana/enable", &json!({}))
            .await
            .status,
        204
    );
    app.refresh(&tokens.text("refresh_token"))
        .await
        .ended("account_disabled");
    assert_eq!(
        app.login("ana@example.com", "correct horse").await.status,
        200
    );
    for path in ["disable", "enable"] {
        let path = format!("/admin/users/nobody/{path}");
        app.admin(&path, &json!({})).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_new_password_signs_out_everywhere() {
    let app = App::start().await;
    let tokens = app.session().await;
    let new = json!({ "password": "another password" });
    let seen = app.admin("/admin/users/demo/password", &new).await;
    assert_eq!(seen.json()["ended"], 1, "{}", seen.body);
    app.refresh(&tokens.text("refresh_token"))
        .await
        .ended("credentials_changed");
    app.login(EMAIL, PASSWORD)
        .await
        .refused(401, "invalid_credentials");
    assert_eq!(app.login(EMAIL, "another password").await.status, 200);
    app.admin("/admin/users/nobody/password", &new)
        .await
        .refused(404, "not_found");
}

/// Each of "correct horse", made by other programs.
const IMPORTED: [&str; 6] = [
    "$2b$04$KBCwKxOzLha2MUDgW0PjXexGfB5dmDvvvgEVjeeXiTo87i0yXWYau",
    "$2y$04$KBCwKxOzLha2MUDgW0PjXexGfB5dmDvvvgEVjeeXiTo87i0yXWYau",
    "pbkdf2_sha256$1000$saltsalt$qQDPSZa3Ormyy9oK1Pu0ZLLwP2Svzmx3yu8OvDdq/J0=",
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
    "$argon2i$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0$tb8GZ01DSO8uH+uuS6ojvFXzXXSgJMK3irYqKUPVqaI",
    "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0$otnZMF7gn3T/mBjwQNsF2/BkISQse8/VHNX8NziXT1c",
];

#[tokio::test]
async fn imported_hashes_sign_in_and_are_replaced_by_stronger_ones() {
    let app = App::on_disk().await;
    let email = |number: usize| format!("user{number}@example.com");
    let lines: Vec<_> = IMPORTED
        .iter()
        .enumerate()
        .map(|(number, hash)| json!({ "email": email(number), "password_hash": hash }))
        .collect();
    let seen = app.admin("/admin/users/import", &json!(lines)).await;
    assert_eq!(seen.json()["added"], IMPORTED.len(), "{}", seen.body);
    let store = Sqlite::open(&SqliteOptions::new(app.data())).unwrap();
    for (number, imported) in IMPORTED.iter().enumerate() {
        let email = email(number);
        let stored = async || {
            store
                .user_by_email(&email)
                .await
                .unwrap()
                .unwrap()
                .password
                .unwrap()
        };
        app.login(&email, "correct Horse")
            .await
            .refused(401, "invalid_credentials");
        assert_eq!(stored().await, *imported, "only its password replaces it");
        assert_eq!(
            app.login(&email, "correct horse").await.status,
            200,
            "{imported}"
        );
        let upgraded = stored().await;
        assert!(
            upgraded.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{imported}: {upgraded}"
        );
        assert_eq!(
            app.login(&email, "correct horse").await.status,
            200,
            "{imported}"
        );
        assert_eq!(stored().await, upgraded, "once");
    }
}

#[tokio::test]
async fn an_import_says_what_became_of_each_line_and_can_be_repeated() {
    let app = App::start().await;
    let bcrypt = IMPORTED[0];
    let lines = json!([
        { "email": "ana@example.com", "password_hash": bcrypt, "subject": "ana" },
        { "email": "ANA@example.com", "password_hash": bcrypt },
        { "email": "nowhere", "password_hash": bcrypt },
        { "email": "md5@example.com", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99" },
        { "email": "bob@example.com", "password_hash": bcrypt, "subject": "two words" },
        { "email": EMAIL, "password_hash": bcrypt },
    ]);
    let seen = app.admin("/admin/users/import", &lines).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    let results = seen.json()["results"].clone();
    let of = |line: usize| results[line]["result"].as_str().unwrap().to_owned();
    let all: Vec<_> = (0..6).map(of).collect();
    assert_eq!(
        all,
        ["added", "exists", "refused", "refused", "refused", "exists"]
    );
    assert_eq!(results[0]["subject"], "ana");
    assert!(
        results[3]["why"].as_str().unwrap().contains("argon2"),
        "{results}"
    );
    assert!(!seen.body.contains(bcrypt));
    // Nobody's password was replaced by an import.
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, 200);
    let again = app.admin("/admin/users/import", &lines).await.json();
    assert_eq!(
        (&again["added"], &again["results"][0]["result"]),
        (&json!(0), &json!("exists"))
    );
    let typo = json!([{ "email": "x@example.com", "password_hash": bcrypt, "sub": "x" }]);
    app.admin("/admin/users/import", &typo)
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn the_trail_answers_why_somebody_was_signed_out() {
    let app = App::start().await;
    let thief = app.session().await;
    let held = thief.text("refresh_token");
    let first = app.refresh(&held).await.text("refresh_token");
    let second = app.refresh(&held).await.text("refresh_token");
    assert_eq!(app.refresh(&first).await.status, 200);
    app.refresh(&second).await.ended("theft_detected");
    let out = app.session().await.text("refresh_token");
    app.post("/api/auth/logout", &json!({ "refresh_token": out }))
        .await;

    let operator = app.operator("tenure:admin").await;
    let ask = async |query: &str| app.get(&format!("/admin/audit{query}"), &operator).await;
    let by_email = ask("?email=demo@example.com").await.json();
    let events = by_email["events"].as_array().unwrap();
    let told = |reason: &str| {
        events.iter().any(|event| {
            event["event"] == "session_ended"
                && event["reason"].as_str().unwrap().starts_with(reason)
                && event["sid"].is_string()
                && event["request_id"].is_string()
        })
    };
    assert!(told("theft_detected") && told("logged_out"), "{by_email}");
    assert!(
        events[0]["at"].as_u64() >= events[events.len() - 1]["at"].as_u64(),
        "newest first"
    );
    assert!(!by_email.to_string().contains("tnr1_"));
    assert_eq!(ask("?subject=demo").await.json(), by_email);
    let recent = ask(&format!("?subject=demo&since={}", u64::MAX / 4))
        .await
        .json();
    assert_eq!(recent["events"], json!([]));
    assert_eq!(
        ask("?limit=1").await.json()["events"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    ask("?email=nobody@example.com")
        .await
        .refused(404, "not_found");
    ask("?email=a@b.c&subject=x")
        .await
        .refused(400, "invalid_request");
    ask("?since=yesterday")
        .await
        .refused(400, "invalid_request");
}
