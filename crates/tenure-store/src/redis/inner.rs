//! What the methods of the store share.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

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
use super::scripts::Call;
use crate::log::shards_of;
use crate::tally::Tally;
use crate::{Entry, Position, SessionLog, Shard, Store, StoreError};

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
    pub(super) tally: Tally,
    /// Markers that were written.
    pub(super) marks: AtomicU64,
}

impl Inner {
    /// Appends to the log, after everything that is known of it: where it came back older than it was,
    /// it gives out no position that Redis has applied. From here on no presentation believes a shard
    /// that lacks the entries.
    pub(super) async fn append(
        &self,
        entries: &[(Shard, Entry)],
    ) -> Result<Vec<Position>, StoreError> {
        let known = self.heads.all_known(shards_of(entries).into_iter());
        if self.log.raise(&known).await? {
            self.heads.note_fall();
        }
        let positions = self.log.append(entries).await?;
        for position in &positions {
            self.heads.note(*position);
        }
        let given_before = |given: &Position| {
            let mut known = known.iter().filter(|known| known.shard == given.shard);
            known.any(|known| given.at <= known.at)
        };
        if positions.iter().any(given_before) {
            return Err(self.overtaken());
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
            let at = at.and_then(Result::ok).unwrap_or_default();
            if at >= place.last {
                self.heads.note(Position {
                    shard: place.shard,
                    at,
                });
                return Ok(answer.next().unwrap_or(Value::Nil));
            }
            // Another process may have stopped in the middle of these entries.
            let begun = at > place.first;
            let goal = if begun { place.last } else { place.first };
            self.replay(place.shard, goal).await?;
        }
        let why = format!(
            "shard {} does not get as far as the session log",
            place.shard.0
        );
        Err(StoreError::Busy(why))
    }

    /// What to say where an entry counts as applied and is not: before the log fell back it gave its
    /// position to another one. What is known by now does not let it do so again.
    pub(super) fn overtaken(&self) -> StoreError {
        self.heads.note_fall();
        StoreError::Busy("the session log came back older than it was; try again".to_owned())
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

    /// Counts a write by its answer; a record that does not fit is nobody's failed write.
    pub(super) fn counted<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match answer {
            Err(StoreError::Damaged(_)) => answer,
            answer => self.tally.note(answer),
        }
    }
}
