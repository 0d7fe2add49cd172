//! The revocation log without what nobody needs any more.
//!
//! Needed is what an older copy of the database could lack: the beginnings and the ends of sessions
//! that could still be alive there, and the deletions of such.
//!
//! To look through a large log takes seconds, so it is written anew beside the writer, who goes on
//! appending to the old one, and who waits only while the new one gets those lines and takes its
//! place.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{
    self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rusqlite::Connection;
use tenure_core::id::{LineageId, Subject};
use tenure_core::time::Timestamp;

use super::files::{FileId, is_at, sync_dir};
use super::journal::{self, Line};
use super::meta;
use crate::{Entry, Shard, StoreError};

/// A log of this size is worth compacting: 16 MiB are some thirty thousand sign-ins.
const LARGE: u64 = 16 << 20;

/// A log that has grown enough to be looked through.
#[derive(Debug)]
pub(super) struct Due {
    log: File,
    /// What the database has of it, to the end of a line.
    pub(super) end: u64,
    generation: i64,
}

impl Due {
    /// `None` while half of the log cannot be too much, or the database does not have all of it.
    pub(super) fn at(path: &Path, sql: &Connection) -> Result<Option<Self>, StoreError> {
        let end = meta::read(sql, meta::LOG_END)?.cast_unsigned();
        let kept = meta::read(sql, meta::LOG_KEPT)?.cast_unsigned();
        if end <= LARGE.max(kept.saturating_mul(2)) {
            return Ok(None);
        }
        let log = File::open(path)?;
        let generation = meta::random(sql)?;
        Ok(journal::continues(&log, sql)?.then_some(Self {
            log,
            end,
            generation,
        }))
    }

    /// Writes what is needed of it to a file beside it; `None` where that is more than half. Blocks
    /// for as long as it takes to read the log three times.
    pub(super) fn compacted(self, path: &Path) -> Result<Option<Compacted>, StoreError> {
        let survey = Survey::of(&self.log, self.end)?;
        if survey.needed > self.end / 2 {
            return Ok(None);
        }
        let beside = path.with_extension("new");
        let file = claim(&beside)?;
        let mut new = BufWriter::new(&file);
        serde_json::to_writer(&mut new, &Line::header(self.generation)).map_err(io::Error::from)?;
        new.write_all(b"\n")?;
        for line in lines(&self.log, self.end)? {
            let line = line?;
            if survey.needs(&line) {
                new.write_all(&line.text)?;
                new.write_all(b"\n")?;
            }
        }
        new.flush()?;
        drop(new);
        file.sync_all()?;
        Ok(Some(Compacted {
            length: file.metadata()?.len(),
            generation: self.generation,
            of: self,
            beside,
            file,
        }))
    }
}

/// The file beside the log, empty, and for this process alone until it is closed.
fn claim(beside: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(beside)?;
    // Whoever was faster may have made a log of it meanwhile.
    if file.try_lock().is_err() || !is_at(beside, &file)? {
        let why = "another process compacts the revocation log";
        return Err(StoreError::Busy(why.to_owned()));
    }
    file.set_len(0)?;
    Ok(file)
}

/// A log without what nobody needs any more, not yet in its place.
#[derive(Debug)]
pub(super) struct Compacted {
    of: Due,
    beside: PathBuf,
    file: File,
    length: u64,
    pub(super) generation: i64,
}

impl Compacted {
    /// Adds what was appended meanwhile, and takes the place of the log; false where that is another
    /// one now. Nobody must append to it at the same time.
    pub(super) fn take_place_of(&self, log: &File, path: &Path) -> io::Result<bool> {
        let mut old = &self.of.log;
        if FileId::from(log.metadata()?) != FileId::from(old.metadata()?) {
            return Ok(false);
        }
        let mut new = &self.file;
        new.set_len(self.length)?;
        new.seek(SeekFrom::Start(self.length))?;
        old.seek(SeekFrom::Start(self.of.end))?;
        io::copy(&mut old, &mut new)?;
        new.sync_all()?;
        std::fs::rename(&self.beside, path)?;
        sync_dir(path.parent().unwrap_or(path))?;
        tracing::info!(
            path = %path.display(), from = old.metadata()?.len(), to = new.metadata()?.len(),
            "the revocation log is compacted"
        );
        Ok(true)
    }
}

/// Remembers how long the log was when it was last looked through.
pub(super) fn note_kept(sql: &Connection, length: u64) -> Result<(), StoreError> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    meta::write(sql, meta::LOG_KEPT, length)
}

