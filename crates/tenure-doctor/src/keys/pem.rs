//! Public keys and certificates in PEM (RFC 7468), turned into JWKs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{Key, Usable, jwk};
use crate::redact;

/// Object identifiers of RFC 8410 and RFC 5480.
const ED25519: &str = "1.3.101.112";
const CURVES: [(&str, &str); 3] = [
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
];

/// Every block; one that is no public key is listed with the reason.
///
/// # Errors
/// There is no block, or a private key is among them.
pub(super) fn read(text: &str) -> Result<Vec<(Key, Usable)>, String> {
    // As it stands in an environment variable.
    let lines = text.replace("\\r", "").replace("\\n", "\n");
    let blocks: Vec<_> = Pem::iter_from_buffer(lines.as_bytes()).collect();
    let mut keys = Vec::new();
    for block in blocks {
        let block = block.map_err(|_| "a PEM block is damaged".to_owned())?;
        if block.label.contains("PRIVATE") {
            return Err("it holds a private key; a verifier needs the public one".to_owned());
        }
        keys.push(key(&block));
    }
    if keys.is_empty() {
        return Err("there is no PEM block in it".to_owned());
    }
    Ok(keys)
}

/// Certificates by key id, as some issuers publish them in place of a key set.
pub(super) fn by_id(object: &serde_json::Map<String, Value>) -> Vec<(Key, Usable)> {
    let certificate = |(kid, value): (&String, &Value)| {
        let (mut key, usable) = read(value.as_str()?).ok()?.into_iter().next()?;
        key.kid = Some(redact::id(kid));
        Some((key, usable))
    };
    object.iter().filter_map(certificate).collect()
}

fn key(block: &Pem) -> (Key, Usable) {
    let jwk = match block.label.as_str() {
        "CERTIFICATE" => X509Certificate::from_der(&block.contents)
            .ok()
            .and_then(|(_, certificate)| of_info(&certificate.tbs_certificate.subject_pki)),
        "PUBLIC KEY" => SubjectPublicKeyInfo::from_der(&block.contents)
            .ok()
            .and_then(|(_, info)| of_info(&info)),
        "RSA PUBLIC KEY" => RSAPublicKey::from_der(&block.contents)
            .ok()
            .map(|(_, key)| of_rsa(&key)),
        _ => None,
    };
    jwk.map_or_else(
        || {
            let problem = format!(
                "a PEM block `{}` that holds no known public key",
                redact::id(&block.label)
            );
            let key = Key {
                problem: Some(problem),
                ..Key::default()
            };
            (key, Usable::Not)
        },
        |jwk| jwk::one(&jwk),
    )
}

fn of_info(info: &SubjectPublicKeyInfo<'_>) -> Option<Value> {
    let algorithm = &info.algorithm;
    if algorithm.algorithm.to_id_string() == ED25519 {
        let x = URL_SAFE_NO_PAD.encode(&info.subject_public_key.data);
        return Some(json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
    }
    match info.parsed().ok()? {
        PublicKey::RSA(key) => Some(of_rsa(&key)),
        PublicKey::EC(point) => {
            let curve = algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
            let (_, name) = CURVES.iter().find(|(id, _)| *id == curve)?;
            // Uncompressed (SEC 1, section 2.3.3): a 4, then both coordinates.
            let (first, both) = point.data().split_first()?;
            let (x, y) = both.split_at_checked(both.len() / 2)?;
            let text = |bytes| URL_SAFE_NO_PAD.encode(bytes);
            (*first == 4).then(|| json!({"kty": "EC", "crv": name, "x": text(x), "y": text(y)}))
        }
        _ => None,
    }
}

fn of_rsa(key: &RSAPublicKey<'_>) -> Value {
    let number = |bytes: &[u8]| {
        let leading = bytes.iter().take_while(|byte| **byte == 0).count();
        URL_SAFE_NO_PAD.encode(bytes.get(leading..).unwrap_or_default())
    };
    json!({"kty": "RSA", "n": number(key.modulus), "e": number(key.exponent)})
}
