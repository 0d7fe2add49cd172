//! Real Redis and Valkey servers, alone, with Sentinels, and as a Cluster.
//!
//! They listen on loopback ports of their own, ask for a password that is in a file and never on a
//! command line, keep their data in a directory of their own, and are stopped when they are dropped.

mod client;
mod cluster;
mod options;
mod sentinels;

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, ensure};
use parking_lot::Mutex;
use tempfile::TempDir;

pub use self::client::Hash;
pub use self::cluster::Cluster;
pub use self::options::{Append, Engine, Options};
pub use self::sentinels::Sentinels;

use crate::process::{Launch, Port, Server};

/// Starts, elections and synchronisations of a busy machine stay far below this.
const DEADLINE: Duration = Duration::from_mins(1);

/// More than the kernel keeps in the buffers of a connection whose reader is suspended.
const BALLAST: usize = 24 << 20;

/// A running server. Dropping it kills it.
pub struct Redis {
    server: Server,
    engine: Engine,
    options: Options,
    port: u16,
    password: String,
    /// The configuration, and the data unless the options say another place.
    home: TempDir,
}

impl Redis {
    /// Starts a server of `engine` and waits until it takes connections.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start(engine: Engine, options: Options) -> anyhow::Result<Self> {
        Self::start_as(engine, options, random_password(), &[])
    }

    /// A server that all tests of a program share while one of them holds it. Each of them should
    /// use keys of its own.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn shared(engine: Engine) -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<[Weak<Redis>; 2]> = Mutex::new([Weak::new(), Weak::new()]);
        let mut shared = SHARED.lock();
        let [redis, valkey] = &mut *shared;
        let place = match engine {
            Engine::Redis7 => redis,
            Engine::Valkey8 => valkey,
        };
        if let Some(running) = place.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start(engine, Options::default())?);
        *place = Arc::downgrade(&started);
        Ok(started)
    }

    /// Starts a replica of this server, and waits until it has everything.
    ///
    /// # Errors
    /// As [`Redis::start`]; when it does not catch up.
    pub fn replica(&self) -> anyhow::Result<Self> {
        let of = format!("replicaof 127.0.0.1 {}", self.port());
        // A place for the data is the primary's alone.
        let options = Options {
            directory: None,
            ..self.options.clone()
        };
        let replica = Self::start_as(self.engine, options, self.password.clone(), &[&of])?;
        let synchronised = "REPLICA sync: Finished with success";
        replica.server.output().wait_for(synchronised, DEADLINE)?;
        Ok(replica)
    }

    fn start_as(
        engine: Engine,
        options: Options,
        password: String,
        lines: &[&str],
    ) -> anyhow::Result<Self> {
        let program = engine.find()?;
        let port = Port::reserve()?;
        let number = port.address().port();
        let home = TempDir::new()?;
        let file = home.path().join("server.conf");
        let mut text = options.lines(home.path());
        text.extend([
            format!("port {number}"),
            format!("requirepass {password}"),
            format!("masterauth {password}"),
        ]);
        text.extend(lines.iter().map(|&line| line.to_owned()));
        fs::write(&file, text.join("\n"))?;
        let launch = Launch::new(program).args([&file]).on(port);
        let server = launch
            .ready_when("Ready to accept connections")
            .start()
            .context("the server does not start")?;
        Ok(Self {
            server,
            engine,
            options,
            port: number,
            password,
            home,
        })
    }

    /// Which program it is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// `redis://:PASSWORD@127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("redis://:{}@{}/", self.password, self.server.listen())
    }

    /// The password of the user `default`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// `127.0.0.1:PORT`; the same over restarts.
    pub fn address(&self) -> String {
        self.server.listen()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process: its output, [`Server::suspend`] and [`Server::resume`].
    pub fn process(&self) -> &Server {
        &self.server
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill9(&mut self) -> anyhow::Result<()> {
        self.server.kill9()
    }

    /// Starts it again on its port with the data it has; after SIGKILL if it still runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.server.restart()
    }

    /// What it holds now, as the content of an RDB file.
    ///
    /// # Errors
    /// When it cannot save.
    pub fn back_up(&self) -> anyhow::Result<Vec<u8>> {
        self.command::<String>(&["SAVE"])?;
        Ok(fs::read(self.data().join("dump.rdb"))?)
    }

    /// Kills it and starts it with what a [`back_up`](Self::back_up) held and nothing else; the
    /// append-only file goes on from there, if it was on.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restore(&mut self, backup: &[u8]) -> anyhow::Result<()> {
        let append = self.options.append != Append::Off;
        self.kill9()?;
        self.forget()?;
        fs::write(self.data().join("dump.rdb"), backup)?;
        self.configure("appendonly no")?;
        self.restart()?;
        if append {
            self.command::<String>(&["CONFIG", "SET", "appendonly", "yes"])?;
        }
        Ok(())
    }

    /// Kills it and starts it without anything that it held.
    ///
    /// # Errors
    /// When it does not start.
    pub fn wipe(&mut self) -> anyhow::Result<()> {
        self.kill9()?;
        self.forget()?;
        self.restart()
    }

    /// Suspends this replica with so much on its way from `primary` that from now on nothing the
    /// primary acknowledges reaches it.
    ///
    /// # Errors
    /// When the replica does not run, or `primary` has nothing in its own memory for it.
    pub fn hold_back(&self, primary: &Self) -> anyhow::Result<()> {
        self.server.suspend()?;
        primary.load_links(BALLAST)?;
        let clients: String = primary.command(&["CLIENT", "LIST", "TYPE", "replica"])?;
        let held = clients.split([' ', '\n']).filter_map(|field| {
            let bytes = field.strip_prefix("omem=")?;
            bytes.parse::<usize>().ok()
        });
        ensure!(held.sum::<usize>() > 0, "the ballast fell through");
        Ok(())
    }

    fn data(&self) -> PathBuf {
        let directory = self.options.directory.as_deref();
        directory.unwrap_or(self.home.path()).to_owned()
    }

    fn forget(&self) -> anyhow::Result<()> {
        let appended = self.data().join("appendonlydir");
        if appended.exists() {
            fs::remove_dir_all(appended)?;
        }
        let dump = self.data().join("dump.rdb");
        if dump.exists() {
            fs::remove_file(dump)?;
        }
        Ok(())
    }

    /// Adds a line to the configuration; the last of a name counts.
    fn configure(&self, line: &str) -> anyhow::Result<()> {
        let file = self.home.path().join("server.conf");
        let text = fs::read_to_string(&file)?;
        Ok(fs::write(file, format!("{text}\n{line}\n"))?)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("engine", &self.engine)
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

fn random_password() -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(32)
        .collect()
}
