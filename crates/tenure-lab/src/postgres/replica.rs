//! Replicas: streaming, synchronous, stopped halfway, promoted.

use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::home::{self, Home};
use super::{DEADLINE, Options, Postgres, SUPERUSER};
use crate::process::Port;

impl Postgres {
    /// A copy of this server that follows it, under a name; it follows when this returns.
    ///
    /// # Errors
    /// When the copy cannot be made, does not start, or does not follow.
    pub fn replica(&self, name: &str, options: &Options) -> anyhow::Result<Self> {
        let port = Port::reserve()?;
        let home = Home::empty(port.address().port(), options.directory.as_deref())?;
        home::run(
            home::user_command("pg_basebackup")
                .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
                .args(["-U", SUPERUSER, "-X", "stream", "-c", "fast", "--no-sync"])
                .arg("-D")
                .arg(home.data())
                .env("PGPASSWORD", self.password()),
        )?;
        follow(&home, self, name)?;
        // What the copied configuration says of standbys is about the server it was copied from.
        home.configure("synchronous_standby_names", "")?;
        let replica = Self::start_in(home, port, options)?;
        replica.hear(0, "started streaming WAL from primary")?;
        Ok(replica)
    }

    /// From now on commits here wait until the replica of this name has them on its disk; or,
    /// with `None`, for nobody.
    ///
    /// # Errors
    /// When the server does not answer, or the replica does not become synchronous.
    pub async fn wait_for_replica(&self, name: Option<&str>) -> anyhow::Result<()> {
        let heard = self.output().lines().len();
        let quoted = name.map(|name| format!("\"{name}\""));
        self.configure("synchronous_standby_names", &quoted.unwrap_or_default())?;
        let Some(name) = name else {
            return Ok(());
        };
        // A replica is found to be synchronous when it confirms something.
        self.rows("postgres", "SELECT pg_create_restore_point('synchronous')")
            .await?;
        self.hear(
            heard,
            &format!("standby \"{name}\" is now a synchronous standby"),
        )
    }

    /// Makes a replica the primary; it was following a server that is lost. What a stopped
    /// walreceiver has not written is lost with that server.
    ///
    /// # Errors
    /// When it does not become the primary.
    pub async fn promote(&mut self) -> anyhow::Result<()> {
        if self.suspended.is_some() {
            // Resumed, it would still read what the lost primary sent to its socket.
            self.kill9()?;
            self.restart()?;
        }
        let promoted = self
            .value("postgres", "SELECT pg_promote(wait => true)")
            .await?;
        ensure!(promoted == "t", "the replica was not promoted");
        Ok(())
    }

    /// Makes a primary that was stopped in good order follow another one, which has all it had.
    ///
    /// # Errors
    /// When it does not start again.
    pub fn follow(&mut self, primary: &Self, name: &str) -> anyhow::Result<()> {
        follow(&self.home, primary, name)?;
        self.restart()
    }

    /// SIGSTOP for the process that receives the primary's log: from now on this replica lags.
    /// Answers when it is stopped.
    ///
    /// # Errors
    /// When there is none.
    pub async fn suspend_walreceiver(&mut self) -> anyhow::Result<()> {
        let pid = self
            .value("postgres", "SELECT pid FROM pg_stat_wal_receiver")
            .await
            .context("no walreceiver runs")?;
        let pid = Pid::from_raw(pid.parse()?).context("a process id of 0")?;
        kill_process(pid, Signal::STOP)?;
        self.suspended = Some(pid);
        Ok(())
    }

    /// SIGCONT: the replica catches up.
    ///
    /// # Errors
    /// When the stopped process has gone.
    pub fn resume_walreceiver(&mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.suspended.take() {
            kill_process(pid, Signal::CONT)?;
        }
        Ok(())
    }

    /// Waits until the replica has all that is committed here by now.
    ///
    /// # Errors
    /// When one of them does not answer, or the replica does not receive it in time.
    pub async fn caught_up(&self, replica: &Self) -> anyhow::Result<()> {
        let here = self
            .value("postgres", "SELECT pg_current_wal_lsn()")
            .await?;
        let has_it = format!("SELECT pg_last_wal_receive_lsn() >= '{here}'::pg_lsn");
        // PostgreSQL tells nobody that a replica has caught up.
        let asked = async {
            while replica.value("postgres", &has_it).await? != "t" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        };
        tokio::time::timeout(DEADLINE, asked).await?
    }

    /// How many bytes of this server's log the replica has not written.
    ///
    /// # Errors
    /// When one of them does not answer.
    pub async fn lag_of(&self, replica: &Self) -> anyhow::Result<u64> {
        let received = replica
            .value("postgres", "SELECT pg_last_wal_receive_lsn()")
            .await?;
        let ahead =
            format!("SELECT greatest(pg_current_wal_lsn() - '{received}'::pg_lsn, 0)::bigint");
        Ok(self.value("postgres", &ahead).await?.parse()?)
    }
}

fn follow(home: &Home, primary: &Postgres, name: &str) -> anyhow::Result<()> {
    let conninfo = format!(
        "host=127.0.0.1 port={} user={SUPERUSER} password={} application_name={name}",
        primary.port, home.password
    );
    home.configure("primary_conninfo", &conninfo)?;
    home.write("standby.signal", "")
}
