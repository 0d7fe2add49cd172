//! Presentations, in groups.
//!
//! One by one, a presentation costs a database on another machine a read, a write and, where it has
//! commits, a commit. Whatever arrives while a group is under way becomes the next group, which costs
//! hardly more than one presentation did. Nothing waits in order to be grouped.

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tenure_core::id::LineageId;
use tenure_core::lineage::Step;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::{Judge, Loaded, StoreError, Transition, Written};

/// Presentations of one group: beyond these, more save nothing.
const GROUP: usize = 128;

/// As many have to wait for each group under way before another one goes beside it.
const WAITING: usize = 32;

/// A group that takes longer is not waited for: the database is far away, or it has to wait itself.
const SLOW: Duration = Duration::from_millis(5);

/// From the presentation to its answer; below the server's limit for a request.
const PATIENCE: Duration = Duration::from_secs(9);

/// Somebody who waits for the outcome of a presentation.
pub(crate) struct Presentation {
    pub(crate) lineage: LineageId,
    pub(crate) judge: Judge,
    answer: oneshot::Sender<Result<Written, StoreError>>,
}

impl Presentation {
    pub(crate) fn answer(self, written: Result<Written, StoreError>) {
        // Who has hung up needs no answer.
        drop(self.answer.send(written));
    }
}

impl fmt::Debug for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presentation").finish_non_exhaustive()
    }
}

/// Answers the same to all.
pub(crate) fn refuse(group: impl IntoIterator<Item = Presentation>, error: &StoreError) {
    for presentation in group {
        presentation.answer(Err(error.clone()));
    }
}

/// What reads, judges and writes a group, and answers each of it.
pub(crate) trait Carrier: fmt::Debug + Send + Sync + 'static {
    fn carry_out(&self, group: Vec<Presentation>) -> impl Future<Output = ()> + Send;
}

/// Presentations that wait, and the groups under way. Clones share them.
#[derive(Debug)]
pub(crate) struct Groups<C>(Arc<Shared<C>>);

#[derive(Debug)]
struct Shared<C> {
    carrier: C,
    most: usize,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Presentation>,
    under_way: usize,
    /// When the latest group began.
    begun: Option<Instant>,
}

impl<C: Carrier> Groups<C> {
    /// At most `most` groups at once.
    pub(crate) fn new(carrier: C, most: usize) -> Self {
        Self(Arc::new(Shared {
            carrier,
            most,
            queue: Mutex::default(),
        }))
    }

    /// Reads, judges and writes where that still fits what was read.
    pub(crate) async fn present(
        &self,
        lineage: LineageId,
        judge: Judge,
    ) -> Result<Written, StoreError> {
        let (answer, answered) = oneshot::channel();
        let presentation = Presentation {
            lineage,
            judge,
            answer,
        };
        if self.0.enqueue(presentation) {
            let mut turn = Turn {
                shared: Arc::clone(&self.0),
                ended: false,
            };
            tokio::spawn(async move {
                while let Some(group) = turn.next_group() {
                    let carried = AssertUnwindSafe(turn.shared.carrier.carry_out(group));
                    // A panic has hung up on its group; those that wait are not of it.
                    drop(carried.catch_unwind().await);
                }
            });
        }
        match timeout(PATIENCE, answered).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) => Err(StoreError::Unavailable(
                "a presentation was given up halfway".to_owned(),
            )),
            Err(_) => Err(StoreError::Busy(format!(
                "no answer within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }
}

impl<C> Shared<C> {
    /// Whether the caller has to start another group.
    fn enqueue(&self, presentation: Presentation) -> bool {
        let mut queue = self.queue.lock();
        queue.waiting.push(presentation);
        let under_way = queue.under_way;
        let slow = queue.begun.is_none_or(|begun| begun.elapsed() > SLOW);
        let another = under_way < self.most
            && (under_way == 0 || slow || queue.waiting.len() >= WAITING * under_way);
        if another {
            queue.under_way += 1;
            queue.begun = Some(Instant::now());
        }
        another
    }
}

/// One of the groups under way; gives its place back even where its task is dropped halfway.
struct Turn<C> {
    shared: Arc<Shared<C>>,
    ended: bool,
}

impl<C> Turn<C> {
    /// Those that wait, without those who have hung up; `None` ends the turn.
    fn next_group(&mut self) -> Option<Vec<Presentation>> {
        let mut queue = self.shared.queue.lock();
        queue.waiting.retain(|waiting| !waiting.answer.is_closed());
        let size = queue.waiting.len().min(GROUP);
        if size == 0 {
            // Under the same lock: whoever comes next has to start another.
            queue.under_way -= 1;
            self.ended = true;
            return None;
        }
        queue.begun = Some(Instant::now());
        Some(queue.waiting.drain(..size).collect())
    }
}

impl<C> Drop for Turn<C> {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.queue.lock().under_way -= 1;
        }
    }
}

/// What follows from the rows as they were read.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// At most one per session, in order of their ids: groups that write the same rows lock them in
    /// the same order.
    pub(crate) steps: Vec<(Step, Presentation)>,
    /// Those whose session another one of the group writes, rows that could not be believed, and rare
    /// kinds of writes.
    pub(crate) alone: Vec<Presentation>,
}

impl Judged {
    /// Asks every judge, and answers those that want nothing written. A session that is not in `rows`
    /// does not exist.
    pub(crate) fn of(
        mut group: Vec<Presentation>,
        mut rows: HashMap<LineageId, Result<Loaded, StoreError>>,
    ) -> Self {
        // Stable: presentations of one session stay in the order in which they came.
        group.sort_by_key(|one| one.lineage);
        let mut judged = Self::default();
        let mut written = None;
        let mut group = group.into_iter().peekable();
        while let Some(presentation) = group.next() {
            let lineage = presentation.lineage;
            // A row is copied only for those that have to share it.
            let loaded = if group.peek().is_some_and(|next| next.lineage == lineage) {
                rows.get(&lineage).cloned()
            } else {
                rows.remove(&lineage)
            };
            let loaded = match loaded.transpose() {
                Ok(loaded) => loaded,
                Err(error) => {
                    presentation.answer(Err(error));
                    continue;
                }
            };
            match (presentation.judge)(loaded) {
                None => presentation.answer(Ok(Written::Now)),
                Some(Transition::Advance(step)) if written != Some(lineage) => {
                    written = Some(lineage);
                    judged.steps.push((step, presentation));
                }
                Some(_) => judged.alone.push(presentation),
            }
        }
        judged
    }
}

#[cfg(test)]
mod tests;
