//! An app with its own login screen, in front of a service that runs in this process.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]
#![expect(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Builder;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tenure_server::Service;
use tenure_server::config::{Flags, Inputs, Purpose, load};
use tower::ServiceExt as _;

pub(crate) const EMAIL: &str = "demo@example.com";
pub(crate) const PASSWORD: &str = "demo-password";
/// `client_id:secret` of the confidential demo client.
pub(crate) const API: &str = "demo-api:demo-secret";

const DEV: &str = r#"
[limits]
login_per_minute = 40
token_per_minute = 10000
again_per_minute = 10000

[clients.partner]
name = "Somebody else's app"
redirect_uris = ["http://127.0.0.1/callback"]
grants = ["authorization_code", "refresh_token"]
scope = "openid offline_access"

[clients.shop]
name = "App with an API of its own"
first_party = true
secret_sha256 = "cd577fe2561ebff23505db0bb006300c7cdecbd46bc0e03c449afafaca2c25bf"
grants = ["refresh_token", "client_credentials"]
scope = "openid tenure:admin"
audience = ["https://api.example.com"]

[clients.spa]
name = "Single page"
first_party = true
redirect_uris = ["https://spa.example/cb"]
grants = ["refresh_token"]
scope = "openid"
allowed_origins = ["https://spa.example"]
"#;

/// As it would be deployed: behind TLS, with a mail server.
const DEPLOYED: &str = r#"
issuer = "https://id.example.com"

[clients.demo]
name = "App"
first_party = true
redirect_uris = ["https://app.example.com/link"]
grants = ["refresh_token"]
scope = "openid"

[clients.demo-api]
name = "Back office"
secret_sha256 = "cd577fe2561ebff23505db0bb006300c7cdecbd46bc0e03c449afafaca2c25bf"
grants = ["client_credentials"]
scope = "tenure:admin"
"#;

const SMTP: &str = r#"
[smtp]
url = "smtp://127.0.0.1:PORT"
from = "Example <no-reply@example.com>"
"#;

pub(crate) struct App {
    router: Router,
    pub(crate) directory: tempfile::TempDir,
}

/// An answer, complete.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl App {
    /// `--dev`, in memory.
    pub(crate) async fn start() -> Self {
        let flags = Flags {
            dev: true,
            dangerous_memory_store: true,
            ..Flags::default()
        };
        Self::with(DEV, flags).await
    }

    /// `--dev`, with a store that another process can open.
    pub(crate) async fn on_disk() -> Self {
        let flags = Flags {
            dev: true,
            ..Flags::default()
        };
        Self::with(DEV, flags).await
    }

    /// Not `--dev`; mail goes to that port of this machine, or nowhere.
    pub(crate) async fn deployed(smtp_port: Option<u16>) -> Self {
        let flags = Flags {
            dangerous_memory_store: true,
            ..Flags::default()
        };
        let config = smtp_port.map_or_else(
            || DEPLOYED.to_owned(),
            |port| format!("{DEPLOYED}{}", SMTP.replace("PORT", &port.to_string())),
        );
        Self::with(&config, flags).await
    }

    async fn with(config: &str, flags: Flags) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tenure.toml");
        std::fs::write(&file, config).unwrap();
        let flags = Flags {
            config: Some(file),
            data: Some(directory.path().to_owned()),
            ..flags
        };
        let secret = "a master secret for tests, long enough".to_owned();
        let inputs = Inputs {
            flags,
            environment: BTreeMap::from([("TENURE_MASTER_SECRET".to_owned(), secret)]),
            purpose: Purpose::Serve,
        };
        let config = load(&inputs).unwrap_or_else(|why| panic!("{why}")).config;
        let service = Service::open(config).await.unwrap();
        Self {
            router: service.router(),
            directory,
        }
    }

    pub(crate) fn data(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Seen {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Seen {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str, bearer: &str) -> Seen {
        let request = with_bearer(Request::get(path), bearer);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str, bearer: &str) -> Seen {
        let request = with_bearer(Request::delete(path), bearer);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Seen {
        self.post_with(path, &[], body).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Seen {
        let mut request = Request::builder().method(Method::POST).uri(path);
        request = request.header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.to_string().into()).unwrap())
            .await
    }

    pub(crate) async fn post_form(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Seen {
        let mut request = Request::post(path);
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Seen {
        let body = json!({ "email": email, "password": password, "client_id": "demo" });
        self.post("/api/auth/login", &body).await
    }

    /// The tokens of a new session of the demo account.
    pub(crate) async fn session(&self) -> Seen {
        let seen = self.login(EMAIL, PASSWORD).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        seen
    }

    pub(crate) async fn refresh(&self, token: &str) -> Seen {
        self.post("/api/auth/refresh", &json!({ "refresh_token": token }))
            .await
    }

    /// An access token of the demo API itself.
    pub(crate) async fn operator(&self, scope: &str) -> String {
        let body = format!("grant_type=client_credentials&scope={scope}");
        let basic = basic(API);
        let headers = [("authorization", basic.as_str())];
        let seen = self.post_form("/oauth2/token", &headers, body).await;
        seen.text("access_token")
    }

    pub(crate) async fn admin(&self, path: &str, body: &Value) -> Seen {
        let token = format!("Bearer {}", self.operator("tenure:admin").await);
        self.post_with(path, &[("authorization", &token)], body)
            .await
    }

    pub(crate) async fn later(&self, seconds: u64) {
        let step = json!({ "advance_seconds": seconds });
        assert_eq!(self.post("/dev/clock", &step).await.status, 200);
    }

    /// The links of the outbox, newest first, once there are so many. What is mailed is mailed after
    /// the answer, so the outbox is asked until it is there.
    pub(crate) async fn mailed_links(&self, count: usize) -> Vec<String> {
        loop {
            let request = Request::get("/dev/outbox").header(header::ACCEPT, "application/json");
            let outbox = self.send(request.body(Body::empty()).unwrap()).await.json();
            let mails = outbox["mails"].as_array().unwrap();
            if mails.len() >= count {
                return mails
                    .iter()
                    .map(|mail| link(mail["text"].as_str().unwrap()))
                    .collect();
            }
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// The link in a mail's text.
pub(crate) fn link(text: &str) -> String {
    let found = text
        .split_whitespace()
        .find(|word| word.contains("?token="));
    found.expect("the mail has a link").to_owned()
}

/// The secret of a link.
pub(crate) fn token(link: &str) -> &str {
    link.split_once("?token=").unwrap().1
}

fn with_bearer(request: Builder, bearer: &str) -> Builder {
    if bearer.is_empty() {
        return request;
    }
    request.header(header::AUTHORIZATION, format!("Bearer {bearer}"))
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }

    pub(crate) fn text(&self, field: &str) -> String {
        let value = self.json();
        let text = value[field].as_str();
        text.unwrap_or_else(|| panic!("no {field}: {} {}", self.status, self.body))
            .to_owned()
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.text("error"), error, "{}", self.body);
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
    }

    /// Signed out, and told why.
    #[track_caller]
    pub(crate) fn ended(&self, reason: &str) {
        self.refused(400, "invalid_grant");
        assert_eq!(self.text("tenure_reason"), reason);
    }

    /// Of the cookie with this name, its value and its attributes.
    pub(crate) fn cookie(&self, name: &str) -> Option<(String, String)> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        cookies
            .filter_map(|value| value.to_str().unwrap().split_once(';'))
            .find_map(|(pair, attributes)| {
                let (other, value) = pair.split_once('=')?;
                (other == name).then(|| (value.to_owned(), attributes.to_owned()))
            })
    }
}
