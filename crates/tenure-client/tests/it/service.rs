//! A token service that is as unforgiving as possible: a refresh token is dead once it was used,
//! unless the same idempotency key comes again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tenure_client::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use url::form_urlencoded;

/// Runs until the test's runtime ends.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) url: String,
    books: Arc<Mutex<Books>>,
    seen: Arc<watch::Sender<usize>>,
    gate: Arc<Semaphore>,
}

/// What the service remembers, and what the test wants of it.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Every refresh that arrived, in order.
    pub(crate) refreshes: Vec<Refresh>,
    /// Every token that was revoked.
    pub(crate) revoked: Vec<String>,
    /// `Authorization` of every request to `/api/thing`.
    pub(crate) calls: Vec<Option<String>>,
    /// Bodies of the same requests.
    pub(crate) bodies: Vec<String>,
    /// A used token came with another key: somebody would have been signed out.
    pub(crate) theft: bool,
    /// How the next refreshes, revocations and calls are answered; then normally.
    pub(crate) plans: VecDeque<Plan>,
    /// What the metadata say of rotation.
    pub(crate) retire_on_use: bool,
    /// The issuer that the metadata name, if not the right one.
    pub(crate) issuer: Option<String>,
    /// `expires_in` of every answer.
    pub(crate) lifetime: u64,
    used: HashSet<String>,
    successors: HashMap<(String, String), String>,
    issued: u32,
    challenge: Option<String>,
}

/// A refresh as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) token: String,
    pub(crate) key: String,
    pub(crate) claims: Option<String>,
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// It is carried out and its answer is lost.
    Lose,
    /// It is not carried out and gets this: status, a further header line, body.
    Instead(u16, &'static str, &'static str),
    /// It waits for [`Service::release`], then this.
    Hold(Box<Self>),
    /// It is carried out and answered.
    Obey,
}

struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: String,
}

type Answer = (u16, &'static str, String);

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let service = Self {
            url: format!("http://127.0.0.1:{port}"),
            books: Arc::new(Mutex::new(Books {
                retire_on_use: true,
                lifetime: 900,
                ..Books::default()
            })),
            seen: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        };
        let running = service.clone();
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                let service = running.clone();
                tokio::spawn(async move { service.serve(visitor).await });
            }
        });
        service
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("not poisoned")
    }

    pub(crate) fn plan(&self, plans: impl IntoIterator<Item = Plan>) {
        self.books().plans.extend(plans);
    }

    /// `Authorization` of every request to `/api/thing` so far, or `none`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let none = || "none".to_owned();
        let calls = self.books().calls.clone().into_iter();
        calls.map(|call| call.unwrap_or_else(none)).collect()
    }

    /// Lets one held request go on.
    pub(crate) fn release(&self) {
        self.gate.add_permits(1);
    }

    /// Waits until so many refreshes have arrived.
    pub(crate) async fn refreshes(&self, count: usize) -> Vec<Refresh> {
        let mut seen = self.seen.subscribe();
        seen.wait_for(|seen| *seen >= count).await.expect("runs");
        self.books().refreshes.clone()
    }

    async fn serve(&self, mut visitor: TcpStream) {
        let Some(request) = read(&mut visitor).await else {
            return;
        };
        let planned = ["/token", "/revoke", "/api/thing"].contains(&request.path.as_str());
        let mut plan = Plan::Obey;
        if planned {
            self.note(&request);
            plan = self.books().plans.pop_front().unwrap_or(Plan::Obey);
        }
        if let Plan::Hold(then) = plan {
            self.gate.acquire().await.expect("open").forget();
            plan = *then;
        }
        let (status, header, body) = match plan {
            Plan::Instead(status, header, body) => (status, header, body.to_owned()),
            Plan::Lose => {
                drop(self.obey(&request));
                return;
            }
            Plan::Obey | Plan::Hold(_) => self.obey(&request),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} X\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        // The client may have been killed meanwhile.
        let _written = visitor.write_all(answer.as_bytes()).await;
    }

    fn note(&self, request: &Request) {
        let mut books = self.books();
        match request.path.as_str() {
            "/token" if field(request, "grant_type") == "refresh_token" => {
                books.refreshes.push(Refresh {
                    token: field(request, "refresh_token"),
                    key: request
                        .headers
                        .get("idempotency-key")
                        .cloned()
                        .unwrap_or_default(),
                    claims: optional(request, "tenure_claims"),
                });
                self.seen.send_modify(|seen| *seen += 1);
            }
            "/api/thing" => {
                let authorization = request.headers.get("authorization").cloned();
                books.calls.push(authorization);
                books.bodies.push(request.body.clone());
            }
            _ => {}
        }
    }

    fn obey(&self, request: &Request) -> Answer {
        let mut books = self.books();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/.well-known/openid-configuration") => self.metadata(&books),
            ("GET", "/authorize") => books.authorize(request),
            ("POST", "/api/auth/login") => books.login(request),
            ("POST", "/token") => match field(request, "grant_type").as_str() {
                "authorization_code" => books.exchange(request),
                _ => books.refresh(request),
            },
            ("POST", "/revoke") => {
                books.revoked.push(field(request, "token"));
                (200, JSON, String::new())
            }
            (_, "/api/thing") => (200, "Content-Type: text/plain", "thing".into()),
            _ => (404, JSON, String::new()),
        }
    }

    fn metadata(&self, books: &Books) -> Answer {
        let (url, issuer) = (&self.url, books.issuer.as_ref().unwrap_or(&self.url));
        let rotation = if books.retire_on_use {
            r#","tenure_rotation":"retire_on_use""#
        } else {
            ""
        };
        let body = format!(
            r#"{{"issuer":"{issuer}","token_endpoint":"{url}/token",
            "authorization_endpoint":"{url}/authorize","revocation_endpoint":"{url}/revoke",
            "authorization_response_iss_parameter_supported":true{rotation}}}"#
        );
        (200, JSON, body)
    }
}

