//! URLs of stores: checked before anything is connected, shown without a password.

use std::fmt;
use std::path::PathBuf;

use tenure_core::secret::Secret;

/// What a URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlKind {
    /// `sqlite:DIR`: the embedded store in a data directory.
    Sqlite(PathBuf),
    /// `postgres://` or `postgresql://`.
    Postgres,
    /// `redis://` or `valkey://`, with `rediss` for TLS, and `+sentinel` or `+cluster`.
    Redis,
}

/// A URL of a store. `Display` and `Debug` leave out the password and the query.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl {
    kind: UrlKind,
    text: Secret,
    shown: String,
}

/// What is wrong with a URL, and what to write; never the URL itself, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(String);

impl UrlError {
    pub(super) fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

const FIX: &str = "write one such as \"postgres://user:password@db.example.com/tenure\" or \"redis://cache.example.com\"";

/// Schemes, and what follows from each.
const SCHEMES: [(&str, Hosts); 14] = [
    ("postgres", Hosts::OfPostgres),
    ("postgresql", Hosts::OfPostgres),
    ("redis", Hosts::One),
    ("rediss", Hosts::One),
    ("valkey", Hosts::One),
    ("valkeys", Hosts::One),
    ("redis+sentinel", Hosts::Sentinels),
    ("rediss+sentinel", Hosts::Sentinels),
    ("valkey+sentinel", Hosts::Sentinels),
    ("valkeys+sentinel", Hosts::Sentinels),
    ("redis+cluster", Hosts::Some),
    ("rediss+cluster", Hosts::Some),
    ("valkey+cluster", Hosts::Some),
    ("valkeys+cluster", Hosts::Some),
];

/// Which hosts stand in a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hosts {
    /// Several are addresses of one server; with `?host=` there may be none.
    OfPostgres,
    One,
    Some,
    /// Some, and the name of the master they watch.
    Sentinels,
}

impl StoreUrl {
    /// Checks everything that can be checked without a connection.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if let Some(dir) = text.strip_prefix("sqlite:") {
            return Self::directory(text, dir);
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| UrlError::new(&format!("is no URL of a store; {FIX}")))?;
        let known = SCHEMES.iter().find(|(name, _)| *name == scheme);
        let Some((_, hosts)) = known else {
            return Err(unknown(scheme));
        };
        let parts = Parts::of(rest);
        parts.check(*hosts)?;
        let kind = match hosts {
            Hosts::OfPostgres => UrlKind::Postgres,
            _ => UrlKind::Redis,
        };
        Ok(Self {
            kind,
            text: Secret::new(text),
            shown: parts.shown(scheme),
        })
    }

    /// Whether it holds a password, which `Display` leaves out.
    pub fn has_password(&self) -> bool {
        let rest = self.text.expose().split_once("://").map(|(_, rest)| rest);
        let user = rest.and_then(|rest| Parts::of(rest).user);
        user.is_some_and(|user| user.contains(':'))
    }

    /// What it leads to.
    pub fn kind(&self) -> &UrlKind {
        &self.kind
    }

    /// The whole of it, password included.
    pub fn secret(&self) -> &Secret {
        &self.text
    }

    fn directory(text: &str, dir: &str) -> Result<Self, UrlError> {
        let dir = dir.strip_prefix("//").unwrap_or(dir);
        if dir.is_empty() {
            return Err(UrlError::new(
                "names no directory; write sqlite:./tenure-data",
            ));
        }
        Ok(Self {
            kind: UrlKind::Sqlite(PathBuf::from(dir)),
            text: Secret::new(text),
            shown: text.to_owned(),
        })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What stands before `://` is a secret too, where it is not shaped like a scheme.
fn unknown(scheme: &str) -> UrlError {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_scheme = !scheme.is_empty() && scheme.len() <= 24 && scheme.chars().all(allowed);
    if is_scheme {
        UrlError(format!(
            "has the scheme {scheme:?}, which is no store; {FIX}"
        ))
    } else {
        UrlError(format!("is no URL of a store; {FIX}"))
    }
}

/// A URL after its scheme. The `url` crate knows no list of hosts.
struct Parts<'u> {
    user: Option<&'u str>,
    hosts: &'u str,
    path: &'u str,
    query: &'u str,
}

