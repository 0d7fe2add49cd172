//! What the methods of the store share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{Cmd, FromRedisValue as _, Value, cmd};
use tenure_core::id::LineageId;
use tokio::sync::Semaphore;

use super::check::Found;
use super::error::{damaged, trouble};
use super::heads::Heads;
use super::keys::Keys;
use super::link::Link;
use super::options::Wait;
use super::replay::Place;
use super::scripts::{Call, REWIND};
use crate::{Counters, Entry, Position, SessionLog, Shard, Store, StoreError};

/// Before a write gives up to come after what is before it in the log.
const ATTEMPTS: usize = 16;

/// The connections and both sides of the truth.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) place: String,
    pub(super) sentinels: bool,
    /// What requests share.
    pub(super) link: Arc<Link>,
    /// For what has to be waited for, which is the same one where nothing has to.
    pub(super) durable: Arc<Link>,
    pub(super) keys: Keys,
    pub(super) wait: Wait,
    pub(super) sql: Arc<dyn Store>,
    pub(super) log: Arc<dyn SessionLog>,
    pub(super) heads: Heads,
    pub(super) found: Mutex<Found>,
    /// As many as may be replayed at once.
    pub(super) replays: Semaphore,
    /// Where the next slice of the sweep begins.
    pub(super) swept_to: Mutex<Option<LineageId>>,
    pub(super) writes: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Markers that were written.
    pub(super) marks: AtomicU64,
}

impl Inner {
    /// Appends to the log; from here on no presentation believes a shard that lacks it.
    pub(super) async fn append(
        &self,
        entries: &[(Shard, Entry)],
    ) -> Result<Vec<Position>, StoreError> {
        let positions = self.log.append(entries).await?;
        for position in &positions {
            self.heads.note(*position);
        }
        if positions.len() != entries.len() {
            return Err(damaged(
                "the session log places other entries than it was given",
            ));
        }
        Ok(positions)
    }

    /// Carries out what was appended, after everything that the log has before it. What another
    /// process has carried out meanwhile answers the same.
    pub(super) async fn apply(&self, place: Place, call: &Call) -> Result<Value, StoreError> {
        for _ in 0..ATTEMPTS {
            let answer: Vec<Value> = call.run(&self.durable).await?;
            let mut answer = answer.into_iter();
            let at = answer.next().map(u64::from_redis_value);
            if let Some(Ok(at)) = at
                && at >= place.last
            {
                return Ok(answer.next().unwrap_or(Value::Nil));
            }
            self.replay(place.shard, place.first).await?;
        }
        let why = format!(
            "shard {} does not get as far as the session log",
            place.shard.0
        );
        Err(StoreError::Busy(why))
    }

    /// Puts a shard back to where the log ends: entries that were acknowledged are gone from the log,
    /// restored from a backup, and their numbers will be given to others. Their sessions stay.
    ///
    /// False where the log is no shorter than what the shard has applied.
    pub(super) async fn rewind(&self, shard: Shard) -> Result<bool, StoreError> {
        // Before the heads, so that nothing can be appended and applied in between.
        let at = self.position(shard).await?;
        let heads = self.log.heads().await?;
        let head = heads.iter().find(|head| head.shard == shard);
        let head = head.map_or(0, |head| head.at);
        if at <= head {
            return Ok(false);
        }
        tracing::warn!(
            shard = shard.0,
            applied = at,
            head,
            "the session log ends before what Redis has applied: it was restored from a backup"
        );
        let call = REWIND.call(&[&self.keys.position(shard)]);
        call.number(at).number(head).run::<()>(&self.link).await?;
        self.heads.put_back(Position { shard, at: head });
        Ok(true)
    }

    /// What to say where an entry counts as applied and is not.
    pub(super) async fn rewound(&self, shard: Shard) -> StoreError {
        match self.rewind(shard).await {
            Ok(true) => StoreError::Busy("the session log was restored; try again".to_owned()),
            Ok(false) => damaged("a session that has just begun is gone"),
            Err(error) => error,
        }
    }

    /// Waits until as many replicas and files have it as was asked for.
    pub(super) async fn confirmed(&self, lineage: LineageId) -> Result<(), StoreError> {
        if !self.wait.is_needed() {
            return Ok(());
        }
        let key = self.keys.session(lineage);
        let route = Route::with_key(key.as_bytes(), SlotAddr::Master);
        let there = RoutingInfo::SingleNode(SingleNodeRoutingInfo::SpecificNode(route));
        let answer = self.durable.route(self.waiting(), there).await;
        let answer = answer.map_err(|error| trouble(&error))?;
        let (local, replicas) = if self.wait.local {
            <(u32, u32)>::from_redis_value(answer)
        } else {
            u32::from_redis_value(answer).map(|replicas| (0, replicas))
        }
        .map_err(|why| StoreError::Damaged(why.to_string()))?;
        if local >= u32::from(self.wait.local) && replicas >= self.wait.replicas {
            return Ok(());
        }
        Err(StoreError::Busy(format!(
            "only {replicas} of {} replicas confirmed within {:?}",
            self.wait.replicas, self.wait.timeout
        )))
    }

    fn waiting(&self) -> Cmd {
        let milliseconds = u64::try_from(self.wait.timeout.as_millis()).unwrap_or(u64::MAX);
        let mut command = if self.wait.local {
            let mut command = cmd("WAITAOF");
            command.arg(1);
            command
        } else {
            cmd("WAIT")
        };
        command.arg(self.wait.replicas).arg(milliseconds.max(1));
        command
    }

    /// Counts a write by its answer.
    pub(super) fn counted<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        let counter = match &answer {
            Ok(_) => &self.writes,
            Err(StoreError::Damaged(_)) => return answer,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        answer
    }

    pub(super) fn counters(&self) -> Counters {
        let writes = self.writes.load(Ordering::Relaxed);
        Counters {
            commits: writes,
            writes,
            failed_commits: self.failed.load(Ordering::Relaxed),
        }
    }
}
