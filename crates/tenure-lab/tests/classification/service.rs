//! A service that answers, or fails to, by script: one act for each connection.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::http2::{self, Turn};

/// What becomes of one connection.
pub(crate) enum Act {
    /// The request is read, this is sent, the connection is closed.
    Answer(Vec<u8>),
    /// A first request is answered with this; the next one is read, and the connection is reset.
    AnswerThenReset(Vec<u8>),
    /// Reset before anything was read.
    ResetBefore,
    /// The request is read, then the connection is reset.
    ResetAfter,
    /// The request is read, this is sent, and then nothing more.
    Hold(Vec<u8>),
    /// The request is read, this is sent, and this again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// As soon as anything has come, this is sent and the connection is closed.
    HangUp(Vec<u8>),
    /// Over TLS: HTTP/1.1.
    Tls(TlsAcceptor, Vec<u8>),
    /// Over TLS: HTTP/2, a turn for each request.
    Http2(TlsAcceptor, Vec<Turn>),
}

/// A request that arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Method and path; empty over HTTP/2, where they are compressed.
    pub(crate) line: String,
    /// `Authorization`.
    pub(crate) bearer: Option<String>,
    /// `Idempotency-Key`.
    pub(crate) key: Option<String>,
    pub(crate) body: String,
}

/// Runs until the test's runtime ends.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) port: u16,
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<watch::Sender<Vec<Seen>>>,
}

impl Service {
    pub(crate) async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let service = Self {
            port: listener.local_addr().expect("an address").port(),
            acts: Arc::new(Mutex::new(acts.into_iter().collect())),
            seen: Arc::default(),
        };
        let running = service.clone();
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                let act = running.acts.lock().expect("not poisoned").pop_front();
                let service = running.clone();
                tokio::spawn(async move {
                    if let Some(act) = act {
                        service.play(act, visitor).await;
                    }
                });
            }
        });
        service
    }

    /// What the next connections meet.
    pub(crate) fn then(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().expect("not poisoned").extend(acts);
    }

    /// Every request up to now, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    pub(crate) fn note(&self, seen: Seen) {
        self.seen.send_modify(|all| all.push(seen));
    }

    async fn play(&self, act: Act, mut visitor: TcpStream) {
        match act {
            Act::Answer(bytes) => self.answer(&mut visitor, &bytes).await,
            Act::AnswerThenReset(bytes) => {
                self.answer(&mut visitor, &bytes).await;
                self.read(&mut visitor).await;
                reset(visitor);
            }
            Act::ResetBefore => reset(visitor),
            Act::ResetAfter => {
                self.read(&mut visitor).await;
                reset(visitor);
            }
            Act::Hold(bytes) => {
                self.answer(&mut visitor, &bytes).await;
                pending::<()>().await;
            }
            Act::Endless(bytes, more) => {
                self.answer(&mut visitor, &bytes).await;
                while visitor.write_all(&more).await.is_ok() {}
            }
            Act::HangUp(bytes) => {
                drop(visitor.read(&mut [0; 4096]).await);
                drop(visitor.write_all(&bytes).await);
            }
            Act::Tls(acceptor, bytes) => {
                if let Ok(mut visitor) = acceptor.accept(visitor).await {
                    self.answer(&mut visitor, &bytes).await;
                    drop(visitor.shutdown().await);
                }
            }
            Act::Http2(acceptor, turns) => {
                if let Ok(visitor) = acceptor.accept(visitor).await {
                    http2::serve(self, visitor, turns).await;
                }
            }
        }
    }

    async fn answer(&self, visitor: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) {
        if self.read(visitor).await.is_some() {
            drop(visitor.write_all(bytes).await);
            drop(visitor.flush().await);
        }
    }

    async fn read(&self, visitor: &mut (impl AsyncRead + Unpin)) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(visitor.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let header = |name: &str| {
            let mut headers = head.lines().filter_map(|line| line.split_once(": "));
            let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned())
        };
        let length = header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        visitor.read_exact(&mut body).await.ok()?;
        self.note(Seen {
            line: head
                .lines()
                .next()?
                .trim_end_matches(" HTTP/1.1")
                .to_owned(),
            bearer: header("authorization"),
            key: header("idempotency-key"),
            body: String::from_utf8(body).ok()?,
        });
        Some(())
    }
}

pub(crate) fn reset(visitor: TcpStream) {
    visitor.set_zero_linger().expect("a socket option");
    drop(visitor);
}

/// An HTTP/1.1 answer after which the connection is closed.
pub(crate) fn answer(status: u16, headers: &[String], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} \r\nConnection: close\r\n");
    if !headers
        .iter()
        .any(|header| header.starts_with("Content-Type"))
    {
        text.push_str("Content-Type: application/json\r\n");
    }
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    // RFC 9110 section 8.6: these have no body.
    if !matches!(status, 204 | 304) {
        let length = format!("Content-Length: {}\r\n", body.len());
        text.push_str(&length);
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}
