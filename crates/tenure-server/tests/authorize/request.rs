//! What a request may say.

use http::header;

use crate::visitor::{
    CALLBACK, PARTNER, PARTNER_CALLBACK, PASSWORD, Server, VERIFIER, demo, request,
};

#[tokio::test]
async fn a_request_of_nobody_known_is_never_redirected() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let bad = [
        demo(&[("client_id", "nobody")]),
        demo(&[("client_id", "")]),
        demo(&[("client_id", "demo"), ("client_id", "demo")]),
        demo(&[("redirect_uri", "")]),
        demo(&[("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)]),
        demo(&[("redirect_uri", "https://evil.example/callback")]),
        demo(&[("redirect_uri", "http://127.0.0.1:4711/callback/")]),
        demo(&[("redirect_uri", "http://127.0.0.1:4711/callback?x=1")]),
        demo(&[("redirect_uri", "http://127.0.0.1@evil.example/callback")]),
        demo(&[("redirect_uri", "http://localhost:4711/callback")]),
    ];
    for path in bad {
        let page = visitor.open(&path).await;
        assert_eq!(page.status, 400, "{path}");
        assert!(!page.headers.contains_key(header::LOCATION));
        assert!(
            page.headers[header::CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
    }
}

#[tokio::test]
async fn what_the_client_got_wrong_the_client_is_told() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let plain = "a-plain-challenge-that-is-not-a-hash-at-all-";
    let wrong: [(&[(&str, &str)], &str); 14] = [
        (&[("response_type", "token")], "unsupported_response_type"),
        (
            &[("response_type", "code id_token")],
            "unsupported_response_type",
        ),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", plain)], "invalid_request"),
        (
            &[("scope", "openid"), ("scope", "openid")],
            "invalid_request",
        ),
        (&[("scope", "openid tenure:admin")], "invalid_scope"),
        (&[("resource", "https://evil.example")], "invalid_target"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("request", "e30.e30.")], "request_not_supported"),
    ];
    for (changes, error) in wrong {
        let back = visitor.open(&demo(changes)).await;
        assert_eq!(back.error(CALLBACK), error, "{changes:?}");
        assert_eq!(back.answer(CALLBACK, "state").as_deref(), Some("s t&a=te"));
    }
    let machine = "https://machine.example/cb";
    let back = visitor
        .open(&request("machine", machine, &[("scope", "openid")]))
        .await;
    assert_eq!(back.error(machine), "unauthorized_client");
}

#[tokio::test]
async fn resources_become_the_audience() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let resource = [
        ("resource", "https://files.example.com"),
        ("scope", "openid"),
    ];
    let path = request("partner", PARTNER_CALLBACK, &resource);
    let page = visitor.open(&path).await;
    visitor.sign_in(&page, PASSWORD).await;
    let consent = visitor.open(&path).await;
    let code = visitor
        .decide(&consent, "allow")
        .await
        .code(PARTNER_CALLBACK);
    let fields = [("code", &*code), ("code_verifier", VERIFIER)];
    let tokens = server.redeem(Some(PARTNER), &fields).await;
    let claims = tokens.claims("access_token");
    assert_eq!(claims["aud"], "https://files.example.com");
}

#[tokio::test]
async fn a_posted_request_goes_on_as_a_get() {
    let server = Server::start().await;
    let mut visitor = server.visitor();
    let (_, query) = demo(&[])
        .split_once('?')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let fields: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let onward = visitor.submit("/oauth2/authorize", &fields).await;
    let path = format!("/oauth2/{}", onward.location());
    assert_eq!(visitor.open(&path).await.status, 200);
    let refused = visitor
        .submit("/oauth2/authorize", &[("client_id", "nobody")])
        .await;
    assert_eq!(refused.status, 400);
}