impl<'u> Parts<'u> {
    fn of(rest: &'u str) -> Self {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        Self {
            user,
            hosts,
            path,
            query,
        }
    }

    fn check(&self, hosts: Hosts) -> Result<(), UrlError> {
        let mut keys = self
            .query
            .split('&')
            .map(|pair| pair.split('=').next().unwrap_or_default());
        if keys.clone().any(|key| key.eq_ignore_ascii_case("password")) {
            return Err(UrlError::new(
                "has its password in the query; write it before the host, user:password@host",
            ));
        }
        let elsewhere = hosts == Hosts::OfPostgres && keys.any(|key| key == "host");
        if self.hosts.is_empty() && !elsewhere {
            return Err(UrlError(format!("names no host; {FIX}")));
        }
        if hosts == Hosts::One && self.hosts.contains(',') {
            return Err(UrlError::new(
                "names several hosts; for Sentinel write redis+sentinel://HOST:PORT,…/MASTER, for Cluster redis+cluster://HOST:PORT,…",
            ));
        }
        // An @ further on is that of a password that was not escaped.
        let torn = self.path.contains('@') || self.query.contains('@');
        let readable = self.hosts.is_empty() || self.hosts.split(',').all(is_host);
        if torn || !readable {
            return Err(UrlError::new(
                "has a host or a port that cannot be read; write HOST or HOST:PORT, and write / ? # @ : and % of a password as %2F %3F %23 %40 %3A %25",
            ));
        }
        if hosts == Hosts::Some && !self.path.is_empty() {
            return Err(UrlError::new(
                "has a path, and a cluster has no databases; remove what follows the hosts",
            ));
        }
        if hosts == Hosts::Sentinels && self.path.is_empty() {
            return Err(UrlError::new(
                "names no master; write redis+sentinel://HOST:PORT,…/MASTER, with the name that the sentinels watch it by",
            ));
        }
        Ok(())
    }

    fn shown(&self, scheme: &str) -> String {
        let user = self
            .user
            .and_then(|user| user.split(':').next())
            .filter(|user| !user.is_empty())
            .map(|user| format!("{user}@"))
            .unwrap_or_default();
        let slash = if self.path.is_empty() { "" } else { "/" };
        format!("{scheme}://{user}{}{slash}{}", self.hosts, self.path)
    }
}

/// `host`, `host:port`, `[::1]`, `[::1]:port`.
fn is_host(text: &str) -> bool {
    let (host, rest) = match text.strip_prefix('[').map(|inner| inner.split_once(']')) {
        Some(Some((host, rest))) if host.parse::<std::net::Ipv6Addr>().is_ok() => (host, rest),
        Some(_) => return false,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let named = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
    let port = rest.strip_prefix(':').map_or(rest.is_empty(), |port| {
        port.parse().is_ok_and(|port: u16| port > 0)
    });
    !host.is_empty() && host.chars().all(named) && port
}

#[cfg(test)]
mod tests {
    use super::{StoreUrl, UrlKind};

    #[test]
    fn a_url_is_shown_without_its_password_and_query() {
        for (text, shown) in [
            (
                "postgres://tenure:hunter2@db.example.com:5433/tenure?sslmode=verify-full",
                "postgres://tenure@db.example.com:5433/tenure",
            ),
            ("postgresql://db/tenure", "postgresql://db/tenure"),
            (
                "postgres:///tenure?host=/run/postgresql",
                "postgres:///tenure",
            ),
            ("postgres://u:a@b@h/d", "postgres://u@h/d"),
            ("redis://:hunter2@[::1]:6380/2", "redis://[::1]:6380/2"),
            (
                "rediss+sentinel://u:hunter2@a:1,b:2/main",
                "rediss+sentinel://u@a:1,b:2/main",
            ),
            ("valkey+cluster://a,b:7", "valkey+cluster://a,b:7"),
            ("sqlite:./tenure-data", "sqlite:./tenure-data"),
        ] {
            let url = StoreUrl::parse(text).unwrap();
            assert_eq!(
                (url.to_string(), url.secret().expose()),
                (shown.to_owned(), text)
            );
            assert!(!format!("{url:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_url_leads_to_one_kind_of_store() {
        let kind = |text| StoreUrl::parse(text).unwrap().kind().clone();
        assert_eq!(
            kind("sqlite:///srv/data"),
            UrlKind::Sqlite("/srv/data".into())
        );
        assert_eq!(kind("postgres://db"), UrlKind::Postgres);
        assert_eq!(kind("valkeys://cache"), UrlKind::Redis);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_fix_and_without_the_password() {
        for (text, wanted) in [
            ("", "is no URL of a store; write one such as"),
            ("hunter2", "is no URL of a store"),
            ("user:hunter2://x", "is no URL of a store"),
            (
                "mysql://u:hunter2@db/tenure",
                "has the scheme \"mysql\", which is no store",
            ),
            ("postgres://u:hunter2@/tenure", "names no host"),
            ("postgres://u:hun/ter2@db/tenure", "cannot be read"),
            ("postgres://u:12/hunter2@db/tenure", "cannot be read"),
            ("postgres://u:12?hunter2@db/tenure", "cannot be read"),
            ("postgres://db:99999/tenure", "cannot be read"),
            ("redis://[::1:6379", "cannot be read"),
            ("postgres://db/tenure?password=hunter2", "in the query"),
            ("redis://a:1,b:2", "for Sentinel write redis+sentinel://"),
            ("redis+sentinel://a:1,b:2", "names no master"),
            ("redis+cluster://a:1,b:2/3", "a cluster has no databases"),
            ("sqlite:", "names no directory"),
        ] {
            let said = StoreUrl::parse(text).unwrap_err().to_string();
            assert!(said.contains(wanted), "{text}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
