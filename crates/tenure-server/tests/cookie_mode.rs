//! `/api/auth/*` in cookie mode, as a page in a browser sees it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod app;

use app::{App, EMAIL, PASSWORD, Seen};
use serde_json::json;

const COOKIE: &str = "tenure_refresh";
const CSRF: (&str, &str) = ("x-tenure-csrf", "1");
const OWN: (&str, &str) = ("origin", "http://127.0.0.1:8420");

async fn signed_in(app: &App) -> String {
    let body =
        json!({ "email": EMAIL, "password": PASSWORD, "client_id": "demo", "mode": "cookie" });
    let seen = app.post_with("/api/auth/login", &[CSRF, OWN], &body).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(
        !seen.body.contains("tnr1_"),
        "a script could read it: {}",
        seen.body
    );
    seen.cookie(COOKIE).unwrap().0
}

/// A refresh by a page of this server.
async fn refresh(app: &App, cookie: &str) -> Seen {
    refresh_with(app, cookie, &[CSRF, OWN], json!({ "mode": "cookie" })).await
}

async fn refresh_with(
    app: &App,
    cookie: &str,
    headers: &[(&str, &str)],
    body: serde_json::Value,
) -> Seen {
    let cookie = format!("theme=dark; {COOKIE}={cookie}");
    let headers = [&[("cookie", cookie.as_str())], headers].concat();
    app.post_with("/api/auth/refresh", &headers, &body).await
}

fn renewed(seen: &Seen) -> String {
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(!seen.body.contains("tnr1_"), "{}", seen.body);
    seen.cookie(COOKIE).unwrap().0
}

#[tokio::test]
async fn the_refresh_token_is_in_the_cookie_only_and_each_answer_renews_it() {
    let app = App::start().await;
    let body =
        json!({ "email": EMAIL, "password": PASSWORD, "client_id": "demo", "mode": "cookie" });
    let seen = app.post_with("/api/auth/login", &[CSRF], &body).await;
    let (first, attributes) = seen.cookie(COOKIE).unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(attributes.contains(attribute), "{attribute}: {attributes}");
    }
    assert!(
        !attributes.contains("Secure") && !attributes.contains("Domain"),
        "{attributes}"
    );
    assert!(!seen.text("access_token").is_empty());
    let mut cookie = first.clone();
    for _ in 0..5 {
        cookie = renewed(&refresh(&app, &cookie).await);
    }
    assert_ne!(cookie, first);
}

#[tokio::test]
async fn over_tls_the_cookie_is_pinned_to_its_host() {
    let app = App::deployed(None).await;
    let user = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(app.admin("/admin/users", &user).await.status, 201);
    let body =
        json!({ "email": EMAIL, "password": PASSWORD, "client_id": "demo", "mode": "cookie" });
    let own = ("origin", "https://id.example.com");
    let seen = app.post_with("/api/auth/login", &[CSRF, own], &body).await;
    let (token, attributes) = seen.cookie("__Host-tenure_refresh").unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(attributes.contains(attribute), "{attribute}: {attributes}");
    }
    // A cookie that another host of the site could have planted is not read.
    let planted = format!("tenure_refresh={token}");
    let headers = [("cookie", planted.as_str()), CSRF];
    let seen = app
        .post_with("/api/auth/refresh", &headers, &json!({ "mode": "cookie" }))
        .await;
    seen.refused(400, "invalid_request");
}

#[tokio::test]
async fn a_lost_answer_costs_nothing() {
    let app = App::start().await;
    let held = signed_in(&app).await;
    for _ in 0..5 {
        let lost = refresh(&app, &held).await;
        assert_eq!(lost.status, 200);
    }
    let cookie = renewed(&refresh(&app, &held).await);
    assert_eq!(refresh(&app, &cookie).await.status, 200);
}

#[tokio::test]
async fn the_cookie_of_any_of_64_answers_goes_on() {
    let app = std::sync::Arc::new(App::start().await);
    let held = signed_in(&app).await;
    let mut at_once = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (app, held) = (std::sync::Arc::clone(&app), held.clone());
        at_once.spawn(async move { renewed(&refresh(&app, &held).await) });
    }
    let mut cookie = at_once.join_all().await.swap_remove(63);
    for _ in 0..20 {
        app.later(10).await;
        cookie = renewed(&refresh(&app, &cookie).await);
    }
}

