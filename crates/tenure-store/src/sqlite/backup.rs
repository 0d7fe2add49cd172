//! A copy of the database while it is written.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::files::sync_dir;
use super::{Sqlite, SqliteOptions};
use crate::StoreError;

impl Sqlite {
    /// Copies the database of a data directory, which may be in use, to a new file (0600), and checks
    /// the copy. It is the database as one transaction saw it, without the revocation log: that one is
    /// never restored. Blocks; answers the size in bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where the file exists; nothing is left behind on any error.
    pub fn back_up(options: &SqliteOptions, to: &Path) -> io::Result<u64> {
        let database = options.dir.join("tenure.db");
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?;
        let done = copy(&database, to).and_then(|()| settle(&file, to));
        if done.is_err() {
            std::fs::remove_file(to)?;
        }
        done
    }
}

fn copy(database: &Path, to: &Path) -> io::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(database, flags).map_err(trouble)?;
    // Reads as one transaction beside the writer, into a file that must be empty; the copy is a
    // single file, without a write-ahead log.
    from.execute("VACUUM INTO ?1", [to.to_string_lossy()])
        .map_err(trouble)?;
    let copy = Connection::open_with_flags(to, flags).map_err(trouble)?;
    let said: String = copy
        .query_row("PRAGMA integrity_check", (), |columns| columns.get(0))
        .map_err(trouble)?;
    if said != "ok" {
        return Err(io::Error::other(format!("the copy is damaged: {said}")));
    }
    Ok(())
}

fn settle(file: &File, to: &Path) -> io::Result<u64> {
    file.sync_all()?;
    sync_dir(to.parent().unwrap_or(to))?;
    Ok(file.metadata()?.len())
}

fn trouble(error: rusqlite::Error) -> io::Error {
    io::Error::other(StoreError::from(error))
}
