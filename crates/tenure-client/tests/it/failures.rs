//! Trouble that must not end a session, and the word that must.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tenure_client::{
    Cause, Change, Error, FileVault, Found, Lease, Reason, Record, Session, SignedOut, State,
    Transport, Trouble, Vault, VaultFault,
};

use crate::bench::{Bench, failure, token};
use crate::service::Plan;

#[tokio::test]
async fn no_answer_but_the_one_ends_a_session() {
    let grant = r#"{"error":"invalid_grant"}"#;
    let html = "<html>Sign in to the hotel Wi-Fi</html>";
    let answers = [
        Plan::Instead(503, "Retry-After: 1", ""),
        Plan::Instead(500, "X: y", grant),
        Plan::Instead(429, "Retry-After: 1", grant),
        Plan::Instead(408, "X: y", ""),
        Plan::Instead(403, "X: y", grant),
        Plan::Instead(404, "X: y", html),
        Plan::Instead(200, "Content-Type: text/html", html),
        Plan::Instead(200, "X: y", r#"{"access_token":"","refresh_token":"evil"}"#),
        Plan::Instead(302, "Location: http://127.0.0.1:1/", ""),
        Plan::Instead(400, "X: y", html),
        Plan::Instead(400, "X: y", r#"{"error":"invalid_client"}"#),
        Plan::Instead(401, "X: y", "{}"),
        Plan::Lose,
    ];
    let (bench, session) = Bench::expired().await;
    let count = answers.len();
    for answer in answers {
        bench.service.plan([answer.clone()]);
        let failure = failure(&session).await;
        assert!(
            matches!(failure, Error::Transient { .. } | Error::Misconfigured(_)),
            "{answer:?}: {failure:?}"
        );
        assert!(
            matches!(session.state(), State::Degraded { .. }),
            "{answer:?}"
        );
        assert_eq!(bench.kept(), "refresh-1", "{answer:?}");
        bench.clock.pass(301);
    }
    assert!(token(&session).await.starts_with("access-"));
    assert_eq!(bench.service.refreshes(count + 1).await.len(), count + 1);
    assert!(matches!(session.state(), State::Active { .. }));
}

#[tokio::test]
async fn a_token_that_is_still_valid_bridges_an_outage() {
    let (bench, session) = Bench::signed_in().await;
    bench.clock.pass(870);
    bench
        .service
        .plan([Plan::Instead(503, "Retry-After: 20", "")]);
    assert_eq!(token(&session).await, "access-1");
    let State::Degraded { cause, .. } = session.state() else {
        panic!("{:?}", session.state());
    };
    assert_eq!(cause.to_string(), "status 503");
    assert_eq!(token(&session).await, "access-1");
    assert_eq!(bench.service.refreshes(1).await.len(), 1, "not before 20 s");
    bench.clock.pass(20);
    assert_eq!(token(&session).await, "access-2");
}

#[tokio::test]
async fn an_end_is_believed_only_if_the_vault_still_holds_the_presented_token() {
    let (bench, session) = Bench::expired().await;
    let body = r#"{"error":"invalid_grant"}"#;
    let no = Plan::Instead(400, "X: y", body);
    bench.service.plan([Plan::Hold(Box::new(no))]);
    let asking = tokio::spawn(async move { (token(&session).await, session) });
    bench.service.refreshes(1).await;

    // Another process, that goes on without the lock, has moved on.
    let tokens = bench.record().tokens.expect("signed in");
    let granted = tenure_core::outcome::Granted {
        access_token: tenure_client::Secret::new("access-x"),
        refresh_token: Some(tenure_client::Secret::new("refresh-x")),
        expires_in: None,
    };
    let now = tenure_client::Clock::wall(&bench.clock);
    let keep = Change::Keep {
        presented: tokens.refresh_token,
        granted,
        expiry: tenure_core::session::Expiry::new(now, tenure_client::Millis(900_000), None, now),
    };
    bench.vault().update(&keep).expect("stored");
    bench.service.release();

    let (token, session) = asking.await.expect("no panic");
    assert_eq!(token, "access-x");
    assert_eq!(bench.kept(), "refresh-x");
    assert!(matches!(session.state(), State::Active { .. }));
}

/// A vault whose disk can be full, and whose key can be locked away.
#[derive(Clone, Debug)]
struct Fragile {
    vault: FileVault,
    full: Arc<AtomicBool>,
    locked: Arc<AtomicBool>,
}

impl Fragile {
    fn over(vault: FileVault) -> Self {
        Self {
            vault,
            full: Arc::default(),
            locked: Arc::default(),
        }
    }
}

impl Vault for Fragile {
    fn load(&self) -> Result<Found, VaultFault> {
        if self.locked.load(Ordering::SeqCst) {
            return Err(VaultFault::Locked("asks for a password".into()));
        }
        self.vault.load()
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        let fails = match change {
            Change::Begin { .. } => &self.locked,
            _ => &self.full,
        };
        if fails.load(Ordering::SeqCst) {
            return Err(VaultFault::Unavailable("full".into()));
        }
        self.vault.update(change)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        self.vault.lock()
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        self.vault.try_lock()
    }
}

#[tokio::test]
async fn no_token_is_spent_while_the_vault_cannot_be_written() {
    let (bench, session) = Bench::expired().await;
    drop(session);
    let vault = Fragile::over(bench.vault());
    let session = Session::open(bench.config_with(vault.clone()))
        .await
        .expect("opened");
    vault.locked.store(true, Ordering::SeqCst);
    assert!(matches!(
        failure(&session).await,
        Error::StorageUnavailable(_)
    ));
    assert!(bench.service.books().refreshes.is_empty());
    vault.locked.store(false, Ordering::SeqCst);
    bench.clock.pass(60);
    assert_eq!(token(&session).await, "access-2");
}

#[tokio::test]
async fn an_answer_that_cannot_be_saved_is_used_from_memory_and_saved_later() {
    let (bench, session) = Bench::expired().await;
    drop(session);
    let vault = Fragile::over(bench.vault());
    let session = Session::open(bench.config_with(vault.clone()))
        .await
        .expect("opened");
    vault.full.store(true, Ordering::SeqCst);
    assert_eq!(token(&session).await, "access-2");
    let State::Degraded { cause, .. } = session.state() else {
        panic!("{:?}", session.state());
    };
    let full = VaultFault::Unavailable("full".into());
    assert_eq!(cause, Cause::Storage(full));
    assert_eq!(bench.kept(), "refresh-1");
    assert!(
        bench.vault().try_lock().expect("answered").is_none(),
        "nobody else may present the spent token meanwhile"
    );

    vault.full.store(false, Ordering::SeqCst);
    let mut states = session.subscribe();
    bench.clock.pass(60);
    let saved = states.wait_for(|state| matches!(state, State::Active { .. }));
    saved.await.expect("saved by itself");
    assert_eq!(bench.kept(), "refresh-2");
}

#[tokio::test]
async fn a_locked_vault_is_not_a_sign_out() {
    let (bench, session) = Bench::signed_in().await;
    drop(session);
    let vault = Fragile::over(bench.vault());
    vault.locked.store(true, Ordering::SeqCst);
    let session = Session::open(bench.config_with(vault.clone()))
        .await
        .expect("opened");
    assert_eq!(session.state(), State::StorageLocked);
    assert!(matches!(
        failure(&session).await,
        Error::StorageUnavailable(_)
    ));
    vault.locked.store(false, Ordering::SeqCst);
    bench.clock.pass(60);
    assert_eq!(token(&session).await, "access-1");
}

#[tokio::test]
async fn a_damaged_vault_says_so() {
    let (bench, session) = Bench::signed_in().await;
    drop(session);
    for slot in ["slot-a", "slot-b"] {
        std::fs::write(bench.vault().directory().join(slot), "rust").expect("written");
    }
    let session = bench.open().await;
    let reason = Reason::VaultDamaged;
    assert_eq!(session.state(), State::SignedOut { reason });
}

/// The work of a careless programmer.
#[derive(Debug)]
struct Careless;

#[async_trait]
impl Transport for Careless {
    async fn send(&self, _: Request<Bytes>, _: usize) -> Result<Response<Bytes>, Trouble> {
        panic!("a transport that panics, as it should here")
    }
}

#[tokio::test]
async fn a_transport_that_panics_keeps_nobody_waiting_and_the_lock_free() {
    let (bench, session) = Bench::expired().await;
    drop(session);
    let config = bench.config().transport(Careless);
    let careless = Session::open(config).await.expect("opened");
    assert!(matches!(failure(&careless).await, Error::Transient { .. }));
    assert_eq!(bench.kept(), "refresh-1");
    assert_eq!(token(&bench.open().await).await, "access-2");
    assert_eq!(careless.sign_out().await, Ok(SignedOut::Pending));
}