#[tokio::test]
async fn what_another_site_makes_the_browser_send_does_nothing() {
    let app = App::start().await;
    let cookie = signed_in(&app).await;
    let mode = || json!({ "mode": "cookie" });
    let spa = json!({ "mode": "cookie", "client_id": "spa" });
    let attacks: [(&[(&str, &str)], _); 8] = [
        (&[], mode()),
        (&[OWN], mode()),
        (&[("x-tenure-csrf", "0"), OWN], mode()),
        (&[CSRF, ("origin", "https://evil.example")], mode()),
        (&[CSRF, ("origin", "null")], mode()),
        (&[CSRF, ("origin", "https://spa.example")], mode()),
        (&[CSRF, ("sec-fetch-site", "cross-site")], mode()),
        (&[CSRF, ("sec-fetch-site", "same-site")], spa),
    ];
    for (headers, body) in attacks {
        let seen = refresh_with(&app, &cookie, headers, body.clone()).await;
        seen.refused(403, "access_denied");
        assert!(seen.cookie(COOKIE).is_none());
        let cookie = format!("{COOKIE}={cookie}");
        let headers = [&[("cookie", cookie.as_str())], headers].concat();
        let seen = app.post_with("/api/auth/logout", &headers, &mode()).await;
        seen.refused(403, "access_denied");
        let login = json!({
            "email": EMAIL, "password": PASSWORD, "client_id": "demo", "mode": "cookie",
        });
        if body.get("client_id").is_none() {
            app.post_with("/api/auth/login", &headers, &login)
                .await
                .refused(403, "access_denied");
        }
    }
    assert_eq!(
        refresh(&app, &cookie).await.status,
        200,
        "nothing was consumed"
    );
}

#[tokio::test]
async fn an_origin_of_the_client_may_use_its_cookie() {
    let app = App::start().await;
    let spa = [
        CSRF,
        ("origin", "https://spa.example"),
        ("sec-fetch-site", "same-site"),
    ];
    let body =
        json!({ "email": EMAIL, "password": PASSWORD, "client_id": "spa", "mode": "cookie" });
    let seen = app.post_with("/api/auth/login", &spa, &body).await;
    let cookie = renewed(&seen);
    let named = json!({ "mode": "cookie", "client_id": "spa" });
    let cookie = renewed(&refresh_with(&app, &cookie, &spa, named).await);
    let cookie = format!("{COOKIE}={cookie}");
    let headers = [&[("cookie", cookie.as_str())], spa.as_slice()].concat();
    let seen = app
        .post_with("/api/auth/logout", &headers, &json!({ "mode": "cookie" }))
        .await;
    assert_eq!(seen.status, 204, "{}", seen.body);
}

#[tokio::test]
async fn the_modes_do_not_mix() {
    let app = App::start().await;
    let cookie = signed_in(&app).await;
    let both = json!({ "mode": "cookie", "refresh_token": cookie });
    refresh_with(&app, &cookie, &[CSRF], both)
        .await
        .refused(400, "invalid_request");
    refresh_with(&app, &cookie, &[CSRF], json!({}))
        .await
        .refused(400, "invalid_request");
    let none = app
        .post_with("/api/auth/refresh", &[CSRF], &json!({ "mode": "cookie" }))
        .await;
    none.refused(400, "invalid_request");
    assert_eq!(refresh(&app, &cookie).await.status, 200);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_removes_the_cookie() {
    let app = App::start().await;
    let token = signed_in(&app).await;
    let cookie = format!("{COOKIE}={token}");
    let headers = [("cookie", cookie.as_str()), CSRF, OWN];
    let seen = app
        .post_with("/api/auth/logout", &headers, &json!({ "mode": "cookie" }))
        .await;
    assert_eq!(seen.status, 204, "{}", seen.body);
    let (value, attributes) = seen.cookie(COOKIE).unwrap();
    assert!(
        value.is_empty() && attributes.contains("Max-Age=0"),
        "{attributes}"
    );
    let late = refresh(&app, &token).await;
    late.ended("logged_out");
    // A new sign-in in another tab may own the cookie by now.
    assert!(late.cookie(COOKIE).is_none());
    let nobody = app
        .post_with("/api/auth/logout", &[CSRF], &json!({ "mode": "cookie" }))
        .await;
    assert_eq!(nobody.status, 204);
}
