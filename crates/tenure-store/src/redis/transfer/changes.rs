//! Sessions that the log tells of.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenure_core::id::LineageId;

use super::super::inner::Inner;
use crate::transfer::{after, cursor};
use crate::{Changes, Cursor, Entry, Position, Record, Shard, StoreError};

impl Inner {
    /// A cursor holds how far each shard has been read.
    pub(in super::super) async fn changes(
        self: &Arc<Self>,
        since: Option<&Cursor>,
        limit: u32,
    ) -> Result<Changes, StoreError> {
        let heads = self.log.heads().await?;
        let Some(since) = after::<BTreeMap<u16, u64>>(since)? else {
            let heads = heads.iter().map(|head| (head.shard.0, head.at));
            let heads: BTreeMap<u16, u64> = heads.collect();
            return Ok(Changes::from_now(cursor(&heads)?));
        };
        for head in &heads {
            self.heads.note(*head);
        }
        let (mut read, mut lineages, mut more) = (since, Vec::new(), false);
        for head in heads {
            let at = read.get(&head.shard.0).copied().unwrap_or_default();
            if at >= head.at {
                continue;
            }
            if lineages.len() as u64 >= u64::from(limit) {
                more = true;
                break;
            }
            let (last, told) = self.told(head.shard, at, head.at, limit).await?;
            lineages.extend(told);
            more |= last < head.at;
            read.insert(head.shard.0, last);
        }
        lineages.sort_unstable();
        lineages.dedup();
        let found = self.load_each(&lineages).await?.into_values();
        Ok(Changes {
            records: found
                .map(|loaded| Record::Session(Box::new(loaded)))
                .collect(),
            next: Some(cursor(&read)?),
            more,
        })
    }

    /// The sessions of a shard's entries, and how far they go.
    async fn told(
        &self,
        shard: Shard,
        at: u64,
        head: u64,
        limit: u32,
    ) -> Result<(u64, Vec<LineageId>), StoreError> {
        let entries = self.log.after(Position { shard, at }, limit).await?;
        let full = entries.len() as u64 >= u64::from(limit);
        let last = entries.last().filter(|_| full);
        let last = last.map_or(head, |(position, _)| position.at);
        let lineage = |(_, entry): (Position, Entry)| match entry {
            Entry::Created { lineage, .. } | Entry::Revoked { lineage, .. } => Some(lineage),
            Entry::Cut { keep, .. } => keep,
            Entry::Deleted { .. } => None,
        };
        Ok((last, entries.into_iter().filter_map(lineage).collect()))
    }
}
