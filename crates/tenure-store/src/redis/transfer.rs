//! Moving to and from Redis: what the SQL side keeps moves as that side moves it.

mod changes;
mod export;
mod records;
mod sessions;

use std::collections::HashMap;
use std::sync::Arc;

use tenure_core::id::LineageId;
use tokio::task::JoinSet;

use super::inner::Inner;
use crate::{Cursor, Loaded, Page, Part, Record, StoreError};

/// Sessions that are read, and shards that are written, side by side.
const ABREAST: usize = 64;

impl Inner {
    pub(super) async fn export(
        self: &Arc<Self>,
        part: Part,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        match part {
            Part::Sessions => self.export_sessions(from, limit).await,
            Part::Tickets | Part::Devices => self.export_records(part, from, limit).await,
            _ => self.sql.export(part, from, limit).await,
        }
    }

    pub(super) async fn count(&self, part: Part) -> Result<Option<u64>, StoreError> {
        match part {
            Part::Sessions | Part::Tickets | Part::Devices => Ok(None),
            _ => self.sql.count(part).await,
        }
    }

    pub(super) async fn import(self: &Arc<Self>, records: &[Record]) -> Result<u64, StoreError> {
        let is_here = |record: &&Record| {
            matches!(
                record.part(),
                Part::Sessions | Part::Tickets | Part::Devices
            )
        };
        let (here, in_sql): (Vec<&Record>, Vec<&Record>) = records.iter().partition(is_here);
        let mut changed = 0;
        if !in_sql.is_empty() {
            let in_sql: Vec<Record> = in_sql.into_iter().cloned().collect();
            changed += self.sql.import(&in_sql).await?;
        }
        let mut sessions = sessions::Sessions::default();
        for record in here {
            match record {
                Record::Session(loaded) => sessions.add(loaded),
                Record::Ticket(ticket) => changed += u64::from(self.import_ticket(ticket).await?),
                Record::Device(device) => changed += u64::from(self.import_device(device).await?),
                _ => {}
            }
        }
        Ok(changed + self.import_sessions(&sessions).await?)
    }

    /// Those of the sessions that are there.
    async fn load_each(
        self: &Arc<Self>,
        lineages: &[LineageId],
    ) -> Result<HashMap<LineageId, Loaded>, StoreError> {
        let mut found = HashMap::with_capacity(lineages.len());
        for abreast in lineages.chunks(ABREAST) {
            let mut loading = JoinSet::new();
            for &lineage in abreast {
                let inner = Arc::clone(self);
                loading.spawn(async move { inner.load(lineage).await });
            }
            for loaded in loading.join_all().await {
                found.extend(loaded?.map(|loaded| (loaded.row.lineage, loaded)));
            }
        }
        Ok(found)
    }
}
