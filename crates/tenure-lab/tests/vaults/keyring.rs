//! A real keystore: GNOME Keyring on a message bus of the test's own.
//!
//! The keystore is found through the environment, so each test runs itself again in one that names
//! the bus; see [`on_a_bus`].

mod gnome;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tenure_client::{
    Cause, Change, ChunkedVault, Clock as _, Config, Dialect, EncryptedFileVault, Error, Found,
    Granted, JsonRoutes, KeyValue, KeyringVault, Keystore, Millis, Policy, Provider, Reason,
    Secret, Session, State, SystemClock, Vault, VaultFault, Zeroizing,
};
use tenure_core::session::{Expiry, Tokens};

use self::gnome::{Gnome, on_a_bus};
use crate::backend::{Backend, call};
use crate::suite::changes::{sign_in, token, tokens};
use crate::suite::writers::{write_turns, written_tokens};
use crate::suite::{self, Blobs, Storage, Subject, Write};

/// [`ChunkedVault`] over the keystore, in values so small that a record takes several.
struct InKeyring {
    gnome: std::cell::RefCell<Option<Gnome>>,
    store: Small,
    directory: TempDir,
}

/// A keystore that takes 256 bytes.
#[derive(Clone, Debug)]
struct Small(Keystore);

impl KeyValue for Small {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        self.0.read(name)
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        self.0.write(name, value)
    }

    fn remove(&self, name: &str) -> Result<(), VaultFault> {
        self.0.remove(name)
    }

    fn limit(&self) -> usize {
        256
    }
}

impl InKeyring {
    fn new() -> Self {
        Self {
            gnome: Some(Gnome::start()).into(),
            store: Small(Keystore::new("tenure-test")),
            directory: TempDir::new().unwrap(),
        }
    }

    fn profile(&self) -> PathBuf {
        self.directory.path().join("profile")
    }
}

impl Subject for InKeyring {
    fn open(&self) -> Box<dyn Vault> {
        let store = self.store.clone();
        Box::new(ChunkedVault::new(store, "test", self.profile()))
    }

    fn blobs(&self) -> Blobs {
        let mut blobs = Blobs::new();
        for slot in ["test.slot-a", "test.slot-b"] {
            let chunks = (0..).map(|number| format!("{slot}.{number}"));
            let chunks = chunks.map_while(|name| Some((self.store.read(&name).unwrap()?, name)));
            blobs.extend(chunks.map(|(bytes, name)| (name, bytes.to_vec())));
            let manifest = self.store.read(slot).unwrap();
            blobs.extend(manifest.map(|bytes| (slot.to_owned(), bytes.to_vec())));
        }
        blobs
    }

    fn put(&self, name: &str, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.store.write(name, bytes).unwrap(),
            None => self.store.remove(name).unwrap(),
        }
    }

    /// The keystore keeps no log; the order does not matter to the vault, so any will do.
    fn writes_since(&self, before: &Blobs) -> Vec<Write> {
        let after = self.blobs();
        let written = after.into_iter();
        let written = written.filter(|(name, bytes)| before.get(name) != Some(bytes));
        written
            .map(|(name, bytes)| Write {
                name,
                bytes: Some(bytes),
            })
            .collect()
    }

    fn make_empty(&self) {
        fs::create_dir_all(self.profile()).unwrap();
        fs::write(self.profile().join("session-exists"), b"").unwrap();
    }

    /// The service goes away, and a new one comes.
    fn break_down(&self, broken: bool) {
        let running = self.gnome.take();
        drop(running);
        if !broken {
            self.gnome.replace(Some(Gnome::start()));
        }
    }

    fn stride(&self) -> usize {
        let full = std::env::var_os("TENURE_FULL").is_some();
        if full { 1 } else { 7 }
    }
}

impl Storage for InKeyring {
    fn lock_up(&self, locked: bool) {
        let gnome = self.gnome.borrow();
        let gnome = gnome.as_ref().unwrap();
        if locked { gnome.lock() } else { gnome.unlock() }
    }
}

suite::conformance!(in_keyring, InKeyring::new(), locks: yes, within: on_a_bus);

fn keyring_vault(directory: &TempDir) -> KeyringVault {
    let profile = directory.path().join("profile");
    KeyringVault::new(Keystore::new("tenure-test"), "session", profile)
}

