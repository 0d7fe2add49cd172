//! The keys of a running server, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use tenure_core::id::LineageId;
use tenure_core::keyset::{self, Due, KeyLife, KeyState, Schedule};
use tenure_core::lineage::{MacKey, MacKeyId, MacKeys};
use tenure_core::time::Timestamp;
use tenure_store::{KeyRecord, KeyUse, Store, StoreError, Written};

use super::jwt::{SignError, SigningKey, Typ, named_kid};
use super::seal::{Master, WrongMaster};
use crate::config::{Algorithm, Config};
use crate::random;

/// Keys that are loaded and ready to use; replaced as a whole when the store's keys change.
#[derive(Debug)]
pub struct KeyRing {
    signing: Arc<SigningKey>,
    published: Vec<Arc<SigningKey>>,
    macs: MacKeys,
    sid: hmac::Key,
}

/// Why keys cannot be loaded or rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Trouble with the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealed under another master secret.
    #[error(transparent)]
    WrongMaster(#[from] WrongMaster),
    /// A key record makes no sense.
    #[error("the stored {0} keys are unusable; restore the store from a backup")]
    Unusable(&'static str),
    /// The random generator or the signing library failed.
    #[error("a new key cannot be made")]
    Generate,
}

impl KeyRing {
    /// Loads every key that signs or verifies.
    pub async fn load(store: &dyn Store, master: &Master) -> Result<Self, RotateError> {
        let mut signing = None;
        let mut published = Vec::new();
        for record in store.keys(KeyUse::Sign).await? {
            if record.state == KeyState::Retired {
                continue;
            }
            let key = Arc::new(signing_key(&record, master)?);
            if record.state == KeyState::Active {
                signing = Some(Arc::clone(&key));
            }
            published.push(key);
        }
        Ok(Self {
            signing: signing.ok_or(RotateError::Unusable("signing"))?,
            published,
            macs: mac_keys(&store.keys(KeyUse::Mac).await?, master)?,
            sid: master.sid_key().clone(),
        })
    }

    /// The keys of refresh tokens.
    pub fn macs(&self) -> &MacKeys {
        &self.macs
    }

    /// `sid`: the public name of a session.
    pub fn sid(&self, lineage: LineageId) -> String {
        let tag = hmac::sign(&self.sid, lineage.0.as_bytes());
        BASE64.encode(tag.as_ref().get(..16).unwrap_or_default())
    }

    /// `kid` of the key that signs.
    pub fn signing_kid(&self) -> &str {
        self.signing.kid()
    }

    /// The algorithms of all published keys.
    pub fn algorithms(&self) -> Vec<&'static str> {
        let mut all: Vec<_> = self
            .published
            .iter()
            .map(|key| key.algorithm().as_str())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The JWK set (RFC 7517 section 5).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.published.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
    }

    /// An access token (RFC 9068) under the key that signs; `claims` are a JSON object already, and
    /// taken as they are.
    pub fn sign_access(&self, claims: &str) -> Result<String, SignError> {
        self.signing.sign(Typ::Access, claims)
    }

    pub(crate) fn sign_id(&self, claims: &str) -> Result<String, SignError> {
        self.signing.sign(Typ::Id, claims)
    }

    /// The claims of an access token that one of these keys signed.
    pub(crate) fn verify_access(&self, jwt: &str) -> Option<Value> {
        self.named(jwt)?.verify(Typ::Access, jwt)
    }

    /// The claims of an ID token that one of these keys signed.
    pub(crate) fn verify_id(&self, jwt: &str) -> Option<Value> {
        self.named(jwt)?.verify(Typ::Id, jwt)
    }

    fn named(&self, jwt: &str) -> Option<&SigningKey> {
        let kid = named_kid(jwt)?;
        self.published
            .iter()
            .find(|key| key.kid() == kid)
            .map(Arc::as_ref)
    }
}

