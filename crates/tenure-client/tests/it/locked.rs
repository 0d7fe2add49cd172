//! A keystore that locks while the session is in use.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tenure_client::{
    Cause, ChunkedVault, EncryptedFileVault, Error, KeyValue, Session, State, Vault, VaultFault,
    Zeroizing,
};

use crate::bench::{Bench, failure, token};
use crate::service::{Plan, password};

/// Values in memory; the clones share them and their lock.
#[derive(Clone, Debug, Default)]
struct Keystore {
    values: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    locked: Arc<AtomicBool>,
}

impl Keystore {
    fn lock(&self, locked: bool) {
        self.locked.store(locked, Ordering::SeqCst);
    }

    fn open<T>(
        &self,
        work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T,
    ) -> Result<T, VaultFault> {
        if self.locked.load(Ordering::SeqCst) {
            return Err(VaultFault::Locked("it asks for a password".into()));
        }
        Ok(work(&mut self.values.lock().expect("not poisoned")))
    }
}

impl KeyValue for Keystore {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        self.open(|values| values.get(name).cloned().map(Zeroizing::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        self.open(|values| drop(values.insert(name.to_owned(), value.to_vec())))
    }

    fn remove(&self, name: &str) -> Result<(), VaultFault> {
        self.open(|values| drop(values.remove(name)))
    }

    fn limit(&self) -> usize {
        256
    }
}

/// Signed in, with everything that needs the keystore.
struct Device {
    bench: Bench,
    keystore: Keystore,
    session: Session,
    _home: TempDir,
}

impl Device {
    async fn with<V: Vault>(vault: impl FnOnce(&TempDir, Keystore) -> V) -> Self {
        let (bench, keystore) = (Bench::new().await, Keystore::default());
        let home = TempDir::new().expect("a directory");
        let config = bench.config_with(vault(&home, keystore.clone()));
        let session = Session::open(config).await.expect("opened");
        let signed_in = session.sign_in_password("demo@example.com", password());
        signed_in.await.expect("signed in");
        Self {
            bench,
            keystore,
            session,
            _home: home,
        }
    }

    /// With all values in the keystore, and with only the key in it.
    async fn each() -> [Self; 2] {
        [
            Self::with(|home, store| ChunkedVault::new(store, "app", home.path())).await,
            Self::with(|home, store| EncryptedFileVault::new(home.path(), store, "app")).await,
        ]
    }

    fn is_degraded_by_the_lock(&self) {
        let state = self.session.state();
        let State::Degraded { cause, .. } = &state else {
            panic!("{state:?}");
        };
        let locked = matches!(cause, Cause::Storage(VaultFault::Locked(_)));
        assert!(locked, "{cause:?}");
    }

    async fn fails_as_locked(&self) {
        let failure = failure(&self.session).await;
        let told = matches!(&failure, Error::StorageUnavailable(why) if why.starts_with("locked"));
        assert!(told, "{failure:?}");
        self.is_degraded_by_the_lock();
    }
}

#[tokio::test]
async fn a_valid_token_is_handed_out_then_the_lock_is_told_and_unlocked_it_goes_on() {
    for device in Device::each().await {
        let (bench, session) = (&device.bench, &device.session);
        device.keystore.lock(true);
        assert_eq!(token(session).await, "access-1");
        assert!(matches!(session.state(), State::Active { .. }), "unnoticed");

        bench.clock.pass(870);
        for _ in 0..3 {
            assert_eq!(token(session).await, "access-1", "30 s are left");
            device.is_degraded_by_the_lock();
            bench.clock.pass(5);
        }
        bench.clock.pass(15);
        for _ in 0..3 {
            device.fails_as_locked().await;
            bench.clock.pass(3600);
        }
        let sent = bench.service.books().refreshes.len();
        assert_eq!(sent, 0, "no token is spent that could not be replaced");

        device.keystore.lock(false);
        assert_eq!(token(session).await, "access-2");
        assert!(matches!(session.state(), State::Active { .. }));
        bench.clock.pass(900);
        assert_eq!(token(session).await, "access-3");
        assert!(!bench.service.books().theft);
    }
}

#[tokio::test]
async fn an_answer_that_arrives_after_the_lock_is_used_and_saved_when_it_is_unlocked() {
    for device in Device::each().await {
        let (bench, session) = (&device.bench, &device.session);
        bench.clock.pass(900);
        bench.service.plan([Plan::Hold(Box::new(Plan::Obey))]);
        let asking = tokio::spawn({
            let session = session.clone();
            async move { token(&session).await }
        });
        bench.service.refreshes(1).await;
        device.keystore.lock(true);
        bench.service.release();
        assert_eq!(asking.await.expect("no panic"), "access-2");
        device.is_degraded_by_the_lock();
        bench.clock.pass(900);
        device.fails_as_locked().await;

        let mut states = session.subscribe();
        device.keystore.lock(false);
        bench.clock.pass(600);
        let saved = states.wait_for(|state| !matches!(state, State::Degraded { .. }));
        saved.await.expect("saved by itself");
        assert_eq!(token(session).await, "access-3");
        let presented = bench.service.refreshes(2).await;
        assert_eq!(presented[1].token, "refresh-2");
        assert!(!bench.service.books().theft);
    }
}
