//! The master secret: seals keys at rest and derives the keys that are not stored.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{self, KeyType};
use aws_lc_rs::hmac;
use tenure_core::secret::Secret;
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::random;

/// Everything that is derived from the master secret (HKDF-SHA-256, RFC 5869).
pub struct Master {
    sealing: LessSafeKey,
    sid: hmac::Key,
}

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master(…)")
    }
}

/// A sealed key does not open: the master secret is another one, or the record is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stored key does not open under this master secret; start with the secret it was sealed with"
)]
pub struct WrongMaster;

impl Master {
    /// Derives from a secret of at least 32 bytes.
    pub fn new(secret: &Secret) -> Option<Self> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tenure master 1")
            .extract(secret.expose().as_bytes());
        let derive = |purpose: &[u8]| {
            let mut derived = Zeroizing::new([0_u8; 32]);
            let info = [purpose];
            extracted
                .expand(&info, Bytes32)
                .ok()?
                .fill(derived.as_mut_slice())
                .ok()?;
            Some(derived)
        };
        let sealing = UnboundKey::new(&AES_256_GCM, derive(b"seal")?.as_slice()).ok()?;
        Some(Self {
            sealing: LessSafeKey::new(sealing),
            sid: hmac::Key::new(hmac::HMAC_SHA256, derive(b"sid")?.as_slice()),
        })
    }

    /// Seals `key` under its `id`, which is authenticated with it.
    pub(super) fn seal(&self, id: &str, key: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce = random::bytes::<NONCE_LEN>()?;
        let mut sealed = key.to_vec();
        self.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(id.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| Fault::unavailable("a key cannot be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Master::seal`] made.
    pub(super) fn open(&self, id: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrongMaster> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(WrongMaster)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .sealing
            .open_in_place(nonce, Aad::from(id.as_bytes()), &mut buffer)
            .map_err(|_| WrongMaster)?
            .len();
        buffer.truncate(opened);
        Ok(buffer)
    }

    /// The key that makes a public session id of a lineage.
    pub(super) fn sid_key(&self) -> &hmac::Key {
        &self.sid
    }
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::secret::Secret;

    use super::{Master, WrongMaster};

    #[test]
    fn a_key_opens_under_its_own_master_and_id_only() {
        let master = Master::new(&Secret::new("m".repeat(32))).unwrap();
        let other = Master::new(&Secret::new("n".repeat(32))).unwrap();
        let sealed = master.seal("kid", b"key").unwrap();
        assert_eq!(master.open("kid", &sealed).unwrap().as_slice(), b"key");
        assert_eq!(master.open("kid2", &sealed), Err(WrongMaster));
        assert_eq!(other.open("kid", &sealed), Err(WrongMaster));
        assert_eq!(master.open("kid", &sealed[..11]), Err(WrongMaster));
    }
}
