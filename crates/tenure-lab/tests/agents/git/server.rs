//! `git http-backend` behind a server that wants an access token of the service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;
use tenure_lab::actor::OAuthClient;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::{Reply, serve};

/// How the token has to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Basic,
    Bearer,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct GitServer {
    address: SocketAddr,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    root: PathBuf,
    api: OAuthClient,
    scheme: Scheme,
    refused: Mutex<Vec<String>>,
    /// Tokens that came, each once, in order.
    tokens: Mutex<Vec<String>>,
}

impl GitServer {
    /// Serves the repositories in `root`; asks the service about each token.
    pub(crate) async fn start(root: PathBuf, api: OAuthClient, scheme: Scheme) -> Self {
        let gate = Arc::new(Gate {
            root,
            api,
            scheme,
            refused: Mutex::default(),
            tokens: Mutex::default(),
        });
        let answering = Arc::clone(&gate);
        let (address, _serving) = serve("127.0.0.1:0", move |request| {
            let gate = Arc::clone(&answering);
            async move { gate.answer(request).await }
        })
        .await;
        Self { address, gate }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it does not take this token, whatever the service says.
    pub(crate) fn refuse(&self, token: &str) {
        self.gate.refused.lock().push(token.to_owned());
    }

    /// The tokens that came, each once, in order.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.gate.tokens.lock().clone()
    }
}

impl Gate {
    async fn answer(&self, request: Request<Bytes>) -> Reply {
        let sent = request.headers().get(AUTHORIZATION);
        let token = sent.and_then(|sent| self.token(sent.to_str().unwrap()));
        if let Some(token) = token
            && self.takes(&token).await
        {
            return backend(&self.root, request).await;
        }
        let challenge = match self.scheme {
            Scheme::Basic => "Basic realm=\"git\"",
            Scheme::Bearer => "Bearer realm=\"git\"",
        };
        Response::builder()
            .status(StatusCode::UNAUTHORIZED)
            .header(WWW_AUTHENTICATE, challenge)
            .body(Full::default())
            .unwrap()
    }

    fn token(&self, authorization: &str) -> Option<String> {
        match self.scheme {
            Scheme::Bearer => authorization.strip_prefix("Bearer ").map(str::to_owned),
            Scheme::Basic => {
                let pair = STANDARD
                    .decode(authorization.strip_prefix("Basic ")?)
                    .unwrap();
                let pair = String::from_utf8(pair).unwrap();
                Some(pair.split_once(':')?.1.to_owned())
            }
        }
    }

    async fn takes(&self, token: &str) -> bool {
        {
            let mut tokens = self.tokens.lock();
            if !tokens.iter().any(|known| known == token) {
                tokens.push(token.to_owned());
            }
        }
        let described = self.api.introspect(token).await.unwrap();
        let active = described.get("active").and_then(Value::as_bool);
        active == Some(true) && !self.refused.lock().iter().any(|refused| refused == token)
    }
}

/// One request through CGI (RFC 3875).
async fn backend(root: &PathBuf, request: Request<Bytes>) -> Reply {
    let header = |name| {
        let value = request.headers().get(name);
        value
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    };
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "demo")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", request.uri().path())
        .env("QUERY_STRING", request.uri().query().unwrap_or_default())
        .env("CONTENT_TYPE", header(CONTENT_TYPE.as_str()))
        .env("CONTENT_LENGTH", request.body().len().to_string())
        .env("HTTP_CONTENT_ENCODING", header(CONTENT_ENCODING.as_str()))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(request.body()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap().stdout;
    let split = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = std::str::from_utf8(&output[..split]).unwrap();
    let mut answer = Response::builder();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        answer = match name {
            "Status" => answer.status(&value[..3]),
            _ => answer.header(name, value),
        };
    }
    answer
        .body(Full::from(output[split + 4..].to_vec()))
        .unwrap()
}
