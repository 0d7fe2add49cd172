//! Clients that are not the operator's own.

use crate::visitor::{CALLBACK, PARTNER_CALLBACK, PASSWORD, Server, demo, request};

#[tokio::test]
async fn a_third_party_needs_consent_once_and_again_for_more() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let path = |changes: &[(&str, &str)]| request("partner", PARTNER_CALLBACK, changes);
    let page = visitor.open(&path(&[])).await;
    let onward = visitor.sign_in(&page, PASSWORD).await;
    let onward = format!("/oauth2/{}", onward.location());
    let consent = visitor.open(&onward).await;
    assert!(
        consent.body.contains("Partner &#60;b&#62;App&#60;/b&#62;"),
        "{}",
        consent.body
    );
    assert!(consent.body.contains("partner.example"));
    assert!(consent.body.contains("Stay connected"));
    let required = visitor.open(&path(&[("prompt", "none")])).await;
    assert_eq!(required.error(PARTNER_CALLBACK), "consent_required");

    let denied = visitor.decide(&consent, "deny").await;
    assert_eq!(denied.error(PARTNER_CALLBACK), "access_denied");
    visitor
        .decide(&consent, "allow")
        .await
        .code(PARTNER_CALLBACK);
    visitor
        .open(&path(&[("prompt", "none")]))
        .await
        .code(PARTNER_CALLBACK);
    let narrower = visitor
        .open(&path(&[("scope", "openid"), ("prompt", "none")]))
        .await;
    narrower.code(PARTNER_CALLBACK);
    assert_eq!(
        visitor.open(&path(&[("prompt", "consent")])).await.status,
        200
    );
    let wider = visitor.open(&path(&[("scope", "openid email")])).await;
    assert!(wider.body.contains("See your e-mail address"));
}

#[tokio::test]
async fn a_tool_that_anybody_could_pose_as_is_asked_about_every_time() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    visitor.demo_code(&[]).await;
    for _ in 0..2 {
        let consent = visitor.open(&request("tool", CALLBACK, &[])).await;
        assert!(consent.body.contains("an app on this device"));
        visitor.decide(&consent, "allow").await.code(CALLBACK);
    }
    let none = visitor
        .open(&request("tool", CALLBACK, &[("prompt", "none")]))
        .await;
    assert_eq!(none.error(CALLBACK), "consent_required");
}

#[tokio::test]
async fn another_account_can_be_chosen_on_the_consent_page() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    visitor.demo_code(&[]).await;
    let session = visitor.cookies["tenure"].clone();
    let consent = visitor.open(&request("tool", CALLBACK, &[])).await;
    let again = visitor.decide(&consent, "switch").await;
    let page = visitor.open(&format!("/oauth2/{}", again.location())).await;
    assert!(page.body.contains(r#"type="password""#));
    visitor.cookies.insert("tenure".to_owned(), session);
    let none = visitor.open(&demo(&[("prompt", "none")])).await;
    assert_eq!(none.error(CALLBACK), "login_required");
}
