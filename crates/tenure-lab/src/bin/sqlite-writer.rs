//! A process that a disk test can kill: it commits one row per line of its input.
//!
//! `sqlite-writer FILE SYNCHRONOUS` first prints `found ID ID …` (the rows already there) or
//! `corrupt REASON`, then for each input line `committed ID` or `refused REASON`. The schema is
//! always created with synchronous=FULL, so that only rows are at stake.

use std::io::{self, Write};

use rusqlite::Connection;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(synchronous)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: sqlite-writer FILE SYNCHRONOUS");
    };
    let mut out = io::stdout().lock();
    let (db, found) = match open(&file, &synchronous) {
        Ok(opened) => opened,
        Err(error) => {
            writeln!(out, "corrupt {}", error.to_string().replace('\n', "; "))?;
            return Ok(());
        }
    };
    let found: Vec<String> = found.iter().map(i64::to_string).collect();
    writeln!(out, "found {}", found.join(" "))?;
    for line in io::stdin().lines() {
        line?;
        match db.execute("INSERT INTO entry (filler) VALUES (randomblob(700))", []) {
            Ok(_) => writeln!(out, "committed {}", db.last_insert_rowid())?,
            Err(error) => writeln!(out, "refused {error}")?,
        }
        out.flush()?;
    }
    Ok(())
}

fn open(file: &str, synchronous: &str) -> anyhow::Result<(Connection, Vec<i64>)> {
    let db = Connection::open(file)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    anyhow::ensure!(mode == "wal", "journal_mode is {mode}");
    db.execute_batch(
        "PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY AUTOINCREMENT, filler BLOB)",
    )?;
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    anyhow::ensure!(verdict == "ok", "{verdict}");
    let found = db
        .prepare("SELECT id FROM entry ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    db.pragma_update(None, "synchronous", synchronous)?;
    // Frequent checkpoints, so that cuts fall into them too.
    db.pragma_update(None, "wal_autocheckpoint", 20)?;
    Ok((db, found))
}
