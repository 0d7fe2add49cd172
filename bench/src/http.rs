//! Just enough HTTP/1.1 (RFC 9112) for a load generator: one kept-alive connection, requests with a
//! body, answers with a length or in chunks. No TLS, no redirects, no pipelining.

use std::borrow::Cow;
use std::io;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_HEADERS: usize = 64;

/// Where requests go: the parts of an `http://` URL.
#[derive(Debug, Clone)]
pub struct Endpoint {
    host: String,
    address: String,
    port: u16,
    path: String,
}

impl Endpoint {
    /// Takes an absolute `http://` URL apart.
    pub fn parse(url: &str) -> Result<Self> {
        let uri: http::Uri = url.parse().with_context(|| format!("{url} is not a URL"))?;
        ensure!(
            uri.scheme_str() == Some("http"),
            "{url}: only http:// is spoken here"
        );
        let authority = uri
            .authority()
            .with_context(|| format!("{url} has no host"))?;
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            host: authority.to_string(),
            address: format!("{}:{port}", authority.host()),
            port,
            path: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Another path, query included, of the same server.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }
}

/// One keep-alive connection, opened at the first request and again after the server closed it.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    stream: Option<TcpStream>,
    request: Vec<u8>,
    received: Vec<u8>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer<'a> {
    /// HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: Cow<'a, [u8]>,
    keep_alive: bool,
}

impl Connection {
    /// A connection that is not open yet.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            stream: None,
            request: Vec::new(),
            received: Vec::new(),
        }
    }

    /// Sends one POST and reads the answer. `headers` are whole lines, each ended by CRLF.
    /// An I/O error closes the connection; nothing is ever sent twice.
    pub async fn post(&mut self, headers: &str, body: &str) -> io::Result<Answer<'_>> {
        self.exchange("POST", headers, body).await
    }

    /// Sends one GET and reads the answer; see [`post`](Self::post).
    pub async fn get(&mut self, headers: &str) -> io::Result<Answer<'_>> {
        self.exchange("GET", headers, "").await
    }

    async fn exchange(
        &mut self,
        method: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<Answer<'_>> {
        use io::Write as _;
        let Endpoint { host, path, .. } = &self.endpoint;
        self.request.clear();
        write!(
            self.request,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        // Taken out, so that a failure or a dropped future leaves no half-read connection behind.
        let mut stream = match self.stream.take() {
            Some(open) => open,
            None => self.connect().await?,
        };
        stream.write_all(&self.request).await?;
        self.received.clear();
        loop {
            if stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if parse(&self.received)?.is_some() {
                break;
            }
        }
        let answer = parse(&self.received)?.ok_or(io::ErrorKind::InvalidData)?;
        if answer.keep_alive {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.endpoint.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

// Parses from the start after each read: an answer nearly always comes in one piece.
fn parse(received: &[u8]) -> io::Result<Option<Answer<'_>>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(received).map_err(invalid)? else {
        return Ok(None);
    };
    let rest = received.get(length..).unwrap_or_default();
    let body = if has(head.headers, "transfer-encoding", "chunked") {
        unchunk(rest)?.map(Cow::Owned)
    } else {
        rest.get(..content_length(head.headers)?).map(Cow::Borrowed)
    };
    Ok(body.map(|body| Answer {
        status: head.code.unwrap_or_default(),
        body,
        keep_alive: !has(head.headers, "connection", "close"),
    }))
}

fn has(headers: &[httparse::Header<'_>], name: &str, value: &str) -> bool {
    headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case(name)
            && header
                .value
                .trim_ascii()
                .eq_ignore_ascii_case(value.as_bytes())
    })
}

fn content_length(headers: &[httparse::Header<'_>]) -> io::Result<usize> {
    let header = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let value = header
        .ok_or_else(|| invalid("an answer without a length"))?
        .value;
    std::str::from_utf8(value)
        .map_err(invalid)?
        .trim()
        .parse()
        .map_err(invalid)
}

fn unchunk(mut rest: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let size = httparse::parse_chunk_size(rest).map_err(|_| invalid("a bad chunk size"))?;
        let httparse::Status::Complete((start, length)) = size else {
            return Ok(None);
        };
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length));
        let end = end.ok_or_else(|| invalid("a chunk that is too long"))?;
        let (Some(chunk), Some(next)) = (rest.get(start..end), rest.get(end..)) else {
            return Ok(None);
        };
        let Some(next) = next.strip_prefix(b"\r\n") else {
            return if next.len() < 2 {
                Ok(None)
            } else {
                Err(invalid("trailer fields"))
            };
        };
        if chunk.is_empty() {
            return Ok(Some(body));
        }
        body.extend_from_slice(chunk);
        rest = next;
    }
}

fn invalid(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_at_its_last_byte_and_not_before() {
        let counted: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        let chunked: &[u8] =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
        for whole in [counted, chunked] {
            for cut in 0..whole.len() {
                assert!(
                    parse(&whole[..cut]).unwrap().is_none(),
                    "complete after {cut} bytes"
                );
            }
            let answer = parse(whole).unwrap().unwrap();
            assert_eq!((answer.status, &*answer.body), (200, &b"hello"[..]));
            assert!(answer.keep_alive);
        }
    }

    #[test]
    fn connection_close_is_heard() {
        let answer = b"HTTP/1.1 503 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        assert!(!parse(answer).unwrap().unwrap().keep_alive);
    }

    #[test]
    fn https_is_refused() {
        assert!(Endpoint::parse("https://localhost/token").is_err());
    }
}
