//! A service that answers each request as the test says.

use std::fmt;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What arrived.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    headers: HeaderMap,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What stands behind the scheme, which may be written in any case (RFC 9110, section 11.1).
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }
}

/// An answer of JSON.
pub(crate) fn say(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut answer = Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", "application/json");
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(Body::from(body.to_owned())).unwrap()
}

/// An answer that leads elsewhere.
pub(crate) fn lead(to: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let all: Vec<_> = headers.iter().copied().chain([("location", to)]).collect();
    say(302, &all, "")
}

/// The running service; it ends with this value.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Api {
    /// Starts it on a free loopback port.
    pub(crate) async fn start(
        answer: impl Fn(&Asked) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, answer)
    }

    /// Starts it where the test has to know the address before.
    pub(crate) fn on(
        listener: TcpListener,
        answer: impl Fn(&Asked) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let handler = move |request: Request| {
            let (parts, _body) = request.into_parts();
            let asked = Asked {
                method: parts.method,
                uri: parts.uri,
                headers: parts.headers,
            };
            let answer = answer(&asked);
            async move { answer }
        };
        let router = Router::new().fallback(handler);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, task }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.address)
    }
}
