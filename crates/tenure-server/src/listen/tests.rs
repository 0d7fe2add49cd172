use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};

use super::{Certificate, ListenError, Listener};
use crate::config::Tls;

fn loopback() -> Listener {
    bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

fn bind(address: SocketAddr) -> Result<Listener, ListenError> {
    Listener::bind(address, 100)
}

#[test]
fn a_port_in_use_is_named_with_the_fix() {
    let first = loopback();
    let error = bind(first.address()).unwrap_err();
    assert!(matches!(error, ListenError::InUse(address) if address == first.address()));
    assert!(
        error
            .to_string()
            .contains("choose another address with --listen")
    );
}

#[test]
fn a_foreign_address_is_named_with_the_fix() {
    let error = bind(SocketAddr::from(([192, 0, 2, 1], 0))).unwrap_err();
    assert!(matches!(error, ListenError::Address { .. }));
    assert!(error.to_string().contains("192.0.2.1:0"), "{error}");
}

#[tokio::test]
async fn a_stop_waits_for_the_answer_and_takes_no_new_connection() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (entered, release) = (entered.clone(), release.clone());
        move |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move {
            entered.notify_one();
            release.notified().await;
            peer.ip().to_string()
        }
    };
    let listener = loopback();
    let address = listener.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = Router::new().route("/slow", get(handler));
    let serving = tokio::spawn(listener.serve(router, None, async { drop(stopped.await) }));
    let request = tokio::spawn(reqwest::get(format!("http://{address}/slow")));

    entered.notified().await;
    stop.send(()).unwrap();
    // The socket closes when the stop is noticed; until then the queue still takes connections.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.notify_one();

    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.text().await.unwrap(), "127.0.0.1");
    serving.await.unwrap().unwrap();
}

const WHOLE: &[u8] = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";

/// A service in this process; the most connections it takes.
fn serving(connections: u32) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), connections).unwrap();
    let address = listener.address();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let served = async move {
        let served = listener.serve(router, None, std::future::pending()).await;
        served.unwrap();
    };
    (address, tokio::spawn(served))
}

async fn answered(stream: &mut TcpStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed");
    }
}

#[tokio::test]
async fn a_connection_too_many_waits_until_another_is_closed() {
    let (address, serving) = serving(2);
    let mut first = TcpStream::connect(address).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    for stream in [&mut first, &mut second] {
        stream.write_all(WHOLE).await.unwrap();
        answered(stream).await;
    }
    let mut waiting = TcpStream::connect(address).await.unwrap();
    waiting.write_all(WHOLE).await.unwrap();
    // Whoever has a place is served meanwhile; long enough for the third, if it had been let in.
    for _ in 0..50 {
        first.write_all(WHOLE).await.unwrap();
        answered(&mut first).await;
    }
    let nothing = waiting.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);

    drop(second);
    answered(&mut waiting).await;
    serving.abort();
}

/// How long the service leaves the connection open after it was sent this.
async fn patience(sent: &[u8]) -> Duration {
    let (address, serving) = serving(10);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut helper = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    if sent == WHOLE {
        answered(&mut stream).await;
    }
    // An answer to the later connection shows that the earlier one has been accepted.
    helper.write_all(WHOLE).await.unwrap();
    answered(&mut helper).await;
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let mut rest = Vec::new();
    let closed = stream.read_to_end(&mut rest);
    tokio::time::timeout(Duration::from_hours(1), closed)
        .await
        .expect("it is closed some time")
        .ok();
    serving.abort();
    start.elapsed()
}

#[tokio::test]
async fn who_asks_for_nothing_is_closed_soon_and_who_has_asked_may_idle() {
    let soon = Duration::from_secs(5)..Duration::from_secs(12);
    for sent in [b"".as_slice(), b"GET / HTTP/1.1\r\nHo", b"PRI * HTTP/2.0"] {
        let patience = patience(sent).await;
        assert!(soon.contains(&patience), "{sent:?}: {patience:?}");
        tokio::time::resume();
    }
    let idle = patience(WHOLE).await;
    assert!(idle > Duration::from_secs(95), "{idle:?}");
}

struct Files {
    _directory: TempDir,
    tls: Tls,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let certificate = directory.path().join("chain.pem");
        let key = directory.path().join("key.pem");
        Self {
            _directory: directory,
            tls: Tls { certificate, key },
        }
    }

    /// Writes a new self-signed certificate; answers it for the client to trust.
    fn renew(&self) -> reqwest::Certificate {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&self.tls.certificate, cert.pem()).unwrap();
        std::fs::write(&self.tls.key, signing_key.serialize_pem()).unwrap();
        reqwest::Certificate::from_pem(cert.pem().as_bytes()).unwrap()
    }
}

async fn ask(
    address: SocketAddr,
    trusted: reqwest::Certificate,
) -> reqwest::Result<reqwest::Response> {
    let client = reqwest::Client::builder()
        .tls_certs_only([trusted])
        .resolve("localhost", address);
    client
        .build()?
        .get(format!("https://localhost:{}/", address.port()))
        .send()
        .await
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let files = Files::new();
    let old = files.renew();
    let certificate = Certificate::open(&files.tls).await.unwrap();
    let listener = loopback();
    let address = listener.address();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let serving = {
        let certificate = certificate.clone();
        tokio::spawn(async move {
            listener
                .serve(router, Some(&certificate), std::future::pending())
                .await
        })
    };
    let answer = ask(address, old.clone()).await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);

    std::fs::write(&files.tls.key, "no key").unwrap();
    assert!(certificate.reload().await.is_err());
    ask(address, old.clone()).await.unwrap();

    let new = files.renew();
    certificate.reload().await.unwrap();
    ask(address, old).await.unwrap_err();
    ask(address, new).await.unwrap();
    serving.abort();
}

#[tokio::test]
async fn a_bad_certificate_names_both_files() {
    let files = Files::new();
    files.renew();
    std::fs::write(&files.tls.certificate, "no certificate").unwrap();
    let error = Certificate::open(&files.tls).await.unwrap_err().to_string();
    assert!(
        error.contains("chain.pem with ") && error.contains("key.pem"),
        "{error}"
    );
}