/// Carries out what is due for both kinds of key; `now` asks for a rotation ahead of schedule.
/// Answers whether anything changed. Safe to run on several servers at once.
pub async fn rotate(
    store: &dyn Store,
    master: &Master,
    config: &Config,
    ahead_of_schedule: bool,
    now: Timestamp,
) -> Result<bool, RotateError> {
    let mut changed = false;
    for of in [KeyUse::Sign, KeyUse::Mac] {
        let schedule = schedule(of, config);
        let mut create_now = ahead_of_schedule;
        // A new key and its takeover may both be due; more steps than states never are.
        for _ in 0..4 {
            let records = store.keys(of).await?;
            let lives: Vec<_> = records
                .iter()
                .map(|record| KeyLife {
                    state: record.state,
                    since: record.since,
                })
                .collect();
            let Some(due) = keyset::due(&lives, &schedule, create_now, now) else {
                break;
            };
            create_now &= !matches!(due, Due::Create(_));
            changed |= carry_out(due, &records, (store, master, config, of), now).await?;
        }
    }
    Ok(changed)
}

fn schedule(of: KeyUse, config: &Config) -> Schedule {
    let late = Duration::from_mins(1);
    Schedule {
        distribute: config.keys.distribute,
        sign: config.keys.rotate_every,
        verify: late
            + match of {
                KeyUse::Sign => config.longest_access(),
                KeyUse::Mac => config.longest_refresh(),
            },
    }
}

async fn carry_out(
    due: Due,
    records: &[KeyRecord],
    place: (&dyn Store, &Master, &Config, KeyUse),
    now: Timestamp,
) -> Result<bool, RotateError> {
    let (store, master, config, of) = place;
    let written = match due {
        Due::Create(state) => {
            let record = new_key(of, state, master, config.keys.algorithm, now)?;
            let written = store.add_key(&record).await?;
            tracing::info!(
                event = "key_created",
                of = of.as_str(),
                kid = record.id,
                ?state
            );
            written
        }
        Due::Move(position, to) => {
            let Some(record) = records.get(position) else {
                return Ok(false);
            };
            let written = store.move_key(&record.id, record.state, to, now).await?;
            tracing::info!(event = "key_moved", of = of.as_str(), kid = record.id, ?to);
            written
        }
    };
    Ok(written == Written::Now)
}

fn new_key(
    of: KeyUse,
    state: KeyState,
    master: &Master,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<KeyRecord, RotateError> {
    let (id, name, key) = match of {
        KeyUse::Sign => {
            let pkcs8 = SigningKey::generate(algorithm).map_err(|_| RotateError::Generate)?;
            let key = SigningKey::from_pkcs8(algorithm, &pkcs8).ok_or(RotateError::Generate)?;
            (key.kid().to_owned(), algorithm.as_str(), pkcs8.to_vec())
        }
        KeyUse::Mac => {
            let bytes = random::bytes::<32>().map_err(|_| RotateError::Generate)?;
            (
                MacKey::new(&bytes).id().to_string(),
                "HS256",
                bytes.to_vec(),
            )
        }
    };
    let key = zeroize::Zeroizing::new(key);
    let sealed = master.seal(&id, &key).map_err(|_| RotateError::Generate)?;
    Ok(KeyRecord {
        id,
        of,
        algorithm: name.to_owned(),
        state,
        since: now,
        sealed,
    })
}

fn signing_key(record: &KeyRecord, master: &Master) -> Result<SigningKey, RotateError> {
    let algorithm = Algorithm::parse(&record.algorithm).ok_or(RotateError::Unusable("signing"))?;
    let pkcs8 = master.open(&record.id, &record.sealed)?;
    SigningKey::from_pkcs8(algorithm, &pkcs8).ok_or(RotateError::Unusable("signing"))
}

fn mac_keys(records: &[KeyRecord], master: &Master) -> Result<MacKeys, RotateError> {
    let unusable = RotateError::Unusable("MAC");
    let (mut writing, mut reading, mut retired) = (None, Vec::new(), Vec::new());
    for record in records {
        if record.state == KeyState::Retired {
            retired.extend(
                u32::from_str_radix(&record.id, 16)
                    .map(u32::to_be_bytes)
                    .map(MacKeyId),
            );
            continue;
        }
        let bytes = master.open(&record.id, &record.sealed)?;
        let bytes = bytes
            .as_slice()
            .try_into()
            .map_err(|_| RotateError::Unusable("MAC"))?;
        let key = MacKey::new(bytes);
        if record.state == KeyState::Active && writing.is_none() {
            writing = Some(key);
        } else {
            reading.push(key);
        }
    }
    Ok(MacKeys::new(writing.ok_or(unusable)?, reading, retired))
}
