//! Commands of a test to one server, beside whatever talks to it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use redis::{Client, Connection, FromRedisValue, cmd};

use super::Redis;

/// The fields of a hash.
pub type Hash = BTreeMap<String, Vec<u8>>;

/// A server that hangs must not hang the test.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Redis {
    /// Sends one command over a connection of its own.
    ///
    /// # Errors
    /// When the server cannot be reached, answers an error, or something else than a `T`.
    pub fn command<T: FromRedisValue>(&self, words: &[&str]) -> anyhow::Result<T> {
        run(&mut self.connect()?, words)
    }

    /// The keys that begin with `prefix`, in order.
    ///
    /// # Errors
    /// As [`Redis::command`].
    pub fn keys(&self, prefix: &str) -> anyhow::Result<Vec<String>> {
        let mut keys: Vec<String> = self.command(&["KEYS", "*"])?;
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        Ok(keys)
    }

    /// A hash; empty where there is no such key.
    ///
    /// # Errors
    /// As [`Redis::command`].
    pub fn hash(&self, key: &str) -> anyhow::Result<Hash> {
        self.command(&["HGETALL", key])
    }

    /// Waits until `replicas` replicas have all that was written.
    ///
    /// # Errors
    /// When they do not catch up.
    pub fn wait_for_replicas(&self, replicas: u32) -> anyhow::Result<()> {
        let mut connection = self.connect()?;
        pass(&mut connection, "probe")?;
        let wait = ["WAIT", &replicas.to_string(), "20000"];
        let reached: u32 = run(&mut connection, &wait)?;
        anyhow::ensure!(reached >= replicas, "only {reached} replicas caught up");
        Ok(())
    }

    /// Sends `bytes` bytes to the replicas and keeps none.
    pub(super) fn load_links(&self, bytes: usize) -> anyhow::Result<()> {
        pass(&mut self.connect()?, &"x".repeat(bytes))
    }

    fn connect(&self) -> anyhow::Result<Connection> {
        connect(&self.url())
    }
}

/// Writes something and removes it: what a replica of this node, and of no other in a Cluster, is sent.
fn pass(connection: &mut Connection, what: &str) -> anyhow::Result<()> {
    for number in 0..100 {
        let key = format!("lab:{number}");
        let set: redis::RedisResult<()> = cmd("SET").arg(&key).arg(what).query(connection);
        match set {
            Err(error) if error.code() == Some("MOVED") => {}
            set => {
                set?;
                return run(connection, &["DEL", &key]);
            }
        }
    }
    bail!("every key belongs to another node")
}

/// The password stays out of the error.
pub(super) fn connect(url: &str) -> anyhow::Result<Connection> {
    let client = Client::open(url).ok().context("not an address")?;
    let connection = client.get_connection_with_timeout(TIMEOUT)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    Ok(connection)
}

pub(super) fn run<T: FromRedisValue>(
    connection: &mut Connection,
    words: &[&str],
) -> anyhow::Result<T> {
    let (name, arguments) = words.split_first().context("a command has a name")?;
    cmd(name)
        .arg(arguments)
        .query(connection)
        .with_context(|| format!("{name} was refused"))
}
