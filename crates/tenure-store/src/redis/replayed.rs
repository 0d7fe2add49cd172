//! Which shards the sweep spares: those whose sessions may look older than they are, because Redis
//! has lost rotations together with what the log could give back.

use std::time::Duration;

use redis::cmd;
use tenure_core::time::Timestamp;

use super::inner::Inner;
use crate::{Entry, Position, Shard, StoreError};

/// What another process has appended and not carried out yet is no older than this.
const IN_PROGRESS: Duration = Duration::from_mins(1);

/// Nor is it more than this in one shard.
const FEW: usize = 64;

impl Inner {
    /// Marks a shard if what is about to be carried out after `from` is what Redis has lost, rather
    /// than what another process is about to carry out itself.
    pub(super) async fn mark_if_lost(
        &self,
        from: Position,
        entries: &[(Position, Entry)],
    ) -> Result<bool, StoreError> {
        if !self.are_lost(from, entries).await? {
            return Ok(false);
        }
        tracing::warn!(
            shard = from.shard.0,
            "Redis lacks entries of the session log, after a failover, a restart or a crash of a \
             server; they are replayed"
        );
        self.mark_replayed(from.shard).await?;
        Ok(true)
    }

    /// Whether these entries, all that the log has after `from` or the first page of it, are older
    /// or more than what another process may be about to carry out.
    pub(super) async fn are_lost(
        &self,
        from: Position,
        entries: &[(Position, Entry)],
    ) -> Result<bool, StoreError> {
        if entries.len() > FEW {
            return Ok(true);
        }
        // Where one is missing, it was made useless by a later one, so it was older.
        let first = entries.first().map(|(position, _)| position.at);
        if first.is_some_and(|first| first > from.at + 1) {
            return Ok(true);
        }
        let now = self.now().await?;
        // Ahead of the clock of Redis is not what has just happened either.
        let age = |at: Timestamp| now.since(at).max(at.since(now));
        let mut moments = entries.iter().filter_map(|(_, entry)| entry.at());
        Ok(moments.any(|at| age(at) > IN_PROGRESS))
    }

    /// From the next sweep on, for one idle period.
    pub(super) async fn mark_replayed(&self, shard: Shard) -> Result<(), StoreError> {
        let mut undated = cmd("SET");
        undated.arg(self.keys.replayed(shard)).arg("");
        self.link.ask(&undated).await
    }

    async fn mark_all_replayed(&self) -> Result<(), StoreError> {
        let shards = (0..Shard::COUNT).map(Shard);
        if self.link.is_cluster() {
            for shard in shards {
                self.mark_replayed(shard).await?;
            }
            return Ok(());
        }
        let mut all = cmd("MSET");
        for shard in shards {
            all.arg(self.keys.replayed(shard)).arg("");
        }
        self.link.ask(&all).await
    }

    /// Marks every shard if any of those that stand where `behind` says lacks what is lost: then it
    /// has lost the rotations of the others too.
    pub(super) async fn mark_if_any_lost(&self, behind: &[Position]) -> Result<(), StoreError> {
        for position in behind {
            let first = u32::try_from(FEW + 1).unwrap_or(u32::MAX);
            let entries = self.log.after(*position, first).await?;
            if self.are_lost(*position, &entries).await? {
                return self.mark_all_replayed().await;
            }
        }
        Ok(())
    }

    /// Marks every shard if the servers are not those of the last look, or were started anew: they
    /// may have come back older than they were, without lacking any entry.
    pub(super) async fn mark_if_restarted(&self) -> Result<(), StoreError> {
        let runs = self.found.lock().runs.clone();
        let key = self.keys.runs();
        let noted: Option<String> = self.link.ask(cmd("GET").arg(&key)).await?;
        if noted.as_ref() == Some(&runs) {
            return Ok(());
        }
        tracing::info!("Redis was restarted or replaced since the last look; the sweep waits");
        self.mark_all_replayed().await?;
        self.note_runs().await
    }

    pub(super) async fn note_runs(&self) -> Result<(), StoreError> {
        let runs = self.found.lock().runs.clone();
        self.link
            .ask(cmd("SET").arg(self.keys.runs()).arg(&runs))
            .await
    }

    /// When the shard was replayed, 0 for never. A replay has no clock; the first sweep after it
    /// dates it. For one idle period after it holders of tokens that are ahead of their rows come
    /// back.
    pub(super) async fn replayed_at(
        &self,
        shard: Shard,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let key = self.keys.replayed(shard);
        let at: Option<String> = self.link.ask(cmd("GET").arg(&key)).await?;
        match at.as_deref() {
            None => Ok(Timestamp(0)),
            Some("") => {
                self.link.ask::<()>(cmd("SET").arg(&key).arg(now.0)).await?;
                Ok(now)
            }
            Some(at) => Ok(Timestamp(at.parse().unwrap_or(now.0))),
        }
    }
}
