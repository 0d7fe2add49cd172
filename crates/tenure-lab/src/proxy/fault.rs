//! What can be done to a request or its answer, and the handles by which a test steers it.

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use super::exchange::{Answer, Recorded};

/// What happens to one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The upstream gets the request and answers; the client's connection is closed instead of
    /// the answer.
    SwallowAnswer,
    /// The client's connection is reset; the upstream hears nothing.
    ResetBeforeForward,
    /// The request waits until the test releases it.
    HoldRequest(Hold),
    /// The upstream answers at once; the answer waits until the test releases it.
    HoldAnswer(Hold),
    /// The upstream gets the request twice, one after the other; the client gets the first answer.
    Duplicate,
    /// The request goes its way, and a copy is kept for the test to deliver later.
    HoldDuplicate(Replay),
    /// The client gets this answer; the upstream hears nothing.
    Status {
        /// The answer's status.
        status: StatusCode,
        /// The answer's headers.
        headers: HeaderMap,
        /// The answer's body.
        body: Bytes,
    },
    /// The client gets the answer's headers and the first so many bytes of its body, then the
    /// connection is closed.
    TruncateBody(usize),
}

impl Fault {
    /// [`Fault::Status`] from texts.
    ///
    /// # Errors
    /// When the status or a header is not valid HTTP.
    pub fn status(status: u16, headers: &[(&str, &str)], body: &str) -> anyhow::Result<Self> {
        let headers = headers
            .iter()
            .map(|(name, value)| Ok((name.parse::<HeaderName>()?, HeaderValue::from_str(value)?)))
            .collect::<anyhow::Result<_>>()?;
        let body = Bytes::copy_from_slice(body.as_bytes());
        Ok(Self::Status {
            status: StatusCode::from_u16(status)?,
            headers,
            body,
        })
    }
}

/// Holds requests or answers until they are released. Clones are the same hold.
#[derive(Debug, Clone)]
pub struct Hold {
    arrived: Arc<Semaphore>,
    released: watch::Sender<bool>,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            arrived: Arc::new(Semaphore::new(0)),
            released: watch::Sender::new(false),
        }
    }
}

impl Hold {
    /// Waits until `count` more requests or answers than already waited for are held.
    pub async fn arrived(&self, count: u32) {
        // The semaphore is never closed, so this cannot fail.
        if let Ok(permits) = self.arrived.acquire_many(count).await {
            permits.forget();
        }
    }

    /// Lets everything go that is held, and everything that arrives later.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    pub(super) async fn pass(&self) {
        self.arrived.add_permits(1);
        let mut released = self.released.subscribe();
        // `self` keeps the sender alive, so the only outcome is the release.
        let _ = released.wait_for(|released| *released).await;
    }
}

/// Copies of requests, to be delivered when the test says so. Clones are the same collection.
#[derive(Debug, Clone, Default)]
pub struct Replay(Arc<Mutex<Vec<Recorded>>>);

impl Replay {
    /// How many copies wait.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether no copy waits.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Delivers the oldest copy to the upstream and returns the answer, which no client sees.
    ///
    /// # Errors
    /// When there is none, or the upstream does not answer.
    pub async fn deliver(&self) -> anyhow::Result<Answer> {
        let oldest = {
            let mut copies = self.0.lock();
            if copies.is_empty() {
                None
            } else {
                Some(copies.remove(0))
            }
        };
        oldest.context("no request was recorded")?.forward().await
    }

    pub(super) fn keep(&self, request: Recorded) {
        self.0.lock().push(request);
    }
}
