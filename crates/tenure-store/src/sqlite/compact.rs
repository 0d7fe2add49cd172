//! The revocation log without what nobody needs any more.
//!
//! Needed is what an older copy of the database could lack: the beginnings and the ends of sessions
//! that could still be alive there, and the deletions of such.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use tenure_core::id::{LineageId, Subject};
use tenure_core::time::Timestamp;

use super::files::sync_dir;
use super::journal::Line;
use crate::{Entry, Shard};

/// Writes the log anew where at most half of it is needed; whether it did.
pub(super) fn rewrite(path: &Path, log: &File, generation: i64) -> io::Result<bool> {
    let survey = Survey::of(log)?;
    if survey.needed > log.metadata()?.len() / 2 {
        return Ok(false);
    }
    let beside = path.with_extension("new");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    let mut new = BufWriter::new(file);
    serde_json::to_writer(&mut new, &Line::header(generation))?;
    new.write_all(b"\n")?;
    for line in lines(log)? {
        let line = line?;
        if survey.needs(&line) {
            new.write_all(&line.text)?;
            new.write_all(b"\n")?;
        }
    }
    new.into_inner().map_err(io::Error::from)?.sync_all()?;
    std::fs::rename(&beside, path)?;
    sync_dir(path.parent().unwrap_or(path))?;
    tracing::info!(
        path = %path.display(), from = log.metadata()?.len(), to = survey.needed,
        "the revocation log is compacted"
    );
    Ok(true)
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

fn lines(mut log: &File) -> io::Result<impl Iterator<Item = io::Result<Numbered>>> {
    log.seek(SeekFrom::Start(0))?;
    let read = |(number, text): (u64, io::Result<Vec<u8>>)| {
        let text = match text {
            Ok(text) => text,
            Err(cause) => return Some(Err(cause)),
        };
        // Torn ones say nothing.
        let line = serde_json::from_slice(&text).ok()?;
        Some(Ok(Numbered { number, text, line }))
    };
    Ok((0..).zip(BufReader::new(log).split(b'\n')).filter_map(read))
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
    fn of(log: &File) -> io::Result<Self> {
        let mut survey = Self::default();
        for line in lines(log)? {
            survey.note(&line?);
        }
        // A server whose clock was wrong may have written a date in the future.
        let written = log.metadata()?.modified()?.duration_since(UNIX_EPOCH);
        let written = Timestamp(written.unwrap_or_default().as_secs());
        survey.now = survey.now.min(written);
        let mut needed = 0;
        for line in lines(log)? {
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
