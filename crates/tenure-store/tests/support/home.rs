//! A data directory, backed up and restored.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tenure_store::{Sqlite, SqliteOptions, Store};

pub(crate) fn open(dir: &Path) -> Arc<dyn Store> {
    Arc::new(Sqlite::open(&SqliteOptions::new(dir)).unwrap())
}

pub(crate) fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes the database, with what its write-ahead log holds, to one file: a backup.
pub(crate) fn back_up(dir: &Path) -> Vec<u8> {
    let copy = dir.join("backup.db");
    let database = rusqlite::Connection::open(dir.join("tenure.db")).unwrap();
    database
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    let bytes = fs::read(&copy).unwrap();
    fs::remove_file(copy).unwrap();
    bytes
}