/// A line that reads.
struct Numbered {
    number: u64,
    text: Vec<u8>,
    line: Line,
}

impl Numbered {
    /// The entry, and the shard where it is one of another store's log.
    fn entry(&self) -> Option<(Option<Shard>, &Entry)> {
        match &self.line {
            Line::Session(entry) => Some((None, entry)),
            Line::Logged { logged } => Some((Some(logged.position().shard), &logged.entry)),
            Line::Header { .. } => None,
        }
    }
}

fn lines(
    mut log: &File,
    end: u64,
) -> io::Result<impl Iterator<Item = Result<Numbered, StoreError>>> {
    log.seek(SeekFrom::Start(0))?;
    let read = |(number, text): (u64, io::Result<Vec<u8>>)| {
        let text = text?;
        // Torn ones say nothing.
        let line = Line::parse(&text)?;
        Ok(line.map(|line| Numbered { number, text, line }))
    };
    let lines = BufReader::new(log.take(end)).split(b'\n');
    Ok((0..)
        .zip(lines)
        .filter_map(move |line| read(line).transpose()))
}

/// What becomes of a session in the log; sessions of this database and of another store apart.
#[derive(Default)]
struct Fate {
    until: Option<Timestamp>,
    deleted: bool,
}

type Session = (bool, LineageId);

/// What the whole log says.
#[derive(Default)]
struct Survey {
    sessions: HashMap<Session, Fate>,
    /// The latest cut of each subject and the number of its line; in each shard one.
    cuts: HashMap<(Option<Shard>, Subject), (Timestamp, u64)>,
    /// The last entry of each shard says which position comes next.
    heads: HashMap<Shard, u64>,
    now: Timestamp,
    needed: u64,
}

impl Survey {
    fn of(log: &File, end: u64) -> Result<Self, StoreError> {
        let mut survey = Self::default();
        for line in lines(log, end)? {
            survey.note(&line?);
        }
        // A server whose clock was wrong may have written a date in the future.
        let written = log.metadata()?.modified()?.duration_since(UNIX_EPOCH);
        let written = Timestamp(written.unwrap_or_default().as_secs());
        survey.now = survey.now.min(written);
        let mut needed = 0;
        for line in lines(log, end)? {
            let line = line?;
            needed += u64::from(survey.needs(&line)) * (line.text.len() as u64 + 1);
        }
        survey.needed = needed;
        Ok(survey)
    }

    fn note(&mut self, line: &Numbered) {
        let Some((shard, entry)) = line.entry() else {
            return;
        };
        if let Some(shard) = shard {
            self.heads.insert(shard, line.number);
        }
        let elsewhere = shard.is_some();
        match entry {
            Entry::Created { lineage, at, begun } => {
                self.now = self.now.max(*at);
                let fate = self.sessions.entry((elsewhere, *lineage)).or_default();
                fate.deleted = false;
                fate.until = begun.as_deref().map(crate::Begun::expires_absolute);
            }
            Entry::Revoked { why, .. } => self.now = self.now.max(why.at),
            Entry::Cut { subject, cut, .. } => {
                self.now = self.now.max(cut.before);
                let latest = self.cuts.entry((shard, subject.clone())).or_default();
                *latest = (*latest).max((cut.before, line.number));
            }
            Entry::Deleted { lineages, until } => {
                for lineage in lineages {
                    let fate = self.sessions.entry((elsewhere, *lineage)).or_default();
                    fate.deleted = true;
                    fate.until = fate.until.or(*until);
                }
            }
        }
    }

    fn needs(&self, line: &Numbered) -> bool {
        let Some((shard, entry)) = line.entry() else {
            return false;
        };
        if shard.is_some_and(|shard| self.heads.get(&shard) == Some(&line.number)) {
            return true;
        }
        let fate = |lineage: &LineageId| self.sessions.get(&(shard.is_some(), *lineage));
        let is_over = |until: Option<Timestamp>| until.is_some_and(|until| until < self.now);
        match entry {
            Entry::Created { lineage, .. } | Entry::Revoked { lineage, .. } => {
                !fate(lineage).is_some_and(|fate| fate.deleted || is_over(fate.until))
            }
            Entry::Cut { subject, .. } => {
                let latest = self.cuts.get(&(shard, subject.clone()));
                latest.is_some_and(|(_, number)| *number == line.number)
            }
            Entry::Deleted { until, .. } => !is_over(*until),
        }
    }
}
