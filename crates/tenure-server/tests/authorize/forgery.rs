//! Forms that were not made for this browser, or not like this.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenure_core::secret::sha256;

use crate::visitor::{CALLBACK, PARTNER_CALLBACK, PASSWORD, Server, Visitor, demo, request};

#[tokio::test]
async fn a_form_that_was_not_made_for_this_browser_signs_nobody_in() {
    let server = Server::start().await;
    let (mut visitor, mut attacker) = (server.visitor(), server.visitor());
    let theirs = attacker.open(&demo(&[])).await;
    let mine = visitor.open(&demo(&[])).await;
    // Login CSRF: the attacker's form in the visitor's browser, and one without any tag.
    assert_eq!(visitor.sign_in(&theirs, PASSWORD).await.status, 400);
    let request = mine.hidden("authorization");
    let fields = [
        ("authorization", &*request),
        ("email", "demo@example.com"),
        ("password", PASSWORD),
    ];
    assert_eq!(visitor.submit("/oauth2/sign-in", &fields).await.status, 400);
    let mut stranger = server.visitor();
    assert_eq!(stranger.sign_in(&mine, PASSWORD).await.status, 400);
    for browser in [&visitor, &stranger] {
        assert!(!browser.cookies.contains_key("tenure"));
    }
    visitor.sign_in(&mine, PASSWORD).await.code(CALLBACK);
}

#[tokio::test]
async fn a_hidden_field_that_was_changed_is_noticed() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let page = visitor.open(&demo(&[])).await;
    let csrf = page.hidden("csrf");
    let send = async |visitor: &mut Visitor<'_>, authorization: &str| {
        let fields = [
            ("authorization", authorization),
            ("csrf", &csrf),
            ("email", "demo@example.com"),
            ("password", PASSWORD),
        ];
        visitor.submit("/oauth2/sign-in", &fields).await
    };
    let genuine = page.hidden("authorization");
    let wider = genuine.replace("scope=openid+offline_access", "scope=openid+email");
    assert_ne!(wider, genuine);
    assert_eq!(send(&mut visitor, &wider).await.status, 400);
    let elsewhere = genuine.replace("4711%2Fcallback", "4711%2Fother");
    assert_ne!(elsewhere, genuine);
    assert_eq!(send(&mut visitor, &elsewhere).await.status, 400);
    assert_eq!(send(&mut visitor, "").await.status, 400);
    send(&mut visitor, &genuine).await.code(CALLBACK);
}

#[tokio::test]
async fn a_consent_counts_for_what_was_shown_to_whom_it_was_shown() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let path = request("partner", PARTNER_CALLBACK, &[("scope", "openid")]);
    let page = visitor.open(&path).await;
    visitor.sign_in(&page, PASSWORD).await;
    let consent = visitor.open(&path).await;
    let (shown, csrf) = (consent.hidden("authorization"), consent.hidden("csrf"));
    let wider = shown.replace("scope=openid", "scope=openid+email");
    assert_ne!(wider, shown);
    let other = visitor
        .open(&request("tool", CALLBACK, &[]))
        .await
        .hidden("csrf");
    for (authorization, csrf) in [(&wider, &csrf), (&shown, &other), (&shown, &String::new())] {
        let fields = [
            ("authorization", &**authorization),
            ("csrf", csrf),
            ("decision", "allow"),
        ];
        let refused = visitor.submit("/oauth2/consent", &fields).await;
        assert!(refused.location().starts_with("authorize?"), "asked again");
    }
    // A later sign-in did not see this page.
    let login = visitor.open(&demo(&[("prompt", "login")])).await;
    visitor.sign_in(&login, PASSWORD).await.code(CALLBACK);
    assert!(
        visitor
            .decide(&consent, "allow")
            .await
            .location()
            .starts_with("authorize?")
    );
    let none = visitor.open(&format!("{path}&prompt=none")).await;
    assert_eq!(none.error(PARTNER_CALLBACK), "consent_required");
}

#[tokio::test]
async fn pages_cannot_be_framed_kept_or_told_apart_by_referrers() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let sign_in = visitor.open(&demo(&[])).await;
    let problem = visitor.open("/oauth2/authorize").await;
    for page in [&sign_in, &problem] {
        let value = |name: &str| page.headers[name].to_str().unwrap();
        assert_eq!(value("x-frame-options"), "DENY");
        assert_eq!(value("referrer-policy"), "no-referrer");
        assert_eq!(value("cache-control"), "no-store");
        assert!(!page.headers.contains_key("access-control-allow-origin"));
        let policy = value("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"));
        let (_, style) = page.body.split_once("<style>").unwrap();
        let (style, _) = style.split_once("</style>").unwrap();
        let hash = STANDARD.encode(sha256(style.as_bytes()));
        assert!(
            policy.contains(&format!("'sha256-{hash}'")),
            "the style is the allowed one"
        );
        for foreign in ["<script", "src=", "url(", "@import", "http://", "https://"] {
            assert!(!page.body.contains(foreign), "{foreign}");
        }
    }
    let policy = sign_in.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1 http://127.0.0.1:4711"));
}
