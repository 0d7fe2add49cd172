//! A lean JWT encoder and verifier over aws-lc-rs (RFC 7515, RFC 7519).
//!
//! It takes about half the time of `jsonwebtoken`; the bench `signing` prints the ratio, and the tests
//! hold the two against each other.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use tenure_core::secret::sha256;
use zeroize::Zeroizing;

use crate::config::Algorithm;
use crate::error::Fault;

/// A key that signs JWTs, and the public half of it.
pub(crate) struct SigningKey {
    kid: String,
    pair: Pair,
    jwk: Value,
    access_header: String,
    id_header: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({}, {})", self.algorithm().as_str(), self.kid)
    }
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// The key, or the random generator that ECDSA asks, failed: our trouble, never the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key failed")]
pub struct SignError;

impl From<SignError> for Fault {
    fn from(error: SignError) -> Self {
        Self::unavailable(error.to_string())
    }
}

/// `typ` of a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typ {
    /// RFC 9068 section 2.1.
    Access,
    /// OIDC Core section 2.
    Id,
}

impl Typ {
    fn as_str(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Id => "JWT",
        }
    }
}

impl SigningKey {
    /// A new private key in PKCS #8.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let failed = |_| Fault::unavailable("a signing key cannot be made");
        let pkcs8 = match algorithm {
            Algorithm::ES256 => {
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
                pair.map_err(failed)?.as_ref().to_vec()
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
                pair.map_err(failed)?.as_ref().to_vec()
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                pair.as_der().map_err(failed)?.as_ref().to_vec()
            }
        };
        Ok(Zeroizing::new(pkcs8))
    }

    /// From PKCS #8; `None` where it is no key of that algorithm.
    pub(crate) fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Option<Self> {
        let (pair, public) = match algorithm {
            Algorithm::ES256 => {
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
                let point = pair.public_key().as_ref().get(1..)?.to_vec();
                let (x, y) = point.split_at_checked(32)?;
                let public = json!({
                    "crv": "P-256", "kty": "EC", "x": BASE64.encode(x), "y": BASE64.encode(y)
                });
                (Pair::Ec(pair), public)
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
                let x = BASE64.encode(pair.public_key().as_ref());
                (
                    Pair::Ed(pair),
                    json!({ "crv": "Ed25519", "kty": "OKP", "x": x }),
                )
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
                let n = BASE64.encode(
                    pair.public_key()
                        .modulus()
                        .big_endian_without_leading_zero(),
                );
                let e = BASE64.encode(
                    pair.public_key()
                        .exponent()
                        .big_endian_without_leading_zero(),
                );
                (Pair::Rsa(pair), json!({ "e": e, "kty": "RSA", "n": n }))
            }
        };
        Some(Self::named(algorithm, pair, public))
    }

    /// The key id is the RFC 7638 thumbprint: of the required members in alphabetical order.
    fn named(algorithm: Algorithm, pair: Pair, public: Value) -> Self {
        let kid = BASE64.encode(sha256(public.to_string().as_bytes()));
        let mut jwk = public;
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), kid.clone().into());
            members.insert("alg".to_owned(), algorithm.as_str().into());
            members.insert("use".to_owned(), "sig".into());
        }
        let header = |typ: Typ| {
            let header = json!({ "alg": algorithm.as_str(), "typ": typ.as_str(), "kid": kid });
            BASE64.encode(header.to_string())
        };
        Self {
            access_header: header(Typ::Access),
            id_header: header(Typ::Id),
            kid,
            pair,
            jwk,
        }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn jwk(&self) -> &Value {
        &self.jwk
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Ec(_) => Algorithm::ES256,
            Pair::Ed(_) => Algorithm::EdDSA,
            Pair::Rsa(_) => Algorithm::RS256,
        }
    }

    /// Signs claims that are JSON already.
    pub(crate) fn sign(&self, typ: Typ, claims: &str) -> Result<String, SignError> {
        let header = match typ {
            Typ::Access => &self.access_header,
            Typ::Id => &self.id_header,
        };
        let mut jwt = String::with_capacity(header.len() + claims.len() * 4 / 3 + 480);
        jwt.push_str(header);
        jwt.push('.');
        BASE64.encode_string(claims, &mut jwt);
        let signature = self.signature(jwt.as_bytes())?;
        jwt.push('.');
        BASE64.encode_string(signature, &mut jwt);
        Ok(jwt)
    }

    fn signature(&self, signed: &[u8]) -> Result<Vec<u8>, SignError> {
        let failed = |_| SignError;
        match &self.pair {
            Pair::Ec(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed(pair) => Ok(pair.sign(signed).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    signed,
                    &mut signature,
                )
                .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// The claims of a token that this key signed, whatever they say.
    pub(crate) fn verify(&self, typ: Typ, jwt: &str) -> Option<Value> {
        let (signed, signature) = jwt.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
        let right_kind = header.get("alg")? == self.algorithm().as_str()
            && header.get("kid")? == self.kid.as_str()
            && header.get("typ")? == typ.as_str();
        if !right_kind {
            return None;
        }
        let signature = BASE64.decode(signature).ok()?;
        let (algorithm, public): (&'static dyn VerificationAlgorithm, &[u8]) = match &self.pair {
            Pair::Ec(pair) => (&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()),
            Pair::Ed(pair) => (&ED25519, pair.public_key().as_ref()),
            Pair::Rsa(pair) => (&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref()),
        };
        UnparsedPublicKey::new(algorithm, public)
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }
}

/// The `kid` that a JWT's header names; nothing of it is trusted.
pub(crate) fn named_kid(jwt: &str) -> Option<String> {
    let header = BASE64.decode(jwt.split('.').next()?).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    header.get("kid")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
