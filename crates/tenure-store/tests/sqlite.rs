//! The embedded store passes the conformance cases, on a disk.

use tenure_store::conformance::Fixture;
use tenure_store::{Sqlite, SqliteOptions, store_conformance};

store_conformance!({
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&SqliteOptions::new(dir.path())).unwrap();
    Fixture::new(store, dir)
});
