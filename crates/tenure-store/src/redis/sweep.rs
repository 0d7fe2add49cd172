//! Deletes sessions that nobody can need any more.
//!
//! Keys go by themselves a day after the sweep could have deleted them: it keeps the session log from
//! listing them for ever, and the memory free a day earlier.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::LineageId;
use tenure_core::time::Timestamp;
use tokio::task::JoinSet;

use super::codec::GRACE;
use super::inner::Inner;
use super::remake::AsItBegan;
use super::replay::Place;
use crate::record::is_purgeable;
use crate::{Entry, Loaded, Purged, Shard, StoreError, deletion_entries};

/// Sessions that are listed and looked at in one go.
const PAGE: u32 = 256;

/// Sessions that one call looks at.
const SLICE: u32 = 20_000;

/// Sessions that are looked at side by side.
const ABREAST: usize = 32;

/// Steps of the log's compaction in one call, each of as many entries as the call may delete
/// sessions.
const COMPACTIONS: u32 = 16;

/// How long the log must remember the end of a session whose beginning it does not tell in full, as
/// older programs wrote it, so that its limit is not known: longer than any absolute limit.
const LONG: Duration = Duration::from_hours(24 * 3653);

impl Inner {
    pub(super) async fn purge(
        self: &Arc<Self>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Purged, StoreError> {
        let (sessions, finished) = self.sweep_sessions(now, limit).await?;
        let left = limit.saturating_sub(u32::try_from(sessions).unwrap_or(u32::MAX));
        let tickets = self.sweep_records(now, left).await?;
        // Either every session that the log forgets has been looked at, or its key went by itself.
        let past = if finished { now } else { now.minus(GRACE) };
        for _ in 0..COMPACTIONS {
            if self.log.compact(past, limit).await? < u64::from(limit) {
                break;
            }
        }
        Ok(Purged { sessions, tickets })
    }

    /// How many it deleted, and whether it got to the end of the list.
    async fn sweep_sessions(
        self: &Arc<Self>,
        now: Timestamp,
        limit: u32,
    ) -> Result<(u64, bool), StoreError> {
        let (mut deleted, mut seen) = (0, 0);
        let mut finished = false;
        while !finished && deleted < limit && seen < SLICE {
            let after = *self.swept_to.lock();
            let listed = self.log.sessions(after, PAGE).await?;
            // What is listed may be about to begin: its key is missing, and its shard is behind.
            self.heads.read(&self.log).await?;
            let mut over = self.over(&listed, now).await?;
            over.truncate((limit - deleted) as usize);
            self.delete(&over).await?;
            deleted += u32::try_from(over.len()).unwrap_or(u32::MAX);
            seen += PAGE;
            let cut_short = deleted == limit;
            let last = if cut_short {
                over.last().map(|(lineage, _)| *lineage)
            } else {
                listed.last().copied()
            };
            finished = !cut_short && listed.len() < PAGE as usize;
            *self.swept_to.lock() = last.filter(|_| !finished);
        }
        Ok((deleted.into(), finished))
    }

    /// Those that are over, in the order of the list, each with the end of its use to the log.
    async fn over(
        self: &Arc<Self>,
        listed: &[LineageId],
        now: Timestamp,
    ) -> Result<Vec<(LineageId, Timestamp)>, StoreError> {
        let mut over = HashMap::new();
        for abreast in listed.chunks(ABREAST) {
            let mut looking = JoinSet::new();
            for &lineage in abreast {
                let inner = Arc::clone(self);
                looking.spawn(async move { (lineage, inner.limit_if_over(lineage, now).await) });
            }
            for (lineage, limit) in looking.join_all().await {
                if let Some(limit) = limit? {
                    over.insert(lineage, limit);
                }
            }
        }
        let listed = listed.iter();
        Ok(listed
            .filter_map(|lineage| over.get(lineage).map(|limit| (*lineage, *limit)))
            .collect())
    }

    async fn limit_if_over(
        &self,
        lineage: LineageId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = match self.read(lineage).await? {
            Some(Loaded { row, .. }) => row,
            None => match self.as_it_began(lineage).await? {
                AsItBegan::Known(row) => *row,
                AsItBegan::Untold => return Ok(Some(now + LONG)),
                AsItBegan::Deleted => return Ok(None),
            },
        };
        if !is_purgeable(&row, now) {
            return Ok(None);
        }
        let only_idle = now <= row.expires_absolute && row.revoked.is_none();
        if only_idle && now <= self.replayed_at(Shard::of(lineage), now).await? + row.idle {
            return Ok(None);
        }
        Ok(Some(row.expires_absolute))
    }

    async fn delete(&self, over: &[(LineageId, Timestamp)]) -> Result<(), StoreError> {
        if over.is_empty() {
            return Ok(());
        }
        let entries = deletion_entries(over);
        let mut writing = Vec::with_capacity(entries.len());
        for (shard, _) in &entries {
            writing.push(self.heads.writing(*shard).await?);
        }
        let positions = self.append(&entries).await?;
        for ((_, entry), position) in entries.iter().zip(positions) {
            if let Entry::Deleted { lineages, .. } = entry {
                let place = Place::at(position);
                self.apply(place, &self.deletion(place, lineages.iter()))
                    .await?;
            }
        }
        drop(writing);
        Ok(())
    }
}
