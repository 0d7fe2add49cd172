//! Whoever issues tokens, and the check of a service that knows the same key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};

/// A key with which tokens are signed.
#[derive(Clone)]
pub(crate) struct Mint {
    header: Value,
    algorithm: Algorithm,
    signs: EncodingKey,
    verifies: DecodingKey,
    public: Vec<u8>,
    pem: String,
}

/// Why a service refuses a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    UnknownKey,
    Signature,
    Expired,
}

impl Mint {
    /// With a secret that both sides know.
    pub(crate) fn shared(secret: &str) -> Self {
        Self {
            header: json!({"alg": "HS256", "typ": "JWT"}),
            algorithm: Algorithm::HS256,
            signs: EncodingKey::from_secret(secret.as_bytes()),
            verifies: DecodingKey::from_secret(secret.as_bytes()),
            public: Vec::new(),
            pem: String::new(),
        }
    }

    /// With a new key pair of this id.
    pub(crate) fn pair(kid: &str) -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        Self {
            header: json!({"alg": "ES256", "typ": "JWT", "kid": kid}),
            algorithm: Algorithm::ES256,
            signs: EncodingKey::from_ec_der(&pair.serialize_der()),
            verifies: DecodingKey::from_ec_der(pair.public_key_raw()),
            public: pair.public_key_raw().to_vec(),
            pem: pair.public_key_pem(),
        }
    }

    /// The public key of a [`Self::pair`] as a set of one.
    pub(crate) fn jwks(&self) -> Value {
        let coordinate = |from: usize| URL_SAFE_NO_PAD.encode(&self.public[from..from + 32]);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": self.header["kid"], "alg": "ES256", "use": "sig",
            "x": coordinate(1), "y": coordinate(33),
        }]})
    }

    /// The public key of a [`Self::pair`] in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&self.header), part(claims));
        let signature = crypto::sign(message.as_bytes(), &self.signs, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    pub(crate) fn verifier(&self) -> &DecodingKey {
        &self.verifies
    }

    /// The claims, as a service reads them that allows clocks no difference.
    pub(crate) fn verify(&self, token: &str) -> Result<Value, Refusal> {
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
        let read = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let header = read(header).ok_or(Refusal::Malformed)?;
        if header["kid"] != self.header["kid"] || header["alg"] != self.header["alg"] {
            return Err(Refusal::UnknownKey);
        }
        let good = crypto::verify(
            signature,
            message.as_bytes(),
            &self.verifies,
            self.algorithm,
        );
        if !good.unwrap_or(false) {
            return Err(Refusal::Signature);
        }
        let claims = read(payload).ok_or(Refusal::Malformed)?;
        match claims["exp"].as_u64() {
            Some(exp) if exp <= now() => Err(Refusal::Expired),
            _ => Ok(claims),
        }
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    jsonwebtoken::get_current_timestamp()
}

/// Claims of a token that is good for ten minutes more, with other members besides.
pub(crate) fn claims(more: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://auth.example.com", "sub": "7b9f", "aud": "api",
        "iat": now() - 300, "exp": now() + 600,
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}
