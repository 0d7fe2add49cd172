//! A vault whose files say nothing without a key that lies elsewhere.

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use tenure_core::session::VaultFault;
use zeroize::Zeroizing;

use super::KeyValue;
use super::home::Home;
use super::slot::{Content, Held, Place, SEALED, Slot, framed, unframed};
use super::two_slots::Slots;
use crate::driver::random;

/// A [`FileVault`](super::FileVault) whose slots are sealed with AES-256-GCM under a key in a
/// keystore.
///
/// The record may be of any size, and a refresh changes a file only, never the keystore. A slot is
/// sealed for its generation and its place, so neither can be passed off as the other; that the whole
/// directory is put back to an earlier state is not noticed. While the keystore is locked the vault
/// is locked. If the key is gone for good, or another, the vault is
/// [`Found::Damaged`](crate::Found::Damaged), and the next sign-in makes a new key. Where nothing was
/// ever stored the keystore is not asked.
#[derive(Clone, Debug)]
pub struct EncryptedFileVault<K> {
    home: Home,
    keys: K,
    name: String,
}

/// Length of a key, in bytes.
const KEY: usize = 32;
/// Length of a key's number, in bytes.
const KEY_ID: usize = 16;

type KeyId = [u8; KEY_ID];

/// The content of a slot: the number of its key, then the nonce, then the sealed record.
struct Parts<'a> {
    key: KeyId,
    nonce: [u8; NONCE_LEN],
    sealed: &'a [u8],
}

impl<K: KeyValue> EncryptedFileVault<K> {
    /// A vault in `directory`, which is made when something is stored for the first time, with its
    /// key in `keys` under a name that starts with `name`.
    pub fn new(directory: impl Into<PathBuf>, keys: K, name: &str) -> Self {
        Self {
            home: Home::new(directory.into()),
            keys,
            name: name.to_owned(),
        }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        self.home.directory()
    }

    fn key_name(&self, id: &KeyId) -> String {
        format!("{}.key-{:032x}", self.name, u128::from_be_bytes(*id))
    }

    fn key(&self, id: &KeyId) -> Result<Option<RandomizedNonceKey>, VaultFault> {
        let bytes = self.keys.read(&self.key_name(id))?;
        Ok(bytes.and_then(|bytes| RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok()))
    }

    /// The key that `place` is sealed with, if it can be told and still exists.
    fn key_of(&self, place: Place) -> Result<Option<(KeyId, RandomizedNonceKey)>, VaultFault> {
        let bytes = self.home.read(place.name())?;
        let content = bytes.as_ref().map(|bytes| unframed(bytes, SEALED));
        let Some(parts) = content.and_then(Result::ok).as_ref().and_then(parts) else {
            return Ok(None);
        };
        Ok(self.key(&parts.key)?.map(|key| (parts.key, key)))
    }

    /// Every key has a number of its own, so making one never takes an old one's place.
    fn new_key(&self) -> Result<(KeyId, RandomizedNonceKey), VaultFault> {
        let id = random::<KEY_ID>();
        let bytes = Zeroizing::new(random::<KEY>());
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes.as_ref()).map_err(|_| unsealed())?;
        self.keys.write(&self.key_name(&id), bytes.as_ref())?;
        Ok((id, key))
    }

    fn store(
        &self,
        place: Place,
        slot: &Slot,
        id: &KeyId,
        key: &RandomizedNonceKey,
    ) -> Result<usize, VaultFault> {
        let mut sealed = slot.json()?;
        // Of its size at once: a vector that grows leaves a copy behind that nobody wipes.
        sealed.reserve_exact(AES_256_GCM.tag_len());
        let bound = bound(place, slot.generation, id);
        let nonce = key
            .seal_in_place_append_tag(Aad::from(bound), &mut *sealed)
            .map_err(|_| unsealed())?;
        let content = [id.as_slice(), nonce.as_ref(), &sealed].concat();
        let bytes = framed(SEALED, slot.generation, &content);
        self.home.write(place.name(), &bytes)?;
        Ok(bytes.len())
    }
}

impl<K: KeyValue> Slots for EncryptedFileVault<K> {
    fn home(&self) -> &Home {
        &self.home
    }

    fn read(&self, place: Place) -> Result<Held, VaultFault> {
        let Some(bytes) = self.home.read(place.name())? else {
            return Ok(Held::Absent);
        };
        let content = match unframed(&bytes, SEALED) {
            Ok(content) => content,
            Err(held) => return Ok(held),
        };
        let Some(parts) = parts(&content) else {
            return Ok(Held::Torn);
        };
        let Some(key) = self.key(&parts.key)? else {
            return Ok(Held::Torn);
        };
        Ok(open(place, &content, &parts, &key).unwrap_or(Held::Torn))
    }

    fn settle(&self, place: Place) -> Result<(), VaultFault> {
        self.home.sync(place.name())
    }

    fn write(&self, place: Place, slot: &Slot) -> Result<usize, VaultFault> {
        for known in [place.other(), place] {
            if let Some((id, key)) = self.key_of(known)? {
                return self.store(place, slot, &id, &key);
            }
        }
        let (id, key) = self.new_key()?;
        let stored = self.store(place, slot, &id, &key);
        if stored.is_err() {
            // A key that nothing is sealed with; if it stays, it does no harm.
            drop(self.keys.remove(&self.key_name(&id)));
        }
        stored
    }
}

fn parts<'a>(content: &Content<'a>) -> Option<Parts<'a>> {
    let (key, rest) = content.bytes.split_first_chunk()?;
    let (nonce, sealed) = rest.split_first_chunk()?;
    Some(Parts {
        key: *key,
        nonce: *nonce,
        sealed,
    })
}

fn open(
    place: Place,
    content: &Content<'_>,
    parts: &Parts<'_>,
    key: &RandomizedNonceKey,
) -> Option<Held> {
    let bound = bound(place, content.generation, &parts.key);
    let mut opened = Zeroizing::new(parts.sealed.to_vec());
    let json = key
        .open_in_place(Nonce::from(&parts.nonce), Aad::from(bound), &mut opened)
        .ok()?;
    Some(Slot::parse(content.generation, json))
}

/// What a sealed record is good for, and nothing else.
fn bound(place: Place, generation: u64, id: &KeyId) -> Vec<u8> {
    let name = place.name().as_bytes();
    [name, &generation.to_be_bytes(), id].concat()
}

fn unsealed() -> VaultFault {
    VaultFault::Unavailable("the record could not be sealed".into())
}
