//! Hears of changes that any server made (`LISTEN`).

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::AsyncMessage;

use super::address::Address;
use super::meta::CHANNEL;
use super::pool::{CREATE, Commit};
use crate::StoreError;

/// Between two attempts to connect; until it succeeds, the server polls.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection that only listens; it ends with this.
#[derive(Debug)]
pub(super) struct Listener {
    changed: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) fn start(address: Arc<Address>) -> Self {
        let changed = Arc::new(Notify::new());
        let tell = Arc::clone(&changed);
        let task = tokio::spawn(async move {
            loop {
                if let Err(error) = listen(&address, &tell).await {
                    tracing::debug!(%error, place = address.place(), "cannot listen for changes");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { changed, task }
    }

    /// Waits for the next change; one that came while nobody waited counts.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until the connection ends.
async fn listen(address: &Address, changed: &Notify) -> Result<(), StoreError> {
    let config = address.config(Commit::Asynchronous);
    let connected = timeout(CREATE, config.connect(address.tls())).await;
    let (client, mut connection) =
        connected.map_err(|_| StoreError::Busy("no connection".to_owned()))??;
    let listen = format!("LISTEN {CHANNEL}");
    let listening = async {
        client.batch_execute(&listen).await?;
        // What happened since the last connection ended was told to nobody.
        tell(changed);
        // The client has to live as long as the connection.
        std::future::pending::<Result<(), StoreError>>().await
    };
    let hearing = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                tell(changed);
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = listening => ended,
        ended = hearing => ended,
    }
}

/// Everybody who waits, and the next one who does.
fn tell(changed: &Notify) {
    changed.notify_waiters();
    changed.notify_one();
}
