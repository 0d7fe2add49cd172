//! Real PostgreSQL servers: started in a second, killed, promoted, lagging.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use tenure_lab::postgres;
//! let Some(server) = postgres::shared()? else {
//!     return Ok(());
//! };
//! let database = server.fresh_database().await?;
//! println!("TENURE_STORE_URL={}", server.url(&database));
//! # Ok(()) }
//! ```
//!
//! The programs are Debian's `postgresql-15`. PostgreSQL refuses to run as root, so under root it
//! runs as `nobody`. Each server listens on a loopback port and asks for a password (SCRAM); there
//! is no Unix socket. The service's role, `tenure`, is what a careful operator gives it: it owns its
//! databases, may read `pg_stat_replication` (`pg_monitor`), and is no superuser.
//!
//! A server ends with the thread that started it, should that end without dropping it.

mod home;
mod replica;
mod sql;

use std::path::PathBuf;
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use self::home::Home;
use crate::process::{Launch, Output, Port, Server};

/// Where Debian's `postgresql-15` has its programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// What a server says in its log is waited for this long.
const DEADLINE: Duration = Duration::from_mins(1);

/// The role of the service: owner of its databases, no superuser.
pub const ROLE: &str = "tenure";

/// The lab's own role, a superuser.
const SUPERUSER: &str = "postgres";

/// Whether PostgreSQL is installed; where it is not, the test is counted as skipped.
///
/// # Errors
/// When the skip cannot be counted.
pub fn installed() -> anyhow::Result<bool> {
    let installed = PathBuf::from(PROGRAMS).join("postgres").exists();
    if !installed {
        crate::skip("PostgreSQL 15 is not installed: cargo xtask setup")?;
    }
    Ok(installed)
}

/// A server for all tests of this program that neither kill nor configure it: started once, ended
/// with the program. `None` is a counted skip.
///
/// # Errors
/// When it does not start.
pub fn shared() -> anyhow::Result<Option<&'static Postgres>> {
    static SHARED: LazyLock<Result<Postgres, String>> =
        LazyLock::new(|| start_lasting().map_err(|error| format!("{error:#}")));
    if !installed()? {
        return Ok(None);
    }
    SHARED
        .as_ref()
        .map(Some)
        .map_err(|e| anyhow::anyhow!("{e}"))
}

/// Starts a server from a thread that lasts as long as the program, because the server does not
/// outlive that thread.
fn start_lasting() -> anyhow::Result<Postgres> {
    let (send, started) = mpsc::channel();
    std::thread::Builder::new()
        .name("postgres".to_owned())
        .spawn(move || {
            // The receiver waits below for this one value.
            let _ = send.send(Postgres::start(&Options::default()));
            loop {
                std::thread::park();
            }
        })?;
    started.recv()?
}

/// How a server is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether commits reach the disk. Without, kills of processes lose nothing either, and
    /// everything is faster.
    pub fsync: bool,
    /// Lines for `postgresql.conf`.
    pub settings: Vec<(String, String)>,
    /// Files for the data directory, readable by the server alone: name and content.
    pub files: Vec<(String, String)>,
    /// Where the data directory goes, instead of a temporary directory: a faulty disk.
    pub directory: Option<PathBuf>,
}

impl Options {
    /// Adds a line to `postgresql.conf`.
    #[must_use]
    pub fn with(mut self, setting: &str, value: &str) -> Self {
        self.settings.push((setting.to_owned(), value.to_owned()));
        self
    }
}

/// A PostgreSQL server. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    /// Before the server, which has the port reserved: whoever reserves it next takes the directory.
    home: Home,
    server: Server,
    port: u16,
    /// The walreceiver that was stopped, in a replica.
    suspended: Option<Pid>,
    /// Whether it was ended by [`kill9`](Self::kill9) and so left its shared memory behind.
    killed: bool,
}

