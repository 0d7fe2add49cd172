//! The files of the store: made, opened, migrated.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::journal::{Journal, Replayed};
use super::meta;
use crate::{OpenError, StoreError};

/// Where the embedded store keeps its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The data directory; made with mode 0700 if it is missing. Holds `tenure.db`.
    pub dir: PathBuf,
    /// The revocation log; best on another disk. Default: `revocations.log` in the directory.
    pub journal: Option<PathBuf>,
    /// Whether a commit waits for the disk.
    pub synchronous: Synchronous,
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Acknowledged means durable.
    #[default]
    Full,
    /// Acknowledged means nothing after a power cut: the control of the durability tests, which must
    /// lose writes.
    DangerousOff,
}

impl SqliteOptions {
    /// The durable defaults in a directory.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            journal: None,
            synchronous: Synchronous::Full,
        }
    }
}

/// A writer waits this long for another process, such as `tenure user add`.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);

/// Readers of a write-ahead log wait only for a recovery; they run on threads that must not wait.
const READER_PATIENCE: Duration = Duration::from_millis(250);

/// Pages of the write-ahead log after which it is copied into the database: 16 MiB. A refresh
/// rewrites the same few pages of a busy session many times; a longer log copies them once.
const CHECKPOINT_PAGES: u32 = (16 << 20) / PAGE;

/// Pages that the writer keeps. Readers keep next to none: every commit makes theirs void.
const WRITER_CACHE_KIB: i32 = 16 << 10;

/// A refresh rewrites one page: with 2 KiB its checksum and its copies cost half of what 4 KiB do,
/// and a row still fits.
const PAGE: u32 = 2048;

/// `TENU`: tells this file from other SQLite files (sqlite.org, `PRAGMA application_id`).
const APPLICATION_ID: i32 = 0x5445_4e55;

/// Statement by statement, oldest first; the position is the schema that it leads to, less one.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_devices.sql"),
    include_str!("migrations/0003_session_log.sql"),
];

/// The schema that this program writes.
#[expect(clippy::cast_possible_truncation, reason = "there are few migrations")]
const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// Options with the paths that follow from them.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) options: SqliteOptions,
    pub(super) database: PathBuf,
    pub(super) log: PathBuf,
}

/// Device and inode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl From<Metadata> for FileId {
    fn from(file: Metadata) -> Self {
        Self(file.dev(), file.ino())
    }
}

/// Whether a path still leads to the file that was opened there.
pub(super) fn is_at(path: &Path, file: &File) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(there) => Ok(FileId::from(there) == FileId::from(file.metadata()?)),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

impl Files {
    pub(super) fn new(options: &SqliteOptions) -> Self {
        let log = options.journal.clone();
        Self {
            database: options.dir.join("tenure.db"),
            log: log.unwrap_or_else(|| options.dir.join("revocations.log")),
            options: options.clone(),
        }
    }

    /// Makes what is missing, migrates, and replays what a restored database lacks.
    pub(super) fn prepare(&self) -> Result<(Connection, Journal), OpenError> {
        make_dir(&self.options.dir)
            .and_then(|()| make_file(&self.database))
            .map_err(|cause| directory(&self.options.dir, cause))?;
        let synced = self.options.synchronous == Synchronous::Full;
        let mut journal = Journal::open(&self.log, synced)
            .map_err(|cause| directory(self.log.parent().unwrap_or(&self.log), cause))?;
        let mut sql = self
            .open_for_writing()
            .map_err(|cause| self.unusable(&cause))?;
        self.migrate(&mut sql)?;
        let replayed = replay(&mut sql, &mut journal).map_err(|cause| self.unusable(&cause))?;
        if replayed != Replayed::default() {
            tracing::warn!(
                lines = replayed.lines,
                ends = replayed.ends,
                sessions = replayed.sessions,
                torn = replayed.torn,
                lost_sessions = replayed.lost_sessions,
                "the database lacked the end of the revocation log: restored from a backup, \
                 or stopped in the middle of a write; it is replayed"
            );
        }
        Ok((sql, journal))
    }

    /// Which file stands at the path of the database now.
    pub(super) fn id(&self) -> io::Result<FileId> {
        std::fs::metadata(&self.database).map(FileId::from)
    }

