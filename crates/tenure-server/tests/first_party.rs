//! `/api/auth/*`, as an app with its own login screen sees it.

mod app;

use app::{API, App, EMAIL, PASSWORD, basic};
use axum::body::Body;
use http::{Request, header};
use serde_json::json;

#[tokio::test]
async fn a_person_signs_in_stays_signed_in_and_is_known() {
    let app = App::start().await;
    let tokens = app.session().await;
    assert_eq!(tokens.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(tokens.json()["token_type"], "Bearer");
    assert!(tokens.json()["expires_in"].as_u64().unwrap() > 0);
    assert!(tokens.json()["refresh_expires_in"].as_u64().unwrap() > 0);

    let mut refresh_token = tokens.text("refresh_token");
    let mut access_token = tokens.text("access_token");
    for _ in 0..5 {
        let next = app.refresh(&refresh_token).await;
        assert_eq!(next.status, 200, "{}", next.body);
        assert_ne!(next.text("refresh_token"), refresh_token);
        refresh_token = next.text("refresh_token");
        access_token = next.text("access_token");
    }
    let me = app.get("/api/auth/me", &access_token).await;
    assert_eq!(me.status, 200, "{}", me.body);
    assert_eq!(me.text("email"), EMAIL);
    assert_eq!(me.text("sub"), "demo");
    assert_eq!(me.text("client_id"), "demo");
}

#[tokio::test]
async fn the_tokens_refresh_at_the_oauth_endpoint_too() {
    let app = App::start().await;
    let token = app.session().await.text("refresh_token");
    let body = format!("grant_type=refresh_token&client_id=demo&refresh_token={token}");
    let next = app.post_form("/oauth2/token", &[], body).await;
    assert_eq!(next.status, 200, "{}", next.body);
    let back = app.refresh(&next.text("refresh_token")).await;
    assert_eq!(back.status, 200, "{}", back.body);
}

#[tokio::test]
async fn nobody_learns_which_accounts_exist() {
    let app = App::start().await;
    let disabled = json!({ "email": "gone@example.com", "password": PASSWORD, "subject": "gone" });
    assert_eq!(app.admin("/admin/users", &disabled).await.status, 201);
    let by_mail = json!({ "email": "mail@example.com" });
    assert_eq!(app.admin("/admin/users", &by_mail).await.status, 201);
    app.admin("/admin/users/gone/disable", &json!({})).await;

    let wrong = app.login(EMAIL, "wrong").await;
    wrong.refused(401, "invalid_credentials");
    assert!(wrong.headers.contains_key(header::WWW_AUTHENTICATE));
    for (email, password) in [
        ("nobody@example.com", "wrong"),
        ("gone@example.com", PASSWORD),
        ("mail@example.com", ""),
    ] {
        assert_eq!(app.login(email, password).await.body, wrong.body, "{email}");
    }

    let operator = app.operator("tenure:admin").await;
    let trail = app.get("/admin/audit", &operator).await.json();
    let events = trail["events"].as_array().unwrap();
    for reason in [
        "wrong_password",
        "unknown_account",
        "account_disabled",
        "no_password",
    ] {
        let told = |event: &serde_json::Value| {
            event["event"] == "sign_in_failed" && event["reason"] == reason
        };
        assert!(events.iter().any(told), "{reason}: {trail}");
    }
    assert!(!trail.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn a_request_that_is_not_as_written_down_is_refused_and_the_reason_named() {
    let app = App::start().await;
    let good = json!({ "email": EMAIL, "password": PASSWORD, "client_id": "demo" });
    let with = |name: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let typo = app
        .post("/api/auth/login", &with("pasword", json!("x")))
        .await;
    typo.refused(400, "invalid_request");
    assert!(
        typo.text("error_description").contains("pasword"),
        "{}",
        typo.body
    );
    let missing = app
        .post("/api/auth/login", &json!({ "email": EMAIL }))
        .await;
    missing.refused(400, "invalid_request");
    assert!(missing.text("error_description").contains("password"));
    let mode = app
        .post("/api/auth/login", &with("mode", json!("kookie")))
        .await;
    mode.refused(400, "invalid_request");
    for label in ["x".repeat(101), "two\nlines".to_owned()] {
        let seen = app
            .post("/api/auth/login", &with("device_label", json!(label)))
            .await;
        seen.refused(400, "invalid_request");
    }
    let long = app
        .post("/api/auth/login", &with("email", json!("a".repeat(300))))
        .await;
    long.refused(400, "invalid_request");
    let huge = app
        .post(
            "/api/auth/login",
            &with("email", json!("a".repeat(1 << 20))),
        )
        .await;
    huge.refused(413, "invalid_request");

    let form = "email=demo%40example.com&password=demo-password&client_id=demo".to_owned();
    app.post_form("/api/auth/login", &[], form)
        .await
        .refused(415, "invalid_request");
    for path in [
        "/api/auth/login",
        "/api/auth/refresh",
        "/api/auth/logout",
        "/api/auth/magic-link",
    ] {
        app.get(path, "").await.refused(405, "method_not_allowed");
        let broken = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let broken = app
            .send(broken.body(Body::from("{\"a\":\"\u{fffd}")).unwrap())
            .await;
        broken.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn only_first_party_clients_that_prove_who_they_are_may_sign_people_in() {
    let app = App::start().await;
    let login = |client: &str| json!({ "email": EMAIL, "password": PASSWORD, "client_id": client });
    let partner = app.post("/api/auth/login", &login("partner")).await;
    partner.refused(400, "unauthorized_client");
    app.post("/api/auth/login", &login("nobody"))
        .await
        .refused(401, "invalid_client");
    app.post("/api/auth/login", &login("demo-api"))
        .await
        .refused(401, "invalid_client");
    let wrong = basic("demo-api:wrong");
    let headers = [("authorization", wrong.as_str())];
    let seen = app
        .post_with("/api/auth/login", &headers, &login("demo-api"))
        .await;
    seen.refused(401, "invalid_client");
    assert!(
        seen.headers[header::WWW_AUTHENTICATE]
            .to_str()
            .unwrap()
            .starts_with("Basic")
    );
    let right = basic(API);
    let headers = [("authorization", right.as_str())];
    let seen = app
        .post_with("/api/auth/login", &headers, &login("demo-api"))
        .await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    // A confidential client's session refreshes only with its secret.
    let token = seen.text("refresh_token");
    app.refresh(&token).await.refused(401, "invalid_client");
    let body = json!({ "refresh_token": token });
    let seen = app.post_with("/api/auth/refresh", &headers, &body).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let app = App::start().await;
    for _ in 0..100 {
        let seen = app.login("nobody@example.com", "guess").await;
        if seen.status == 429 {
            assert!(seen.headers.contains_key(header::RETRY_AFTER));
            // Another account is not locked out by it.
            app.session().await;
            return;
        }
    }
    panic!("a hundred guesses went through");
}

#[tokio::test]
async fn a_failed_refresh_consumes_nothing() {
    let app = App::start().await;
    let token = app.session().await.text("refresh_token");
    let body = |fields: serde_json::Value| {
        let mut body = json!({ "refresh_token": token });
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        body
    };
    let path = "/api/auth/refresh";
    app.post(path, &body(json!({ "client_id": "spa" })))
        .await
        .refused(400, "invalid_grant");
    app.post(path, &body(json!({ "client_id": "nobody" })))
        .await
        .refused(401, "invalid_client");
    app.post(path, &body(json!({ "tenure_claims": "no" })))
        .await
        .refused(400, "invalid_request");
    app.post(path, &body(json!({ "scope": "openid" })))
        .await
        .refused(400, "invalid_request");
    app.post(path, &json!({}))
        .await
        .refused(400, "invalid_request");
    let short = [("idempotency-key", "short")];
    app.post_with(path, &short, &body(json!({})))
        .await
        .refused(400, "invalid_request");
    for garbage in ["tnr1_", &token[..50], "\u{e9}"] {
        app.refresh(garbage).await.ended("unknown");
    }
    // HTTP layers of apps put the expired access token on every request.
    let bearer = [("authorization", "Bearer expired")];
    let seen = app
        .post_with(path, &bearer, &body(json!({ "client_id": "demo" })))
        .await;
    assert_eq!(seen.status, 200, "{}", seen.body);
}

#[tokio::test]
async fn a_retry_with_the_same_key_gets_the_same_successor() {
    let app = App::start().await;
    let body = json!({ "refresh_token": app.session().await.text("refresh_token") });
    let key = [("idempotency-key", "abcdefghijklmnopqrstuv0123456789")];
    let first = app
        .post_with("/api/auth/refresh", &key, &body)
        .await
        .text("refresh_token");
    let again = app
        .post_with("/api/auth/refresh", &key, &body)
        .await
        .text("refresh_token");
    let other = app
        .post("/api/auth/refresh", &body)
        .await
        .text("refresh_token");
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn any_one_of_64_answers_goes_on() {
    let app = std::sync::Arc::new(App::start().await);
    let token = app.session().await.text("refresh_token");
    let mut at_once = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (app, token) = (std::sync::Arc::clone(&app), token.clone());
        at_once.spawn(async move { app.refresh(&token).await.text("refresh_token") });
    }
    let answers = at_once.join_all().await;
    let mut kept = answers[41].clone();
    for _ in 0..20 {
        app.later(10).await;
        kept = app.refresh(&kept).await.text("refresh_token");
    }
    // Another of the 64 is a second holder who goes on.
    app.refresh(&answers[7]).await.ended("theft_detected");
    app.refresh(&kept).await.ended("theft_detected");
}

#[tokio::test]
async fn any_token_of_the_session_signs_out_and_none_is_taken_for_a_thief() {
    let app = App::start().await;
    let first = app.session().await.text("refresh_token");
    let second = app.refresh(&first).await.text("refresh_token");
    let third = app.refresh(&second).await.text("refresh_token");
    let retired = json!({ "refresh_token": first });
    assert_eq!(app.post("/api/auth/logout", &retired).await.status, 204);
    app.refresh(&third).await.ended("logged_out");
    assert_eq!(app.post("/api/auth/logout", &retired).await.status, 204);
    for unknown in ["nonsense", "tnr1_nonsense"] {
        let body = json!({ "refresh_token": unknown });
        assert_eq!(
            app.post("/api/auth/logout", &body).await.status,
            204,
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn an_access_token_signs_out_without_a_body() {
    let app = App::start().await;
    let tokens = app.session().await;
    let logout = |bearer: String| {
        let request = Request::post("/api/auth/logout").header(header::AUTHORIZATION, bearer);
        request.body(Body::empty()).unwrap()
    };
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    assert_eq!(app.send(logout(bearer)).await.status, 204);
    app.refresh(&tokens.text("refresh_token"))
        .await
        .ended("logged_out");
    app.send(logout("Bearer nonsense".to_owned()))
        .await
        .refused(401, "invalid_token");
    let nothing = app.post("/api/auth/logout", &json!({})).await;
    assert_eq!(nothing.status, 401);
    assert_eq!(
        nothing.headers[header::WWW_AUTHENTICATE],
        "Bearer realm=\"tenure\""
    );
    assert_eq!(nothing.body, "");
}

#[tokio::test]
async fn a_person_sees_their_devices_and_ends_one_of_them() {
    let app = App::start().await;
    let body = json!({
        "email": EMAIL, "password": PASSWORD, "client_id": "demo", "device_label": "Ana's phone",
    });
    let phone = app.post("/api/auth/login", &body).await;
    let laptop = app.session().await;
    let laptop_token = laptop.text("access_token");
    let seen = app.get("/api/auth/sessions", &laptop_token).await.json();
    let sessions = seen["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{seen}");
    let current: Vec<_> = sessions
        .iter()
        .filter(|one| one["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    assert_eq!(
        current[0]["id"],
        app.get("/api/auth/me", &laptop_token)
            .await
            .text("session_id")
    );
    let other = sessions.iter().find(|one| one["current"] == false).unwrap();
    assert_eq!(other["device"]["label"], "Ana's phone");
    for time in ["created_at", "last_used_at", "expires_at"] {
        assert!(other[time].as_u64().unwrap() > 1_700_000_000, "{time}");
    }

    let path = format!("/api/auth/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(app.delete(&path, &laptop_token).await.status, 204);
    app.refresh(&phone.text("refresh_token"))
        .await
        .ended("revoked_by_user");
    app.get("/api/auth/me", &phone.text("access_token"))
        .await
        .refused(401, "invalid_token");
    let left = app.get("/api/auth/sessions", &laptop_token).await.json();
    assert_eq!(left["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(app.refresh(&laptop.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn everything_but_this_device_can_be_signed_out_at_once() {
    let app = App::start().await;
    let others = [app.session().await, app.session().await];
    let this = app.session().await;
    let seen = app
        .delete("/api/auth/sessions", &this.text("access_token"))
        .await;
    assert_eq!(seen.json()["ended"], 2, "{}", seen.body);
    for other in others {
        app.refresh(&other.text("refresh_token"))
            .await
            .ended("revoked_by_user");
    }
    assert_eq!(app.refresh(&this.text("refresh_token")).await.status, 200);
    app.session().await;
}

#[tokio::test]
async fn nobody_ends_or_sees_the_sessions_of_others() {
    let app = App::start().await;
    let ana = json!({ "email": "ana@example.com", "password": "correct horse" });
    assert_eq!(app.admin("/admin/users", &ana).await.status, 201);
    let ana = app
        .login("ana@example.com", "correct horse")
        .await
        .text("access_token");
    let mine = app.session().await;
    let id = app
        .get("/api/auth/me", &mine.text("access_token"))
        .await
        .text("session_id");
    app.delete(&format!("/api/auth/sessions/{id}"), &ana)
        .await
        .refused(404, "not_found");
    app.delete("/api/auth/sessions/nonsense", &ana)
        .await
        .refused(404, "not_found");
    let seen = app.get("/api/auth/sessions", &ana).await.json();
    assert_eq!(seen["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(app.refresh(&mine.text("refresh_token")).await.status, 200);

    // A token of a client, and one that a third party was given.
    let operator = app.operator("tenure:admin").await;
    let partner = json!({ "subject": "demo", "client_id": "partner" });
    let partner = app.admin("/admin/sessions", &partner).await.json();
    let partner = partner["sessions"][0]["access_token"].as_str().unwrap();
    for token in [operator.as_str(), partner] {
        for path in ["/api/auth/me", "/api/auth/sessions"] {
            app.get(path, token).await.refused(403, "access_denied");
        }
        app.delete("/api/auth/sessions", token)
            .await
            .refused(403, "access_denied");
    }
    let nobody = app.get("/api/auth/sessions", "").await;
    assert_eq!((nobody.status.as_u16(), nobody.body.as_str()), (401, ""));
}
