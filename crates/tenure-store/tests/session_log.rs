//! The session log in SQLite.

#[path = "support/home.rs"]
mod home;

use home::home;
use tempfile::TempDir;
use tenure_store::conformance::session_log::LogFixture;
use tenure_store::{Sqlite, SqliteOptions, session_log_conformance};

fn opened(home: &TempDir, name: &str) -> Sqlite {
    Sqlite::open(&SqliteOptions::new(home.path().join(name))).unwrap()
}

fn fixture() -> LogFixture {
    let home = home();
    let [log, other, apart] = ["data", "data", "apart"].map(|name| opened(&home, name));
    LogFixture::new(log, other, apart, home)
}

session_log_conformance!(fixture());