    pub(super) fn open_for_writing(&self) -> Result<Connection, StoreError> {
        let sql = self.connect(WRITER_PATIENCE)?;
        // Of effect only on a new file.
        sql.pragma_update(None, "page_size", PAGE)?;
        let mode: String =
            sql.query_row("PRAGMA journal_mode = WAL", (), |columns| columns.get(0))?;
        if mode != "wal" {
            let why = format!("the file system takes no write-ahead log, only {mode}");
            return Err(StoreError::Unavailable(why));
        }
        let synchronous = match self.options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::DangerousOff => "OFF",
        };
        sql.pragma_update(None, "synchronous", synchronous)?;
        sql.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        sql.pragma_update(None, "journal_size_limit", 64 << 20)?;
        sql.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        Ok(sql)
    }

    pub(super) fn open_for_reading(&self) -> Result<Connection, StoreError> {
        let sql = self.connect(READER_PATIENCE)?;
        sql.pragma_update(None, "query_only", true)?;
        Ok(sql)
    }

    fn connect(&self, patience: Duration) -> Result<Connection, StoreError> {
        // Each connection is used by one thread at a time, so it needs no mutex of its own.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = Connection::open_with_flags(&self.database, flags)?;
        sql.busy_timeout(patience)?;
        // Otherwise SQLite compiles a cached statement anew whenever a bound value might change its
        // plan, which is what reading a session then mostly costs.
        sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        sql.set_prepared_statement_cache_capacity(64);
        Ok(sql)
    }

    fn migrate(&self, sql: &mut Connection) -> Result<(), OpenError> {
        let failed = |cause: rusqlite::Error| self.unusable(&cause.into());
        let transaction = sql
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(failed)?;
        let schema = self.schema(&transaction)?;
        for (position, migration) in (0u32..).zip(MIGRATIONS) {
            if position < schema {
                continue;
            }
            transaction.execute_batch(migration).map_err(failed)?;
            meta::write(&transaction, "schema", i64::from(position + 1))
                .map_err(|cause| self.unusable(&cause))?;
        }
        if schema == 0 {
            transaction
                .pragma_update(None, "application_id", APPLICATION_ID)
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// The schemas of the file and of this program, without changing anything.
    pub(super) fn schemas(&self) -> Result<(u32, u32), OpenError> {
        if !self.database.exists() {
            return Ok((0, SCHEMA));
        }
        let sql = self
            .open_for_reading()
            .map_err(|cause| self.unusable(&cause))?;
        Ok((self.schema(&sql)?, SCHEMA))
    }

    /// The schema of the file, 0 for a new one.
    fn schema(&self, sql: &Connection) -> Result<u32, OpenError> {
        let failed = |cause: StoreError| self.unusable(&cause);
        let application: i32 = sql
            .query_row("PRAGMA application_id", (), |columns| columns.get(0))
            .map_err(|cause| failed(cause.into()))?;
        let tables: u32 = sql
            .query_row("SELECT count(*) FROM sqlite_schema", (), |columns| {
                columns.get(0)
            })
            .map_err(|cause| failed(cause.into()))?;
        if tables == 0 {
            return Ok(0);
        }
        if application != APPLICATION_ID {
            let why = "it is a database of another program".to_owned();
            return Err(failed(StoreError::Damaged(why)));
        }
        let fact = |name| {
            let value = meta::read(sql, name)?;
            u32::try_from(value).map_err(|_| StoreError::Damaged(format!("{name} is {value}")))
        };
        let needed = fact("min_reader").map_err(failed)?;
        if needed > SCHEMA {
            return Err(OpenError::TooNew {
                path: self.database.clone(),
                needed,
                have: SCHEMA,
            });
        }
        fact("schema").map_err(failed)
    }

    pub(super) fn unusable(&self, cause: &StoreError) -> OpenError {
        OpenError::Unusable {
            path: self.database.clone(),
            cause: cause.to_string(),
        }
    }
}

fn directory(path: &Path, cause: io::Error) -> OpenError {
    OpenError::Directory {
        path: path.to_owned(),
        cause,
    }
}

/// 0700: the database holds the secrets of the lineages.
fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        std::fs::create_dir_all(parent)?;
    }
    DirBuilder::new().mode(0o700).create(dir)?;
    sync_dir(dir.parent().unwrap_or(dir))
}

/// 0600, which SQLite then takes over for the files beside it.
fn make_file(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    sync_dir(path.parent().unwrap_or(path))
}

/// A name is durable only with its directory.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    let here = dir.as_os_str().is_empty();
    File::open(if here { Path::new(".") } else { dir })?.sync_all()
}

fn replay(sql: &mut Connection, journal: &mut Journal) -> Result<Replayed, StoreError> {
    let transaction = sql.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let replayed = journal.catch_up(&transaction)?;
    if replayed.lines > 0 {
        meta::write(&transaction, meta::RESTORED_AT, -1)?;
    }
    transaction.commit()?;
    Ok(replayed)
}
