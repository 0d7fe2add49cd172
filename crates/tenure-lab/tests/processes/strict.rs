//! A token service that forgives nothing: a refresh token is dead once it was used, unless the same
//! idempotency key comes again; and it says nothing of retiring on use.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use url::form_urlencoded;

use crate::support::{Reply, serve};

/// Runs until the test's runtime ends. Clones are the same service.
#[derive(Clone, Debug)]
pub(crate) struct Strict {
    pub(crate) url: String,
    books: Arc<Mutex<Books>>,
    seen: Arc<watch::Sender<usize>>,
    open: Arc<watch::Sender<bool>>,
}

#[derive(Debug, Default)]
struct Books {
    refreshes: usize,
    used: HashSet<String>,
    successors: HashMap<(String, String), String>,
    issued: u32,
    theft: bool,
}

impl Strict {
    pub(crate) async fn start() -> Self {
        let (seen, open) = (watch::Sender::new(0), watch::Sender::new(true));
        let mut stub = Self {
            url: String::new(),
            books: Arc::default(),
            seen: Arc::new(seen),
            open: Arc::new(open),
        };
        let running = stub.clone();
        let answer = move |request| {
            let stub = running.clone();
            async move { stub.answer(request).await }
        };
        let (address, _until_the_runtime_ends) = serve("127.0.0.1:0", answer).await;
        stub.url = format!("http://{address}");
        stub
    }

    /// From now on refreshes are carried out, and their answers wait for [`Strict::release`].
    pub(crate) fn hold_answers(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.open.send_replace(true);
    }

    /// Waits until so many refreshes have arrived, ever.
    pub(crate) async fn seen(&self, count: usize) {
        let mut seen = self.seen.subscribe();
        seen.wait_for(|seen| *seen >= count).await.unwrap();
    }

    /// How many refreshes have arrived.
    pub(crate) fn refreshes(&self) -> usize {
        self.books().refreshes
    }

    /// Whether a used token came with another key.
    pub(crate) fn saw_theft(&self) -> bool {
        self.books().theft
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    async fn answer(&self, request: Request<Bytes>) -> Reply {
        match request.uri().path() {
            "/.well-known/openid-configuration" => {
                let host = request.headers()["host"].to_str().unwrap();
                let url = format!("http://{host}");
                let endpoint = |path| format!("{url}/{path}");
                let (token, revocation) = (endpoint("token"), endpoint("revoke"));
                let body = json!({ "issuer": url, "token_endpoint": token, "revocation_endpoint": revocation });
                reply(200, &body)
            }
            "/api/auth/login" => reply(200, &self.books().issue(None)),
            "/token" => self.refresh(&request).await,
            _ => reply(404, &json!({})),
        }
    }

    async fn refresh(&self, request: &Request<Bytes>) -> Reply {
        let (status, body) = {
            let mut books = self.books();
            books.refreshes += 1;
            books.refresh(request)
        };
        self.seen.send_modify(|seen| *seen += 1);
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.unwrap();
        reply(status, &body)
    }
}

impl Books {
    fn refresh(&mut self, request: &Request<Bytes>) -> (u16, Value) {
        let mut fields = form_urlencoded::parse(request.body());
        let token = fields.find(|(name, _)| name == "refresh_token").unwrap().1;
        let key = request.headers()["idempotency-key"].to_str().unwrap();
        let attempt = (token.clone().into_owned(), key.to_owned());
        if let Some(successor) = self.successors.get(&attempt).cloned() {
            return (200, self.issue(Some(successor)));
        }
        if !self.used.insert(token.into_owned()) {
            self.theft = true;
            return (400, json!({ "error": "invalid_grant" }));
        }
        let successor = format!("refresh-{}", self.issued + 1);
        self.successors.insert(attempt, successor.clone());
        (200, self.issue(Some(successor)))
    }

    fn issue(&mut self, refresh: Option<String>) -> Value {
        self.issued += 1;
        let issued = self.issued;
        let refresh = refresh.unwrap_or_else(|| format!("refresh-{issued}"));
        json!({
            "access_token": format!("access-{issued}"),
            "token_type": "Bearer",
            "expires_in": 60,
            "refresh_token": refresh,
        })
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    let json = hyper::header::HeaderValue::from_static("application/json");
    reply.headers_mut().insert("content-type", json);
    reply
}
