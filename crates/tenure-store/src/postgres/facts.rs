//! What an operator should know of the server.

use super::address::Address;
use super::codec::value;
use super::pool::Connection;
use super::{Advance, Postgres};
use crate::{Description, StoreError};

/// As far as the role may see it: `pg_stat_replication` hides its columns without `pg_monitor`.
const QUERY: &str = "SELECT current_setting('server_version'), current_setting('fsync'), \
    current_setting('full_page_writes'), current_setting('synchronous_standby_names'), \
    (SELECT count(*) FROM pg_stat_replication), \
    (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')), \
    (SELECT count(*) FROM pg_stat_replication WHERE sync_state IS NULL), \
    current_setting('synchronous_commit')";

/// Settings that do not change while the store is open.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) sslmode: &'static str,
    pub(super) advance: Advance,
    /// Most connections: for refreshes, and for the rest where it has some of its own.
    pub(super) pools: (usize, Option<usize>),
    /// Where a session log of its own is.
    pub(super) log: Option<String>,
    /// Whether that is on the server of the sessions, and falls back with it.
    pub(super) log_shares_the_server: bool,
}

impl Postgres {
    /// What is found at `connection` now.
    pub(super) async fn described(
        address: &Address,
        settings: &Settings,
        connection: &Connection,
    ) -> Result<Description, StoreError> {
        let found = connection.row(QUERY, &[]).await?;
        let found = found.ok_or_else(|| StoreError::Damaged("no settings".to_owned()))?;
        let text = |at| value::<String>(&found, at);
        let confirming: i64 = value(&found, 5)?;
        let standbys = match (value::<i64>(&found, 4)?, value::<i64>(&found, 6)?) {
            (standbys, 0) => format!("{standbys}, of which synchronous {confirming}"),
            (standbys, _) => {
                let role = address.user();
                format!(
                    "{standbys}; which are synchronous is not shown: GRANT pg_monitor TO {role}"
                )
            }
        };
        let names = text(3)?;
        let waits = !names.is_empty() && confirming > 0;
        let mut facts = vec![
            ("server_version", text(0)?),
            ("sslmode", settings.sslmode.to_owned()),
            ("synchronous_commit", commits(text(7)?, settings.advance)),
            ("fsync", text(1)?),
            ("full_page_writes", text(2)?),
            ("synchronous_standby_names", names),
            ("standbys", standbys),
            ("pool", pool(settings.pools)),
        ];
        facts.extend(settings.log.clone().map(|place| ("session_log", place)));
        Ok(Description {
            kind: "postgres",
            durable: text(1)? == "on",
            place: address.place().to_owned(),
            revoke_durability: match &settings.log {
                Some(_) if !settings.log_shares_the_server => "separate-log",
                _ if waits => "synchronous-standby",
                _ => "primary-only",
            },
            facts,
        })
    }
}

/// As read; that of refreshes was read when their connections were made.
fn commits(found: String, advance: Advance) -> String {
    match advance {
        Advance::Durable => found,
        Advance::Asynchronous => format!("{found}, off for refreshes"),
    }
}

fn pool((refreshes, rest): (usize, Option<usize>)) -> String {
    match rest {
        Some(rest) => format!("{refreshes} connections for refreshes, {rest} for the rest"),
        None => format!("{refreshes} connections"),
    }
}
