//! A program under test: started on a loopback port, heard, killed, suspended, restarted.
//!
//! Nothing here sleeps: readiness is a line of output, an end is the kernel's word for it, and
//! each wait has a deadline after which it fails with everything the program has said.

mod ended;
mod metrics;
mod output;
mod port;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

pub use self::ended::Ended;
pub use self::metrics::Metrics;
pub use self::output::Output;
pub use self::port::Port;

use crate::actor::http;

/// Where a program is in the search path.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A debug build on a busy machine with two cores stays far below this.
const DEADLINE: Duration = Duration::from_mins(1);

/// What to start and how to tell that it is ready. In arguments, environment and the ready text
/// `{listen}` stands for `127.0.0.1:PORT`.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    ready: String,
    port: Option<Arc<Port>>,
}

impl Launch {
    /// Any program; it is ready when a line of its output contains `listening on
    /// http://{listen}`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            ready: "listening on http://{listen}".to_owned(),
            port: None,
        }
    }

    /// `tenure serve --dev` with its data in `data`.
    ///
    /// # Errors
    /// When there is no `tenure` binary and it cannot be built.
    pub fn tenure(data: &Path) -> anyhow::Result<Self> {
        let serve = ["serve", "--dev", "--listen", "{listen}", "--data"];
        Ok(Self::new(tenure_binary()?).args(serve).args([data]))
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets one variable of the program's environment (which is otherwise the test's own).
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Another text than the default that tells readiness.
    #[must_use]
    pub fn ready_when(mut self, text: impl Into<String>) -> Self {
        self.ready = text.into();
        self
    }

    /// Listens on this port instead of a free one, for programs whose address has to be known
    /// before they start.
    #[must_use]
    pub fn on(mut self, port: Port) -> Self {
        self.port = Some(Arc::new(port));
        self
    }

    /// Starts the program, on a free port unless it was given one, and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, ends before it is ready, or is not ready in time; with its
    /// output.
    pub fn start(self) -> anyhow::Result<Server> {
        let port = match &self.port {
            Some(port) => Arc::clone(port),
            None => Arc::new(Port::reserve()?),
        };
        let mut server = Server {
            launch: self,
            port,
            child: None,
            output: Output::default(),
        };
        server.spawn()?;
        Ok(server)
    }
}

/// A running program. Dropping it kills and reaps it.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    port: Arc<Port>,
    child: Option<Child>,
    output: Output,
}

impl Server {
    /// `127.0.0.1:PORT`; the same over restarts.
    pub fn listen(&self) -> String {
        self.port.address().to_string()
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen())
    }

    /// What the program has written to stdout and stderr, over all its runs.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// SIGKILL, then reaps it and collects the rest of its output.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill9(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the program is not running")?;
        child.kill()?;
        child.wait()?;
        self.output.wait_for_end(DEADLINE)
    }

    /// SIGTERM, then waits for the program to end by itself.
    ///
    /// # Errors
    /// When it is not running, or does not end in time (then it is killed).
    pub fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.end_with(Signal::TERM)
    }

    /// [`terminate`](Self::terminate) with another signal.
    pub(crate) fn end_with(&mut self, signal: Signal) -> anyhow::Result<ExitStatus> {
        self.signal(signal)?;
        self.wait()
    }

    /// Waits for the program to end by itself.
    ///
    /// # Errors
    /// When it is not running, or does not end in time (then it is killed).
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let child = self.child.as_ref().context("the program is not running")?;
        let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        let deadline = Timespec::try_from(DEADLINE)?;
        if poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&deadline))? == 0 {
            self.kill9()?;
            bail!(
                "the program did not end within {DEADLINE:?}; it said:\n{}",
                self.output
            );
        }
        let status = self
            .child
            .take()
            .context("the program is not running")?
            .wait()?;
        self.output.wait_for_end(DEADLINE)?;
        Ok(status)
    }

    /// SIGSTOP: the program hangs, its sockets stay open.
    ///
    /// # Errors
    /// When it is not running.
    pub fn suspend(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT: ends [`suspend`](Self::suspend).
    ///
    /// # Errors
    /// When it is not running.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// SIGHUP: asks the service to read its configuration again.
    ///
    /// # Errors
    /// When it is not running.
    pub fn hang_up(&self) -> anyhow::Result<()> {
        self.signal(Signal::HUP)
    }

    /// Starts the program again with the same arguments and port, and waits until it is ready.
    /// If it still runs it is killed with SIGKILL first.
    ///
    /// # Errors
    /// As [`Launch::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.child.is_some() {
            self.kill9()?;
        }
        self.spawn()
    }

    /// Moves the virtual clock of `serve --dev` forward.
    ///
    /// # Errors
    /// When the service does not answer with a success.
    pub async fn advance_clock(&self, seconds: u64) -> anyhow::Result<()> {
        let advance = serde_json::json!({ "advance_seconds": seconds });
        let url = format!("{}/dev/clock", self.url());
        let answer = http()?.post(url).json(&advance).send().await?;
        let status = answer.status();
        ensure!(
            status.is_success(),
            "/dev/clock answered {status}: {}",
            answer.text().await?
        );
        Ok(())
    }

    /// Reads the service's `/metrics`.
    ///
    /// # Errors
    /// When the service does not answer with a success.
    pub async fn metrics(&self) -> anyhow::Result<Metrics> {
        let answer = http()?
            .get(format!("{}/metrics", self.url()))
            .send()
            .await?;
        Ok(Metrics::parse(&answer.error_for_status()?.text().await?))
    }

    fn spawn(&mut self) -> anyhow::Result<()> {
        let listen = self.listen();
        let fill = |text: &OsString| match text.to_str() {
            Some(text) => OsString::from(text.replace("{listen}", &listen)),
            None => text.clone(),
        };
        let program = &self.launch.program;
        let mut child = Command::new(program)
            .args(self.launch.args.iter().map(fill))
            .envs(
                self.launch
                    .env
                    .iter()
                    .map(|(name, value)| (name, fill(value))),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let heard = self
            .output
            .follow(child.stdout.take(), child.stderr.take())?;
        self.child = Some(child);
        let ready = self.launch.ready.replace("{listen}", &listen);
        self.output.wait_for_since(heard, &ready, DEADLINE)?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let child = self.child.as_ref().context("the program is not running")?;
        Ok(kill_process(Pid::from_child(child), signal)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only if it has ended already, which is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The `tenure` binary next to the running test, brought up to date once per test program, so that
/// no test judges yesterday's code; `TENURE_BUILT` says that it is.
///
/// # Errors
/// When `cargo build -p tenure` fails.
pub fn tenure_binary() -> anyhow::Result<PathBuf> {
    static BINARY: LazyLock<Result<PathBuf, String>> =
        LazyLock::new(|| up_to_date().map_err(|error| format!("{error:#}")));
    BINARY.clone().map_err(anyhow::Error::msg)
}

fn up_to_date() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test
        .ancestors()
        .nth(2)
        .context("the test is not in a target directory")?;
    if std::env::var_os("TENURE_BUILT").is_none() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "tenure"]);
        if profile.file_name() == Some(OsStr::new("release")) {
            build.arg("--release");
        }
        ensure!(
            build.status()?.success(),
            "cargo could not build the tenure binary"
        );
    }
    let binary = profile.join("tenure");
    ensure!(binary.exists(), "there is no {}", binary.display());
    Ok(binary)
}
