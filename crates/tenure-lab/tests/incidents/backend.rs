//! The service that the incidents' teams had: a refresh token is good once, and one that comes
//! again ends its whole family. It knows nothing of idempotency keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use httpdate::fmt_http_date;
use serde_json::{Value, json};
use tenure_client::{Clock as _, Config, FileVault, Found, Record, Secret, Session, Vault};
use tokio::net::TcpListener;
use url::form_urlencoded;

use crate::clock::StillClock;

/// Runs until the test's runtime ends.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) url: String,
    pub(crate) clock: StillClock,
    books: Arc<Mutex<Books>>,
}

/// What it remembers, and what the test wants of it.
#[derive(Default)]
pub(crate) struct Books {
    /// Every refresh token that was presented.
    pub(crate) refreshes: Vec<String>,
    /// `Authorization` of every call of the API, and the status it got.
    pub(crate) calls: Vec<(Option<String>, u16)>,
    /// What refresh routes answer instead.
    pub(crate) outage: Option<u16>,
    /// What the API answers instead: an error type and a message.
    pub(crate) gate: Option<(&'static str, &'static str)>,
    /// How long a refresh token lives, in seconds.
    pub(crate) refresh_life: u64,
    /// Whether refreshes are answered with a new refresh token at all.
    pub(crate) rotates: bool,
    families: Vec<bool>,
    refresh: HashMap<String, Presentable>,
    access: HashMap<String, u64>,
}

struct Presentable {
    family: usize,
    ends: u64,
    used: bool,
}

const ACCESS_LIFE: u64 = 15 * 60;
pub(crate) const DAY: u64 = 24 * 60 * 60;

impl Backend {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let backend = Self {
            url: format!("http://{address}"),
            clock: StillClock::default(),
            books: Arc::new(Mutex::new(Books {
                refresh_life: 30 * DAY,
                rotates: true,
                ..Books::default()
            })),
        };
        let routes = Router::new().fallback(handle).with_state(backend.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        backend
    }

    /// Signs a naive client in at `route`: an HTTP client of its own, and what the route answers.
    pub(crate) async fn log_in(&self, route: &str) -> (reqwest::Client, Value) {
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.expect("a client");
        let url = format!("{}{route}", self.url);
        let answer = http.post(url).body("{}").send().await;
        let tokens = answer.expect("sent").json().await.expect("JSON");
        (http, tokens)
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("not poisoned")
    }

    /// A client of this service with its session in `vault`; failures are told at once.
    pub(crate) fn config(&self, vault: impl Vault) -> Config {
        Config::new(&self.url, "app", vault)
            .expect("a good configuration")
            .clock(self.clock.clone())
            .patience(Duration::ZERO)
    }

    fn seconds(&self) -> u64 {
        self.clock.wall().0 / 1000
    }
}

impl Books {
    /// Ends every session, as an administrator does.
    pub(crate) fn revoke_all(&mut self) {
        self.families.fill(false);
    }

    /// Whether a session lives that could be refreshed.
    pub(crate) fn lives(&self) -> bool {
        self.families.contains(&true)
    }

    fn sign_in(&mut self, now: u64) -> Issued {
        self.families.push(true);
        self.issue(self.families.len() - 1, now)
    }

    fn issue(&mut self, family: usize, now: u64) -> Issued {
        let serial = self.access.len() + 1;
        let issued = Issued {
            access: format!("access-{serial}"),
            refresh: format!("refresh-{serial}"),
            ends: now + ACCESS_LIFE,
        };
        self.access.insert(issued.access.clone(), issued.ends);
        let presentable = Presentable {
            family,
            ends: now + self.refresh_life,
            used: false,
        };
        self.refresh.insert(issued.refresh.clone(), presentable);
        issued
    }

    /// `None`: the token is unknown, over or revoked; or it was used, which revokes its family.
    fn refresh(&mut self, token: &str, now: u64) -> Option<Issued> {
        self.refreshes.push(token.to_owned());
        let rotates = self.rotates;
        let found = self.refresh.get_mut(token)?;
        let (family, ends) = (found.family, found.ends);
        if std::mem::replace(&mut found.used, rotates) {
            self.families[family] = false;
        }
        (self.families[family] && now < ends).then(|| self.issue(family, now))
    }

