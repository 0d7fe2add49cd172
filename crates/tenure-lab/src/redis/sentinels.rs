//! A primary with replicas, and three Sentinels that replace it.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use super::client::{connect, run};
use super::{DEADLINE, Engine, Options, Redis};
use crate::process::{Launch, Port, Server};

/// How long the primary may be silent before a Sentinel calls it down.
const DOWN_AFTER: Duration = Duration::from_millis(500);

/// A primary, its replicas, and three Sentinels of which two have to agree.
#[derive(Debug)]
pub struct Sentinels {
    primary: Redis,
    replicas: Vec<Redis>,
    watchers: Vec<Server>,
    /// Primaries that were replaced.
    former: Vec<Redis>,
    _home: TempDir,
}

impl Sentinels {
    /// What the Sentinels call the primary.
    pub const MASTER: &str = "lab";

    /// Starts them all, and waits until each Sentinel knows the replicas and the other Sentinels.
    ///
    /// # Errors
    /// When one does not start, or they do not find each other.
    pub fn start(engine: Engine, options: Options, replicas: usize) -> anyhow::Result<Self> {
        let primary = Redis::start(engine, options)?;
        let replicas: Vec<_> = (0..replicas)
            .map(|_| primary.replica())
            .collect::<anyhow::Result<_>>()?;
        let home = TempDir::new()?;
        let watchers: Vec<_> = (0..3)
            .map(|index| sentinel(&primary, &home.path().join(format!("{index}.conf"))))
            .collect::<anyhow::Result<_>>()?;
        let group = Self {
            primary,
            replicas,
            watchers,
            former: Vec::new(),
            _home: home,
        };
        group.wait_until_acquainted()?;
        Ok(group)
    }

    /// `redis+sentinel://:PASSWORD@HOST:PORT,HOST:PORT,HOST:PORT/lab`; the password is the
    /// primary's, the Sentinels ask for none.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.watchers.iter().map(Server::listen).collect();
        let (password, hosts) = (self.primary.password(), hosts.join(","));
        format!("redis+sentinel://:{password}@{hosts}/{}", Self::MASTER)
    }

    /// The primary as of the last failover.
    pub fn primary(&self) -> &Redis {
        &self.primary
    }

    /// Its replicas.
    pub fn replicas(&self) -> &[Redis] {
        &self.replicas
    }

    /// From now on nothing that the primary acknowledges reaches a replica.
    ///
    /// # Errors
    /// As [`Redis::hold_back`].
    pub fn hold_replicas_back(&self) -> anyhow::Result<()> {
        self.replicas
            .iter()
            .try_for_each(|replica| replica.hold_back(&self.primary))
    }

    /// Kills the primary, lets the replicas go on if they were held back, and waits until all
    /// Sentinels have agreed on another primary.
    ///
    /// # Errors
    /// When they do not.
    pub fn fail_over(&mut self) -> anyhow::Result<()> {
        let old = self.primary.address().replace(':', " ");
        self.primary.kill9()?;
        for replica in &self.replicas {
            replica.process().resume()?;
        }
        let switch = format!("+switch-master {} {old} ", Self::MASTER);
        let mut promoted = String::new();
        for sentinel in &self.watchers {
            promoted = sentinel.output().wait_for(&switch, DEADLINE)?;
        }
        let port = promoted.rsplit(' ').next().unwrap_or_default();
        let index = self
            .replicas
            .iter()
            .position(|replica| replica.port().to_string() == port)
            .with_context(|| format!("nobody was promoted: {promoted}"))?;
        let promoted = self.replicas.remove(index);
        self.former
            .push(std::mem::replace(&mut self.primary, promoted));
        Ok(())
    }

    /// Starts the primaries that were replaced; the Sentinels make replicas of them.
    ///
    /// # Errors
    /// When one does not start, or does not become a replica.
    pub fn revive(&mut self) -> anyhow::Result<()> {
        for mut former in self.former.drain(..) {
            former.restart()?;
            let synchronised = "REPLICA sync: Finished with success";
            former.process().output().wait_for(synchronised, DEADLINE)?;
            self.replicas.push(former);
        }
        Ok(())
    }

    fn wait_until_acquainted(&self) -> anyhow::Result<()> {
        let names: Vec<_> = self
            .watchers
            .iter()
            .map(name)
            .collect::<anyhow::Result<_>>()?;
        for (sentinel, own) in self.watchers.iter().zip(&names) {
            for replica in &self.replicas {
                let seen = format!("+slave slave {}", replica.address());
                sentinel.output().wait_for(&seen, DEADLINE)?;
            }
            for other in names.iter().filter(|name| *name != own) {
                let seen = format!("+sentinel sentinel {other}");
                sentinel.output().wait_for(&seen, DEADLINE)?;
            }
        }
        Ok(())
    }
}

fn sentinel(primary: &Redis, file: &std::path::Path) -> anyhow::Result<Server> {
    let port = Port::reserve()?;
    let address = port.address();
    let name = Sentinels::MASTER;
    let mut text = format!("bind 127.0.0.1\nport {}\n", address.port());
    let monitored = format!("{name} 127.0.0.1 {} 2", primary.port());
    writeln!(text, "sentinel monitor {monitored}")?;
    writeln!(text, "sentinel auth-pass {name} {}", primary.password())?;
    let down_after = DOWN_AFTER.as_millis();
    writeln!(text, "sentinel down-after-milliseconds {name} {down_after}")?;
    // An election that fails is repeated after twice this.
    writeln!(text, "sentinel failover-timeout {name} 2000")?;
    fs::write(file, text)?;
    let launch = Launch::new(primary.engine().find()?)
        .args([file])
        .args(["--sentinel"]);
    let server = launch.on(port).ready_when("+monitor master").start()?;
    // They would look for each other every two seconds and for replicas every ten.
    let faster = [
        "SENTINEL",
        "DEBUG",
        "PING-PERIOD",
        "100",
        "PUBLISH-PERIOD",
        "100",
        "INFO-PERIOD",
        "300",
    ];
    run::<String>(&mut connect(&format!("redis://{address}/"))?, &faster)?;
    Ok(server)
}

fn name(sentinel: &Server) -> anyhow::Result<String> {
    let said = sentinel.output().wait_for("Sentinel ID is ", DEADLINE)?;
    let name = said.rsplit(' ').next();
    Ok(name.context("a Sentinel has a name")?.to_owned())
}
