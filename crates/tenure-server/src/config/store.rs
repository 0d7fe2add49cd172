//! `[store]`: which store, and what must not be said together.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tenure_store::{
    Advance, Place, PostgresOptions, RedisOptions, SqliteOptions, StoreUrl, UrlKind, Wait,
};

use super::load::Inputs;
use super::section::Section;
use super::setting::{Setting, Wrong, text};
use super::value::Value;

const ADVANCE: &str = "advance";
const POOL: &str = "pool";
const OF_REDIS: [&str; 5] = [
    "sql",
    "prefix",
    "wait_replicas",
    "wait_timeout",
    "wait_local",
];

/// Reads the section; `data` is where SQLite lives.
pub(super) fn store(section: &mut Section<'_>, inputs: &Inputs, data: &Path) -> Place {
    let said = Said::read(section);
    if inputs.flags.dangerous_memory_store {
        let others = ["url", "revocation_log", ADVANCE, POOL];
        for key in others.into_iter().chain(OF_REDIS) {
            if section.is_given(key) {
                section.complain(
                    key,
                    "stands beside --dangerous-memory-store, which keeps everything in memory; remove one of them",
                );
            }
        }
        return Place::Memory;
    }
    let place = said.place(section, data);
    refuse_idle_keys(section, &place);
    place
}

/// Everything that the section says.
struct Said {
    url: Option<StoreUrl>,
    sql: Option<StoreUrl>,
    log: Option<LogPlace>,
    advance: Advance,
    pool: u32,
    prefix: String,
    wait: Wait,
}

impl Said {
    fn read(section: &mut Section<'_>) -> Self {
        let url = section.optional("url");
        let sql = section.optional("sql");
        let log = section.optional("revocation_log");
        let log = match log {
            Some(LogPlace::Path(path)) => {
                Some(LogPlace::Path(section.beside_file("revocation_log", &path)))
            }
            other => other,
        };
        Self {
            url,
            sql,
            log,
            advance: section.read(ADVANCE, Advance::default()),
            pool: section.read(POOL, 16),
            prefix: section.read("prefix", Prefix("tenure".to_owned())).0,
            wait: Wait {
                replicas: section.read("wait_replicas", Replicas(0)).0,
                timeout: section.read("wait_timeout", Duration::from_secs(1)),
                local: section.read("wait_local", false),
            },
        }
    }

    fn place(self, section: &mut Section<'_>, data: &Path) -> Place {
        let url = self.url.as_ref().map(|url| (url.kind().clone(), url));
        match url {
            None => self.sqlite(section, data),
            Some((UrlKind::Sqlite(_), _)) => {
                section.complain(
                    "url",
                    "is SQLite, which lives in the data directory; remove the key, and name the directory as data",
                );
                self.sqlite(section, data)
            }
            Some((UrlKind::Postgres, url)) => self.postgres(section, "url", url),
            Some((UrlKind::Redis, url)) => {
                let options = RedisOptions {
                    url: url.secret().clone(),
                    prefix: self.prefix.clone(),
                    wait: self.wait,
                };
                Place::Redis(options, Box::new(self.beside_redis(section, data)))
            }
        }
    }

    /// Where accounts, keys and the session log are.
    fn beside_redis(&self, section: &mut Section<'_>, data: &Path) -> Place {
        match self.sql.as_ref().map(|sql| (sql.kind(), sql)) {
            None => self.sqlite(section, data),
            Some((UrlKind::Postgres, sql)) => self.postgres(section, "sql", sql),
            Some(_) => {
                section.complain(
                    "sql",
                    "is no SQL store for several servers; write a postgres:// URL, or remove the key: then SQLite in the data directory serves one process",
                );
                self.sqlite(section, data)
            }
        }
    }

    fn sqlite(&self, section: &mut Section<'_>, data: &Path) -> Place {
        let mut options = SqliteOptions::new(data);
        match &self.log {
            Some(LogPlace::Path(path)) => options.journal = Some(path.clone()),
            Some(LogPlace::Url(_)) => section.complain(
                "revocation_log",
                "is a URL, and the session log of SQLite is a file; write a path, best on another disk",
            ),
            None => {}
        }
        Place::Sqlite(options)
    }

