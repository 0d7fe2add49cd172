//! Connections: made and checked, lent, and taken back.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use futures_util::TryStreamExt as _;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Row, Statement};

use super::address::{Address, wanted};
use crate::StoreError;

/// A request waits this long for a connection: then there are more requests than the database takes.
const WAIT: Duration = Duration::from_secs(2);

/// Making and checking a connection.
pub(super) const CREATE: Duration = Duration::from_secs(6);

/// From asking for a connection to the last answer; below the server's limit for a request.
const PATIENCE: Duration = Duration::from_secs(8);

/// Parameters of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A parameter that the driver cannot print: at the level `debug` it logs them all.
struct Hidden<'a>(&'a (dyn ToSql + Sync));

fn hidden(params: Params<'_>) -> impl ExactSizeIterator<Item = Hidden<'_>> {
    params.iter().map(|param| Hidden(*param))
}

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl ToSql for Hidden<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql_checked(ty, out)
    }

    // Which types it takes is known only of the value, and checked with it.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();

    fn encode_format(&self, ty: &Type) -> Format {
        self.0.encode_format(ty)
    }
}

/// Whether a commit waits until it is durable, whatever the default of the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    /// `synchronous_commit=on`.
    Durable,
    /// `synchronous_commit=off`: for what the rule heals.
    Asynchronous,
}

impl Commit {
    /// The value of `synchronous_commit`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "on",
            Self::Asynchronous => "off",
        }
    }
}

/// Asked about every new connection before anybody gets it.
#[async_trait]
pub(super) trait Admission: fmt::Debug + Send + Sync {
    /// Refuses it, or brings the database up to date first.
    async fn admit(&self, connection: &Connection) -> Result<(), StoreError>;
}

/// Takes any primary.
#[derive(Debug)]
pub(super) struct Primary;

#[async_trait]
impl Admission for Primary {
    async fn admit(&self, connection: &Connection) -> Result<(), StoreError> {
        let found = connection.row("SELECT pg_is_in_recovery()", &[]).await?;
        let is_replica = found.map(|row| row.try_get(0)).transpose()?;
        if is_replica == Some(false) {
            return Ok(());
        }
        let why = "this server is a replica, and takes no writes";
        Err(StoreError::ReadOnly(why.to_owned()))
    }
}

