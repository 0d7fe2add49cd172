//! Who gets a connection, and who keeps it: a bounded number at a time, and only those that ask for
//! something soon.

use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum_server::accept::Accept;
use axum_server::{AddrListener, Address};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tower::Service;

/// From the connection to the end of the first request's headers, TLS included. A connection that
/// has been of use may idle for longer: see `HEADER_TIMEOUT`.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// Files that the service needs for itself.
const OWN_FILES: u64 = 256;

/// A listener that takes no more connections than it has places; the others wait in the system's
/// queue, where nothing answers them anything.
#[derive(Debug)]
pub(super) struct Gate {
    listener: TcpListener,
    places: Arc<Semaphore>,
    is_full: AtomicBool,
}

impl Gate {
    pub(super) fn new(socket: std::net::TcpListener, connections: u32) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::from_std(socket)?,
            places: Arc::new(Semaphore::new(affordable(connections))),
            is_full: AtomicBool::new(false),
        })
    }

    async fn place(&self) -> io::Result<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            self.is_full.store(false, Ordering::Relaxed);
            return Ok(place);
        }
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                event = "connections_full",
                "new connections wait until one is closed; see limits.connections"
            );
        }
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(io::Error::other)
    }
}

/// As many of the connections as the process may have files for; its soft limit is raised as far as
/// that takes.
fn affordable(connections: u32) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = u64::from(connections) + OWN_FILES;
    let allowed = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    let mut files = allowed;
    if let Some(current) = current.filter(|current| *current < allowed) {
        let raised = Rlimit {
            current: Some(allowed),
            maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_err() {
            files = current;
        }
    }
    if files < wanted {
        tracing::warn!(
            event = "few_files",
            files,
            connections,
            "raise the limit of open files, or lower limits.connections"
        );
    }
    usize::try_from(files.saturating_sub(OWN_FILES).max(1)).unwrap_or(Semaphore::MAX_PERMITS)
}

/// The peer of a connection that came through the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(SocketAddr);

impl Connected<Peer> for SocketAddr {
    fn connect_info(peer: Peer) -> Self {
        peer.0
    }
}

impl Address for Peer {
    type Stream = Admitted;
    type Listener = Gate;
}

impl AddrListener<Admitted, Peer> for Gate {
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn accept_stream(&self) -> io::Result<(Admitted, Peer)> {
        let place = self.place().await?;
        let (stream, peer) = self.listener.accept().await?;
        let admitted = Admitted {
            stream,
            deadline: Some(Box::pin(sleep(FIRST_REQUEST))),
            asked: Arc::default(),
            _place: place,
        };
        Ok((admitted, Peer(peer)))
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Peer)
    }
}

/// A connection with a place. Without a whole request in time, reading from it fails.
#[derive(Debug)]
pub(super) struct Admitted {
    stream: TcpStream,
    deadline: Option<Pin<Box<Sleep>>>,
    asked: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Admitted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_ready() {
            return read;
        }
        if self.asked.load(Ordering::Relaxed) {
            self.deadline = None;
        }
        let late = |deadline: &mut Pin<Box<Sleep>>| deadline.as_mut().poll(cx).is_ready();
        if self.deadline.as_mut().is_some_and(late) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncWrite for Admitted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Sets `TCP_NODELAY`, and tells the connection when its first request is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acceptor;

impl<S> Accept<Admitted, S> for Acceptor {
    type Stream = Admitted;
    type Service = Noticed<S>;
    type Future = Ready<io::Result<(Admitted, Noticed<S>)>>;

    fn accept(&self, admitted: Admitted, service: S) -> Self::Future {
        let asked = Arc::clone(&admitted.asked);
        let outcome = admitted.stream.set_nodelay(true);
        ready(outcome.map(|()| (admitted, Noticed { service, asked })))
    }
}

/// The service of one connection.
#[derive(Clone, Debug)]
pub(super) struct Noticed<S> {
    service: S,
    asked: Arc<AtomicBool>,
}

impl<S: Service<R>, R> Service<R> for Noticed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.asked.store(true, Ordering::Relaxed);
        self.service.call(request)
    }
}