impl Postgres {
    /// Starts an empty server.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start(options: &Options) -> anyhow::Result<Self> {
        let port = Port::reserve()?;
        let home = Home::from_template(port.address().port(), options.directory.as_deref())?;
        Self::start_in(home, port, options)
    }

    fn start_in(home: Home, port: Port, options: &Options) -> anyhow::Result<Self> {
        home.configure("fsync", if options.fsync { "on" } else { "off" })?;
        for (setting, value) in &options.settings {
            home.configure(setting, value)?;
        }
        for (name, content) in &options.files {
            home.write(name, content)?;
        }
        let number = port.address().port();
        let server = Launch::new(home::SETPRIV)
            .args(home::as_server_user("postgres"))
            .args(["-p", &number.to_string(), "-D"])
            .args([home.data()])
            .ready_when("database system is ready to accept")
            .on(port)
            .start()?;
        Ok(Self {
            server,
            home,
            port: number,
            suspended: None,
            killed: false,
        })
    }

    /// The loopback port; the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of [`ROLE`].
    pub fn password(&self) -> &str {
        &self.home.password
    }

    /// `postgres://tenure:PASSWORD@127.0.0.1:PORT/DATABASE`.
    pub fn url(&self, database: &str) -> String {
        let (password, port) = (self.password(), self.port);
        format!("postgres://{ROLE}:{password}@127.0.0.1:{port}/{database}")
    }

    /// A URL with several hosts, of which clients take the one that is the primary.
    pub fn url_of(servers: &[&Self], database: &str) -> String {
        let hosts: Vec<String> = servers
            .iter()
            .map(|server| format!("127.0.0.1:{}", server.port))
            .collect();
        let password = servers.first().map_or("", |server| server.password());
        let hosts = hosts.join(",");
        format!("postgres://{ROLE}:{password}@{hosts}/{database}?target_session_attrs=read-write")
    }

    /// What the server has written to its log, over all its runs.
    pub fn output(&self) -> &Output {
        self.server.output()
    }

    /// The postmaster's process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// SIGKILL for all its processes at once, as when the machine is lost.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill9(&mut self) -> anyhow::Result<()> {
        // A stopped postmaster starts nobody while the others are killed.
        self.server.suspend()?;
        for child in self.children()? {
            // One that ended by itself meanwhile is a zombie until the postmaster ends: no error.
            kill_process(child, Signal::KILL)?;
        }
        self.suspended = None;
        self.killed = true;
        self.server.kill9()
    }

    /// An orderly end, as `pg_ctl stop`: connections are closed, what was committed is on the disk.
    ///
    /// # Errors
    /// When it is not running or does not end in time.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.resume_walreceiver()?;
        self.server.end_with(Signal::INT)?;
        Ok(())
    }

    /// Starts it again on the same port, after [`stop`](Self::stop) or [`kill9`](Self::kill9).
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.home.forget_postmaster()?;
        self.killed = false;
        self.server.restart()
    }

    /// SIGSTOP for all its processes: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When it is not running.
    pub fn suspend(&self) -> anyhow::Result<()> {
        self.server.suspend()?;
        self.signal_children(Signal::STOP)
    }

    /// SIGCONT: ends [`suspend`](Self::suspend).
    ///
    /// # Errors
    /// When it is not running.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal_children(Signal::CONT)?;
        self.server.resume()
    }

    /// Adds a line to `postgresql.conf` and has it read (some settings need a
    /// [`restart`](Self::restart)). New connections have the new value.
    ///
    /// # Errors
    /// When the file cannot be written, the server does not run, or does not say that it has read it.
    pub fn configure(&self, setting: &str, value: &str) -> anyhow::Result<()> {
        self.home.configure(setting, value)?;
        let heard = self.output().lines().len();
        self.server.hang_up()?;
        self.hear(heard, "reloading configuration files")
    }

    /// Waits until the log has `text` in a line from number `since` on.
    fn hear(&self, since: usize, text: &str) -> anyhow::Result<()> {
        self.output().wait_for_since(since, text, DEADLINE)?;
        Ok(())
    }

    fn signal_children(&self, signal: Signal) -> anyhow::Result<()> {
        for child in self.children()? {
            kill_process(child, signal)?;
        }
        Ok(())
    }

    fn children(&self) -> anyhow::Result<Vec<Pid>> {
        let pid = self.pid().context("PostgreSQL is not running")?;
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        children
            .split_whitespace()
            .map(|child| Pid::from_raw(child.parse()?).context("a process id of 0"))
            .collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.pid().is_some() {
            // Stopped processes would hold the end up; what fails here fails because it has ended.
            let _ = self.resume();
            if self.server.end_with(Signal::QUIT).is_err() {
                let _ = self.kill9();
            }
        }
        if self.killed {
            self.home.remove_shared_memory();
        }
    }
}
