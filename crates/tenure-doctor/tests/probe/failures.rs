//! What comes back when no answer does.

use std::sync::Arc;
use std::time::Duration;

use tenure_doctor::exchange::{Answer, Exchange, Failure};
use tenure_doctor::probe::{Options, Probe, Stop, Wire as _, request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{live, run, says, serve, subject};

async fn sent(url: &str, options: Options) -> Exchange {
    let request = request(Probe::Client, &subject(url), &[]).unwrap();
    live(options).send(Probe::Client, request).await
}

async fn failure(url: &str) -> Failure {
    sent(url, Options::default()).await.result.unwrap_err()
}

/// Nothing listens there any more.
async fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn each_kind_of_silence_has_its_name() {
    let mute = curt(b"").await;
    let binary = curt(b"\x16\x03\x01\x00\xff\x00\x01").await;
    let short = curt(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfive").await;
    assert_eq!(
        failure(&format!("http://{}/", closed().await)).await,
        Failure::Refused
    );
    assert_eq!(failure(&format!("http://{mute}/")).await, Failure::Reset);
    assert_eq!(failure(&format!("http://{short}/")).await, Failure::Reset);
    assert_eq!(failure("http://no-such-name.invalid/").await, Failure::Dns);
    assert!(matches!(
        failure(&format!("http://{binary}/")).await,
        Failure::Malformed(_)
    ));
    assert!(matches!(
        failure(&format!("https://{binary}/")).await,
        Failure::Tls(_)
    ));
    assert!(matches!(
        failure(&format!("https://{mute}/")).await,
        Failure::Tls(_)
    ));
}

#[tokio::test]
async fn an_endless_header_is_not_http() {
    let (address, _) = serve(|_| {
        let mut answer = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
        answer.resize(1 << 20, b'x');
        answer
    })
    .await;
    let failure = failure(&format!("http://{address}/")).await;
    assert!(matches!(failure, Failure::Malformed(_)), "{failure:?}");
}

/// Waits for the first bytes of a request, says `first`, and keeps the connection.
async fn hanging(first: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _count = stream.read(&mut request).await;
            stream.write_all(first).await.unwrap();
            held.push(stream);
        }
    });
    address.to_string()
}

/// The same, and hangs up.
async fn curt(only: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _count = stream.read(&mut request).await;
            let _gone = stream.write_all(only).await;
        }
    });
    address.to_string()
}

fn soon() -> Options {
    Options {
        timeout: Duration::from_millis(50),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_url_that_hangs_is_given_up_after_two_requests() {
    let url = format!("http://{}/", hanging(b"").await);
    let (_, exchanges, stop) = run(&subject(&url), soon()).await;
    assert_eq!(stop, Stop::NoAnswer(Failure::Timeout));
    assert_eq!(exchanges.len(), 2);
    assert!(exchanges[0].took_ms >= 50);
}

#[tokio::test]
async fn a_body_that_never_ends_is_an_answer_with_what_came() {
    let first = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let url = format!("http://{}/", hanging(first).await);
    let answer = sent(&url, soon()).await.result.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
}

#[tokio::test]
async fn of_a_huge_body_only_the_beginning_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let sending = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _count = stream.read(&mut request).await;
        let head = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 10000000000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let block = vec![b'x'; 1 << 16];
        // Until the doctor hangs up.
        while stream.write_all(&block).await.is_ok() {}
    });
    let answer = sent(&url, Options::default()).await.result.unwrap();
    sending.await.unwrap();
    assert_eq!(answer.body.len(), Answer::BODY);
    assert!((Answer::ENOUGH..Answer::ENOUGH * 2).contains(&answer.body_bytes));
}

#[tokio::test]
async fn without_a_network_one_request_is_enough_to_say_so() {
    let (_, exchanges, stop) =
        run(&subject("http://no-such-name.invalid/"), Options::default()).await;
    assert_eq!(stop, Stop::NoAnswer(Failure::Dns));
    assert_eq!(exchanges.len(), 1);
    assert!(stop.to_string().contains("has no address"));
}

#[tokio::test]
async fn a_closed_edge_is_gone_around() {
    let (behind, _) = serve(|_| says("200 OK", "", "")).await;
    let mut subject = subject(&format!("http://{}/", closed().await));
    subject.direct = Some(behind);
    let (watcher, exchanges, _) = run(&subject, Options::default()).await;
    assert_eq!(watcher.sent[..2], [Probe::Client, Probe::Direct]);
    assert_eq!(exchanges[1].result.as_ref().unwrap().status, 200);
}

#[tokio::test]
async fn a_certificate_is_trusted_only_when_given() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _gone = stream.write_all(&says("204 No Content", "", "")).await;
                let _gone = stream.shutdown().await;
            }
        }
    });
    let url = format!("https://localhost:{port}/");
    let untrusted = failure(&url).await;
    assert!(matches!(&untrusted, Failure::Tls(_)), "{untrusted:?}");
    let options = Options {
        ca: Some(made.cert.pem().into_bytes()),
        resolve: vec![("localhost".to_owned(), vec![([127, 0, 0, 1], port).into()])],
        ..Options::default()
    };
    assert_eq!(sent(&url, options).await.result.unwrap().status, 204);
}
