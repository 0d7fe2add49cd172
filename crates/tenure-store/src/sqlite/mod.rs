//! The embedded default: one SQLite file, one writer with group commit, readers beside it.

mod accounts;
mod audit;
mod backup;
mod codec;
mod compact;
mod devices;
mod error;
mod files;
mod journal;
mod keys;
mod log;
mod meta;
mod readers;
mod replay;
mod restore;
mod sessions;
mod store;
mod sweep;
mod tickets;
mod transfer;
mod writer;

use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tenure_core::id::LineageId;
use tenure_core::time::Timestamp;

use crate::{OpenError, Purged, Schema, StoreError};
use compact::Due;
use files::{FileId, Files};
pub use files::{SqliteOptions, Synchronous};
use readers::Readers;
use writer::Writer;

/// Sessions, accounts, keys and the audit trail in one file of a directory.
///
/// A write is acknowledged when it is on the disk (`synchronous=FULL`); creates and ends of sessions
/// are in the revocation log before that. Another process, such as the command line, may have the
/// same directory open.
#[derive(Debug)]
pub struct Sqlite {
    files: Files,
    readers: Arc<Readers>,
    writer: Writer,
    opened: FileId,
    /// Where the next slice of the sweep begins.
    swept_to: Mutex<Option<LineageId>>,
}

impl Sqlite {
    /// Opens the store, making, migrating and completing its files as needed. Blocks.
    pub fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let files = Files::new(options);
        let (sql, journal) = files.prepare()?;
        let opened = files.id().map_err(|cause| files.unusable(&cause.into()))?;
        let readers = Readers::open(files.clone()).map_err(|cause| files.unusable(&cause))?;
        let readers = Arc::new(readers);
        let writer = Writer::start(files.clone(), sql, journal, Arc::clone(&readers))
            .map_err(|cause| files.unusable(&cause.into()))?;
        Ok(Self {
            readers,
            writer,
            opened,
            files,
            swept_to: Mutex::new(None),
        })
    }

    /// How far the tables are, without changing anything. Blocks.
    pub fn schema(options: &SqliteOptions) -> Result<Schema, OpenError> {
        let files = Files::new(options);
        let (found, latest) = files.schemas()?;
        Ok(Schema {
            of: "store",
            place: files.database.display().to_string(),
            found,
            latest,
        })
    }

    /// A query of more than a few rows, on a thread that may take its time.
    async fn list<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let listing = tokio::task::spawn_blocking(move || readers.read(query));
        listing
            .await
            .map_err(|stopped| StoreError::Unavailable(stopped.to_string()))?
    }

    /// A database that was deleted or replaced goes on taking writes that nobody will find again.
    fn check_file(&self) -> Result<(), StoreError> {
        if self.files.id()? == self.opened {
            return Ok(());
        }
        let why = "the database file was replaced while it was in use; restart";
        Err(StoreError::Unavailable(why.to_owned()))
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<Purged, StoreError> {
        let restored_at = self.restored_at(now).await?;
        let (after, most) = (*self.swept_to.lock(), limit as usize);
        let found = self
            .list(move |sql| sweep::find(sql, after, (now, restored_at), most))
            .await?;
        *self.swept_to.lock() = found.next;
        let mut sessions = 0;
        for step in found.lineages.chunks(sweep::STEP) {
            let step = step.to_vec();
            let delete = move |group: &mut writer::Group<'_>| {
                sweep::delete(group, &step, (now, restored_at))
            };
            sessions += self.writer.transaction(delete).await?;
        }
        let left = limit.saturating_sub(u32::try_from(sessions).unwrap_or(u32::MAX));
        let tickets = self
            .writer
            .write(move |group| tickets::sweep(group, now, left))
            .await?;
        let left = u64::from(left).saturating_sub(tickets);
        let devices = self
            .writer
            .write(move |group| devices::sweep(group, now, left))
            .await?;
        // The sweep is called again as long as it deletes anything.
        if sessions + tickets + devices == 0 {
            self.compact_log().await;
        }
        Ok(Purged {
            sessions,
            tickets: tickets + devices,
        })
    }

    /// Of the sweep, which is the service's: a command that opens the store must not hold it up.
    async fn compact_log(&self) {
        if let Err(error) = self.try_to_compact_log().await {
            let path = self.files.log.display();
            tracing::warn!(%path, %error, "the revocation log is not compacted");
        }
    }

    async fn try_to_compact_log(&self) -> Result<(), StoreError> {
        let path = self.files.log.clone();
        let Some(due) = self.readers.read(|sql| Due::at(&path, sql))? else {
            return Ok(());
        };
        let end = due.end;
        let compacting = tokio::task::spawn_blocking(move || due.compacted(&path));
        let compacted = compacting
            .await
            .map_err(|stopped| StoreError::Unavailable(stopped.to_string()))??;
        self.writer
            .transaction(move |group| match &compacted {
                Some(compacted) => group.replace_log(compacted),
                None => compact::note_kept(group.sql, end),
            })
            .await
    }

    async fn restored_at(&self, now: Timestamp) -> Result<i64, StoreError> {
        let restored_at = self
            .readers
            .read(|sql| meta::read(sql, meta::RESTORED_AT))?;
        if restored_at >= 0 {
            return Ok(restored_at);
        }
        self.writer
            .write(move |group| sweep::date_restore(group, now))
            .await
    }
}
