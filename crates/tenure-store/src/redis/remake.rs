//! A session whose key is missing though the log has it going on: it was evicted, deleted by hand, or
//! the clock of Redis jumped.

use redis::{Value, cmd};
use tenure_core::id::LineageId;
use tenure_core::lineage::{Cut, Row};
use tenure_core::time::Timestamp;

use super::inner::Inner;
use super::replay::Place;
use crate::{Entry, Position, StoreError};

/// What the log has of a session.
pub(super) enum AsItBegan {
    /// The session before any refresh, and its end.
    Known(Box<Row>),
    /// It began, and an older program did not write all of it down.
    Untold,
    /// Nothing: it never began, or was deleted.
    Deleted,
}

impl AsItBegan {
    fn of(entries: &[Entry]) -> Self {
        let Some(Entry::Created { lineage, at, begun }) = entries.iter().find(|entry| began(entry))
        else {
            return Self::Deleted;
        };
        let Some(begun) = begun else {
            return Self::Untold;
        };
        let mut row = begun.row(*lineage, *at);
        row.revoked = entries.iter().find_map(|entry| match entry {
            Entry::Revoked { why, .. } => Some(*why),
            _ => None,
        });
        Self::Known(Box::new(row))
    }
}

impl Inner {
    pub(super) async fn as_it_began(&self, lineage: LineageId) -> Result<AsItBegan, StoreError> {
        Ok(AsItBegan::of(&self.log.entries_of(lineage).await?))
    }

    /// Makes a session again that was missing where its shard stood at `position`, unless it ended,
    /// was deleted, or has passed its limit. Whether that was tried: then it is to be read again.
    pub(super) async fn remake(
        &self,
        lineage: LineageId,
        position: Position,
    ) -> Result<bool, StoreError> {
        let entries = self.log.entries_of(lineage).await?;
        let AsItBegan::Known(row) = AsItBegan::of(&entries) else {
            return Ok(false);
        };
        if row.revoked.is_some() || self.now().await? > row.expires_absolute {
            return Ok(false);
        }
        let Some(entry) = entries.iter().find(|entry| began(entry)) else {
            return Ok(false);
        };
        let cut = self.log.cut_of(&row.grant.subject).await?;
        let cut = cut.filter(|cut| !spares(&entries, *cut));
        // Without going on: an end that is carried out meanwhile moves the shard, and nothing is made.
        let place = Place {
            shard: position.shard,
            first: position.at,
            last: position.at,
        };
        tracing::warn!(
            shard = position.shard.0,
            "a session is missing in Redis that the session log has going on; it is made again"
        );
        self.mark_replayed(position.shard).await?;
        let call = self.creation(place, &row, entry, cut)?;
        call.run::<Value>(&self.durable).await?;
        Ok(true)
    }

    /// By the clock of Redis.
    pub(super) async fn now(&self) -> Result<Timestamp, StoreError> {
        let (seconds, _): (u64, u64) = self.link.ask(&cmd("TIME")).await?;
        Ok(Timestamp(seconds))
    }
}

fn began(entry: &Entry) -> bool {
    matches!(entry, Entry::Created { .. })
}

fn spares(entries: &[Entry], cut: Cut) -> bool {
    let mut spared = entries.iter().filter_map(|entry| match entry {
        Entry::Cut { cut, .. } => Some(cut.before),
        _ => None,
    });
    spared.any(|spared| spared >= cut.before)
}
