//! An authority that the client trusts, and certificates of every kind.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            issuer: Issuer::new(params, key),
            pem: certificate.pem(),
        }
    }

    /// For `host`, valid now.
    pub(crate) fn acceptor(&self, host: &str, protocols: &[&str]) -> TlsAcceptor {
        let (params, key) = named(host);
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        acceptor(&certificate, &key, protocols)
    }

    /// For `host`, but years ago.
    pub(crate) fn expired(&self, host: &str) -> TlsAcceptor {
        let (mut params, key) = named(host);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        acceptor(&certificate, &key, &[])
    }
}

/// For `host`, valid now, signed by itself.
pub(crate) fn self_signed(host: &str) -> TlsAcceptor {
    let (params, key) = named(host);
    let certificate = params.self_signed(&key).expect("signed");
    acceptor(&certificate, &key, &[])
}

fn named(host: &str) -> (CertificateParams, KeyPair) {
    let params = CertificateParams::new([host.to_owned()]).expect("a name");
    (params, KeyPair::generate().expect("a key"))
}

fn acceptor(certificate: &Certificate, key: &KeyPair, protocols: &[&str]) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a pair");
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    TlsAcceptor::from(Arc::new(config))
}
