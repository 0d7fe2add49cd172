//! A person with a browser in front of a service that runs in this process, on a virtual clock.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tenure_core::secret::sha256;
use tenure_server::Service;
use tenure_server::config::{Flags, Inputs, Purpose, load};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

pub(crate) const ISSUER: &str = "http://127.0.0.1:8420";
pub(crate) const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
pub(crate) const PASSWORD: &str = "demo-password";
pub(crate) const CALLBACK: &str = "http://127.0.0.1:4711/callback";
pub(crate) const PARTNER_CALLBACK: &str = "https://partner.example/cb";

pub(crate) const PARTNER: &str = "partner:partner-secret-partner-secret-partner";

const CLIENTS: &str = r#"
[clients.partner]
name = "Partner <b>App</b>"
secret_sha256 = "118d8118d2dafe1875523c81b55ae4268f1fda4bf4b4bf345fa67fdf220a269c"
redirect_uris = ["https://partner.example/cb"]
grants = ["authorization_code", "refresh_token"]
scope = "openid email profile offline_access"
audience = ["https://api.example.com", "https://files.example.com"]

[clients.tool]
name = "Somebody's tool"
redirect_uris = ["http://127.0.0.1/callback"]
grants = ["authorization_code", "refresh_token"]
scope = "openid offline_access"

[clients.machine]
name = "Machine"
secret_sha256 = "5e52ffe0de48139f87f7b172ba7e7b2008598320a9ab8569e27fd6b9ef6d9111"
redirect_uris = ["https://machine.example/cb"]
grants = ["client_credentials"]
scope = "openid"

[clients.tv]
name = "Television <i>4</i>"
grants = ["device_code", "refresh_token"]
scope = "openid email offline_access"
audience = ["https://api.example.com", "https://files.example.com"]

[clients.box]
name = "Set-top box"
secret_sha256 = "118d8118d2dafe1875523c81b55ae4268f1fda4bf4b4bf345fa67fdf220a269c"
grants = ["device_code"]
scope = "openid"

[clients.spa]
name = "Single page"
first_party = true
redirect_uris = ["https://spa.example/cb"]
grants = ["authorization_code", "refresh_token"]
scope = "openid"
allowed_origins = ["https://spa.example"]
"#;

/// The service; its directory goes with it.
pub(crate) struct Server {
    router: Router,
    _directory: tempfile::TempDir,
}

/// A browser: it keeps cookies and follows nothing by itself.
pub(crate) struct Visitor<'s> {
    server: &'s Server,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// An answer, complete.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tenure.toml");
        std::fs::write(&file, CLIENTS).unwrap();
        let flags = Flags {
            config: Some(file),
            data: Some(PathBuf::from(directory.path())),
            dev: true,
            dangerous_memory_store: true,
            ..Flags::default()
        };
        let inputs = Inputs {
            flags,
            environment: BTreeMap::new(),
            purpose: Purpose::Serve,
        };
        let service = Service::open(load(&inputs).unwrap().config).await.unwrap();
        Self {
            router: service.router(),
            _directory: directory,
        }
    }

    pub(crate) fn visitor(&self) -> Visitor<'_> {
        Visitor {
            server: self,
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Seen {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Seen {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn later(&self, seconds: u64) {
        let step = serde_json::json!({ "advance_seconds": seconds }).to_string();
        let request = Request::post("/dev/clock").header(header::CONTENT_TYPE, "application/json");
        assert_eq!(
            self.send(request.body(step.into()).unwrap()).await.status,
            200
        );
    }

    /// Redeems a code; `basic` is `id:secret` of a confidential client.
    pub(crate) async fn redeem(&self, basic: Option<&str>, fields: &[(&str, &str)]) -> Seen {
        let mut request = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(basic) = basic {
            let credentials = format!("Basic {}", STANDARD.encode(basic));
            request = request.header(header::AUTHORIZATION, credentials);
        }
        let fields = [&[("grant_type", "authorization_code")], fields].concat();
        self.send(request.body(encoded(&fields).into()).unwrap())
            .await
    }

    /// The path of the newest link in the outbox. What is mailed is mailed after the answer, so the
    /// outbox is asked until it is there.
    pub(crate) async fn mailed_link(&self) -> String {
        loop {
            let request = Request::get("/dev/outbox").header(header::ACCEPT, "application/json");
            let outbox = self.send(request.body(Body::empty()).unwrap()).await.json();
            if let Some(text) = outbox["mails"][0]["text"].as_str() {
                let (_, link) = text.split_once(ISSUER).expect("a link to this server");
                return link.split_whitespace().next().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn userinfo(&self, token: Option<&str>) -> Seen {
        let mut request = Request::get("/oauth2/userinfo");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// An operator's order about the demo account.
    pub(crate) async fn administer(&self, path: &str, body: &str) {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, self.operator().await)
            .header(header::CONTENT_TYPE, "application/json");
        let done = self
            .send(request.body(body.to_owned().into()).unwrap())
            .await;
        assert!(done.status.is_success(), "{}: {}", done.status, done.body);
    }

    /// The audit trail of the demo account, as text.
    pub(crate) async fn audited(&self) -> String {
        let request = Request::get("/admin/audit?email=demo@example.com")
            .header(header::AUTHORIZATION, self.operator().await);
        self.send(request.body(Body::empty()).unwrap()).await.body
    }

    async fn operator(&self) -> String {
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", "tenure:admin"),
        ];
        let credentials = format!("Basic {}", STANDARD.encode("demo-api:demo-secret"));
        let request = Request::post("/oauth2/token")
            .header(header::AUTHORIZATION, credentials)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let token = self
            .send(request.body(encoded(&fields).into()).unwrap())
            .await;
        format!("Bearer {}", token.text("access_token"))
    }

    pub(crate) async fn refresh(&self, client: &str, token: &str) -> Seen {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", token),
        ];
        let request = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(encoded(&fields).into()).unwrap())
            .await
    }
}

impl Visitor<'_> {
    pub(crate) async fn open(&mut self, path: &str) -> Seen {
        self.go(Request::get(path), Body::empty()).await
    }

    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.go(request, encoded(fields).into()).await
    }

    async fn go(&mut self, request: http::request::Builder, body: Body) -> Seen {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let request = request.header(header::COOKIE, pairs.collect::<Vec<_>>().join("; "));
        let seen = self.server.send(request.body(body).unwrap()).await;
        for cookie in seen.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"));
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        seen
    }

    /// A code for the demo app, by way of the sign-in page.
    pub(crate) async fn demo_code(&mut self, changes: &[(&str, &str)]) -> String {
        let page = self.open(&demo(changes)).await;
        self.sign_in(&page, PASSWORD).await.code(CALLBACK)
    }

    /// Types into the sign-in page.
    pub(crate) async fn sign_in(&mut self, page: &Seen, password: &str) -> Seen {
        let fields = [
            ("authorization", &*page.hidden("authorization")),
            ("csrf", &*page.hidden("csrf")),
            ("email", "demo@example.com"),
            ("password", password),
            ("action", "sign_in"),
        ];
        self.submit("/oauth2/sign-in", &fields).await
    }

    /// Presses the other button of the sign-in page.
    pub(crate) async fn ask_for_link(&mut self, page: &Seen, email: &str) -> Seen {
        let fields = [
            ("authorization", &*page.hidden("authorization")),
            ("csrf", &*page.hidden("csrf")),
            ("email", email),
            ("action", "link"),
        ];
        self.submit("/oauth2/sign-in", &fields).await
    }

    /// Presses a button of the consent page.
    pub(crate) async fn decide(&mut self, page: &Seen, decision: &str) -> Seen {
        let fields = [
            ("authorization", &*page.hidden("authorization")),
            ("csrf", &*page.hidden("csrf")),
            ("decision", decision),
        ];
        self.submit("/oauth2/consent", &fields).await
    }
}

