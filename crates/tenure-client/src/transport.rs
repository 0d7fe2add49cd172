//! HTTP, as little of it as a session needs.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::Certificate;
use reqwest::redirect::Policy;
use tenure_core::outcome::Trouble;

use crate::config::loopback;
use crate::{Error, failpoint};

/// Sends one request and returns its answer, whole. Follows no redirect: a token must not travel
/// to where nobody sent it.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// An answer whose body is longer than `most` bytes is [`Trouble::Unintelligible`].
    async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, Trouble>;
}

/// Over TCP and TLS, with `reqwest`.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    direct: reqwest::Client,
    outward: reqwest::Client,
}

/// How long to wait, and whom to trust.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Longest time to connect (default 5 s).
    pub connect: Duration,
    /// Longest time for all of it, up to the last byte of the answer (default 15 s).
    pub whole: Duration,
    /// Certificate authorities in PEM that are trusted besides the platform's: for services with
    /// a certificate of their company.
    pub authorities: Vec<u8>,
    /// Whether to go through the proxy that the environment names (default), except to loopback.
    pub proxy: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(15),
            authorities: Vec::new(),
            proxy: true,
        }
    }
}

impl HttpTransport {
    /// With the [defaults](HttpOptions::default).
    pub fn new() -> Result<Self, Error> {
        Self::with(&HttpOptions::default())
    }

    /// The same, otherwise.
    pub fn with(options: &HttpOptions) -> Result<Self, Error> {
        let misconfigured = |error| Error::Misconfigured(format!("TLS: {error}"));
        let authorities =
            Certificate::from_pem_bundle(&options.authorities).map_err(misconfigured)?;
        let builder = || {
            reqwest::Client::builder()
                .redirect(Policy::none())
                .connect_timeout(options.connect)
                .timeout(options.whole)
                .tls_certs_merge(authorities.clone())
        };
        let direct = builder().no_proxy().build().map_err(misconfigured)?;
        let outward = if options.proxy {
            builder().build().map_err(misconfigured)?
        } else {
            direct.clone()
        };
        Ok(Self { direct, outward })
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
        failpoint::reached("after_send");
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
    match () {
        () if error.is_timeout() => Trouble::Timeout,
        () if error.is_dns() => Trouble::Dns,
        () if about_tls(error) => Trouble::Tls,
        () if error.is_connect() || error.is_builder() => Trouble::Connection,
        () => Trouble::Lost,
    }
}

/// rustls reports through an I/O error of one kind, which nothing else here does; it may lie in
/// another I/O error, which keeps it out of the chain of sources.
fn about_tls(error: &reqwest::Error) -> bool {
    std::iter::successors(error.source(), |&inner| inner.source())
        .filter_map(|inner| inner.downcast_ref::<io::Error>())
        .flat_map(|outer| {
            [
                Some(outer),
                outer.get_ref().and_then(|inner| inner.downcast_ref()),
            ]
        })
        .flatten()
        .any(|error: &io::Error| error.kind() == io::ErrorKind::InvalidData)
}
