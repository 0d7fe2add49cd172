//! Where the database is, and how to get there.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use tenure_core::secret::Secret;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::pool::Commit;
use super::tls;
use crate::OpenError;

/// Finding the host and connecting to it.
const CONNECT: Duration = Duration::from_secs(3);

/// Bytes that the other machine does not acknowledge for this long: it is gone.
const UNACKNOWLEDGED: Duration = Duration::from_secs(8);

/// A connection that nobody uses, such as the one that listens, is asked after so long whether it is
/// still there.
const IDLE: Duration = Duration::from_secs(30);

/// The settings of every connection. The database gives a statement up before the server gives the
/// request up; a commit is not a statement, so none is ever acknowledged for having timed out. It
/// notices that a machine is gone, and lets go of what its connections held.
const SETTINGS: &str = "-c statement_timeout=5s -c lock_timeout=4s \
    -c idle_in_transaction_session_timeout=15s -c default_transaction_isolation=read\\ committed \
    -c default_transaction_deferrable=off -c jit=off -c client_min_messages=warning \
    -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 \
    -c tcp_user_timeout=20s";

/// Those of them that are read back: without them what was acknowledged may be lost, and a lock be
/// waited for without end.
const IN_FORCE: [(&str, &str); 4] = [
    ("statement_timeout", "5s"),
    ("lock_timeout", "4s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("default_transaction_isolation", "read committed"),
];

/// What has to be in force on every connection.
pub(super) fn wanted(commit: Commit) -> impl Iterator<Item = (&'static str, &'static str)> {
    IN_FORCE
        .into_iter()
        .chain([("synchronous_commit", commit.as_str())])
}

/// Options in the URL that are passed on as they are.
const PASSED_ON: [&str; 7] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "hostaddr",
    "load_balance_hosts",
    "options",
    "target_session_attrs",
];

/// How a connection is protected; the words of `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Not at all.
    Disable,
    /// Encrypted where the server offers it; anybody may be the server.
    Prefer,
    /// Encrypted; anybody may be the server.
    Require,
    /// Encrypted, and the certificate is the server's.
    VerifyFull,
}

impl Protection {
    const ALL: [Self; 4] = [Self::Disable, Self::Prefer, Self::Require, Self::VerifyFull];

