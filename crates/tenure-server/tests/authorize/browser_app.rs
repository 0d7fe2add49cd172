//! What an app in a browser calls across origins.

use http::{Request, header};

use crate::visitor::{ISSUER, Server, redemption};

#[tokio::test]
async fn userinfo_says_what_the_scope_allows() {
    let server = Server::start().await;
    for (scope, status, email) in [
        ("openid email", 200, Some("demo@example.com")),
        ("openid", 200, None),
        ("offline_access", 403, None),
    ] {
        let code = server.visitor().demo_code(&[("scope", scope)]).await;
        let tokens = server.redeem(None, &redemption(&code)).await;
        let seen = server.userinfo(Some(&tokens.text("access_token"))).await;
        assert_eq!(seen.status.as_u16(), status, "{}", seen.body);
        assert_eq!(seen.json()["email"].as_str(), email);
        if status == 403 {
            let challenge = seen.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert!(challenge.contains("insufficient_scope"), "{challenge}");
        }
        if email.is_some() {
            assert_eq!(seen.json()["email_verified"], false);
        }
    }
    let nobody = server.userinfo(None).await;
    assert_eq!((nobody.status.as_u16(), &*nobody.body), (401, ""));
}

#[tokio::test]
async fn only_registered_origins_may_read_and_never_the_authorization_endpoint() {
    let server = Server::start().await;
    let ask = async |path: &str, origin: &str| {
        let preflight = Request::options(path)
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let seen = server
            .send(preflight.body(String::new().into()).unwrap())
            .await;
        seen.headers
            .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
            .cloned()
    };
    let good = "https://spa.example";
    let discovery = "/.well-known/openid-configuration";
    for path in [
        "/oauth2/token",
        "/oauth2/userinfo",
        "/oauth2/jwks",
        discovery,
    ] {
        assert_eq!(ask(path, good).await.unwrap(), good, "{path}");
        let bad = [
            "null",
            "*",
            "https://spa.example.evil.example",
            "https://evil-spa.example",
            "http://spa.example",
            "https://spa.example:8443",
            "https://SPA.example",
            ISSUER,
        ];
        for origin in bad {
            assert_eq!(ask(path, origin).await, None, "{path} {origin}");
        }
    }
    for path in [
        "/oauth2/authorize",
        "/oauth2/sign-in",
        "/oauth2/consent",
        "/oauth2/introspect",
    ] {
        assert_eq!(ask(path, good).await, None, "{path}");
    }
    let get = Request::get("/oauth2/jwks").header(header::ORIGIN, good);
    let seen = server.send(get.body(String::new().into()).unwrap()).await;
    assert_eq!(seen.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], good);
    assert_eq!(seen.headers[header::VARY], "Origin");
    assert!(
        !seen
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
    );
}