/// One connection with the statements that were prepared on it.
pub(super) struct Connection {
    client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
    /// Until when whoever has it waits for answers.
    deadline: Instant,
    /// Somebody asked and did not wait for the answer.
    unanswered: AtomicBool,
    /// The server gave up waiting for its standby: what it then acknowledges may be lost.
    unconfirmed: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Connects; checks nothing. Answers are waited for as long as a request waits.
    pub(super) async fn open(
        address: &Address,
        commit: Commit,
    ) -> Result<Self, tokio_postgres::Error> {
        let (client, mut connection) = address.config(commit).connect(address.tls()).await?;
        let unconfirmed = Arc::new(AtomicBool::new(false));
        let noticed = Arc::clone(&unconfirmed);
        // Errors reach whoever waits for an answer; the end of the stream closes the client.
        let task = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await
            {
                if let AsyncMessage::Notice(notice) = message
                    && notice.routine() == Some("SyncRepWaitForLSN")
                {
                    noticed.store(true, Ordering::Release);
                }
            }
        });
        Ok(Self {
            client,
            prepared: Mutex::default(),
            deadline: Instant::now() + PATIENCE,
            unanswered: AtomicBool::new(false),
            unconfirmed,
            task,
        })
    }

    /// The first setting that is not as it was asked for, in words.
    pub(super) async fn not_in_force(&self, commit: Commit) -> Result<Option<String>, StoreError> {
        let sql = "SELECT current_setting(name) \
             FROM unnest($1::text[]) WITH ORDINALITY n (name, place) ORDER BY place";
        let (names, values): (Vec<&str>, Vec<&str>) = wanted(commit).unzip();
        let rows = self.rows(sql, &[&names]).await?;
        for ((name, wanted), row) in names.iter().zip(values).zip(&rows) {
            let found: String = row.try_get(0)?;
            if found != wanted {
                return Ok(Some(format!(
                    "{name} is {found} and not {wanted}: something between drops the settings of \
                     connections, as poolers do (PgBouncer with ignore_startup_parameters)"
                )));
            }
        }
        Ok(None)
    }

    /// The rows of a query.
    pub(super) async fn rows(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.answer(async {
            let statement = self.prepared(sql).await?;
            let rows = self.client.query_raw(&statement, hidden(params)).await?;
            rows.try_collect().await
        })
        .await
    }

    /// The first row of a query.
    pub(super) async fn row(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Option<Row>, StoreError> {
        self.answer(async {
            let statement = self.prepared(sql).await?;
            let mut rows = pin!(self.client.query_raw(&statement, hidden(params)).await?);
            let first = rows.try_next().await?;
            if first.is_some() {
                while rows.try_next().await?.is_some() {}
            }
            Ok(first)
        })
        .await
    }

    /// How many rows a statement changed.
    pub(super) async fn change(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<u64, StoreError> {
        self.answer(async {
            let statement = self.prepared(sql).await?;
            self.client.execute_raw(&statement, hidden(params)).await
        })
        .await
    }

    /// The one row of a query that is asked once.
    pub(super) async fn once(&self, sql: &str) -> Result<Row, StoreError> {
        self.answer(self.client.query_one(sql, &[])).await
    }

    /// Statements without parameters, one after the other; unless they say otherwise, in one
    /// transaction.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.answer(self.client.batch_execute(sql)).await
    }

    /// Gives what follows this long from now, such as a migration.
    pub(super) fn allow(&mut self, time: Duration) {
        self.deadline = Instant::now() + time;
    }

    /// Whether the server closed it.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        self.unanswered.store(true, Ordering::Relaxed);
        let answer = timeout_at(self.deadline, asked)
            .await
            .map_err(|_| StoreError::Busy(format!("no answer within {} s", PATIENCE.as_secs())))?;
        self.unanswered.store(false, Ordering::Relaxed);
        if self.unconfirmed.swap(false, Ordering::Acquire) {
            let why = "the wait for the synchronous standby was cancelled; the write may be lost";
            return Err(StoreError::Unavailable(why.to_owned()));
        }
        Ok(answer?)
    }

    async fn prepared(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.prepared.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared.lock().insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Manager {
    address: Arc<Address>,
    commit: Commit,
    admission: Arc<dyn Admission>,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open(&self.address, self.commit).await?;
        if let Some(why) = connection.not_in_force(self.commit).await? {
            return Err(StoreError::Unavailable(why));
        }
        self.admission.admit(&connection).await?;
        Ok(connection)
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<StoreError> {
        if connection.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

/// Connections to one database with one way to commit. Clones share them.
#[derive(Clone)]
pub(super) struct Pool(managed::Pool<Manager>);

impl Pool {
    /// Makes connections when they are first needed, up to `size`.
    pub(super) fn new(
        address: Arc<Address>,
        commit: Commit,
        size: usize,
        admission: Arc<dyn Admission>,
    ) -> Result<Self, StoreError> {
        let manager = Manager {
            address,
            commit,
            admission,
        };
        managed::Pool::builder(manager)
            .max_size(size.max(1))
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CREATE))
            .runtime(Runtime::Tokio1)
            .build()
            .map(Self)
            .map_err(|why| StoreError::Unavailable(why.to_string()))
    }

    /// A connection for single statements, each its own transaction.
    pub(super) async fn lend(&self) -> Result<Lease, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        let mut lent = self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(managed::TimeoutType::Wait) => {
                let size = self.0.status().max_size;
                StoreError::Busy(format!("all {size} connections are in use"))
            }
            PoolError::Timeout(_) => {
                StoreError::Busy(format!("no connection within {} s", CREATE.as_secs()))
            }
            other => StoreError::Unavailable(other.to_string()),
        })?;
        lent.deadline = deadline;
        Ok(Lease {
            lent: Some(lent),
            in_transaction: false,
        })
    }

    /// A connection with a transaction begun on it; READ COMMITTED.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        let mut lease = self.lend().await?;
        lease.in_transaction = true;
        lease.batch("BEGIN").await?;
        Ok(Transaction(lease))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.status().fmt(f)
    }
}

/// A connection that goes back to its pool when it is dropped, once it has answered everything.
pub(super) struct Lease {
    lent: Option<Object<Manager>>,
    in_transaction: bool,
}

impl Deref for Lease {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "only drop takes it")]
    fn deref(&self) -> &Connection {
        self.lent.as_deref().expect("lent until dropped")
    }
}

impl Drop for Lease {
    /// A connection that still works at something is not lent to others, and it is not closed
    /// either: the server would not notice, so each new one would come on top of it.
    fn drop(&mut self) {
        let Some(lent) = self.lent.take() else { return };
        if !self.in_transaction && !lent.unanswered.swap(false, Ordering::Relaxed) {
            return;
        }
        let last = if self.in_transaction { "ROLLBACK" } else { "" };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let ended = lent.client.batch_execute(last).await;
                // Nobody waited for what was not confirmed; the next question is another one.
                lent.unconfirmed.store(false, Ordering::Release);
                ended
            });
        } else {
            drop(Object::take(lent));
        }
    }
}

/// Several statements that happen together or not at all; rolled back where it is dropped.
pub(super) struct Transaction(Lease);

impl Transaction {
    /// Commits; durable when it returns, unless the pool is asynchronous.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.0.batch("COMMIT").await?;
        self.0.in_transaction = false;
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn the_driver_cannot_print_a_parameter() {
        let params: Vec<_> = hidden(&[&"hunter2", &7_i64]).collect();
        assert_eq!(format!("{params:?}"), "[…, …]");
    }
}
