//! A whole request, and the whole answer it gets from the upstream.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Whole;

/// A request that can be sent any number of times. Debug shows neither headers nor body.
#[derive(Clone)]
pub(super) struct Recorded {
    upstream: SocketAddr,
    parts: Parts,
    body: Bytes,
}

/// An answer of the upstream. Debug shows only its status.
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
}

impl Recorded {
    /// Waits for the request's last byte.
    pub(super) async fn read(
        request: Request<Incoming>,
        upstream: SocketAddr,
    ) -> hyper::Result<Self> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            upstream,
            parts,
            body: body.collect().await?.to_bytes(),
        })
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Sends it over a connection of its own and waits for the answer's last byte.
    pub(super) async fn forward(&self) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(self.upstream).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::from_parts(self.parts.clone(), Whole::new(self.body.clone()));
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.parts.uri.path();
        f.debug_struct("Recorded")
            .field("path", &path)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