    fn judge(&mut self, bearer: Option<String>, now: u64) -> Response {
        let token = bearer
            .as_deref()
            .and_then(|bearer| bearer.strip_prefix("Bearer "));
        let good = token
            .and_then(|token| self.access.get(token))
            .is_some_and(|ends| now < *ends);
        let answer = match self.gate {
            Some((kind, message)) => {
                let kind = [("x-amzn-errortype", kind)];
                (
                    StatusCode::FORBIDDEN,
                    kind,
                    json!({ "message": message }).to_string(),
                )
                    .into_response()
            }
            None if good => "{}".into_response(),
            None => StatusCode::UNAUTHORIZED.into_response(),
        };
        self.calls.push((bearer, answer.status().as_u16()));
        answer
    }
}

struct Issued {
    access: String,
    refresh: String,
    ends: u64,
}

/// The service and the device have one clock.
async fn handle(State(backend): State<Backend>, request: Request) -> Response {
    let mut answer = answer(&backend, request).await;
    let now = UNIX_EPOCH + Duration::from_secs(backend.seconds());
    let now = fmt_http_date(now).parse().expect("a date");
    answer.headers_mut().insert(header::DATE, now);
    answer
}

async fn answer(backend: &Backend, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let bearer = text(request.headers(), "authorization");
    let body = to_bytes(request.into_body(), 65536).await.expect("a body");
    let now = backend.seconds();
    let mut books = backend.books();
    match path.as_str() {
        "/.well-known/openid-configuration" => metadata(&backend.url),
        "/api/auth/login" => camel(&books.sign_in(now), true),
        "/auth/login" => snake(&books.sign_in(now), true),
        "/api/auth/refresh" | "/auth/refresh" | "/oauth/token" => {
            if let Some(status) = books.outage {
                return StatusCode::from_u16(status)
                    .expect("a status")
                    .into_response();
            }
            let token = presented(&path, &body);
            let issued = books.refresh(&token, now);
            match (issued, path.as_str()) {
                (Some(issued), "/api/auth/refresh") => camel(&issued, books.rotates),
                (Some(issued), _) => snake(&issued, books.rotates),
                (None, "/oauth/token") => refusal(StatusCode::BAD_REQUEST),
                (None, _) => refusal(StatusCode::UNAUTHORIZED),
            }
        }
        _ => books.judge(bearer, now),
    }
}

/// The OAuth endpoint takes a form, the routes take JSON.
fn presented(path: &str, body: &[u8]) -> String {
    if path == "/oauth/token" {
        let mut fields = form_urlencoded::parse(body);
        let found = fields.find(|(name, _)| name == "refresh_token");
        return found.map_or_else(String::new, |(_, value)| value.into_owned());
    }
    let fields: Value = serde_json::from_slice(body).expect("JSON");
    let found = fields.get("refreshToken").or(fields.get("refresh_token"));
    found.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn camel(issued: &Issued, rotated: bool) -> Response {
    let mut fields = json!({
        "accessToken": issued.access,
        "accessExpiresAt": issued.ends * 1000,
    });
    if rotated {
        fields["refreshToken"] = issued.refresh.clone().into();
    }
    answered(&fields)
}

fn snake(issued: &Issued, rotated: bool) -> Response {
    let mut fields = json!({ "access_token": issued.access, "expires_in": ACCESS_LIFE });
    if rotated {
        fields["refresh_token"] = issued.refresh.clone().into();
    }
    answered(&fields)
}

fn refusal(status: StatusCode) -> Response {
    (status, r#"{"error":"invalid_grant"}"#).into_response()
}

fn metadata(url: &str) -> Response {
    answered(&json!({ "issuer": url, "token_endpoint": format!("{url}/oauth/token") }))
}

fn answered(fields: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        fields.to_string(),
    )
        .into_response()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().expect("text").to_owned())
}

/// Calls the API and returns its status.
pub(crate) async fn call(session: &Session, url: &str) -> u16 {
    let request = http::Request::get(format!("{url}/api/feed")).body(bytes::Bytes::new());
    let answer = session.call(request.expect("a request")).await;
    answer.expect("an answer").status().as_u16()
}

/// What a vault in a file holds.
pub(crate) fn kept(vault: &FileVault) -> Record {
    match vault.load().expect("readable") {
        Found::Record(record) => *record,
        other => panic!("no record but {other:?}"),
    }
}

/// The refresh token in a vault in a file.
pub(crate) fn kept_token(vault: &FileVault) -> Secret {
    kept(vault).tokens.expect("signed in").refresh_token
}
