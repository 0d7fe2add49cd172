//! JSON Web Keys (RFC 7517), read one by one: an odd one does not spoil the others.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use tenure_core::secret::{Secret, sha256};

use super::{Key, Usable, short};
use crate::{Fingerprint, redact};

/// Algorithms that jsonwebtoken, and with it most verifiers, can check.
const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519",
    "HS256", "HS384", "HS512",
];

/// Bits of an RSA modulus below which verifiers refuse a key (RFC 7518, section 3.3).
const RSA_LEAST: usize = 2048;

/// Each key; two with one id are pointed out.
pub(super) fn all(values: &[Value]) -> Vec<(Key, Usable)> {
    let mut ids = HashSet::new();
    let mut keys: Vec<_> = values.iter().map(one).collect();
    for (key, _) in &mut keys {
        let again = key.kid.clone().is_some_and(|kid| !ids.insert(kid));
        if again && key.problem.is_none() {
            key.problem = Some("another key before it has the same kid".to_owned());
        }
    }
    keys
}

/// One key, and whether it can verify.
pub(super) fn one(value: &Value) -> (Key, Usable) {
    let shown = |name: &str| text(value, name).map(redact::id);
    let mut key = Key {
        kid: shown("kid"),
        kty: shown("kty").unwrap_or_default(),
        alg: shown("alg"),
        usage: shown("use"),
        thumbprint: thumbprint(value),
        problem: None,
    };
    let usable = match unfit(value).map_or_else(|| decoding(value), Err) {
        Ok(usable) => usable,
        Err(problem) => {
            key.problem = Some(problem);
            return (key, Usable::Not);
        }
    };
    key.problem = doubt(value);
    (key, usable)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

/// Padding is no matter here.
fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// Why the key says of itself that it does not verify.
fn unfit(value: &Value) -> Option<String> {
    if !value.is_object() {
        return Some("it is no JSON object".to_owned());
    }
    if text(value, "use").is_some_and(|usage| usage != "sig") {
        return Some("it is for encryption (`use`)".to_owned());
    }
    let operations = value.get("key_ops").and_then(Value::as_array);
    if operations.is_some_and(|list| !list.iter().any(|operation| operation == "verify")) {
        return Some("`key_ops` does not have `verify`".to_owned());
    }
    let alg = text(value, "alg").filter(|alg| !ALGORITHMS.contains(alg))?;
    Some(format!(
        "common verifiers do not know its algorithm `{}`",
        redact::id(alg)
    ))
}

fn decoding(value: &Value) -> Result<Usable, String> {
    let member = |name: &str| {
        let text = text(value, name).ok_or_else(|| format!("its member `{name}` is missing"))?;
        let wrong = || format!("its member `{name}` is not base64url");
        let bytes = base64url(text).ok_or_else(wrong)?;
        Ok::<_, String>((text.trim_end_matches('='), bytes))
    };
    let curve = text(value, "crv").unwrap_or_default();
    let key = match text(value, "kty") {
        Some("RSA") => DecodingKey::from_rsa_raw_components(&member("n")?.1, &member("e")?.1),
        Some("EC") if matches!(curve, "P-256" | "P-384") => {
            let bytes = if curve == "P-256" { 32 } else { 48 };
            if member("x")?.1.len() != bytes || member("y")?.1.len() != bytes {
                return Err("its point has not the length of its curve".to_owned());
            }
            DecodingKey::from_ec_components(member("x")?.0, member("y")?.0)
                .map_err(|_| "its point is no point".to_owned())?
        }
        Some("OKP") if curve == "Ed25519" => {
            let point = member("x")?.1;
            if point.len() != 32 {
                return Err("its point has not the length of its curve".to_owned());
            }
            DecodingKey::from_ed_der(&point)
        }
        Some("oct") => {
            let (text, bytes) = member("k")?;
            // The form `base64url` is tried among others when it verifies.
            let secret = String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned());
            return Ok(Usable::Secret(Secret::new(secret)));
        }
        Some("EC" | "OKP") => {
            return Err(format!(
                "common verifiers do not know its curve `{}`",
                redact::id(curve)
            ));
        }
        Some(other) => return Err(format!("its type `{}` is unknown", redact::id(other))),
        None => return Err("its type `kty` is missing".to_owned()),
    };
    Ok(Usable::Public(Box::new(key)))
}

/// What is wrong with a key that verifies all the same.
fn doubt(value: &Value) -> Option<String> {
    let private = ["d", "p", "q"]
        .iter()
        .any(|name| value.get(*name).is_some());
    let bytes = |name: &str| base64url(text(value, name)?);
    let modulus = bytes("n").map(|n| n.iter().skip_while(|byte| **byte == 0).count() * 8);
    match modulus {
        _ if private => Some("it is published with its private part".to_owned()),
        Some(bits) if bits < RSA_LEAST => {
            Some(format!("{bits} bits; verifiers ask for {RSA_LEAST}"))
        }
        _ => short(&String::from_utf8_lossy(&bytes("k")?)),
    }
}

/// RFC 7638; of a secret its fingerprint.
fn thumbprint(value: &Value) -> String {
    let member = |name: &str| value.get(name).cloned().unwrap_or_default();
    let canonical = match text(value, "kty") {
        Some("RSA") => json!({"e": member("e"), "kty": "RSA", "n": member("n")}),
        Some("EC") => {
            json!({"crv": member("crv"), "kty": "EC", "x": member("x"), "y": member("y")})
        }
        Some("OKP") => json!({"crv": member("crv"), "kty": "OKP", "x": member("x")}),
        _ => {
            let secret = member("k");
            return Fingerprint::of(secret.as_str().unwrap_or_default()).to_string();
        }
    };
    URL_SAFE_NO_PAD.encode(sha256(canonical.to_string().as_bytes()))
}