impl Seen {
    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&start)
            .expect("the field is on the page");
        let (value, _) = rest.split_once('"').unwrap();
        value.replace("&#38;", "&").replace("&amp;", "&")
    }

    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// A parameter of the redirect to the client, which must have come to `callback`.
    pub(crate) fn answer(&self, callback: &str, name: &str) -> Option<String> {
        let url = Url::parse(self.location()).expect("an absolute redirect");
        let (base, _) = self.location().split_once('?').unwrap();
        assert_eq!(base, callback);
        let find = |wanted: &str| {
            let mut pairs = url.query_pairs().filter(|(name, _)| name == wanted);
            let value = pairs.next().map(|(_, value)| value.into_owned());
            assert_eq!(pairs.next(), None);
            value
        };
        assert_eq!(find("iss").as_deref(), Some(ISSUER), "RFC 9207");
        find(name)
    }

    pub(crate) fn code(&self, callback: &str) -> String {
        self.answer(callback, "code")
            .unwrap_or_else(|| panic!("{}", self.location()))
    }

    pub(crate) fn error(&self, callback: &str) -> String {
        assert_eq!(self.answer(callback, "code"), None);
        self.answer(callback, "error").expect("an error")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }

    /// The claims of a JWT in the answer; its signature is not looked at.
    pub(crate) fn claims(&self, field: &str) -> Value {
        let jwt = self.text(field);
        let claims = URL_SAFE_NO_PAD
            .decode(jwt.split('.').nth(1).unwrap())
            .unwrap();
        serde_json::from_slice(&claims).unwrap()
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field]
            .as_str()
            .unwrap_or_else(|| panic!("{}", self.body))
            .to_owned()
    }
}

/// A valid request of a client, with some parameters replaced, added, or (empty) left out.
pub(crate) fn request(client: &str, callback: &str, changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    let usual = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", callback),
        ("scope", "openid offline_access"),
        ("state", "s t&a=te"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual
        .into_iter()
        .filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let pairs: Vec<_> = kept.chain(changes.iter().copied()).collect();
    format!("/oauth2/authorize?{}", encoded(&pairs))
}

/// The request of the operator's own demo app.
pub(crate) fn demo(changes: &[(&str, &str)]) -> String {
    request("demo", CALLBACK, changes)
}

/// What the demo app sends for its code.
pub(crate) fn redemption(code: &str) -> [(&str, &str); 4] {
    [
        ("client_id", "demo"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}
