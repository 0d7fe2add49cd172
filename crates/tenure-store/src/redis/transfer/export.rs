//! Pages of records.

use std::sync::Arc;

use redis::cmd;
use tenure_core::id::LineageId;

use super::super::inner::Inner;
use super::super::keys::{Bucket, Keys};
use crate::transfer::{after, cursor};
use crate::{Cursor, Page, Part, Record, StoreError};

impl Inner {
    /// In the order of the session log, which lists them all.
    pub(super) async fn export_sessions(
        self: &Arc<Self>,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let listed = self.log.sessions(after::<LineageId>(from)?, limit).await?;
        // One that another process has appended and not carried out yet is replayed by its load.
        self.heads.read(&self.log).await?;
        let mut found = self.load_each(&listed).await?;
        let loaded = listed.iter().filter_map(|lineage| found.remove(lineage));
        let mut page = Page {
            records: loaded
                .map(|loaded| Record::Session(Box::new(loaded)))
                .collect(),
            next: None,
        };
        if listed.len() as u64 >= u64::from(limit) {
            page.next = listed.last().map(cursor).transpose()?;
        }
        Ok(page)
    }

    /// Bucket by bucket, in the order of their keys, which no write changes.
    pub(super) async fn export_records(
        &self,
        part: Part,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let from: Option<(u8, String)> = after(from)?;
        let (begin, mut last) = from.unwrap_or_default();
        let mut page = Page::default();
        for (number, bucket) in (0..).zip(Bucket::all()).skip(usize::from(begin)) {
            let listing = cmd("ZRANGE")
                .arg(self.keys.ends(bucket))
                .arg(0)
                .arg(-1)
                .to_owned();
            let mut keys: Vec<String> = self.link.ask(&listing).await?;
            keys.retain(|key| *key > last && Keys::is_of(part, key));
            keys.sort_unstable();
            let room = usize::try_from(limit).unwrap_or(usize::MAX) - page.records.len();
            let more = keys.len() > room;
            keys.truncate(room);
            page.records.extend(self.records_at(&keys).await?);
            if more {
                let last = keys.pop().unwrap_or(last);
                page.next = Some(cursor(&(number, last))?);
                return Ok(page);
            }
            last.clear();
        }
        Ok(page)
    }
}
