//! What Tenure's SQLite file holds, read beside the running service.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

/// Rows and bytes of the file as its latest commit left it.
#[derive(Debug, Clone, Serialize)]
pub struct Contents {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Bytes of all pages, the journal's included once they are back in the file.
    pub bytes: u64,
}

impl Contents {
    /// Reads the file `tenure.db` of a data directory.
    pub fn of(data: &Path) -> Result<Self> {
        let file = data.join("tenure.db");
        Self::read(&file).with_context(|| format!("{}", file.display()))
    }

    fn read(file: &Path) -> Result<Self> {
        let mut sql = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let one_commit = sql.transaction()?;
        let mut tables = one_commit.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )?;
        let tables: Vec<String> = tables
            .query_map((), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut rows = BTreeMap::new();
        for table in tables {
            let count = format!("SELECT count(*) FROM \"{table}\"");
            let count: i64 = one_commit.query_row(&count, (), |row| row.get(0))?;
            rows.insert(table, count.cast_unsigned());
        }
        let pragma = |name| one_commit.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let bytes = pragma("page_count")? * pragma("page_size")?;
        Ok(Self {
            rows,
            bytes: bytes.cast_unsigned(),
        })
    }

    /// Rows of all tables.
    pub fn all_rows(&self) -> u64 {
        self.rows.values().sum()
    }

    /// Rows of all tables per session; infinite without a session.
    pub fn rows_per_session(&self) -> f64 {
        self.per_session(self.all_rows())
    }

    /// Bytes of the file per session; infinite without a session.
    pub fn bytes_per_session(&self) -> f64 {
        self.per_session(self.bytes)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn per_session(&self, count: u64) -> f64 {
        let sessions = self.rows.get("sessions").copied().unwrap_or_default();
        count as f64 / sessions as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_counts_as_the_latest_commit_left_it() {
        let data = tempfile::tempdir().unwrap();
        let sql = Connection::open(data.path().join("tenure.db")).unwrap();
        sql.pragma_update(None, "journal_mode", "WAL").unwrap();
        sql.execute_batch(
            "CREATE TABLE sessions (id INTEGER PRIMARY KEY AUTOINCREMENT);
             CREATE TABLE audit (at INTEGER);
             INSERT INTO sessions DEFAULT VALUES; INSERT INTO sessions DEFAULT VALUES;
             INSERT INTO audit VALUES (1);
             BEGIN; INSERT INTO audit VALUES (2);",
        )
        .unwrap();
        let contents = Contents::of(data.path()).unwrap();
        assert_eq!(contents.all_rows(), 3);
        assert!((contents.rows_per_session() - 1.5).abs() < f64::EPSILON);
        assert!(contents.bytes >= 2 * 4096);
    }
}
