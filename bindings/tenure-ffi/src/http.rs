//! An HTTP client that the program brings.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use tenure_client::Trouble;
use uniffi::UnexpectedUniFFICallbackError;

/// Sends one request and returns its answer, whole. It must follow no redirect: a token must not
/// travel to where nobody sent it.
///
/// Calls come from threads where blocking is allowed. They block rather than await, so that no
/// event loop that ends takes an answer with it that the service has given already.
#[uniffi::export(foreign)]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Any status is an answer; only what prevented one is an error.
    fn send(&self, request: Arc<HttpRequest>) -> Result<Arc<HttpResponse>, TransportError>;
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The service's name has no address now.
    #[error("name not found")]
    Dns,
    /// No connection: refused, unreachable, or closed before anything was sent.
    #[error("no connection")]
    Connection,
    /// The connection broke before the answer was complete; also where the program's own HTTP client
    /// failed in a way that it does not name.
    #[error("connection lost before the answer was complete")]
    Lost,
    /// TLS could not be agreed on.
    #[error("TLS failed")]
    Tls,
}

impl From<UnexpectedUniFFICallbackError> for TransportError {
    fn from(_: UnexpectedUniFFICallbackError) -> Self {
        Self::Lost
    }
}

impl From<TransportError> for Trouble {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Timeout => Self::Timeout,
            TransportError::Dns => Self::Dns,
            TransportError::Connection => Self::Connection,
            TransportError::Lost => Self::Lost,
            TransportError::Tls => Self::Tls,
        }
    }
}

/// One header.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Header {
    /// Its name, in any case.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A request to send. It carries secrets, so it is an object whose text shows none of them.
#[derive(uniffi::Object)]
pub struct HttpRequest(Request<Bytes>);

#[uniffi::export]
impl HttpRequest {
    /// `GET`, `POST`.
    pub fn method(&self) -> String {
        self.0.method().to_string()
    }

    /// Where to.
    pub fn url(&self) -> String {
        self.0.uri().to_string()
    }

    /// The headers; `Content-Type` is among them.
    pub fn headers(&self) -> Vec<Header> {
        let text = |(name, value): (&HeaderName, &HeaderValue)| Header {
            name: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        self.0.headers().iter().map(text).collect()
    }

    /// The body; empty where there is none.
    pub fn body(&self) -> Vec<u8> {
        self.0.body().to_vec()
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.method(), self.0.uri())
    }
}

/// An answer. It carries secrets, so it is an object whose text shows none of them.
#[derive(uniffi::Object)]
pub struct HttpResponse(Response<Bytes>);

#[uniffi::export]
impl HttpResponse {
    /// From a status, such as 200, all headers and the whole body. A status that is not HTTP's, and
    /// headers that are not, are no answer: `Lost`.
    #[uniffi::constructor]
    pub fn new(status: u16, headers: Vec<Header>, body: Vec<u8>) -> Result<Self, TransportError> {
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(status).map_err(|_| TransportError::Lost)?;
        for Header { name, value } in headers {
            let name = HeaderName::try_from(name).map_err(|_| TransportError::Lost)?;
            let value = HeaderValue::try_from(value).map_err(|_| TransportError::Lost)?;
            response.headers_mut().append(name, value);
        }
        Ok(Self(response))
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.status())
    }
}

#[derive(Debug)]
pub(crate) struct ForeignTransport(Arc<dyn Transport>);

impl ForeignTransport {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}

#[async_trait]
impl tenure_client::Transport for ForeignTransport {
    async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, Trouble> {
        let transport = Arc::clone(&self.0);
        let request = Arc::new(HttpRequest(request));
        let sent = tokio::task::spawn_blocking(move || transport.send(request));
        // An error here is a panic of the other language's glue.
        let answer = sent.await.map_err(|_| Trouble::Lost)??;
        if answer.0.body().len() > most {
            return Err(Trouble::Unintelligible);
        }
        Ok(answer.0.clone())
    }
}
