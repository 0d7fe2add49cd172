//! A database file beside its revocation log, before it is opened.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};

use rusqlite::{Connection, OptionalExtension as _};
use tenure_core::id::LineageId;
use tenure_core::lineage::Cut;
use tenure_core::time::Timestamp;

use super::codec::{cut, time_or_null};
use super::files::{Files, SqliteOptions};
use super::journal::{self, Line};
use super::{Sqlite, meta};
use crate::restore::{Lacking, Standing};
use crate::{OpenError, RestoreReport, StoreError};

impl Sqlite {
    /// What a restored database lacks, without writing. Blocks.
    pub fn restore_check(options: &SqliteOptions) -> Result<RestoreReport, OpenError> {
        let files = Files::new(options);
        if !files.database.exists() {
            let why = StoreError::Unavailable("there is no such file".to_owned());
            return Err(files.unusable(&why));
        }
        check(&files).map_err(|cause| files.unusable(&cause))
    }
}

fn check(files: &Files) -> Result<RestoreReport, StoreError> {
    let sql = files.open_for_reading()?;
    let mut report = RestoreReport {
        database: files.database.display().to_string(),
        database_newest: newest(&sql)?,
        ..RestoreReport::default()
    };
    let log = match File::open(&files.log) {
        Ok(log) => log,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(report),
        Err(cause) => return Err(cause.into()),
    };
    report.log = Some(files.log.display().to_string());
    let known = meta::read(&sql, meta::LOG_END)?.cast_unsigned();
    report.log_continues = journal::continues(&log, &sql)?;
    let from = if report.log_continues { known } else { 0 };
    let lacking = read(log, from, &mut report)?;
    for lineage in lacking.lineages() {
        lacking.compare(lineage, standing(&sql, lineage)?, &mut report);
    }
    for subject in lacking.cuts.keys() {
        lacking.compare_cut(subject, cut_here(&sql, subject.as_str())?, &mut report);
    }
    Ok(report)
}

fn read(mut log: File, from: u64, report: &mut RestoreReport) -> Result<Lacking, StoreError> {
    log.seek(SeekFrom::Start(from))?;
    let mut lacking = Lacking::default();
    for line in BufReader::new(log).split(b'\n') {
        let line = line?;
        if line.is_empty() {
            continue;
        }
        match Line::parse(&line)? {
            Some(Line::Session(entry)) => lacking.note(&entry, report),
            Some(Line::Logged { .. }) => report.entries += 1,
            Some(Line::Header { .. }) => {}
            None => report.torn += 1,
        }
    }
    Ok(lacking)
}

fn newest(sql: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let newest = "SELECT max(at) FROM (SELECT max(max(created_at), max(head_since), \
         coalesce(max(revoked_at), 0)) AS at FROM sessions UNION ALL SELECT max(at) FROM audit)";
    Ok(sql.query_row(newest, (), |columns| time_or_null(columns, 0))?)
}

fn standing(sql: &Connection, lineage: LineageId) -> Result<Standing, StoreError> {
    let mut query =
        sql.prepare_cached("SELECT revoked_at IS NULL FROM sessions WHERE lineage = ?1")?;
    let alive = query.query_row([lineage.0.as_bytes()], |columns| columns.get(0));
    Ok(match alive.optional()? {
        None => Standing::Missing,
        Some(true) => Standing::Alive,
        Some(false) => Standing::Ended,
    })
}

fn cut_here(sql: &Connection, subject: &str) -> Result<Option<Cut>, StoreError> {
    let mut query = sql.prepare_cached("SELECT before, cause FROM cuts WHERE subject = ?1")?;
    let found = query.query_row([subject], |columns| cut(columns, 0));
    Ok(found.optional()?.flatten())
}
