//! A message bus and a keyring daemon, both children of the test.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tenure_lab::process::find;
use tenure_lab::skip;
use zbus::blocking::{Connection, MessageIterator};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{MatchRule, message};

/// Nothing is started on demand, and everybody on it is the same user.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=DIRECTORY</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

const SERVICE: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
const PASSWORD: &[u8] = b"test";

/// Stopped by its own pid when the test ends, however it ends.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have gone before.
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// Runs the test of this name again on a bus of its own, where it carries out `test`.
pub(crate) fn on_a_bus(name: &str, test: impl FnOnce()) {
    if std::env::var_os("TENURE_TEST_BUS").is_some() {
        return test();
    }
    let programs = ["dbus-daemon", "gnome-keyring-daemon"];
    if let Some(missing) = programs.into_iter().find(|program| find(program).is_none()) {
        return skip(&format!("vaults: no {missing}")).unwrap();
    }
    let home = TempDir::new().unwrap();
    let configuration = home.path().join("bus.conf");
    let directory = home.path().display().to_string();
    fs::write(&configuration, BUS.replace("DIRECTORY", &directory)).unwrap();
    let mut bus = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", configuration.display()))
        .args(["--nofork", "--print-address"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = bus.stdout.take().unwrap();
    let _bus = Stopped(bus);
    let mut address = String::new();
    BufReader::new(said).read_line(&mut address).unwrap();

    // The test binary names its tests without its own name.
    let name = name.strip_prefix("vaults::").unwrap_or(name);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("TENURE_TEST_BUS", "yes")
        .env("DBUS_SESSION_BUS_ADDRESS", address.trim())
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("XDG_RUNTIME_DIR", home.path())
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{name} failed on its bus");
}

/// A keyring daemon whose login keyring is unlocked.
pub(crate) struct Gnome {
    _daemon: Stopped,
    bus: Connection,
}

impl Gnome {
    pub(crate) fn start() -> Self {
        let data = std::env::var("XDG_DATA_HOME").unwrap();
        Self::start_in(&data)
    }

    /// With a login keyring in which nothing was ever stored.
    pub(crate) fn start_empty() -> Self {
        let data = std::env::var("XDG_DATA_HOME").unwrap();
        Self::start_in(&format!("{data}-of-another"))
    }

    /// Of a user who never had a keyring.
    pub(crate) fn start_without_keyring() -> Self {
        let data = std::env::var("XDG_DATA_HOME").unwrap();
        Self::start_with(&format!("{data}-of-a-third"), &["--start"])
    }

    fn start_in(data: &str) -> Self {
        Self::start_with(data, &["--unlock"])
    }

    fn start_with(data: &str, how: &[&str]) -> Self {
        fs::create_dir_all(data).unwrap();
        let bus = Connection::session().unwrap();
        let owners = owners(&bus);
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(how)
            .env("XDG_DATA_HOME", data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It reads the password up to the end of the pipe, which comes with the drop.
        daemon.stdin.take().unwrap().write_all(PASSWORD).unwrap();
        let daemon = Stopped(daemon);
        wait_for_owner(owners);
        Self {
            _daemon: daemon,
            bus,
        }
    }

    /// Locks the login keyring.
    pub(crate) fn lock(&self) {
        let login = [ObjectPath::try_from(LOGIN).unwrap()];
        let answer = self.bus.call_method(
            Some(SERVICE),
            PATH,
            Some("org.freedesktop.Secret.Service"),
            "Lock",
            &(&login[..],),
        );
        let body = answer.unwrap();
        let body = body.body();
        let (locked, _prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            body.deserialize().unwrap();
        assert_eq!(locked.len(), 1, "it asks before it locks");
    }

    /// Types the password.
    pub(crate) fn unlock(&self) {
        let session = self.bus.call_method(
            Some(SERVICE),
            PATH,
            Some("org.freedesktop.Secret.Service"),
            "OpenSession",
            &("plain", Value::from("")),
        );
        let session = session.unwrap();
        let session = session.body();
        let (_, session): (OwnedValue, OwnedObjectPath) = session.deserialize().unwrap();
        let password = (session, &[][..] as &[u8], PASSWORD, "text/plain");
        let login = ObjectPath::try_from(LOGIN).unwrap();
        let answer = self.bus.call_method(
            Some(SERVICE),
            PATH,
            Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"),
            "UnlockWithMasterPassword",
            &(login, password),
        );
        answer.unwrap();
    }
}

/// The signals that tell who owns the service's name; asked for before anybody can own it.
fn owners(bus: &Connection) -> MessageIterator {
    let rule = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .interface("org.freedesktop.DBus")
        .and_then(|rule| rule.member("NameOwnerChanged"))
        .and_then(|rule| rule.arg(0, SERVICE))
        .unwrap()
        .build();
    MessageIterator::for_match_rule(rule, bus, None).unwrap()
}

fn wait_for_owner(owners: MessageIterator) {
    for signal in owners {
        let signal = signal.unwrap();
        let body = signal.body();
        let (_, _, owner): (String, String, String) = body.deserialize().unwrap();
        if !owner.is_empty() {
            return;
        }
    }
}