/// Signed in at a service that is not there, with an access token for a quarter of an hour.
fn signed_in(vault: &dyn Vault) {
    let now = SystemClock::new().wall();
    let granted = Granted {
        access_token: Secret::new("a1"),
        refresh_token: Some(Secret::new("r1")),
        expires_in: None,
    };
    let sign_in = Change::SignIn {
        tokens: Tokens::new(granted, Expiry::new(now, Millis(900_000), None, now)).unwrap(),
        provider: Provider {
            issuer: "http://127.0.0.1:1".into(),
            client_id: "app".into(),
            authorization_endpoint: None,
            token_endpoint: "http://127.0.0.1:1/token".into(),
            revocation_endpoint: None,
            names_issuer: false,
            retire_on_use: true,
            fetched: now,
        },
    };
    vault.update(&sign_in).unwrap();
}

async fn session(vault: impl Vault) -> Session {
    let often = Policy {
        shortest_wait: Duration::from_millis(50),
        longest_wait: Duration::from_millis(50),
        ..Policy::default()
    };
    let config = Config::new("http://127.0.0.1:1", "app", vault).unwrap();
    let config = config.policy(often).patience(Duration::ZERO);
    Session::open(config).await.unwrap()
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(test);
}

#[test]
fn a_locked_keyring_is_no_sign_out_and_the_session_comes_back_by_itself() {
    let name = "keyring::a_locked_keyring_is_no_sign_out_and_the_session_comes_back_by_itself";
    on_a_bus(name, || run(locked_and_unlocked()));
}

async fn locked_and_unlocked() {
    let (gnome, directory) = (Gnome::start(), TempDir::new().unwrap());
    signed_in(&keyring_vault(&directory));
    gnome.lock();
    let session = session(keyring_vault(&directory)).await;
    assert_eq!(session.state(), State::StorageLocked);
    let failure = session.access_token().await.unwrap_err();
    let told = matches!(&failure, Error::StorageUnavailable(why) if why.starts_with("locked"));
    assert!(told, "{failure:?}");
    assert_eq!(session.state(), State::StorageLocked);

    let mut states = session.subscribe();
    gnome.unlock();
    let active = states.wait_for(|state| matches!(state, State::Active { .. }));
    active.await.unwrap();
    let token = session.access_token().await.unwrap();
    assert_eq!(token.token, Secret::new("a1"));
}

#[test]
fn a_keyring_that_locks_in_mid_session_costs_nothing_but_refreshes() {
    let name = "keyring::a_keyring_that_locks_in_mid_session_costs_nothing_but_refreshes";
    on_a_bus(name, || run(locked_in_mid_session()));
}

async fn locked_in_mid_session() {
    let (gnome, directory) = (Gnome::start(), TempDir::new().unwrap());
    let backend = Backend::start().await;
    let routes = JsonRoutes::new("/auth/refresh", Dialect::OAUTH2).unwrap();
    let config = backend.config(keyring_vault(&directory)).endpoint(routes);
    let session = Session::open(config).await.unwrap();
    session.sign_in_at("/auth/login", &()).await.unwrap();
    let first = session.access_token().await.unwrap();

    gnome.lock();
    backend.clock.pass(15 * 60 - 30);
    assert_eq!(session.access_token().await.unwrap(), first, "still valid");
    assert!(is_locked(&session.state()), "{:?}", session.state());
    backend.clock.pass(30);
    let failure = session.access_token().await.unwrap_err();
    let told = matches!(&failure, Error::StorageUnavailable(why) if why.starts_with("locked"));
    assert!(told, "{failure:?}");
    assert!(is_locked(&session.state()), "{:?}", session.state());
    assert!(backend.books().refreshes.is_empty());

    gnome.unlock();
    backend.clock.pass(600);
    assert_eq!(call(&session, &backend.url).await, 200);
    assert!(matches!(session.state(), State::Active { .. }));
    assert_eq!(backend.books().refreshes.len(), 1);
}

fn is_locked(state: &State) -> bool {
    let State::Degraded { cause, .. } = state else {
        return false;
    };
    matches!(cause, Cause::Storage(VaultFault::Locked(_)))
}

