//! HTTP, as little of it as a session needs.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::redirect::Policy;
use tenure_core::outcome::Trouble;

use crate::Error;
use crate::config::loopback;

/// Sends one request and returns its answer, whole. Follows no redirect: a token must not travel
/// to where nobody sent it.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// An answer whose body is longer than `most` bytes is [`Trouble::Unintelligible`].
    async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, Trouble>;
}

/// Over TCP and TLS, with `reqwest`. A proxy from the environment is used, but not for loopback.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    direct: reqwest::Client,
    outward: reqwest::Client,
}

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);

impl HttpTransport {
    /// Five seconds to connect, fifteen for all.
    pub fn new() -> Result<Self, Error> {
        let builder = || {
            reqwest::Client::builder()
                .redirect(Policy::none())
                .connect_timeout(CONNECT)
                .timeout(WHOLE)
        };
        let built = |built: Result<_, reqwest::Error>| {
            built.map_err(|error| Error::Misconfigured(format!("TLS: {error}")))
        };
        Ok(Self {
            direct: built(builder().no_proxy().build())?,
            outward: built(builder().build())?,
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, Trouble> {
        let request = reqwest::Request::try_from(request).map_err(|error| trouble(&error))?;
        let client = if loopback(request.url()) {
            &self.direct
        } else {
            &self.outward
        };
        let mut answer = client
            .execute(request)
            .await
            .map_err(|error| trouble(&error))?;
        let mut whole = Response::new(Bytes::new());
        *whole.status_mut() = answer.status();
        *whole.headers_mut() = answer.headers().clone();
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| trouble(&error))? {
            if body.len() + chunk.len() > most {
                return Err(Trouble::Unintelligible);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(whole.map(|_| body.freeze()))
    }
}

fn trouble(error: &reqwest::Error) -> Trouble {
    let mut source = error.source();
    let mut tls = false;
    while let Some(inner) = source {
        // rustls reports through an I/O error of this kind.
        tls |= inner
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
        source = inner.source();
    }
    match () {
        () if error.is_timeout() => Trouble::Timeout,
        () if tls => Trouble::Tls,
        () => Trouble::Connection,
    }
}
