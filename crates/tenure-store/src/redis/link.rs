//! Connections: one that everything shares, made again when it breaks.
//!
//! One multiplexed connection serves best: what many requests send at the same time leaves in one
//! packet, and Redis answers from one thread anyway. Commands that wait (`WAIT`, `WAITAOF`) hold up
//! whatever comes after them, so those that have to be followed by one have a link of their own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::RoutingInfo;
use redis::sentinel::SentinelClient;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, ProtocolVersion, PushInfo,
    PushKind, RedisError, RedisResult, Value,
};

use super::error::{spoils_connection, trouble};
use super::target::{Mode, Target, client, sentinel_client};
use crate::StoreError;

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(2);

/// How long an answer may take.
const ANSWERING: Duration = Duration::from_secs(2);

/// Grows whenever a connection may have been replaced, so that what answers may be another server.
#[derive(Clone, Debug, Default)]
pub(super) struct Epoch(Arc<AtomicU64>);

impl Epoch {
    pub(super) fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn advance(&self) -> u64 {
        self.0.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// A way to the server.
pub(super) struct Link {
    source: Source,
    /// The patience for an answer.
    patience: Duration,
    epoch: Epoch,
    /// With its number, so that a late error of an old one does not take a new one away.
    current: Mutex<Option<(u64, Connection)>>,
    /// One connects, the others wait for it, and share what it ran into.
    connecting: tokio::sync::Mutex<Option<RedisError>>,
    /// Attempts to connect that are over.
    attempts: AtomicU64,
}

enum Source {
    Standalone(Box<Client>),
    Sentinel(Box<tokio::sync::Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

#[derive(Clone)]
enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// Connects to nothing yet. `waiting` is added to the patience.
    pub(super) fn new(target: &Target, waiting: Duration, epoch: &Epoch) -> RedisResult<Self> {
        let patience = ANSWERING + waiting;
        let trusted = target.trusted.as_ref();
        let source = match &target.mode {
            Mode::Standalone(server) => Source::Standalone(Box::new(client(server, trusted)?)),
            Mode::Sentinel {
                sentinels,
                master,
                server,
            } => {
                let client = sentinel_client(sentinels, master, server, trusted)?;
                Source::Sentinel(Box::new(tokio::sync::Mutex::new(client)))
            }
            Mode::Cluster(nodes) => {
                // The driver tells that a connection was lost, not that another was made.
                let lost = epoch.clone();
                let told = move |push: PushInfo| {
                    if push.kind == PushKind::Disconnection {
                        lost.advance();
                    }
                    Ok::<(), ()>(())
                };
                let mut builder = ClusterClient::builder(nodes.clone())
                    .connection_timeout(CONNECTING)
                    .response_timeout(patience)
                    .overall_response_timeout(Some(patience * 2))
                    .retries(4)
                    .use_protocol(ProtocolVersion::RESP3)
                    .push_sender(told);
                if let Some(trusted) = trusted {
                    builder = builder.certs(trusted.clone());
                }
                Source::Cluster(Box::new(builder.build()?))
            }
        };
        Ok(Self {
            source,
            patience,
            epoch: epoch.clone(),
            current: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(None),
            attempts: AtomicU64::new(0),
        })
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.source, Source::Cluster(_))
    }

    /// One command, once.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.try_ask(command).await.map_err(|error| trouble(&error))
    }

    /// One command, once; with the driver's own error.
    pub(super) async fn try_ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let (number, connection) = self.connection().await?;
        let answer = match connection {
            Connection::Server(mut server) => server.req_packed_command(command).await,
            Connection::Cluster(mut cluster) => cluster.req_packed_command(command).await,
        };
        let value = self.seen(number, answer.and_then(Value::extract_error))?;
        Ok(T::from_redis_value(value)?)
    }

    /// Reads with commands that all concern one slot; again where the connection was gone.
    pub(super) async fn read(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        match self.try_all(commands).await {
            Err(error) if spoils_connection(&error) && !error.is_timeout() => {
                self.all(commands).await
            }
            answer => answer.map_err(|error| trouble(&error)),
        }
    }

    /// Commands that all concern one slot, once.
    pub(super) async fn all(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let answers = self.try_all(commands).await;
        answers.map_err(|error| trouble(&error))
    }

    async fn try_all(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let count = commands.len();
        let (number, connection) = self.connection().await?;
        let answers = match connection {
            Connection::Server(mut server) => server.req_packed_commands(commands, 0, count).await,
            Connection::Cluster(mut cluster) => {
                cluster.req_packed_commands(commands, 0, count).await
            }
        };
        let answers = answers.and_then(|all| all.into_iter().map(Value::extract_error).collect());
        self.seen(number, answers)
    }

    /// A command to chosen nodes of a cluster, or to the one server.
    pub(super) async fn route(&self, command: Cmd, to: RoutingInfo) -> RedisResult<Value> {
        let (number, connection) = self.connection().await?;
        let answer = match connection {
            Connection::Server(mut server) => server.req_packed_command(&command).await,
            Connection::Cluster(mut cluster) => cluster.route_command(command, to).await,
        };
        self.seen(number, answer.and_then(Value::extract_error))
    }

    fn seen<T>(&self, number: u64, answer: RedisResult<T>) -> RedisResult<T> {
        // A cluster's connection mends itself.
        if !self.is_cluster()
            && let Err(error) = &answer
            && spoils_connection(error)
        {
            let mut current = self.current.lock();
            if current.as_ref().is_some_and(|(now, _)| *now == number) {
                *current = None;
            }
        }
        answer
    }

    async fn connection(&self) -> RedisResult<(u64, Connection)> {
        let current = self.current.lock().clone();
        if let Some(current) = current {
            return Ok(current);
        }
        let came_at = self.attempts.load(Ordering::Acquire);
        let mut failure = self.connecting.lock().await;
        let current = self.current.lock().clone();
        if let Some(current) = current {
            return Ok(current);
        }
        if let Some(error) = &*failure
            && self.attempts.load(Ordering::Acquire) > came_at
        {
            return Err(error.clone());
        }
        let made = in_time(self.connect()).await;
        self.attempts.fetch_add(1, Ordering::AcqRel);
        *failure = made.as_ref().err().cloned();
        let connection = made?;
        // Before anybody can hear from it, and after it was made: a look at the log while it was
        // being made may have been too early for what the server before it was still promised.
        let made = (self.epoch.advance(), connection);
        *self.current.lock() = Some(made.clone());
        Ok(made)
    }

    async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(Some(self.patience));
        match &self.source {
            Source::Standalone(client) => {
                let server = client.get_multiplexed_async_connection_with_config(&config);
                server.await.map(Connection::Server)
            }
            Source::Sentinel(client) => {
                let mut client = client.lock().await;
                let server = client.get_async_connection_with_config(&config).await;
                server.map(Connection::Server)
            }
            Source::Cluster(client) => {
                let cluster = client.get_async_connection().await;
                cluster.map(Connection::Cluster)
            }
        }
    }
}

/// Sentinels are asked one after the other, each with a patience of its own.
async fn in_time<T>(connecting: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let connected = tokio::time::timeout(CONNECTING * 3, connecting).await;
    connected.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}