    fn postgres(&self, section: &mut Section<'_>, key: &str, url: &StoreUrl) -> Place {
        let log = match &self.log {
            Some(LogPlace::Url(log)) if log.secret() == url.secret() => {
                section.complain(
                    "revocation_log",
                    format!("is the same database as {key}; name another one, best on another machine, or remove the key"),
                );
                None
            }
            Some(LogPlace::Url(log)) => Some(log.secret().clone()),
            Some(LogPlace::Path(_)) => {
                section.complain(
                    "revocation_log",
                    "is a path, and the session log of PostgreSQL is a database; write a postgres:// URL, best on another machine, or remove the key",
                );
                None
            }
            None => None,
        };
        Place::Postgres(PostgresOptions {
            log,
            advance: self.advance,
            pool: usize::try_from(self.pool).unwrap_or(usize::MAX),
            ..PostgresOptions::new(url.secret().clone())
        })
    }
}

/// A key that does nothing is one that somebody relies on in vain.
fn refuse_idle_keys(section: &mut Section<'_>, place: &Place) {
    let postgres = matches!(place.sql(), Place::Postgres(_));
    let redis = matches!(place, Place::Redis(..));
    let mut refuse = |keys: &[&str], needed: &str| {
        for key in keys {
            if section.is_given(key) {
                section.complain(
                    key,
                    format!("has no effect without {needed}; remove it, or choose that store"),
                );
            }
        }
    };
    if !postgres {
        refuse(&[POOL], "a postgres:// URL as url or sql");
    }
    // Beside Redis, refreshes never reach PostgreSQL.
    if !matches!(place, Place::Postgres(_)) {
        refuse(&[ADVANCE], "a postgres:// URL as url");
    }
    if !redis {
        refuse(&OF_REDIS, "a redis:// URL as url");
    }
    if let Place::Redis(options, _) = place
        && options.wait.replicas == 0
        && !options.wait.local
        && section.is_given("wait_timeout")
    {
        section.complain(
            "wait_timeout",
            "has no effect without wait_replicas or wait_local; give one of them, or remove it",
        );
    }
}

/// Where the session log is.
enum LogPlace {
    Path(PathBuf),
    Url(StoreUrl),
}

impl Setting for LogPlace {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let said = text(value, "a path or a postgres:// URL in quotes")?;
        if !said.contains("://") {
            return PathBuf::parse(value).map(Self::Path);
        }
        let url = <StoreUrl as Setting>::parse(value)?;
        if *url.kind() == UrlKind::Postgres {
            return Ok(Self::Url(url));
        }
        Err("is no place of a session log; write a postgres:// URL where the store is PostgreSQL, or a path where it is SQLite".into())
    }

    fn show(&self) -> String {
        match self {
            Self::Path(path) => path.show(),
            Self::Url(url) => url.show(),
        }
    }
}

impl Setting for StoreUrl {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "a URL in quotes")?;
        Self::parse(text).map_err(|wrong| wrong.to_string().into())
    }

    fn show(&self) -> String {
        let secret = if self.has_password() {
            " (password set)"
        } else {
            ""
        };
        format!("{self}{secret}")
    }
}

impl Setting for Advance {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let fix = "\"durable\" or \"asynchronous\"";
        match text(value, fix)? {
            "durable" => Ok(Self::Durable),
            "asynchronous" => Ok(Self::Asynchronous),
            other => Err(format!("{other:?} is no way to write a refresh; write {fix}").into()),
        }
    }

    fn show(&self) -> String {
        let name = match self {
            Self::Durable => "durable",
            Self::Asynchronous => "asynchronous",
        };
        name.to_owned()
    }
}

/// Begins every key in Redis.
struct Prefix(String);

impl Setting for Prefix {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let text = text(value, "a text in quotes")?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if !text.is_empty() && text.len() <= 64 && text.chars().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            format!("{text:?} cannot begin a key; write up to 64 letters, digits and - _ . :")
                .into(),
        )
    }

    fn show(&self) -> String {
        self.0.show()
    }
}

/// A number that may be zero.
struct Replicas(u32);

impl Setting for Replicas {
    fn parse(value: &Value) -> Result<Self, Wrong> {
        let is_zero = match value {
            Value::Integer(number) => *number == 0,
            Value::Text(text) => text.trim() == "0",
            _ => false,
        };
        if is_zero {
            return Ok(Self(0));
        }
        match u32::parse(value)? {
            number @ 1..=64 => Ok(Self(number)),
            _ => {
                Err("is out of range; write how many replicas must have a sign-in, 0 to 64".into())
            }
        }
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}
