//! The threads on which the library works, whoever waits for it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// How long the end waits for calls into the other language.
const PATIENCE: Duration = Duration::from_secs(2);

struct Owned {
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

static OWNED: LazyLock<Owned> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("tenure").enable_all();
    #[expect(
        clippy::expect_used,
        reason = "a process that cannot start a thread cannot go on"
    )]
    let runtime = builder.build().expect("a thread");
    Owned {
        handle: runtime.handle().clone(),
        runtime: Mutex::new(Some(runtime)),
    }
});

/// Lets `work` use the library's runtime. It is polled by its caller and ends with it; what it
/// spawned goes on.
pub(crate) async fn on_runtime<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _entered = OWNED.handle.enter();
        work.as_mut().poll(context)
    })
    .await
}

/// Ends the library's threads, for an interpreter that is about to end: a thread that calls into one
/// that is gone takes the process with it. Nothing works afterwards; nothing that was saved is lost.
#[uniffi::export]
pub fn shut_down() {
    let runtime = OWNED.runtime.lock();
    let runtime = runtime.unwrap_or_else(PoisonError::into_inner).take();
    if let Some(runtime) = runtime {
        runtime.shutdown_timeout(PATIENCE);
    }
}
