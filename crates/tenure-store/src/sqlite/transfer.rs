//! Moving to and from SQLite.

mod export;
mod import;
mod session;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use rusqlite::Connection;

pub(super) use self::export::{count, page};
pub(super) use self::import::import;
use super::files::Files;
use super::journal::Line;
use super::{meta, sessions};
use crate::transfer::{after, cursor};
use crate::{Changes, Cursor, Entry, Record, StoreError};

/// Sessions that the revocation log tells of from `since` on, `limit` of its lines.
///
/// The database knows in the transaction that adds a session how far the log went with it, so what
/// stands before that point is in the tables.
pub(super) fn changes(
    sql: &Connection,
    files: &Files,
    since: Option<&Cursor>,
    limit: u32,
) -> Result<Changes, StoreError> {
    let end = meta::read(sql, meta::LOG_END)?.cast_unsigned();
    let log = meta::read(sql, meta::LOG_GENERATION)?;
    let Some((before, since)) = after::<(i64, u64)>(since)? else {
        return Ok(Changes::from_now(cursor(&(log, end))?));
    };
    let mut page = Changes::default();
    // A log that was replaced: where this one stood says nothing about the other.
    if before != log || since > end {
        return Ok(page);
    }
    let mut position = since;
    for line in lines(files, since, end)?.take(limit as usize) {
        let line = line?;
        position += line.len() as u64 + 1;
        let Some(Line::Session(entry)) = Line::parse(&line)? else {
            continue;
        };
        let concerned = match entry {
            Entry::Created { lineage, .. } | Entry::Revoked { lineage, .. } => Some(lineage),
            Entry::Cut { keep, .. } => keep,
            Entry::Deleted { .. } => None,
        };
        if let Some(lineage) = concerned {
            let found = sessions::load(sql, lineage)?;
            page.records
                .extend(found.map(|loaded| Record::Session(Box::new(loaded))));
        }
    }
    page.more = position < end;
    page.next = Some(cursor(&(log, position.min(end)))?);
    Ok(page)
}

fn lines(
    files: &Files,
    from: u64,
    to: u64,
) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>>> {
    let mut log = File::open(&files.log)?;
    log.seek(SeekFrom::Start(from))?;
    Ok(BufReader::new(log).take(to - from).split(b'\n'))
}
