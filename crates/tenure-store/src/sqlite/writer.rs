//! The one writer: a thread that commits in groups.
//!
//! A commit costs one sync of the disk however many writes it carries. While one is under way the
//! next writes queue up, and the next commit takes them all: nobody waits for a timer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::compact::Compacted;
use super::files::Files;
use super::journal::{Journal, Line};
use super::readers::Readers;
use crate::{Counters, Entry, Position, StoreError};

/// Writes that may wait; past it the caller is told that the store is busy.
const QUEUE: usize = 8192;

/// Writes in one commit: bounds how long a reader of the journal, another process or the first
/// caller of the group waits.
const GROUP: usize = 256;

/// The transaction of one group.
pub(super) struct Group<'a> {
    pub(super) sql: &'a Connection,
    journal: &'a mut Journal,
    entries: Vec<Line>,
}

impl Group<'_> {
    /// Adds a line to the revocation log, durable before the group is committed.
    pub(super) fn log(&mut self, entry: Entry) {
        self.entries.push(Line::Session(entry));
    }

    /// Adds a line about an entry of the session log of another store.
    pub(super) fn log_at(&mut self, position: Position, entry: Entry) {
        self.entries.push(Line::at(position, entry));
    }

    /// Replays what another process, or a commit that failed, left in the log.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        self.journal.catch_up(self.sql).map(drop)
    }

    /// Lets a compacted log take the place of the one that it was made of.
    pub(super) fn replace_log(&mut self, new: &Compacted) -> Result<(), StoreError> {
        self.journal.replace(self.sql, new)
    }

    /// Fails while the log takes no appends.
    pub(super) fn check_log(&mut self) -> Result<(), StoreError> {
        self.journal.check(self.sql)
    }

    /// Several statements, of which a failure leaves nothing behind in the group.
    fn atomically<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let logged = self.entries.len();
        self.sql.prepare_cached("SAVEPOINT one")?.execute(())?;
        let changed = change(self);
        // Graver errors have ended the transaction, and the savepoint with it.
        if self.sql.is_autocommit() {
            return changed;
        }
        if changed.is_err() {
            self.entries.truncate(logged);
            self.sql.prepare_cached("ROLLBACK TO one")?.execute(())?;
        }
        self.sql.prepare_cached("RELEASE one")?.execute(())?;
        changed
    }
}

/// A queued write.
trait Job: Send {
    /// Carries it out; an error is one that ends the whole group. May be called again after that.
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), StoreError>;

    /// Whether it added to the log.
    fn is_logged(&self) -> bool;

    /// Tells the caller, once the group is durable or has failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<T, F> {
    change: F,
    result: Option<Result<T, StoreError>>,
    logged: bool,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: Fn(&mut Group<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let before = group.entries.len();
        let result = (self.change)(group);
        self.logged = group.entries.len() > before;
        match result {
            Err(error) if error.concerns_everyone() || group.sql.is_autocommit() => Err(error),
            result => {
                self.result = Some(result);
                Ok(())
            }
        }
    }

    fn is_logged(&self) -> bool {
        self.logged
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let not_made = || Err(StoreError::Unavailable("the write was not made".to_owned()));
        let Self { result, caller, .. } = *self;
        let answer = committed.and_then(|()| result.unwrap_or_else(not_made));
        // The caller may have gone away; the write stands.
        drop(caller.send(answer));
    }
}

#[derive(Debug, Default)]
struct Tally {
    commits: AtomicU64,
    writes: AtomicU64,
    failed_commits: AtomicU64,
}

