//! Passwords: hashed with argon2id, on threads of their own.

mod stored;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use tenure_core::secret::Secret;
use tokio::sync::oneshot;

use crate::error::Fault;
use stored::StoredHash;

/// Sign-ins that may wait for one thread: about a second of work.
const QUEUE_PER_WORKER: usize = 32;

/// Threads that hash passwords. Few, with a short queue and at low priority: a flood of sign-ins
/// takes neither the memory nor the processor from sessions that go on.
pub struct Passwords {
    jobs: SyncSender<Job>,
    workers: usize,
}

type Job = Box<dyn FnOnce() + Send>;

/// Why a password was not hashed or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The queue is full.
    #[error("too many sign-ins at once")]
    Busy,
    /// No thread answers, or memory ran out.
    #[error("the password could not be hashed")]
    Failed,
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// It is the password.
    Yes,
    /// It is the password, and its hash is weaker or of another kind than a new one would be.
    Outdated,
    /// It is not the password, or there is none.
    No,
}

impl Passwords {
    /// Starts `workers` threads, at least one; each takes 19 MiB while it hashes.
    pub fn new(workers: usize) -> Self {
        let workers = workers.max(1);
        let (jobs, queue) = sync_channel(workers * QUEUE_PER_WORKER);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..workers {
            let queue = Arc::clone(&queue);
            let name = "password".to_owned();
            if let Err(error) = thread::Builder::new()
                .name(name)
                .spawn(move || work(&queue))
            {
                tracing::error!(event = "password_thread_missing", %error);
            }
        }
        Self { jobs, workers }
    }

    /// An argon2id hash in PHC format, with a fresh salt.
    pub async fn hash(&self, password: &Secret) -> Result<String, PasswordError> {
        let password = password.clone();
        self.run(move || stored::hash(&password))
            .await?
            .ok_or(PasswordError::Failed)
    }

    /// Compares; where there is nothing to compare with, takes as long as if there were.
    pub(crate) async fn verify(
        &self,
        password: &Secret,
        stored: Option<&str>,
    ) -> Result<Match, PasswordError> {
        let password = password.clone();
        let stored = stored.map(str::to_owned);
        self.run(move || compare(&password, stored.as_deref()))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (done, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // A caller that hung up while it waited is owed nothing.
            if !done.is_closed() {
                let _ = done.send(job());
            }
        });
        self.jobs.try_send(job).map_err(|_| PasswordError::Busy)?;
        answer.await.map_err(|_| PasswordError::Failed)
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords")
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl From<PasswordError> for Fault {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::TooMany {
                retry_after: Duration::from_secs(1),
            },
            PasswordError::Failed => Self::unavailable(error.to_string()),
        }
    }
}

/// Whether an imported hash can be compared with; the error is its reason.
pub(crate) fn check_imported(hash: &str) -> Result<(), &'static str> {
    StoredHash::parse(hash).map(|_| ())
}

fn compare(password: &Secret, stored: Option<&str>) -> Match {
    let stored = stored.map(StoredHash::parse);
    let Some(Ok(stored)) = stored else {
        StoredHash::nobody().is_of(password);
        return Match::No;
    };
    match (stored.is_of(password), stored.is_current()) {
        (false, _) => Match::No,
        (true, false) => Match::Outdated,
        (true, true) => Match::Yes,
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    lower_priority();
    loop {
        let job = queue.lock().recv();
        let Ok(job) = job else { return };
        // The thread must outlive a bug in a hash's implementation.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!(event = "password_thread_panicked");
        }
    }
}

/// A thirtieth of a core where refreshes want it all: a hash then takes half a second, not 15 ms.
#[cfg(target_os = "linux")]
fn below(rest: i32) -> i32 {
    (rest + 15).min(19)
}

/// On Linux the priority of a process id is that of one thread.
#[cfg(target_os = "linux")]
fn lower_priority() {
    let this = rustix::thread::gettid();
    let lowered = rustix::process::getpriority_process(Some(this))
        .and_then(|nice| rustix::process::setpriority_process(Some(this), below(nice)));
    if let Err(error) = lowered {
        tracing::warn!(event = "password_priority_kept", %error);
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use tenure_core::secret::Secret;

    use super::{Match, PasswordError, Passwords, QUEUE_PER_WORKER};

    #[tokio::test]
    async fn a_new_hash_is_salted_current_and_of_its_password_only() {
        let passwords = Passwords::new(2);
        let secret = Secret::new("correct horse");
        let hash = passwords.hash(&secret).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(hash, passwords.hash(&secret).await.unwrap());
        assert_eq!(passwords.verify(&secret, Some(&hash)).await, Ok(Match::Yes));
        let wrong = Secret::new("correct horsf");
        assert_eq!(passwords.verify(&wrong, Some(&hash)).await, Ok(Match::No));
        assert_eq!(passwords.verify(&secret, None).await, Ok(Match::No));
        assert_eq!(
            passwords.verify(&secret, Some("garbage")).await,
            Ok(Match::No)
        );
    }

    #[tokio::test]
    async fn a_flood_is_told_to_slow_down_and_the_thread_survives_it() {
        let passwords = Passwords::new(1);
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let job = Box::new(move || {
            started.send(()).unwrap();
            held.recv().unwrap_err();
        });
        passwords.jobs.try_send(job).unwrap();
        has_started.await.unwrap();
        for _ in 0..QUEUE_PER_WORKER {
            passwords.jobs.try_send(Box::new(|| ())).unwrap();
        }
        assert_eq!(passwords.run(|| ()).await, Err(PasswordError::Busy));
        drop(release);
        // The queue empties only if the thread goes on.
        while passwords.run(|| ()).await == Err(PasswordError::Busy) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_ends_one_job_only() {
        let passwords = Passwords::new(1);
        let broken = passwords.run(|| panic!("a bug")).await;
        assert_eq!(broken, Err::<(), _>(PasswordError::Failed));
        assert_eq!(passwords.run(|| 7).await, Ok(7));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hashing_runs_below_the_rest() {
        let mine = || {
            let this = rustix::thread::gettid();
            rustix::process::getpriority_process(Some(this)).unwrap()
        };
        let rest = mine();
        assert_eq!(
            Passwords::new(1).run(mine).await.unwrap(),
            super::below(rest)
        );
    }
}
