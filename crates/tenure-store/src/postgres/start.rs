//! Whether the server that is there can be used, said at start in one line with the fix.

use std::io;

use tokio::time::timeout;

use super::address::Address;
use super::error::{io_kind, text};
use super::fence::ANOTHER_LOG;
use super::pool::{CREATE, Commit, Connection};
use crate::{OpenError, StoreError};

/// The oldest server that has what the statements need; the tests run on 15.
const OLDEST: i32 = 120_000;

/// Connects, and looks at what will be needed before anything is written.
pub(super) async fn connect(address: &Address) -> Result<Connection, OpenError> {
    let opened = timeout(CREATE, Connection::open(address, Commit::Durable)).await;
    let connection = opened
        .map_err(|_| {
            let problem = format!("no answer within {} s", CREATE.as_secs());
            address.refused(
                problem,
                "correct host and port, or start the database server",
            )
        })?
        .map_err(|error| no_connection(address, &error))?;
    let dropped = connection.not_in_force(Commit::Durable).await;
    if let Some(problem) = dropped.map_err(|error| refusal(address, &error))? {
        let fix = "connect to PostgreSQL itself, or let the pooler pass options on";
        return Err(address.refused(problem, fix));
    }
    check(&connection, address).await?;
    Ok(connection)
}

async fn check(connection: &Connection, address: &Address) -> Result<(), OpenError> {
    let failed = |error: StoreError| refusal(address, &error);
    let server = connection
        .once(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
             pg_is_in_recovery(), current_setting('server_encoding'), \
             current_setting('default_transaction_read_only')::bool, current_schema(), \
             has_schema_privilege(current_schema(), 'CREATE'), \
             to_regclass('meta') IS NOT NULL AND to_regclass('log_meta') IS NOT NULL",
        )
        .await
        .map_err(failed)?;
    let bad = |error: tokio_postgres::Error| failed(error.into());
    let found = Found {
        number: server.try_get(0).map_err(bad)?,
        version: server.try_get(1).map_err(bad)?,
        is_replica: server.try_get(2).map_err(bad)?,
        encoding: server.try_get(3).map_err(bad)?,
        is_read_only: server.try_get(4).map_err(bad)?,
        schema: server.try_get(5).map_err(bad)?,
        may_create: server.try_get(6).map_err(bad)?,
        has_tables: server.try_get(7).map_err(bad)?,
    };
    found.judge(address)
}

/// What the server says of itself.
struct Found {
    number: i32,
    version: String,
    is_replica: bool,
    encoding: String,
    is_read_only: bool,
    schema: Option<String>,
    may_create: Option<bool>,
    has_tables: bool,
}

impl Found {
    fn judge(&self, address: &Address) -> Result<(), OpenError> {
        let (user, database) = (address.user(), address.database());
        if self.number < OLDEST {
            return Err(address.refused(
                format!("the server is PostgreSQL {}", self.version),
                "use version 12 or newer; 15 is the one that is tested",
            ));
        }
        if self.is_replica {
            return Err(address.refused(
                "the server is a read-only replica, and decisions are never read from one",
                "name the primary; of several hosts, the one that takes writes is found by itself",
            ));
        }
        if self.is_read_only {
            return Err(address.refused(
                "transactions are read-only by default (default_transaction_read_only)",
                format!("ALTER ROLE {user} IN DATABASE {database} SET default_transaction_read_only = off"),
            ));
        }
        if self.encoding != "UTF8" {
            return Err(address.refused(
                format!("the encoding of the database is {}", self.encoding),
                format!("CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0"),
            ));
        }
        let Some(schema) = &self.schema else {
            return Err(address.refused(
                format!("{user} may use none of the schemas in its search_path"),
                format!("GRANT USAGE, CREATE ON SCHEMA public TO {user}"),
            ));
        };
        if self.may_create != Some(true) && !self.has_tables {
            return Err(address.refused(
                format!("{user} may not create tables in the schema {schema}"),
                format!("GRANT CREATE ON SCHEMA {schema} TO {user}"),
            ));
        }
        Ok(())
    }
}

/// A server that was reached and refused something.
pub(super) fn refusal(address: &Address, error: &StoreError) -> OpenError {
    let fix = match error {
        StoreError::Full(_) => "make room on the disk of the database",
        StoreError::ReadOnly(_) => "name the primary, or make the database writable",
        StoreError::Busy(_) => "try again when the database is less busy",
        StoreError::Unavailable(text) if text.ends_with("(42501)") => {
            "let the role of Tenure own its tables, or GRANT ALL ON ALL TABLES IN SCHEMA to it"
        }
        StoreError::Unavailable(text) if text == ANOTHER_LOG => {
            "name the log of the other servers, or stop all of them and then start with the new one"
        }
        StoreError::Unavailable(_) => "see the log of the database server",
        StoreError::Damaged(_) => "name a database of its own for Tenure",
    };
    address.refused(error.to_string(), fix)
}

