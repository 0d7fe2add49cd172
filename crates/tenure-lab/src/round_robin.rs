//! A load balancer: each connection goes to the next server, and past one that is down.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A running balancer, of connections and not of requests: the lab's clients use each for one
/// request. Dropping it closes its port and all its connections.
///
/// A server that dies with a request takes the answer with it, as with any balancer that does not
/// repeat what may have been carried out.
#[derive(Debug)]
pub struct RoundRobin {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl RoundRobin {
    /// Starts a balancer in front of `upstreams` on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(upstreams: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, upstreams));
        Ok(Self { address, accepting })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for RoundRobin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, mut upstreams: Vec<SocketAddr>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A failed accept (client gone already) concerns nobody else.
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                let next = 1.min(upstreams.len());
                upstreams.rotate_left(next);
                connections.spawn(pass(client, upstreams.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Where nobody is up the client's connection ends without an answer.
async fn pass(mut client: TcpStream, upstreams: Vec<SocketAddr>) {
    for upstream in upstreams {
        if let Ok(mut server) = TcpStream::connect(upstream).await {
            // An end is an end, whichever side it came from.
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
