//! Presentations in groups: one packet that reads all sessions, one that writes them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use redis::Value;
use tenure_core::id::LineageId;

use super::codec;
use super::inner::Inner;
use super::scripts::Call;
use super::sessions::Lifetime;
use crate::groups::{Carrier, Judged, Presentation, refuse};
use crate::{Loaded, Shard, StoreError, Written};

/// Groups at once: they share one connection, so more wait for each other.
pub(super) const GROUPS: usize = 2;

/// Two packets for a group. Not for a cluster, where each slot has its own server.
#[derive(Debug)]
pub(super) struct InGroups(pub(super) Arc<Inner>);

impl Carrier for InGroups {
    async fn carry_out(&self, group: Vec<Presentation>) {
        let inner = &self.0;
        let lineages: HashSet<LineageId> = group.iter().map(|one| one.lineage).collect();
        let read = match inner.read_group(lineages.into_iter().collect()).await {
            Ok(read) => read,
            Err(error) => return refuse(group, &error),
        };
        let (current, behind): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|one| !read.behind.contains(&one.lineage));
        let Judged { steps, mut alone } = Judged::of(current, read.rows);
        let (mut calls, mut called) = (Vec::new(), Vec::new());
        for (step, one) in steps {
            if let Some(lifetime) = read.lifetimes.get(&one.lineage) {
                calls.push(inner.step(one.lineage, &step, *lifetime));
                called.push(one);
            } else {
                alone.push(one);
            }
        }
        // Without an answer it may be written all the same: read again, it says so.
        let written = if calls.is_empty() {
            Vec::new()
        } else {
            Call::run_all(&calls, &inner.link).await.unwrap_or_default()
        };
        let mut written = written.iter().map(|answer| *answer == Value::Int(1));
        for presentation in called {
            if written.next() == Some(true) {
                presentation.answer(inner.counted(Ok(Written::Now)));
            } else {
                self.present_alone(presentation);
            }
        }
        for presentation in alone.into_iter().chain(behind) {
            self.present_alone(presentation);
        }
    }
}

impl InGroups {
    fn present_alone(&self, presentation: Presentation) {
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let (lineage, judge) = (presentation.lineage, Arc::clone(&presentation.judge));
            presentation.answer(inner.present(lineage, judge).await);
        });
    }
}

/// What many sessions were read as.
#[derive(Default)]
struct Read {
    rows: HashMap<LineageId, Result<Loaded, StoreError>>,
    lifetimes: HashMap<LineageId, Lifetime>,
    /// Those that are missing, or whose shard lacks what the log is known to have.
    behind: HashSet<LineageId>,
}

impl Inner {
    /// As [`Inner::load`], once.
    async fn read_group(&self, lineages: Vec<LineageId>) -> Result<Read, StoreError> {
        let sessions = self.read_sessions(&lineages).await?;
        let mut read = Read::default();
        for (lineage, (at, fields)) in lineages.into_iter().zip(sessions) {
            if at < self.heads.known(Shard::of(lineage)) {
                read.behind.insert(lineage);
            } else if let Some(loaded) = codec::loaded(&fields).transpose() {
                if let Ok(Loaded { row, .. }) = &loaded {
                    read.lifetimes.insert(lineage, Lifetime::of(row));
                }
                read.rows.insert(lineage, loaded);
            } else {
                // Alone it is asked of the log.
                read.behind.insert(lineage);
            }
        }
        Ok(read)
    }
}
