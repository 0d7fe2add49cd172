//! What the keys of the verifier's side say of a signature.

use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, crypto};

use super::{Signature, SignatureCheck, Token, clean};
use crate::keys::{Material, Usable};

/// Tries every key of the set; the one that the token names comes first.
pub fn check(token: &mut Token, text: &str, material: &Material) {
    let cleaned = clean::clean(text).token;
    let Some(signed) = Signed::of(&cleaned) else {
        return;
    };
    let header = token.header.as_ref();
    let alg = header.and_then(|header| header.alg.as_deref());
    let kid = header.and_then(|header| header.kid.as_deref());
    let mut keys: Vec<_> = material.set.keys.iter().zip(material.usable()).collect();
    keys.sort_by_key(|(key, _)| kid.is_none() || key.kid.as_deref() != kid);
    for (key, usable) in keys {
        let (verdict, alg, form) = signed.verdict(usable, alg);
        token.signatures.push(SignatureCheck {
            keys: material.set.name.clone(),
            kid: key.kid.clone(),
            thumbprint: key.thumbprint.clone(),
            form,
            alg,
            verdict,
        });
    }
}

/// Whether the signature has fewer bytes than its algorithm makes (RFC 7518, RFC 8037); with RSA it has as many as the
/// modulus, which are a multiple of 32 wherever keys are made by common tools.
pub(super) fn is_short(signature: &str, alg: &str) -> bool {
    let rsa = alg.starts_with("RS") || alg.starts_with("PS");
    let least = match alg {
        "HS256" => 32,
        "HS384" => 48,
        "HS512" | "ES256" | "EdDSA" | "Ed25519" | "ES256K" => 64,
        "ES384" => 96,
        "ES512" => 132,
        // 1024 bits: verifiers refuse such keys, but whole signatures of them exist.
        _ if rsa => 128,
        _ => 0,
    };
    let bits = signature.len() * 6;
    bits / 8 < least
        || least > 0 && signature.len() % 4 == 1
        || rsa && !(bits / 8).is_multiple_of(32)
}

struct Signed<'t> {
    message: &'t str,
    signature: &'t str,
}

/// The verdict, the algorithm where it is not the header's, and the form of a secret.
type Verdict = (Signature, Option<String>, Option<String>);

impl<'t> Signed<'t> {
    fn of(token: &'t str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        (message.matches('.').count() == 1).then_some(Self { message, signature })
    }

    fn verdict(&self, key: &Usable, alg: Option<&str>) -> Verdict {
        let alg = alg.and_then(|alg| Algorithm::from_str(alg).ok());
        match key {
            Usable::Public(key) => self.by_public_key(key, alg),
            Usable::Secret(secret) => self.by_secret(secret.expose(), alg),
            Usable::Not => (Signature::Unusable, None, None),
        }
    }

    fn by_public_key(&self, key: &DecodingKey, alg: Option<Algorithm>) -> Verdict {
        let family = key.family();
        match self.verifies(key, alg) {
            Some(found) if Some(found) == alg => (Signature::Good, None, None),
            Some(other) => (Signature::OtherAlgorithm, Some(format!("{other:?}")), None),
            None if alg.map(Algorithm::family) == Some(family) => (Signature::Bad, None, None),
            None => (Signature::OtherAlgorithm, None, None),
        }
    }

    fn by_secret(&self, secret: &str, alg: Option<Algorithm>) -> Verdict {
        let hmac = alg.map(Algorithm::family) == Some(AlgorithmFamily::Hmac);
        let mut tried = Vec::new();
        for (form, bytes) in forms(secret) {
            let key = DecodingKey::from_secret(&bytes);
            let form = Some(form.to_owned());
            match self.verifies(&key, alg) {
                Some(found) if Some(found) == alg => return (Signature::Good, None, form),
                Some(other) => {
                    return (Signature::OtherAlgorithm, Some(format!("{other:?}")), form);
                }
                None => tried.extend(form),
            }
        }
        let verdict = if hmac {
            Signature::Bad
        } else {
            Signature::OtherAlgorithm
        };
        (verdict, None, Some(tried.join(", ")))
    }

    /// The algorithm under which it verifies: the header's first, then each of the key's family.
    fn verifies(&self, key: &DecodingKey, alg: Option<Algorithm>) -> Option<Algorithm> {
        let family = key.family();
        let others = family
            .algorithms()
            .iter()
            .copied()
            .filter(|other| Some(*other) != alg);
        let named = alg.filter(|alg| alg.family() == family);
        named.into_iter().chain(others).find(|alg| {
            let message = self.message.as_bytes();
            crypto::verify(self.signature, message, key, *alg).unwrap_or(false)
        })
    }
}

/// What a secret may stand for, each once: services disagree on whether it is text or base64.
fn forms(secret: &str) -> Vec<(&'static str, Cow<'_, [u8]>)> {
    let trimmed = secret.trim();
    let bare = trimmed.trim_matches(['"', '\'']);
    let lenient = PAD
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let decoded = |alphabet| GeneralPurpose::new(alphabet, lenient).decode(bare).ok();
    let mut forms: Vec<(_, Cow<'_, [u8]>)> = vec![("raw", Cow::Borrowed(secret.as_bytes()))];
    let more = [
        ("trimmed", Some(Cow::Borrowed(trimmed.as_bytes()))),
        ("unquoted", Some(Cow::Borrowed(bare.as_bytes()))),
        // What `echo` makes of it, and a file that ends with its line.
        (
            "newline",
            Some(Cow::Owned(format!("{trimmed}\n").into_bytes())),
        ),
        ("base64", decoded(&STANDARD).map(Cow::Owned)),
        ("base64url", decoded(&URL_SAFE).map(Cow::Owned)),
    ];
    for (name, bytes) in more {
        let Some(bytes) = bytes else { continue };
        if forms.iter().all(|(_, known)| *known != bytes) {
            forms.push((name, bytes));
        }
    }
    forms
}