/// No connection at all.
fn no_connection(address: &Address, error: &tokio_postgres::Error) -> OpenError {
    let (user, database) = (address.user(), address.database());
    let said = text(error);
    let Some(code) = error.code() else {
        return not_reached(address, error, said);
    };
    match code.code() {
        "28P01" => address.refused(
            format!("the password of {user} is not accepted"),
            "correct it in the URL, with special characters percent-encoded",
        ),
        "28000" if said.contains("pg_hba.conf") => address.refused(
            said,
            "add a line for this user, database and machine to pg_hba.conf, or change sslmode",
        ),
        "28000" => address.refused(said, format!("CREATE ROLE {user} LOGIN PASSWORD '…'")),
        "3D000" => address.refused(
            format!("there is no database {database}"),
            format!("CREATE DATABASE {database} OWNER {user} ENCODING 'UTF8' TEMPLATE template0"),
        ),
        "42501" => address.refused(
            said,
            format!("GRANT CONNECT ON DATABASE {database} TO {user}"),
        ),
        "53300" => address.refused(said, "raise max_connections, or lower pool"),
        "57P03" => address.refused(said, "try again when the server has started"),
        _ => address.refused(said, "see the log of the database server"),
    }
}

fn not_reached(address: &Address, error: &tokio_postgres::Error, said: String) -> OpenError {
    let fix = match io_kind(error) {
        Some(io::ErrorKind::ConnectionRefused) => {
            return address.refused(
                "no server answers there",
                "start PostgreSQL, or correct host and port",
            );
        }
        Some(io::ErrorKind::TimedOut) => "correct host and port, or open the firewall",
        _ if said.contains("password missing") => "add the password to the URL",
        _ if said.contains("does not support TLS") => {
            "set ssl = on at the server, or add sslmode=disable where the network is trusted"
        }
        _ if said.contains("TLS") => {
            "name the certificate of the server's authority in sslrootcert, and the host as in its \
             certificate; sslmode=require encrypts without verifying"
        }
        _ => "correct host and port, and see the log of the database server",
    };
    address.refused(said, fix)
}

#[cfg(test)]
mod tests {
    use tenure_core::secret::Secret;

    use super::{Address, Found};

    fn good() -> Found {
        Found {
            number: 150_008,
            version: "15.8".to_owned(),
            is_replica: false,
            encoding: "UTF8".to_owned(),
            is_read_only: false,
            schema: Some("public".to_owned()),
            may_create: Some(true),
            has_tables: false,
        }
    }

    fn said(found: &Found) -> Option<String> {
        let url = Secret::new("postgres://ana:hunter2@127.0.0.1/t");
        let address = Address::parse(&url).unwrap();
        found.judge(&address).err().map(|error| error.to_string())
    }

    #[test]
    fn every_refusal_names_place_problem_and_fix() {
        assert_eq!(said(&good()), None);
        let old = Found {
            number: 110_022,
            version: "11.22".to_owned(),
            ..good()
        };
        let replica = Found {
            is_replica: true,
            ..good()
        };
        let read_only = Found {
            is_read_only: true,
            ..good()
        };
        let latin = Found {
            encoding: "LATIN1".to_owned(),
            ..good()
        };
        let nowhere = Found {
            schema: None,
            may_create: None,
            ..good()
        };
        let no_rights = Found {
            may_create: Some(false),
            ..good()
        };
        for (found, problem, fix) in [
            (old, "PostgreSQL 11.22", "15 is the one that is tested"),
            (replica, "read-only replica", "name the primary"),
            (
                read_only,
                "read-only by default",
                "SET default_transaction_read_only = off",
            ),
            (latin, "LATIN1", "ENCODING 'UTF8'"),
            (
                nowhere,
                "search_path",
                "GRANT USAGE, CREATE ON SCHEMA public TO ana",
            ),
            (
                no_rights,
                "may not create tables",
                "GRANT CREATE ON SCHEMA public TO ana",
            ),
        ] {
            let line = said(&found).unwrap();
            assert!(
                line.starts_with("postgres://ana@127.0.0.1:5432/t: "),
                "{line}"
            );
            assert!(line.contains(problem) && line.contains(fix), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn existing_tables_need_no_right_to_create_more() {
        let tables = Found {
            may_create: Some(false),
            has_tables: true,
            ..good()
        };
        assert_eq!(said(&tables), None);
    }
}
