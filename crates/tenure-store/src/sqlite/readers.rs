//! Readers beside the writer.

use parking_lot::Mutex;
use rusqlite::Connection;

use super::files::Files;
use super::meta;
use crate::StoreError;

/// Connections that are kept open; more are opened while more threads read at once.
const KEPT: usize = 8;

#[derive(Debug)]
pub(super) struct Readers {
    files: Files,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// With one connection that has read: the first to read a write-ahead log writes its index, which
    /// a disk in trouble does not allow.
    pub(super) fn open(files: Files) -> Result<Self, StoreError> {
        let idle = Mutex::new(Vec::with_capacity(KEPT));
        let readers = Self { files, idle };
        readers.read(meta::last_mark)?;
        Ok(readers)
    }

    /// Closes what is idle. Connections of one process share the index of the log; while one that
    /// was opened on a read-only disk lives, none can write.
    pub(super) fn forget(&self) {
        self.idle.lock().clear();
    }

    /// Runs a query on the calling thread.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.files.open_for_reading()?,
        };
        let answer = query(&reader);
        // After trouble a connection may hold on to a file that is gone: the next one is new.
        if answer.is_ok() {
            let mut idle = self.idle.lock();
            if idle.len() < KEPT {
                idle.push(reader);
            }
        }
        answer
    }
}