    /// The word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// A URL taken apart.
pub(super) struct Address {
    config: Config,
    tls: MakeRustlsConnect,
    protection: Protection,
    place: String,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`.
    pub(super) fn parse(url: &Secret) -> Result<Self, OpenError> {
        let (server, options) = split(url.expose())?;
        let config = Config::from_str(&server).map_err(|_| unreadable())?;
        let place = place(&config);
        let refused = |problem: String, fix: &str| OpenError::Refused {
            place: place.clone(),
            problem,
            fix: fix.to_owned(),
        };
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            let fix = "write postgres://user:password@host:5432/database";
            return Err(refused("the URL names no host".to_owned(), fix));
        }
        let protection = options.protection(&config).ok_or_else(|| {
            let fix = "use disable, prefer, require or verify-full";
            refused("its sslmode is not known".to_owned(), fix)
        })?;
        if options.sslrootcert.is_some() && protection != Protection::VerifyFull {
            let problem = format!(
                "sslrootcert has no effect with sslmode={}",
                protection.as_str()
            );
            return Err(refused(problem, "use sslmode=verify-full, or leave it out"));
        }
        let tls = tls::connector(protection, options.sslrootcert.as_deref())
            .map_err(|(problem, fix)| refused(problem, fix))?;
        let config = completed(config, protection);
        Ok(Self {
            config,
            tls,
            protection,
            place,
        })
    }

    /// What to connect with.
    pub(super) fn config(&self, commit: Commit) -> Config {
        let durability = commit.as_str();
        let own = self.config.get_options().unwrap_or_default();
        let mut config = self.config.clone();
        config.options(format!(
            "{own} {SETTINGS} -c synchronous_commit={durability}"
        ));
        config
    }

    pub(super) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    pub(super) fn protection(&self) -> Protection {
        self.protection
    }

    /// The URL without its password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The database's name.
    pub(super) fn database(&self) -> &str {
        let user = self.config.get_user().unwrap_or_default();
        self.config.get_dbname().unwrap_or(user)
    }

    /// The user's name.
    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// A refusal of this place.
    pub(super) fn refused(&self, problem: impl Into<String>, fix: impl Into<String>) -> OpenError {
        OpenError::Refused {
            place: self.place.clone(),
            problem: problem.into(),
            fix: fix.into(),
        }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// The options that the driver does not read.
#[derive(Default)]
struct Options {
    sslmode: Option<String>,
    sslrootcert: Option<PathBuf>,
}

impl Options {
    /// What `sslmode` says, or what is right for the hosts; `None` for a word that is not known.
    fn protection(&self, config: &Config) -> Option<Protection> {
        match &self.sslmode {
            Some(word) => Protection::ALL
                .into_iter()
                .find(|mode| mode.as_str() == word),
            None if is_here(config) => Some(Protection::Disable),
            None => Some(Protection::VerifyFull),
        }
    }
}

/// With what the URL leaves open.
fn completed(mut config: Config, protection: Protection) -> Config {
    config
        .ssl_mode(match protection {
            Protection::Disable => SslMode::Disable,
            Protection::Prefer => SslMode::Prefer,
            Protection::Require | Protection::VerifyFull => SslMode::Require,
        })
        .tcp_user_timeout(UNACKNOWLEDGED)
        .keepalives_idle(IDLE);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("tenure");
    }
    if config.get_hosts().len() > 1 {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    config
}

/// Splits off the options that the driver does not read. What is not understood is never quoted: it
/// may be a piece of a password.
fn split(url: &str) -> Result<(String, Options), OpenError> {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["postgres", "postgresql"].contains(&scheme) {
        return Err(OpenError::Refused {
            place: "the URL of the PostgreSQL store".to_owned(),
            problem: "its scheme is not postgres://".to_owned(),
            fix: "write postgres://user:password@host:5432/database".to_owned(),
        });
    }
    let (server, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut passed_on, mut options) = (Vec::new(), Options::default());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(unreadable)?;
        match name {
            "sslmode" => options.sslmode = Some(value.to_owned()),
            "sslrootcert" => options.sslrootcert = Some(decoded(value)?),
            name if PASSED_ON.contains(&name) => passed_on.push(pair),
            _ => return Err(unreadable()),
        }
    }
    Ok((format!("{server}?{}", passed_on.join("&")), options))
}

fn decoded(value: &str) -> Result<PathBuf, OpenError> {
    let text = percent_encoding::percent_decode_str(value).decode_utf8();
    text.map(|text| PathBuf::from(text.as_ref()))
        .map_err(|_| unreadable())
}

fn unreadable() -> OpenError {
    OpenError::Refused {
        place: "the URL of the PostgreSQL store".to_owned(),
        problem: "it does not read, or has an option that is not known".to_owned(),
        fix: format!(
            "write postgres://user:password@host:5432/database, with special characters of the \
             password percent-encoded; options are sslmode, sslrootcert, {}",
            PASSED_ON.join(", ")
        ),
    }
}

fn is_here(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
    });
    hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate();
    let hosts: Vec<String> = hosts
        .map(|(at, host)| match host {
            Host::Unix(path) => path.display().to_string(),
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{}", port(at)),
            Host::Tcp(name) => format!("{name}:{}", port(at)),
        })
        .collect();
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    format!("postgres://{user}@{}/{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use tenure_core::secret::Secret;

    use super::{Address, Protection};

    fn parsed(url: &str) -> Result<Address, String> {
        Address::parse(&Secret::new(url)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_place_has_no_password() {
        for (url, place) in [
            (
                "postgres://ana:hunter2@127.0.0.1:6000/t",
                "postgres://ana@127.0.0.1:6000/t",
            ),
            (
                "postgresql://ana:hunter2@db.example",
                "postgres://ana@db.example:5432/ana",
            ),
            (
                "postgres://ana:hunter2@a,b:7/t",
                "postgres://ana@a:5432,b:7/t",
            ),
        ] {
            let address = parsed(url).unwrap();
            assert_eq!(address.place(), place);
            assert!(!format!("{address:?}").contains("hunter2"));
        }
    }

    #[test]
    fn only_this_machine_is_trusted_without_a_certificate() {
        for (url, protection) in [
            ("postgres://a@127.0.0.1/t", Protection::Disable),
            ("postgres://a@localhost/t", Protection::Disable),
            ("postgres://a@%2Frun%2Fpostgresql/t", Protection::Disable),
            (
                "postgres://a@db.example/t?sslmode=require",
                Protection::Require,
            ),
            (
                "postgres://a@127.0.0.1/t?sslmode=prefer",
                Protection::Prefer,
            ),
            (
                "postgres://a@localhost,db.example/t?sslmode=disable",
                Protection::Disable,
            ),
        ] {
            assert_eq!(parsed(url).unwrap().protection(), protection, "{url}");
        }
    }

    #[test]
    fn what_does_not_read_is_refused_without_quoting_it() {
        for (url, said) in [
            ("mysql://ana:hunter2@h/t", "scheme is not postgres://"),
            ("ana:hunter2@h/t", "scheme is not postgres://"),
            ("postgres://ana:hunter2?x@h/t", "option that is not known"),
            ("postgres://ana:hunter2@h:port/t", "does not read"),
            (
                "postgres://h/t?password=hunter2",
                "option that is not known",
            ),
            (
                "postgres://ana:hunter2@h/t?sslmode=verify-ca",
                "verify-full",
            ),
            (
                "postgres://ana:hunter2@h/t?sslmode=require&sslrootcert=/x",
                "no effect",
            ),
            (
                "postgres://ana:hunter2@h/t?sslrootcert=/no/such/file",
                "/no/such/file",
            ),
        ] {
            let error = parsed(url).unwrap_err();
            assert!(error.contains(said), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
