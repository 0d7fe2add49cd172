//! One ES256 signature over claims like those of an access token (RFC 9068).

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::json;
use uuid::Uuid;

/// Seconds that an access token lives.
pub(crate) const LIFETIME: u64 = 900;

pub(crate) const SCOPE: &str = "profile offline_access";

/// A fresh key and its encoded header.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    header: String,
}

impl Signer {
    pub(crate) fn generate() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let kid = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
        Ok(Self {
            pair,
            header: BASE64.encode(header.to_string()),
        })
    }

    pub(crate) fn access_token(&self, lineage: Uuid) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = json!({
            "iss": "http://127.0.0.1:8420",
            "sub": "bench-user-0",
            "aud": "http://127.0.0.1:8420",
            "client_id": "demo",
            "scope": SCOPE,
            "iat": now,
            "exp": now + LIFETIME,
            "auth_time": now,
            "jti": Uuid::from_u128(now.into()).simple().to_string(),
            "sid": lineage.simple().to_string(),
        });
        let mut jwt = format!("{}.{}", self.header, BASE64.encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), jwt.as_bytes());
        let signature = signature.map_err(|_| anyhow!("signing failed"))?;
        jwt.push('.');
        BASE64.encode_string(signature, &mut jwt);
        Ok(jwt)
    }
}
