//! A reverse proxy that loses, delays, doubles and cuts answers by script.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use tenure_lab::proxy::{Fault, FaultProxy};
//! let proxy = FaultProxy::start("127.0.0.1:8420".parse()?).await?;
//! proxy.next("/oauth2/token", Fault::SwallowAnswer, 5);
//! println!("point the client at {}", proxy.url());
//! # Ok(()) }
//! ```
//!
//! HTTP/1.1 in, HTTP/1.1 out, a new upstream connection for each request. The request line, the
//! headers (Host too) and the body pass unchanged. A request that has arrived whole is carried
//! out whole, even if its sender has gone in the meantime.

mod exchange;
mod fault;
mod handle;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use self::exchange::Answer;
pub use self::fault::{Fault, Hold, Replay};

use self::handle::Cut;

/// One request that came through, in the order the answers were ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The request's method.
    pub method: Method,
    /// The request's path without its query.
    pub path: String,
    /// The upstream's status; `None` if the upstream was not asked or did not answer.
    pub upstream_status: Option<u16>,
    /// The status given to the client; `None` if the connection was closed without an answer.
    pub status: Option<u16>,
}

/// A running proxy. Dropping it closes its port and all its connections.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    script: Mutex<Vec<Armed>>,
    log: Mutex<Vec<Exchange>>,
}

/// A fault and the requests that it waits for.
#[derive(Debug)]
struct Armed {
    method: Option<Method>,
    path: String,
    fault: Fault,
    remaining: usize,
}

impl FaultProxy {
    /// Starts a proxy in front of `upstream` on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(upstream: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            script: Mutex::default(),
            log: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            accepting,
        })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Applies `fault` to the next `times` requests for `path` (without query), by any method.
    /// Faults armed earlier for the same requests come first.
    pub fn next(&self, path: &str, fault: Fault, times: usize) {
        self.arm(None, path, fault, times);
    }

    /// [`next`](Self::next) for requests with one method only.
    pub fn next_with(&self, method: Method, path: &str, fault: Fault, times: usize) {
        self.arm(Some(method), path, fault, times);
    }

    /// How many armed faults still wait for their request: 0 when the script has been played.
    pub fn pending(&self) -> usize {
        self.shared
            .script
            .lock()
            .iter()
            .map(|armed| armed.remaining)
            .sum()
    }

    /// Drops all armed faults.
    pub fn disarm(&self) {
        self.shared.script.lock().clear();
    }

    /// The requests so far. One is listed before its client hears an answer or a close.
    pub fn log(&self) -> Vec<Exchange> {
        self.shared.log.lock().clone()
    }

    fn arm(&self, method: Option<Method>, path: &str, fault: Fault, remaining: usize) {
        let path = path.to_owned();
        self.shared.script.lock().push(Armed {
            method,
            path,
            fault,
            remaining,
        });
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// The fault for this request, used up by it.
    fn fault_for(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut script = self.script.lock();
        let armed = script.iter_mut().find(|armed| {
            armed.remaining > 0
                && armed.path == path
                && armed.method.as_ref().is_none_or(|only| only == method)
        })?;
        armed.remaining -= 1;
        Some(armed.fault.clone())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A failed accept (client gone already) concerns nobody else.
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    use std::os::fd::AsFd;
    // A second descriptor of the socket, to turn the close into a reset after hyper let go of it.
    let Ok(socket) = stream.as_fd().try_clone_to_owned() else {
        return;
    };
    let service = service_fn(|request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { handle::handle(shared, request).await }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served
        && let Some(Cut::Reset) = std::error::Error::source(&error).and_then(|e| e.downcast_ref())
    {
        // A client that has gone needs no reset.
        let _ = rustix::net::sockopt::set_socket_linger(&socket, Some(std::time::Duration::ZERO));
    }
}

/// A body that is there already.
type Whole = http_body_util::Full<Bytes>;