/// The handle of the thread; dropping it finishes what is queued.
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    tally: Arc<Tally>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn start(
        files: Files,
        sql: Connection,
        journal: Journal,
        readers: Arc<Readers>,
    ) -> std::io::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE);
        let tally = Arc::new(Tally::default());
        let committer = Committer {
            files,
            readers,
            sql: Some(sql),
            journal,
            tally: Arc::clone(&tally),
            in_trouble: false,
            was_read_only: false,
        };
        let thread = std::thread::Builder::new()
            .name("tenure-store".to_owned())
            .spawn(move || committer.run(&waiting))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            tally,
        })
    }

    /// Queues a write of one statement and waits until it is durable.
    pub(super) async fn write<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let job = Box::new(Write {
            change,
            result: None,
            logged: false,
            caller,
        });
        let stopped = || StoreError::Unavailable("the writer has stopped".to_owned());
        match self.queue.as_ref().ok_or_else(stopped)?.try_send(job) {
            Ok(()) => answer.await.map_err(|_| stopped())?,
            Err(TrySendError::Full(_)) => {
                Err(StoreError::Busy(format!("{QUEUE} writes are waiting")))
            }
            Err(TrySendError::Disconnected(_)) => Err(stopped()),
        }
    }

    /// Queues a write of several statements.
    pub(super) async fn transaction<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.write(move |group| group.atomically(&change)).await
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            commits: self.tally.commits.load(Ordering::Relaxed),
            writes: self.tally.writes.load(Ordering::Relaxed),
            failed_commits: self.tally.failed_commits.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by itself.
            drop(thread.join());
        }
    }
}

struct Committer {
    files: Files,
    readers: Arc<Readers>,
    /// `None` after trouble, until the next group opens it again.
    sql: Option<Connection>,
    journal: Journal,
    tally: Arc<Tally>,
    in_trouble: bool,
    was_read_only: bool,
}

/// Why a group was not committed.
enum Trouble {
    /// The log took no append; writes that need no log may still go on.
    Log(StoreError),
    /// The database took no write.
    Database(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Database(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

type Jobs = Vec<Box<dyn Job>>;

impl Committer {
    fn run(mut self, waiting: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = waiting.recv() {
            let mut jobs = Vec::with_capacity(GROUP);
            jobs.push(first);
            jobs.extend(waiting.try_iter().take(GROUP - 1));
            self.settle(jobs);
        }
    }

    fn settle(&mut self, mut jobs: Jobs) {
        match self.commit(&mut jobs) {
            Ok(()) => self.answer(jobs, &Ok(())),
            Err(Trouble::Database(error)) => {
                let error = self.give_up(error);
                self.answer(jobs, &Err(error));
            }
            Err(Trouble::Log(error)) => {
                let error = self.give_up(error);
                let (logged, others): (Jobs, Jobs) =
                    jobs.into_iter().partition(|job| job.is_logged());
                self.answer(logged, &Err(error));
                if !others.is_empty() {
                    self.settle(others);
                }
            }
        }
    }

    fn commit(&mut self, jobs: &mut Jobs) -> Result<(), Trouble> {
        let sql = match &mut self.sql {
            Some(sql) => sql,
            closed => {
                if self.was_read_only {
                    self.readers.forget();
                }
                closed.insert(self.files.open_for_writing()?)
            }
        };
        sql.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        let mut group = Group {
            sql,
            journal: &mut self.journal,
            entries: Vec::new(),
        };
        for job in jobs {
            job.run(&mut group)?;
        }
        let Group {
            journal, entries, ..
        } = group;
        journal.append(sql, &entries).map_err(Trouble::Log)?;
        sql.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }

    /// Leaves nothing of the group behind. The connection is closed: after an I/O error SQLite may
    /// hold on to a file that is gone or was opened read-only.
    fn give_up(&mut self, error: StoreError) -> StoreError {
        self.was_read_only = matches!(error, StoreError::ReadOnly(_));
        if let Some(sql) = self.sql.take() {
            let rolled_back = sql.is_autocommit() || sql.execute_batch("ROLLBACK").is_ok();
            if rolled_back && matches!(error, StoreError::Busy(_)) {
                self.sql = Some(sql);
            }
        }
        let error = error.diagnosed(&self.files.options.dir);
        if !self.in_trouble {
            tracing::error!(%error, "the store takes no writes");
        }
        self.in_trouble = true;
        error
    }

    fn answer(&mut self, jobs: Jobs, committed: &Result<(), StoreError>) {
        let tally = &self.tally;
        if committed.is_ok() {
            tally.commits.fetch_add(1, Ordering::Relaxed);
            tally.writes.fetch_add(jobs.len() as u64, Ordering::Relaxed);
            if std::mem::take(&mut self.in_trouble) {
                tracing::info!("the store takes writes again");
            }
        } else {
            tally.failed_commits.fetch_add(1, Ordering::Relaxed);
        }
        for job in jobs {
            job.answer(committed.clone());
        }
    }
}
