//! TLS to the database.

use rcgen::{CertificateParams, KeyPair};
use tenure_core::secret::Secret;
use tenure_lab::postgres::{self, Options, Postgres as Server};
use tenure_store::{Postgres, PostgresOptions, Store as _};

/// A certificate for 127.0.0.1 that is its own authority, and its key.
fn certificate() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn encrypted(certificate: &str, key: &str) -> Server {
    let files = vec![
        ("server.crt".to_owned(), certificate.to_owned()),
        ("server.key".to_owned(), key.to_owned()),
    ];
    Server::start(&Options {
        files,
        ..Options::default().with("ssl", "on")
    })
    .unwrap()
}

#[tokio::test]
async fn a_connection_is_as_protected_as_the_url_says() {
    if !postgres::installed().unwrap() {
        return;
    }
    let (own, key) = certificate();
    let server = encrypted(&own, &key);
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, pem: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (root, stranger) = (
        write("root.pem", &own),
        write("other.pem", &certificate().0),
    );
    let url = server.url(&server.fresh_database().await.unwrap());
    let open = |query: String| {
        let options = PostgresOptions::new(Secret::new(format!("{url}?{query}")));
        async move { Postgres::open(&options).await }
    };
    for (query, is_encrypted) in [
        ("sslmode=disable".to_owned(), "f"),
        ("sslmode=prefer".to_owned(), "t"),
        ("sslmode=require".to_owned(), "t"),
        (format!("sslmode=verify-full&sslrootcert={root}"), "t"),
    ] {
        let store = open(query.clone()).await.unwrap();
        store.check().await.unwrap();
        let tls = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
            WHERE application_name = 'tenure'";
        assert_eq!(
            server.value("postgres", tls).await.unwrap(),
            is_encrypted,
            "{query}"
        );
        let gone = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
            WHERE application_name = 'tenure'";
        drop(store);
        server.value("postgres", gone).await.unwrap();
    }
    for query in [
        format!("sslmode=verify-full&sslrootcert={stranger}"),
        "sslmode=verify-full".to_owned(),
    ] {
        let line = open(query).await.unwrap_err().to_string();
        assert!(line.contains("sslrootcert"), "{line}");
        assert!(!line.contains(server.password()), "{line}");
    }
}
