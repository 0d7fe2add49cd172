//! TLS to the server.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tenure_lab::redis::{Engine, Redis as Server};
use tenure_store::Store as _;
use tenure_store::conformance::session;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Side, is_here, options};

/// Takes TLS off in front of a server; answers its port and its certificate, which is its own
/// authority.
async fn encrypted(server: &Server) -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (acceptor, behind) = (TlsAcceptor::from(Arc::new(config)), server.address());
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(&behind).await.unwrap();
            let accepting = acceptor.accept(client);
            tokio::spawn(async move {
                if let Ok(mut client) = accepting.await {
                    // Ends with either of them.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    (port, certificate.pem())
}

#[tokio::test]
async fn a_certificate_is_checked_against_the_authority_in_the_url() {
    let Some(engine) = is_here(Engine::Redis7) else {
        return;
    };
    let server = Server::shared(engine).unwrap();
    let (port, own) = encrypted(&server).await;
    let (_, strange) = encrypted(&server).await;
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, pem: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).unwrap();
        format!("?sslrootcert={}", path.display())
    };
    let (own, strange) = (write("own.pem", &own), write("strange.pem", &strange));
    let side = Side::new();
    let password = server.password();
    for (scheme, trusted, opens) in [
        ("rediss", own.as_str(), true),
        ("rediss", &strange, false),
        ("rediss", "", false),
        ("redis", "", false),
    ] {
        let url = format!("{scheme}://:{password}@127.0.0.1:{port}/{trusted}");
        let opened = side.open(&options(&url)).await;
        assert_eq!(opened.is_ok(), opens, "{scheme} {trusted} {opened:?}");
        match opened {
            Ok(store) => store.create(&session(1)).await.unwrap(),
            Err(refused) => assert!(!refused.to_string().contains(password)),
        }
    }
}
