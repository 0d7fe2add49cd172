//! Waiting for the cross-process lock without ever being stuck in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tenure_core::session::VaultFault;
use tokio::sync::oneshot;

use crate::{Lease, Vault};

/// Takes the lock on a thread of its own: a wait for a suspended owner may outlast the runtime, and
/// a runtime waits for its blocking threads when it ends.
#[derive(Debug)]
pub(crate) struct Locker {
    vault: Arc<dyn Vault>,
    desk: Arc<Mutex<Desk>>,
}

/// At most one thread waits, on behalf of whoever asked last; without a taker the lock is let go
/// the moment it is had.
#[derive(Debug, Default)]
struct Desk {
    waiting: bool,
    taker: Option<oneshot::Sender<Result<Lease, VaultFault>>>,
}

/// How it went.
#[derive(Debug)]
pub(crate) enum Taken {
    Held(Lease),
    Busy,
    Broken(VaultFault),
}

impl Locker {
    pub(crate) fn new(vault: Arc<dyn Vault>) -> Self {
        Self {
            vault,
            desk: Arc::default(),
        }
    }

    /// Takes the lock, or gives up after `patience`.
    pub(crate) async fn take(&self, patience: Duration) -> Taken {
        let vault = Arc::clone(&self.vault);
        match tokio::task::spawn_blocking(move || vault.try_lock()).await {
            Ok(Ok(Some(lease))) => Taken::Held(lease),
            Ok(Ok(None)) => self.wait(patience).await,
            Ok(Err(fault)) => Taken::Broken(fault),
            Err(panic) => Taken::Broken(VaultFault::Unavailable(panic.to_string())),
        }
    }

    async fn wait(&self, patience: Duration) -> Taken {
        let (sender, receiver) = oneshot::channel();
        let waiting = {
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.taker = Some(sender);
            std::mem::replace(&mut desk.waiting, true)
        };
        if !waiting {
            let (vault, desk) = (Arc::clone(&self.vault), Arc::clone(&self.desk));
            thread::spawn(move || hand_over(vault.as_ref(), &desk));
        }
        match tokio::time::timeout(patience, receiver).await {
            Ok(Ok(Ok(lease))) => Taken::Held(lease),
            Ok(Ok(Err(fault))) => Taken::Broken(fault),
            Ok(Err(_)) => Taken::Broken(VaultFault::Unavailable("a later wait came".into())),
            Err(_) => Taken::Busy,
        }
    }
}

fn hand_over(vault: &dyn Vault, desk: &Mutex<Desk>) {
    // A vault of the program's own may panic; a thread that ended without a word would be waited for.
    let lease = catch_unwind(AssertUnwindSafe(|| vault.lock()))
        .unwrap_or_else(|_| Err(VaultFault::Unavailable("the vault panicked".to_owned())));
    let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    desk.waiting = false;
    if let Some(taker) = desk.taker.take() {
        // A taker that gave up leaves the lease in the error, which drops it.
        drop(taker.send(lease));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use tenure_core::session::{Change, Found, Record, VaultFault};

    use super::{Locker, Taken};
    use crate::{Lease, Vault};

    /// Always held by somebody; the first wait for it panics.
    #[derive(Debug, Default)]
    struct Rude(AtomicBool);

    impl Vault for Rude {
        fn load(&self) -> Result<Found, VaultFault> {
            Ok(Found::Missing)
        }

        fn update(&self, _: &Change) -> Result<Record, VaultFault> {
            Ok(Record::default())
        }

        fn lock(&self) -> Result<Lease, VaultFault> {
            assert!(self.0.swap(true, Ordering::SeqCst), "the first time");
            Ok(Lease::new(()))
        }

        fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
            Ok(None)
        }
    }

    #[tokio::test]
    async fn a_vault_that_panics_is_not_waited_for_ever() {
        let locker = Locker::new(Arc::new(Rude::default()));
        let patience = Duration::from_mins(1);
        assert!(matches!(locker.take(patience).await, Taken::Broken(_)));
        assert!(matches!(locker.take(patience).await, Taken::Held(_)));
    }
}
