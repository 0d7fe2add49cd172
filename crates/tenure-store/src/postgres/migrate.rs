//! Brings the tables up to date, safely while programs of other versions are running.
//!
//! A migration only adds: what the program before it reads and writes stays as it was. So the new
//! one may start, and the old one go on, in any order; only a migration that raises `min_reader`
//! ends that, and then the old one says so and what to do.

use std::time::Duration;

use super::address::Address;
use super::pool::Connection;
use super::start::refusal;
use crate::{OpenError, StoreError};

/// Building an index on a large table takes its time; nobody waits for it but the one who starts.
const MIGRATION: Duration = Duration::from_hours(1);

/// Tables that belong together, with their history.
pub(super) struct Schema {
    /// The table of facts: `schema` and `min_reader` among them.
    meta: &'static str,
    /// Oldest first; the position is the schema that it leads to, less one.
    migrations: &'static [&'static str],
}

/// The tables of the store.
pub(super) const STORE: Schema = Schema {
    meta: "meta",
    migrations: &[include_str!("migrations/0001_first.sql")],
};

/// The tables of the session log.
pub(super) const LOG: Schema = Schema {
    meta: "log_meta",
    migrations: &[include_str!("migrations/log_0001_first.sql")],
};

impl Schema {
    /// The schema that this program writes.
    fn latest(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// Does what is missing. Several programs that start at once take turns.
    pub(super) async fn migrate(
        &self,
        connection: &mut Connection,
        address: &Address,
    ) -> Result<(), OpenError> {
        connection.allow(MIGRATION);
        let failed = |error: StoreError| refusal(address, &error);
        let found = self.found(connection).await.map_err(failed)?;
        if self.is_done(address, found)? {
            return Ok(());
        }
        // The lock comes before the transaction: one that waits inside goes on with what it knew of
        // the tables when it began.
        let wait = "SET statement_timeout = 0; SET lock_timeout = 0; \
            SELECT pg_advisory_lock(7310868735436055808)";
        connection.batch(wait).await.map_err(failed)?;
        connection.batch("BEGIN").await.map_err(failed)?;
        let migrated = self.migrate_alone(connection, address).await;
        let end = if migrated.is_ok() {
            "COMMIT; SELECT pg_advisory_unlock(7310868735436055808)"
        } else {
            "ROLLBACK; SELECT pg_advisory_unlock(7310868735436055808)"
        };
        let ended = connection.batch(end).await.map_err(failed);
        migrated.and(ended)
    }

    async fn migrate_alone(
        &self,
        connection: &Connection,
        address: &Address,
    ) -> Result<(), OpenError> {
        let failed = |error: StoreError| refusal(address, &error);
        let found = self.found(connection).await.map_err(failed)?;
        if self.is_done(address, found)? {
            return Ok(());
        }
        let done = found.map_or(0, |(schema, _)| usize::try_from(schema).unwrap_or_default());
        for (migration, schema) in self.migrations.iter().zip(1..).skip(done) {
            connection.batch(migration).await.map_err(failed)?;
            let noted = format!(
                "UPDATE {} SET value = {schema} WHERE name = 'schema'",
                self.meta
            );
            connection.batch(&noted).await.map_err(failed)?;
            tracing::info!(
                place = address.place(),
                tables = self.meta,
                schema,
                "migrated"
            );
        }
        Ok(())
    }

    /// The schema that is there, 0 where there are no tables, and this program's.
    pub(super) async fn compare(
        &self,
        connection: &Connection,
        address: &Address,
    ) -> Result<(u32, u32), OpenError> {
        let failed = |error: StoreError| refusal(address, &error);
        let found = self.found(connection).await.map_err(failed)?;
        self.is_done(address, found)?;
        let small = |schema: i64| u32::try_from(schema).unwrap_or(u32::MAX);
        let (schema, _) = found.unwrap_or_default();
        Ok((small(schema), small(self.latest())))
    }

    /// Schema and `min_reader`; `None` where there are no tables.
    async fn found(&self, connection: &Connection) -> Result<Option<(i64, i64)>, StoreError> {
        // Not by the name alone: a backend that waited for its turn would answer from a cache that it
        // renews only when it opens a table.
        let known = "SELECT FROM pg_class WHERE oid = to_regclass($1)";
        if connection.row(known, &[&self.meta]).await?.is_none() {
            return Ok(None);
        }
        let facts = format!(
            "SELECT (SELECT value FROM {0} WHERE name = 'schema'), \
             (SELECT value FROM {0} WHERE name = 'min_reader')",
            self.meta
        );
        let facts = connection.once(&facts).await?;
        let fact = |at| facts.try_get::<_, Option<i64>>(at).ok().flatten();
        let damaged = || StoreError::Damaged(format!("the table {} is not Tenure's", self.meta));
        Ok(Some(fact(0).zip(fact(1)).ok_or_else(damaged)?))
    }

    /// Refuses a database that newer programs have changed too much.
    fn is_done(&self, address: &Address, found: Option<(i64, i64)>) -> Result<bool, OpenError> {
        let (schema, needed) = found.unwrap_or_default();
        let have = self.latest();
        if needed > have {
            return Err(address.refused(
                format!("needs a program of schema {needed} or newer, this one has {have}"),
                "upgrade tenure, or restore the backup made before the upgrade",
            ));
        }
        Ok(schema >= have)
    }
}
