use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio::sync::{Notify, oneshot};

use super::{Certificate, ListenError, Listener};
use crate::config::Tls;

fn loopback() -> Listener {
    Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

#[test]
fn a_port_in_use_is_named_with_the_fix() {
    let first = loopback();
    let error = Listener::bind(first.address()).unwrap_err();
    assert!(matches!(error, ListenError::InUse(address) if address == first.address()));
    assert!(
        error
            .to_string()
            .contains("choose another address with --listen")
    );
}

#[test]
fn a_foreign_address_is_named_with_the_fix() {
    let error = Listener::bind(SocketAddr::from(([192, 0, 2, 1], 0))).unwrap_err();
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
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.notify_one();

    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.text().await.unwrap(), "127.0.0.1");
    serving.await.unwrap().unwrap();
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
