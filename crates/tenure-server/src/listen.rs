//! How the service meets the network: one listener, with or without TLS, that drains when it stops.

mod gate;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use rustls::crypto::aws_lc_rs;

use self::gate::{Acceptor, Gate, Peer};
use crate::config::Tls;

/// Requests that are being answered when the service stops may take this much longer.
const DRAIN: Duration = Duration::from_secs(10);

/// Longer than clients keep an idle connection (90 s is a common default), so that the client closes
/// it and no request is lost to the race; short enough that trickled headers do not pile up. The
/// first request of a connection has less time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(100);

/// Why the service does not listen; the text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has the port.
    #[error("{0} is in use by another program; stop it, or choose another address with --listen")]
    InUse(SocketAddr),
    /// The address is not this machine's, or the port is not for this user.
    #[error("cannot listen on {address}: {cause}; choose another address with --listen")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(
        "cannot use {certificate} with {key}: {cause}; both must be PEM files that belong together"
    )]
    Certificate {
        /// The chain's file.
        certificate: String,
        /// The key's file.
        key: String,
        /// What is wrong with them.
        cause: io::Error,
    },
    /// The listener failed while it served.
    #[error("the listener failed: {0}")]
    Failed(#[from] io::Error),
}

/// A bound socket that does not accept yet; connections wait in its queue.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    connections: u32,
}

impl Listener {
    /// Binds; port 0 is any free one. So many connections are served at a time, and others wait.
    pub fn bind(address: SocketAddr, connections: u32) -> Result<Self, ListenError> {
        let bind = || {
            let socket = TcpListener::bind(address)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok(Self {
                socket,
                address,
                connections,
            })
        };
        bind().map_err(|cause: io::Error| match cause.kind() {
            ErrorKind::AddrInUse => ListenError::InUse(address),
            _ => ListenError::Address { address, cause },
        })
    }

    /// The address with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `stop` is ready, then takes no more connections and gives those that
    /// are being answered up to ten seconds.
    pub async fn serve(
        self,
        router: Router,
        certificate: Option<&Certificate>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ListenError> {
        let handle = Handle::new();
        let draining = handle.clone();
        let stopper = tokio::spawn(async move {
            stop.await;
            draining.graceful_shutdown(Some(DRAIN));
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = server(Gate::new(self.socket, self.connections)?).handle(handle);
        let outcome = match certificate {
            None => server.serve(service).await,
            Some(certificate) => {
                let config = certificate.config.clone();
                let tls = |plain| RustlsAcceptor::new(config).acceptor(plain);
                server.map(tls).serve(service).await
            }
        };
        stopper.abort();
        Ok(outcome?)
    }
}

fn server(gate: Gate) -> Server<Peer, Acceptor> {
    let mut server = Server::from_listener(gate).acceptor(Acceptor);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    server
}

/// Certificate and key, which can be replaced while they are used.
#[derive(Clone, Debug)]
pub struct Certificate {
    files: Tls,
    config: RustlsConfig,
}

impl Certificate {
    /// Reads both files.
    pub async fn open(files: &Tls) -> Result<Self, ListenError> {
        // The one other provider is the same one, installed by an earlier call.
        drop(aws_lc_rs::default_provider().install_default());
        let config = RustlsConfig::from_pem_file(&files.certificate, &files.key).await;
        let config = config.map_err(|cause| unusable(files, cause))?;
        Ok(Self {
            files: files.clone(),
            config,
        })
    }

    /// Reads both files again; new connections get the new certificate. `Err` leaves the old one.
    pub async fn reload(&self) -> Result<(), ListenError> {
        let Tls { certificate, key } = &self.files;
        let reloaded = self.config.reload_from_pem_file(certificate, key).await;
        reloaded.map_err(|cause| unusable(&self.files, cause))
    }
}

fn unusable(files: &Tls, cause: io::Error) -> ListenError {
    ListenError::Certificate {
        certificate: files.certificate.display().to_string(),
        key: files.key.display().to_string(),
        cause,
    }
}
