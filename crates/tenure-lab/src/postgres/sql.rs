//! What the lab itself asks of a server, as its superuser.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::{Postgres, ROLE, SUPERUSER};

impl Postgres {
    /// A new empty database that belongs to [`ROLE`]; its name.
    ///
    /// # Errors
    /// When the server cannot make it.
    pub async fn fresh_database(&self) -> anyhow::Result<String> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("tenure_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.create_database(&name).await?;
        Ok(name)
    }

    /// A new empty database of this name that belongs to [`ROLE`].
    ///
    /// # Errors
    /// When the server cannot make it.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<()> {
        let create = format!("CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0");
        self.rows("postgres", &create).await?;
        Ok(())
    }

    /// A connection of the superuser, which lasts as long as the client is kept.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn connect(&self, database: &str) -> anyhow::Result<Client> {
        let (client, connection) = Config::new()
            .host("127.0.0.1")
            .port(self.port)
            .user(SUPERUSER)
            .password(self.password())
            .dbname(database)
            .connect(NoTls)
            .await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// The rows of the last statement in `sql`, each column as PostgreSQL prints it.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn rows(
        &self,
        database: &str,
        sql: &str,
    ) -> anyhow::Result<Vec<Vec<Option<String>>>> {
        let answer = self.connect(database).await?.simple_query(sql).await;
        let rows = answer?.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The first column of the first row.
    ///
    /// # Errors
    /// As [`rows`](Self::rows), or when there is none or it is NULL.
    pub async fn value(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let rows = self.rows(database, sql).await?;
        let first = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        first
            .flatten()
            .with_context(|| format!("{sql} answers nothing"))
    }
}
