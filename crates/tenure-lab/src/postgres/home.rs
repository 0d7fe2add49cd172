//! Where a server has its data, and whose it is.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tempfile::TempDir;

use super::{PROGRAMS, ROLE, SUPERUSER};
use crate::process::Port;

/// Debian's `nobody` and `nogroup`.
const NOBODY: u32 = 65_534;

/// Changes whenever [`initialize`] does, so that no template of an older test program is used.
const TEMPLATE: &str = "tenure-lab-postgres-15-template-1";

const DATA_OF: &str = "tenure-lab-postgres-";

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
shared_buffers = 32MB
max_connections = 300
wal_keep_size = 256MB
# A stopped walreceiver is to lag, not to be cut off.
wal_sender_timeout = 0
wal_receiver_timeout = 0
wal_retrieve_retry_interval = 200ms
";

/// A data directory, removed when dropped.
#[derive(Debug)]
pub(super) struct Home {
    /// Holds the data directory and nothing else.
    path: PathBuf,
    /// The password of both roles.
    pub(super) password: String,
}

impl Home {
    /// The data of an empty server, for the one that has this port.
    pub(super) fn from_template(port: u16, directory: Option<&Path>) -> anyhow::Result<Self> {
        let home = Self::empty(port, directory)?;
        run(user_command("cp")
            .args(["-a", "--reflink=auto"])
            .args([template()?.join("data"), home.data()]))?;
        Ok(home)
    }

    /// No data yet.
    pub(super) fn empty(port: u16, directory: Option<&Path>) -> anyhow::Result<Self> {
        remove_stale()?;
        let parent = directory.map_or_else(std::env::temp_dir, Path::to_owned);
        let path = parent.join(format!("{DATA_OF}{port}"));
        // Whoever has reserved the port owns the directory: what is in it is of one that was killed.
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        make_for_user(&path)?;
        let password = fs::read_to_string(template()?.join("password"))?;
        Ok(Self { path, password })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Adds a line to `postgresql.conf`; the last line of a setting counts.
    pub(super) fn configure(&self, setting: &str, value: &str) -> anyhow::Result<()> {
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))?;
        let quoted = value.replace('\'', "''");
        Ok(writeln!(file, "{setting} = '{quoted}'")?)
    }

    /// A file in the data directory that the server alone can read.
    pub(super) fn write(&self, name: &str, content: &str) -> anyhow::Result<()> {
        let path = self.data().join(name);
        write_private(&path, content)?;
        Ok(give_to_user(&path)?)
    }

    /// Removes the file that says which process has the data, all of whose processes are gone.
    pub(super) fn forget_postmaster(&self) -> io::Result<()> {
        match fs::remove_file(self.data().join("postmaster.pid")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Killed servers leave a System V segment behind, which the machine has a limited number of.
    pub(super) fn remove_shared_memory(&self) {
        let Ok(lines) = fs::read_to_string(self.data().join("postmaster.pid")) else {
            return;
        };
        // The seventh line is "KEY ID".
        let id = lines
            .lines()
            .nth(6)
            .and_then(|line| line.split_whitespace().last());
        if let Some(id) = id {
            // A segment that stays is only untidy.
            let _ = Command::new("ipcrm").args(["-m", id]).status();
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What is left is removed by the next test program.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Runs a program as somebody else (util-linux).
pub(super) const SETPRIV: &str = "setpriv";

/// What to tell [`SETPRIV`] so that it runs one of PostgreSQL's programs, or another one, as an
/// unprivileged user, and ends it with the thread that started it.
pub(super) fn as_server_user(program: &str) -> Vec<String> {
    let mut words = vec!["--pdeathsig".to_owned(), "QUIT".to_owned()];
    if is_root() {
        words.push(format!("--reuid={NOBODY}"));
        words.push(format!("--regid={NOBODY}"));
        words.push("--clear-groups".to_owned());
    }
    let installed = Path::new(PROGRAMS).join(program);
    words.push(if installed.exists() {
        installed.to_string_lossy().into_owned()
    } else {
        program.to_owned()
    });
    words
}

pub(super) fn user_command(program: &str) -> Command {
    let mut command = Command::new(SETPRIV);
    command.args(as_server_user(program));
    command
}

pub(super) fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(
        output.status.success(),
        "setpriv {:?} failed: {}",
        command.get_args().collect::<Vec<&OsStr>>(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A data directory to copy and the password in it, made once per machine.
fn template() -> anyhow::Result<PathBuf> {
    static MADE: LazyLock<Result<PathBuf, String>> =
        LazyLock::new(|| make_template().map_err(|error| format!("{error:#}")));
    MADE.clone().map_err(anyhow::Error::msg)
}

fn make_template() -> anyhow::Result<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    let template = std::env::temp_dir().join(format!("{TEMPLATE}-{user}"));
    if template.exists() {
        return Ok(template);
    }
    let place = TempDir::with_prefix("tenure-lab-initdb-")?;
    let made = place.path().join("template");
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755))?;
    make_for_user(&made)?;
    initialize(&made)?;
    match fs::rename(&made, &template) {
        // Another test program was faster.
        Err(_) if template.exists() => {}
        renamed => renamed.context("cannot keep the template of a data directory")?,
    }
    Ok(template)
}

fn initialize(directory: &Path) -> anyhow::Result<()> {
    let mut random = [0; 18];
    aws_lc_rs::rand::fill(&mut random)?;
    let password = URL_SAFE_NO_PAD.encode(random);
    let secret = directory.join("password");
    write_private(&secret, &password)?;
    give_to_user(&secret)?;
    let data = directory.join("data");
    run(user_command("initdb")
        .args(["--no-sync", "--encoding=UTF8", "--locale=C"])
        .args(["--wal-segsize=4", "--auth=scram-sha-256"])
        .arg(format!("--username={SUPERUSER}"))
        .arg(format!("--pwfile={}", secret.display()))
        .arg(format!("--pgdata={}", data.display())))?;
    OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))?
        .write_all(SETTINGS.as_bytes())?;
    create_role(&data, &password)
}

/// In single-user mode each line of the input is a statement.
fn create_role(data: &Path, password: &str) -> anyhow::Result<()> {
    let mut single = user_command("postgres")
        .args(["--single", "-D"])
        .arg(data)
        .arg("postgres")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = single.stdin.take().context("no stdin")?;
    writeln!(input, "CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'")?;
    writeln!(input, "GRANT pg_monitor TO {ROLE}")?;
    drop(input);
    ensure!(single.wait()?.success(), "postgres --single failed");
    Ok(())
}

/// Removes the directories of servers whose test program was killed.
fn remove_stale() -> anyhow::Result<()> {
    for entry in fs::read_dir(std::env::temp_dir())? {
        let entry = entry?;
        let name = entry.file_name();
        let port = name.to_str().and_then(|name| name.strip_prefix(DATA_OF));
        let Some(port) = port.and_then(|port| port.parse().ok()) else {
            continue;
        };
        if let Some(_reserved) = Port::reserve_number(port)? {
            // Somebody else's are not ours to remove.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn make_for_user(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    fs::set_permissions(path, PermissionsExt::from_mode(0o755))?;
    give_to_user(path)
}

fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content.as_bytes())
}

fn give_to_user(path: &Path) -> io::Result<()> {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
