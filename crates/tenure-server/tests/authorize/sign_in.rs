//! Signing in on the page, and staying signed in at this server.

use http::header;

use crate::visitor::{CALLBACK, PASSWORD, Server, demo, redemption};

#[tokio::test]
async fn a_person_signs_in_and_the_app_gets_tokens() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let page = visitor
        .open(&demo(&[("nonce", "n-1"), ("unknown", "1"), ("extra", "x")]))
        .await;
    assert_eq!(page.status, 200);
    let back = visitor.sign_in(&page, PASSWORD).await;
    assert_eq!(back.answer(CALLBACK, "state").as_deref(), Some("s t&a=te"));
    let tokens = server.redeem(None, &redemption(&back.code(CALLBACK))).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.json()["token_type"], "Bearer");
    assert!(tokens.text("refresh_token").starts_with("tnr1_"));
    let claims = tokens.claims("id_token");
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["aud"], "demo");
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again_and_every_sign_in_has_a_new_id() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    visitor
        .cookies
        .insert("tenure".to_owned(), "planted-by-somebody-else".to_owned());
    visitor.demo_code(&[]).await;
    let first = visitor.cookies["tenure"].clone();
    assert_ne!(first, "planted-by-somebody-else");
    visitor
        .open(&demo(&[("prompt", "none")]))
        .await
        .code(CALLBACK);

    visitor.demo_code(&[("prompt", "login")]).await;
    let second = visitor
        .cookies
        .insert("tenure".to_owned(), first.clone())
        .unwrap();
    assert_ne!(first, second);
    let old = visitor.open(&demo(&[("prompt", "none")])).await;
    assert_eq!(old.error(CALLBACK), "login_required");
}

#[tokio::test]
async fn a_wrong_password_is_said_on_the_page_and_the_email_stays() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let page = visitor.open(&demo(&[])).await;
    let again = visitor.sign_in(&page, "wrong").await;
    assert_eq!(again.status, 422);
    assert!(again.body.contains("do not go together"));
    assert!(again.body.contains(r#"value="demo@example.com""#));
    assert!(!again.body.contains(r#"value="wrong""#));
    assert!(!visitor.cookies.contains_key("tenure"));
    visitor.sign_in(&again, PASSWORD).await.code(CALLBACK);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_says_for_how_long() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let page = visitor.open(&demo(&[])).await;
    for _ in 0..100 {
        let again = visitor.sign_in(&page, "wrong").await;
        if again.status == 429 {
            assert!(again.headers.contains_key(header::RETRY_AFTER));
            assert!(again.body.contains("Too many attempts"));
            assert_eq!(visitor.sign_in(&page, PASSWORD).await.status, 429);
            return;
        }
    }
    panic!("a hundred guesses went through");
}

#[tokio::test]
async fn prompt_and_max_age_decide_whether_somebody_is_asked() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let none = visitor.open(&demo(&[("prompt", "none")])).await;
    assert_eq!(none.error(CALLBACK), "login_required");
    visitor.demo_code(&[]).await;

    server.later(100).await;
    visitor
        .open(&demo(&[("max_age", "1000")]))
        .await
        .code(CALLBACK);
    let stale = visitor
        .open(&demo(&[("max_age", "60"), ("prompt", "none")]))
        .await;
    assert_eq!(stale.error(CALLBACK), "login_required");
    for asking in [
        ("max_age", "60"),
        ("max_age", "0"),
        ("prompt", "select_account"),
    ] {
        let page = visitor.open(&demo(&[asking])).await;
        assert_eq!(page.status, 200, "{asking:?}");
        assert!(
            page.body.contains(r#"value="demo@example.com""#),
            "the page knows who it was"
        );
        visitor.sign_in(&page, PASSWORD).await.code(CALLBACK);
    }
    let hint = visitor
        .open(&demo(&[("prompt", "login"), ("login_hint", "\"><i>x")]))
        .await;
    assert!(hint.body.contains("&#62;&#60;i&#62;x") && !hint.body.contains("<i>"));
}

#[tokio::test]
async fn a_browser_session_ends_with_its_lifetime() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    visitor.demo_code(&[]).await;
    server.later(366 * 86_400).await;
    let none = visitor.open(&demo(&[("prompt", "none")])).await;
    assert_eq!(none.error(CALLBACK), "login_required");
}

#[tokio::test]
async fn a_link_by_mail_signs_in_the_browser_that_asked_for_it_once() {
    let server = Server::start().await;
    let (mut visitor, mut other) = (server.visitor(), server.visitor());
    let page = visitor.open(&demo(&[])).await;
    other.open(&demo(&[])).await;
    let sent = visitor.ask_for_link(&page, "demo@example.com").await;
    assert_eq!(sent.status, 200);
    let unknown = visitor.ask_for_link(&page, "nobody@example.com").await;
    assert_eq!(
        unknown.body.replace("nobody@", "demo@"),
        sent.body,
        "the page does not tell who has an account"
    );
    assert_eq!(visitor.ask_for_link(&page, "no address").await.status, 422);

    let link = server.mailed_link().await;
    assert_eq!(other.open(&link).await.status, 400);
    let button = visitor.open(&link).await;
    assert_eq!(
        visitor.open(&link).await.status,
        200,
        "a look consumes nothing"
    );
    let fields = [
        ("token", &*button.hidden("token")),
        ("csrf", &*button.hidden("csrf")),
    ];
    assert_eq!(
        visitor.submit("/oauth2/link", &fields[..1]).await.status,
        400
    );
    assert_eq!(other.submit("/oauth2/link", &fields).await.status, 400);
    let back = visitor.submit("/oauth2/link", &fields).await;
    assert_eq!(back.answer(CALLBACK, "state").as_deref(), Some("s t&a=te"));
    let tokens = server.redeem(None, &redemption(&back.code(CALLBACK))).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(visitor.submit("/oauth2/link", &fields).await.status, 400);
    assert_eq!(visitor.open(&link).await.status, 400);
}

#[tokio::test]
async fn a_disabled_account_and_a_changed_password_end_the_browsers_sign_in() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let password = ("password", r#"{"password":"another-password"}"#);
    for (order, body) in [("disable", ""), ("enable", ""), password] {
        if order != "enable" {
            visitor.demo_code(&[]).await;
        }
        server
            .administer(&format!("/admin/users/demo/{order}"), body)
            .await;
        let none = visitor.open(&demo(&[("prompt", "none")])).await;
        assert_eq!(none.error(CALLBACK), "login_required", "{order}");
    }
    let page = visitor.open(&demo(&[])).await;
    assert_eq!(visitor.sign_in(&page, PASSWORD).await.status, 422);
    visitor
        .sign_in(&page, "another-password")
        .await
        .code(CALLBACK);
}
