//! What this process knows of the session log: how far each shard has got.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use super::error::damaged;
use super::link::Epoch;
use crate::{Position, SessionLog, Shard, StoreError};

/// The known heads.
#[derive(Debug)]
pub(super) struct Heads {
    shards: Vec<Head>,
    /// Of the connections at the last reading.
    read_in: AtomicU64,
    epoch: Epoch,
    reading: Mutex<()>,
    fallen: AtomicBool,
    /// Held while the log is told of what it lost.
    pub(super) listing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Head {
    known: AtomicU64,
    /// Held by whoever appends to the log and applies it, so that the writers of one process never
    /// come to Redis out of order.
    writing: Mutex<()>,
}

impl Heads {
    pub(super) fn new(epoch: &Epoch) -> Self {
        Self {
            shards: (0..Shard::COUNT).map(|_| Head::default()).collect(),
            read_in: AtomicU64::new(epoch.now()),
            epoch: epoch.clone(),
            reading: Mutex::new(()),
            fallen: AtomicBool::new(false),
            listing: Mutex::new(()),
        }
    }

    /// The last position that this shard is known to have.
    pub(super) fn known(&self, shard: Shard) -> u64 {
        self.head(shard)
            .map_or(0, |head| head.known.load(Ordering::Acquire))
    }

    pub(super) fn note(&self, position: Position) {
        if let Ok(head) = self.head(position.shard) {
            head.known.fetch_max(position.at, Ordering::AcqRel);
        }
    }

    /// What each of these shards is known to have.
    pub(super) fn all_known(&self, shards: impl Iterator<Item = Shard>) -> Vec<Position> {
        let known = |shard| Position {
            shard,
            at: self.known(shard),
        };
        shards.map(known).collect()
    }

    /// The log came back older than it was, so that it may not list every session.
    pub(super) fn note_fall(&self) {
        self.fallen.store(true, Ordering::Release);
    }

    /// Whether it did since this was last asked.
    pub(super) fn take_fall(&self) -> bool {
        self.fallen.swap(false, Ordering::AcqRel)
    }

    pub(super) async fn writing(&self, shard: Shard) -> Result<MutexGuard<'_, ()>, StoreError> {
        Ok(self.head(shard)?.writing.lock().await)
    }

    /// Reads the heads of the log.
    pub(super) async fn read(&self, log: &Arc<dyn SessionLog>) -> Result<(), StoreError> {
        let epoch = self.epoch.now();
        // Before the question: what is appended meanwhile is no sign of a fall.
        let known = self.all_known((0..Shard::COUNT).map(Shard));
        let heads = log.heads().await?;
        let at: HashMap<Shard, u64> = heads.iter().map(|head| (head.shard, head.at)).collect();
        let fell = |known: &Position| known.at > at.get(&known.shard).copied().unwrap_or_default();
        if known.iter().any(fell) {
            self.note_fall();
        }
        for position in heads {
            self.note(position);
        }
        self.read_in.fetch_max(epoch, Ordering::AcqRel);
        Ok(())
    }

    /// Reads them where a connection has been lost since: what answers now may be another server,
    /// which lacks what another process was promised.
    pub(super) async fn read_after_loss(
        &self,
        log: &Arc<dyn SessionLog>,
    ) -> Result<(), StoreError> {
        if !self.are_stale() {
            return Ok(());
        }
        let _one = self.reading.lock().await;
        if self.are_stale() {
            self.read(log).await?;
        }
        Ok(())
    }

    fn are_stale(&self) -> bool {
        self.read_in.load(Ordering::Acquire) < self.epoch.now()
    }

    fn head(&self, shard: Shard) -> Result<&Head, StoreError> {
        self.shards
            .get(usize::from(shard.0))
            .ok_or_else(|| damaged("a shard that there is not"))
    }
}
