//! The revocation log: what a restored backup must not forget, in a file of its own.
//!
//! One JSON line per event, appended and synced before the group that causes it is committed. The
//! database keeps, in the same transaction, how much of the log it has (`log_end`); whatever lies
//! beyond it is replayed, on opening and before the next append. So a restored older database learns
//! exactly what it lacks, and nothing of the log needs to be kept in memory.
//!
//! Lines of a group whose commit then failed are replayed too: nobody was promised them, but to end
//! a session that its user asked to end is never wrong, and the file needs only ever be appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::files::sync_dir;
use super::{log, meta, replay};
use crate::{Entry, Position, Shard, StoreError};

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    /// About a session in this database.
    Session(Entry),
    /// About one that another store keeps; the log of such sessions is in this database.
    Logged {
        /// What the log has.
        logged: Logged,
    },
}

/// An entry of the session log and where it stands.
#[derive(Serialize, Deserialize)]
pub(super) struct Logged {
    shard: u16,
    position: u64,
    entry: Entry,
}

impl Line {
    pub(super) fn at(position: Position, entry: Entry) -> Self {
        let logged = Logged {
            shard: position.shard.0,
            position: position.at,
            entry,
        };
        Self::Logged { logged }
    }
}

/// What a replay found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Replayed {
    /// Lines that the database lacked.
    pub(super) lines: u64,
    /// Ends of sessions that the database took for alive.
    pub(super) ends: u64,
    /// Sessions that the database lacked and has again.
    pub(super) sessions: u64,
    /// Sessions that it lacks for good: the line of an older program says too little of them.
    pub(super) lost_sessions: u64,
    /// Lines that do not read: half-written when the power went.
    pub(super) torn: u64,
}

/// The log, open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    synced: bool,
    /// The last append failed.
    in_trouble: bool,
}

impl Journal {
    /// Opens or makes the log. `synced: false` is for the control of the durability tests only.
    pub(super) fn open(path: &Path, synced: bool) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: open(path)?,
            synced,
            in_trouble: false,
        })
    }

    /// Appends the entries durably and notes the new end in the database; inside a transaction that
    /// holds the write lock, so that two processes never append at once.
    pub(super) fn append(&mut self, sql: &Connection, entries: &[Line]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.catch_up(sql)?;
        let mut lines = Vec::with_capacity(entries.len() * 128);
        for entry in entries {
            serde_json::to_writer(&mut lines, entry).map_err(io::Error::from)?;
            lines.push(b'\n');
        }
        self.write(&lines)?;
        self.note_end(sql)
    }

    /// Replays what the database lacks; inside a transaction that holds the write lock.
    pub(super) fn catch_up(&mut self, sql: &Connection) -> Result<Replayed, StoreError> {
        if self.file.metadata()?.nlink() == 0 {
            tracing::error!(path = %self.path.display(), "the revocation log was deleted; a new one begins");
            self.file = open(&self.path)?;
        }
        let known = meta::read(sql, meta::LOG_END)?.cast_unsigned();
        let end = self.file.metadata()?.len();
        if known == end {
            return Ok(Replayed::default());
        }
        let from = if has_boundary_at(&self.file, known)? {
            known
        } else {
            tracing::warn!(
                path = %self.path.display(), expected = known, found = end,
                "the revocation log is not the one this database was written with; \
                 all of it is replayed, and revocations that only the lost part knew are lost"
            );
            0
        };
        let replayed = self.replay(sql, from)?;
        self.close_last_line(end)?;
        self.note_end(sql)?;
        Ok(replayed)
    }

    /// Fails while the last append failed and an empty line, which a replay skips, fails too.
    pub(super) fn check(&mut self, sql: &Connection) -> Result<(), StoreError> {
        if self.in_trouble {
            self.catch_up(sql)?;
            self.write(b"\n")?;
            self.note_end(sql)?;
        }
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.in_trouble = true;
        self.file.write_all(lines)?;
        if self.synced {
            self.file.sync_data()?;
        }
        self.in_trouble = false;
        Ok(())
    }

    fn note_end(&self, sql: &Connection) -> Result<(), StoreError> {
        let end = self.file.metadata()?.len();
        meta::write(sql, meta::LOG_END, i64::try_from(end).unwrap_or(i64::MAX))
    }

    fn replay(&self, sql: &Connection, from: u64) -> Result<Replayed, StoreError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(from))?;
        let mut replayed = Replayed::default();
        for line in BufReader::new(file).split(b'\n') {
            let line = line?;
            if line.is_empty() {
                continue;
            }
            replayed.lines += 1;
            match serde_json::from_slice(&line) {
                Ok(Line::Session(entry)) => replay::apply(sql, &entry, &mut replayed)?,
                Ok(Line::Logged { logged }) => {
                    let (shard, at) = (Shard(logged.shard), logged.position);
                    log::replay(sql, Position { shard, at }, &logged.entry)?;
                }
                Err(_) => replayed.torn += 1,
            }
        }
        Ok(replayed)
    }

    /// Ends a line that was cut off in the middle. It was never acknowledged, since an append is
    /// synced before that; closing it instead of cutting it off leaves the file append-only.
    fn close_last_line(&mut self, end: u64) -> io::Result<()> {
        if end == 0 || byte_at(&self.file, end - 1)? == b'\n' {
            return Ok(());
        }
        tracing::warn!(path = %self.path.display(), "the last line of the revocation log is torn; it is skipped");
        self.write(b"\n")
    }
}

/// Whether a line ends right before the offset: whether this may be the log that was there when it
/// was this long.
pub(super) fn has_boundary_at(file: &File, offset: u64) -> io::Result<bool> {
    if offset == 0 || offset > file.metadata()?.len() {
        return Ok(offset == 0);
    }
    Ok(byte_at(file, offset - 1)? == b'\n')
}

fn byte_at(mut file: &File, offset: u64) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    sync_dir(path.parent().unwrap_or(path))?;
    Ok(file)
}
