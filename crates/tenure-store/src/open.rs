//! Which store, and opening it.

mod claim;
mod schema;
mod url;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tenure_core::secret::Secret;

pub use claim::Claim;
pub use schema::Schema;
pub use url::{StoreUrl, UrlError, UrlKind};

use crate::{
    Memory, OpenError, Postgres, PostgresOptions, Redis, RedisOptions, SessionLog, Sqlite,
    SqliteOptions, Store,
};

/// Which store, and where. Nobody chooses one silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this process: forgets everything when it ends.
    Memory,
    /// In a data directory.
    Sqlite(SqliteOptions),
    /// In a PostgreSQL database.
    Postgres(PostgresOptions),
    /// Sessions, tickets and device authorizations in Redis; everything else, and the session log, in
    /// a place of SQL. With [`Place::Sqlite`] one process may serve it.
    Redis(RedisOptions, Box<Self>),
}

impl Place {
    /// What URLs lead to, every other option at its default: `sql` is the place of accounts, keys and
    /// the session log beside Redis, and nothing beside the others.
    pub fn at(url: &StoreUrl, sql: Option<&StoreUrl>) -> Result<Self, UrlError> {
        let secret = url.secret().clone();
        let place = match (url.kind(), sql) {
            (UrlKind::Sqlite(dir), None) => Self::Sqlite(SqliteOptions::new(dir)),
            (UrlKind::Postgres, None) => Self::Postgres(PostgresOptions::new(secret)),
            (UrlKind::Redis, Some(sql)) if *sql.kind() != UrlKind::Redis => {
                Self::Redis(RedisOptions::new(secret), Box::new(Self::at(sql, None)?))
            }
            (UrlKind::Redis, _) => {
                return Err(UrlError::new(
                    "is Redis, which holds sessions only; name the SQL store beside it: postgres://… or sqlite:DIR",
                ));
            }
            (_, Some(_)) => {
                return Err(UrlError::new(
                    "is a SQL store and needs no other beside it; leave the second one out",
                ));
            }
        };
        Ok(place)
    }

    /// The place of accounts, keys and the session log.
    pub fn sql(&self) -> &Self {
        match self {
            Self::Redis(_, sql) => sql,
            own => own,
        }
    }

    /// The data directory of a store that has its SQL in one.
    pub fn directory(&self) -> Option<&Path> {
        match self.sql() {
            Self::Sqlite(options) => Some(&options.dir),
            _ => None,
        }
    }
}

/// Opens the store, making and migrating what is missing, and replaying what it lacks. Blocks for
/// SQLite.
pub async fn open(place: &Place) -> Result<Arc<dyn Store>, OpenError> {
    Ok(match place {
        Place::Memory => Arc::new(Memory::default()),
        Place::Sqlite(options) => Arc::new(Sqlite::open(options)?),
        Place::Postgres(options) => postgres(options).await?,
        Place::Redis(options, sql) => match &**sql {
            Place::Sqlite(beside) => beside_redis(options, Arc::new(Sqlite::open(beside)?)).await?,
            Place::Postgres(beside) => beside_redis(options, postgres(beside).await?).await?,
            Place::Memory | Place::Redis(..) => {
                return Err(OpenError::Refused {
                    place: shown(&options.url),
                    problem: "Redis holds sessions only, and beside it is no SQL store".to_owned(),
                    fix: "name a postgres:// URL for the rest, or a data directory".to_owned(),
                });
            }
        },
    })
}

/// Apart, because making a connection is a large future.
async fn postgres(options: &PostgresOptions) -> Result<Arc<Postgres>, OpenError> {
    Box::pin(Postgres::open(options)).await.map(Arc::new)
}

async fn beside_redis<S: Store + SessionLog + 'static>(
    options: &RedisOptions,
    sql: Arc<S>,
) -> Result<Arc<dyn Store>, OpenError> {
    let log: Arc<dyn SessionLog> = sql.clone();
    let redis = Box::pin(Redis::open(options, sql, log)).await?;
    Ok(Arc::new(redis))
}

/// Without passwords.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(options) => write!(f, "sqlite:{}", options.dir.display()),
            Self::Postgres(options) => f.write_str(&shown(&options.url)),
            Self::Redis(options, sql) => write!(f, "{} beside {sql}", shown(&options.url)),
        }
    }
}

fn shown(url: &Secret) -> String {
    StoreUrl::parse(url.expose()).map_or_else(|_| "a URL".to_owned(), |url| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Place, StoreUrl};

    fn place(url: &str, sql: Option<&str>) -> Result<String, String> {
        let parsed = |text| StoreUrl::parse(text).unwrap();
        let place = Place::at(&parsed(url), sql.map(parsed).as_ref());
        let shown = |place: Place| {
            assert!(!format!("{place:?}").contains("hunter2"));
            place.to_string()
        };
        place.map(shown).map_err(|error| error.to_string())
    }

    #[test]
    fn urls_lead_to_a_place_that_is_shown_without_passwords() {
        for (url, sql, shown) in [
            ("sqlite:./data", None, "sqlite:./data"),
            ("postgres://u:hunter2@db/t", None, "postgres://u@db/t"),
            (
                "redis://:hunter2@cache",
                Some("postgres://u:hunter2@db/t"),
                "redis://cache beside postgres://u@db/t",
            ),
            (
                "valkey+cluster://a,b",
                Some("sqlite:./data"),
                "valkey+cluster://a,b beside sqlite:./data",
            ),
        ] {
            assert_eq!(place(url, sql), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn redis_needs_a_sql_store_and_the_others_need_none() {
        for (url, sql) in [
            ("redis://cache", None),
            ("redis://cache", Some("redis://b")),
        ] {
            let refused = place(url, sql).unwrap_err();
            assert!(
                refused.contains("name the SQL store beside it"),
                "{refused}"
            );
        }
        let refused = place("postgres://db", Some("sqlite:./data")).unwrap_err();
        assert!(refused.contains("leave the second one out"), "{refused}");
    }
}