const JSON: &str = "Content-Type: application/json";

impl Books {
    fn issue(&mut self, refresh: Option<String>) -> Answer {
        self.issued += 1;
        let (turn, lifetime) = (self.issued, self.lifetime);
        let refresh = refresh.unwrap_or_else(|| format!("refresh-{turn}"));
        let body = format!(
            r#"{{"access_token":"access-{turn}","token_type":"Bearer","expires_in":{lifetime},
            "refresh_token":"{refresh}"}}"#
        );
        (200, JSON, body)
    }

    fn refresh(&mut self, request: &Request) -> Answer {
        let token = field(request, "refresh_token");
        let key = request.headers.get("idempotency-key").cloned();
        let attempt = (token.clone(), key.unwrap_or_default());
        if let Some(successor) = self.successors.get(&attempt).cloned() {
            return self.issue(Some(successor));
        }
        if !self.used.insert(token) {
            self.theft = true;
            let body = r#"{"error":"invalid_grant","tenure_reason":"theft_detected"}"#;
            return (400, JSON, body.into());
        }
        let successor = format!("refresh-{}", self.issued + 1);
        self.successors.insert(attempt, successor.clone());
        self.issue(Some(successor))
    }

    fn login(&mut self, request: &Request) -> Answer {
        let right = r#"{"email":"demo@example.com","password":"right","client_id":"app"}"#;
        if request.body == right {
            return self.issue(None);
        }
        let body = r#"{"error":"invalid_credentials","error_description":"wrong password"}"#;
        (401, JSON, body.into())
    }

    /// Plays the person who consents.
    fn authorize(&mut self, request: &Request) -> Answer {
        assert_eq!(field(request, "response_type"), "code");
        assert_eq!(field(request, "code_challenge_method"), "S256");
        assert_eq!(field(request, "client_id"), "app");
        self.challenge = optional(request, "code_challenge");
        (204, JSON, String::new())
    }

    fn exchange(&mut self, request: &Request) -> Answer {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;

        let verifier = field(request, "code_verifier");
        let hash = tenure_core::secret::sha256(verifier.as_bytes());
        let challenged = self.challenge.as_ref() == Some(&URL_SAFE_NO_PAD.encode(hash));
        if challenged && field(request, "code") == "the-code" {
            return self.issue(None);
        }
        (400, JSON, r#"{"error":"invalid_grant"}"#.into())
    }
}

/// The password that is right.
pub(crate) fn password() -> Secret {
    Secret::new("right")
}

fn field(request: &Request, name: &str) -> String {
    optional(request, name).unwrap_or_default()
}

fn optional(request: &Request, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.body.as_bytes());
    let pair = pairs.find(|(key, _)| key == name)?;
    Some(pair.1.into_owned())
}

/// A query is treated as a body: no route here has both.
async fn read(visitor: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(visitor.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length");
    let length = length.map_or(0, |length| length.parse().expect("a number"));
    let mut body = vec![0; length];
    visitor.read_exact(&mut body).await.ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = if query.is_empty() {
        String::from_utf8(body).ok()?
    } else {
        query.to_owned()
    };
    let path = path.to_owned();
    Some(Request {
        method,
        path,
        headers,
        body,
    })
}
