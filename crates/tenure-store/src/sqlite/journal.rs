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
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::compact::{self, Compacted};
use super::files::{is_at, sync_dir};
use super::{log, meta, replay};
use crate::{Entry, Position, Shard, StoreError};

/// No header is longer.
const HEADER: u64 = 128;

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
    /// The first line of a log that was compacted.
    Header {
        /// What tells it from the log before.
        log: Header,
    },
}

/// Which log this is.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    /// Random; 0 stands for a log that was never compacted, and has no such line.
    generation: i64,
}

/// An entry of the session log and where it stands.
#[derive(Serialize, Deserialize)]
pub(super) struct Logged {
    shard: u16,
    position: u64,
    pub(super) entry: Entry,
}

impl Logged {
    pub(super) fn position(&self) -> Position {
        Position {
            shard: Shard(self.shard),
            at: self.position,
        }
    }
}

impl Line {
    pub(super) fn header(generation: i64) -> Self {
        let log = Header { generation };
        Self::Header { log }
    }

    /// `None` for a torn line. A whole one that this program does not know must not be passed over:
    /// it may be the end of a session, written before a newer program made way for this one.
    pub(super) fn parse(text: &[u8]) -> Result<Option<Self>, StoreError> {
        match serde_json::from_slice(text) {
            Ok(line) => Ok(Some(line)),
            Err(unknown) if unknown.is_data() => Err(StoreError::Damaged(
                "the revocation log has a line that this program does not know, of a newer one; \
                 upgrade tenure"
                    .to_owned(),
            )),
            Err(_) => Ok(None),
        }
    }

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
    generation: i64,
    synced: bool,
    /// The last append failed.
    in_trouble: bool,
}

impl Journal {
    /// Opens or makes the log. `synced: false` is for the control of the durability tests only.
    pub(super) fn open(path: &Path, synced: bool) -> io::Result<Self> {
        let file = open(path)?;
        Ok(Self {
            path: path.to_owned(),
            generation: generation_of(&file)?,
            file,
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
        if !is_at(&self.path, &self.file)? {
            self.open_again()?;
        }
        let known = meta::read(sql, meta::LOG_END)?.cast_unsigned();
        let end = self.file.metadata()?.len();
        let is_same = self.generation == meta::read(sql, meta::LOG_GENERATION)?;
        if is_same && known == end {
            return Ok(Replayed::default());
        }
        let from = if is_same && has_boundary_at(&self.file, known)? {
            known
        } else {
            tracing::warn!(
                path = %self.path.display(), expected = known, found = end,
                "the revocation log was compacted since this database was written, or is not the one it \
                 was written with: then what only that one knew is lost; all of it is replayed"
            );
            0
        };
        let replayed = self.replay(sql, from)?;
        self.close_last_line(end)?;
        if !is_same {
            meta::write(sql, meta::LOG_GENERATION, self.generation)?;
        }
        self.note_end(sql)?;
        Ok(replayed)
    }

    fn open_again(&mut self) -> io::Result<()> {
        self.file = open(&self.path)?;
        self.generation = generation_of(&self.file)?;
        if self.file.metadata()?.len() == 0 {
            tracing::error!(path = %self.path.display(), "the revocation log was deleted or moved away; a new one begins");
        } else {
            tracing::info!(path = %self.path.display(), "another process compacted the revocation log, or put another in its place");
        }
        Ok(())
    }

    /// Lets the log without what nobody needs any more take the place of this one; inside a
    /// transaction that holds the write lock.
    ///
    /// Where that transaction is lost after the new file has taken the place of the old one, the next
    /// append finds a log of another generation and replays all of it, which changes nothing.
    pub(super) fn replace(&mut self, sql: &Connection, new: &Compacted) -> Result<(), StoreError> {
        self.catch_up(sql)?;
        match new.take_place_of(&self.file, &self.path) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // It can go on growing, and the other writes of the group go on.
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the revocation log is not compacted");
                return Ok(());
            }
        }
        self.file = open(&self.path)?;
        self.generation = new.generation;
        meta::write(sql, meta::LOG_GENERATION, new.generation)?;
        self.note_end(sql)?;
        let length = self.file.metadata()?.len();
        compact::note_kept(sql, length)
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
            match Line::parse(&line)? {
                Some(Line::Session(entry)) => replay::apply(sql, &entry, &mut replayed)?,
                Some(Line::Logged { logged }) => {
                    log::replay(sql, logged.position(), &logged.entry)?;
                }
                Some(Line::Header { .. }) => replayed.lines -= 1,
                None => replayed.torn += 1,
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

/// Whether a file is the log that a database was last written with, and has all of it.
pub(super) fn continues(file: &File, sql: &Connection) -> Result<bool, StoreError> {
    let known = meta::read(sql, meta::LOG_END)?.cast_unsigned();
    let generation = meta::read_or_zero(sql, meta::LOG_GENERATION)?;
    Ok(generation_of(file)? == generation && has_boundary_at(file, known)?)
}

fn generation_of(mut file: &File) -> io::Result<i64> {
    file.seek(SeekFrom::Start(0))?;
    let mut first = Vec::new();
    BufReader::new(file.take(HEADER)).read_until(b'\n', &mut first)?;
    Ok(match serde_json::from_slice(&first) {
        Ok(Line::Header { log }) => log.generation,
        _ => 0,
    })
}

/// Whether a line ends right before the offset: whether this may be the log that was there when it
/// was this long.
fn has_boundary_at(file: &File, offset: u64) -> io::Result<bool> {
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