#[test]
fn locked_absent_and_empty_are_three_answers() {
    on_a_bus("keyring::locked_absent_and_empty_are_three_answers", || {
        run(locked_absent_and_empty());
    });
}

async fn locked_absent_and_empty() {
    let (gnome, directory) = (Gnome::start(), TempDir::new().unwrap());
    let never = TempDir::new().unwrap();
    signed_in(&keyring_vault(&directory));
    gnome.lock();
    let locked = keyring_vault(&directory).load();
    assert!(matches!(locked, Err(VaultFault::Locked(_))), "{locked:?}");
    let reason = Reason::NeverSignedIn;
    let state = session(keyring_vault(&never)).await.state();
    assert_eq!(state, State::SignedOut { reason }, "locked, and never used");

    drop(gnome);
    let absent = keyring_vault(&directory).load();
    assert!(
        matches!(absent, Err(VaultFault::Unavailable(_))),
        "{absent:?}"
    );
    let session_without = session(keyring_vault(&directory)).await;
    assert_eq!(session_without.state(), State::StorageLocked);
    let state = session(keyring_vault(&never)).await.state();
    assert_eq!(state, State::SignedOut { reason }, "absent, and never used");

    let _another = Gnome::start_empty();
    let emptied = keyring_vault(&directory).load();
    assert_eq!(emptied, Ok(Found::Damaged), "it was there once");
    assert_eq!(keyring_vault(&never).load(), Ok(Found::Missing));
}

#[test]
fn a_user_without_any_keyring_is_told_to_make_one() {
    let name = "keyring::a_user_without_any_keyring_is_told_to_make_one";
    on_a_bus(name, || {
        let (_gnome, directory) = (Gnome::start_without_keyring(), TempDir::new().unwrap());
        let vault = keyring_vault(&directory);
        assert_eq!(vault.load(), Ok(Found::Missing));
        let fault = vault.update(&sign_in(1)).unwrap_err();
        let told = matches!(&fault, VaultFault::Unavailable(why) if why.contains("no keyring"));
        assert!(told, "{fault:?}");
        assert_eq!(vault.load(), Ok(Found::Empty));
    });
}

#[test]
fn the_key_of_a_sealed_file_lives_in_the_keyring() {
    on_a_bus(
        "keyring::the_key_of_a_sealed_file_lives_in_the_keyring",
        || {
            let (gnome, directory) = (Gnome::start(), TempDir::new().unwrap());
            let open = || {
                let profile = directory.path().join("profile");
                EncryptedFileVault::new(profile, Keystore::new("tenure-test"), "session")
            };
            open().update(&sign_in(1)).unwrap();
            gnome.lock();
            let locked = open().load();
            assert!(matches!(locked, Err(VaultFault::Locked(_))), "{locked:?}");
            gnome.unlock();
            let Ok(Found::Record(record)) = open().load() else {
                panic!("{:?}", open().load());
            };
            assert_eq!(token(&record), "r1");
            drop(gnome);
            let absent = open().load();
            assert!(
                matches!(absent, Err(VaultFault::Unavailable(_))),
                "{absent:?}"
            );
            let _another = Gnome::start_empty();
            assert_eq!(open().load(), Ok(Found::Damaged), "the key is lost");
        },
    );
}

#[test]
fn two_processes_lose_no_update() {
    let name = "keyring::two_processes_lose_no_update";
    if let Ok(writer) = std::env::var("TENURE_TEST_WRITER") {
        let profile = std::env::var("TENURE_TEST_VAULT").unwrap();
        let vault = KeyringVault::new(Keystore::new("tenure-test"), "session", profile);
        write_turns(&vault, &writer).unwrap();
        return;
    }
    on_a_bus(name, || {
        let (_gnome, directory) = (Gnome::start(), TempDir::new().unwrap());
        let start = |writer: &str| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name])
                .env("TENURE_TEST_WRITER", writer)
                .env("TENURE_TEST_VAULT", directory.path().join("profile"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        let mut processes = ["x", "y"].map(start);
        for process in &mut processes {
            assert!(process.wait().unwrap().success());
        }
        let Ok(Found::Record(record)) = keyring_vault(&directory).load() else {
            panic!("{:?}", keyring_vault(&directory).load());
        };
        assert_eq!(tokens(&record), written_tokens(&["x", "y"]));
    });
}
