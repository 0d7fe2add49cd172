//! tokio-postgres behind deadpool, prepared statements.

use std::collections::BTreeMap;
use std::pin::pin;

use anyhow::Result;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::NoTls;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::{AUDIENCE, AUTH_TIME, CLIENT, Held, IDLE, IP_PREFIX, RING, SECRET, SUBJECT, USES};
use crate::jwt::SCOPE;

/// Room in every page: an update stays in its page and touches no index.
const SCHEMA: &str = "CREATE TABLE bare_sessions (
    lineage uuid PRIMARY KEY, secret bytea NOT NULL, subject text NOT NULL, client text NOT NULL,
    scope text NOT NULL, audience text NOT NULL, auth_time bigint NOT NULL,
    created_at bigint NOT NULL, expires_absolute bigint NOT NULL, idle bigint NOT NULL,
    head_id bytea NOT NULL, head_generation bigint NOT NULL, head_since bigint NOT NULL,
    head_uses bytea NOT NULL, ring bytea NOT NULL, history_unknown_until bigint,
    revoked_at bigint, device_ip_prefix text
) WITH (fillfactor = 70);
CREATE INDEX bare_sessions_by_subject ON bare_sessions (subject);";

const COPY: &str = "COPY bare_sessions (lineage, secret, subject, client, scope, audience, auth_time, \
    created_at, expires_absolute, idle, head_id, head_generation, head_since, head_uses, ring, \
    device_ip_prefix) FROM STDIN BINARY";

const COPIED: [Type; 16] = [
    Type::UUID,
    Type::BYTEA,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::BYTEA,
    Type::INT8,
    Type::INT8,
    Type::BYTEA,
    Type::BYTEA,
    Type::TEXT,
];

const SELECT: &str = "SELECT * FROM bare_sessions WHERE lineage = $1";

const UPDATE: &str = "UPDATE bare_sessions SET head_id = $3, head_generation = head_generation + 1, \
    head_since = $4, head_uses = $5, ring = $6, history_unknown_until = NULL \
    WHERE lineage = $1 AND head_id = $2 AND revoked_at IS NULL";

pub(crate) struct Postgres {
    pool: Pool,
}

impl Postgres {
    pub(super) async fn open(url: &str, connections: usize) -> Result<Self> {
        let config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(url.parse()?, NoTls, config);
        let pool = Pool::builder(manager).max_size(connections).build()?;
        pool.get().await?.batch_execute(SCHEMA).await?;
        Ok(Self { pool })
    }

    pub(super) async fn fill(&self, sessions: &[Held]) -> Result<()> {
        let client = self.pool.get().await?;
        let sink = client.copy_in(COPY).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &COPIED));
        for Held { lineage, head } in sessions {
            let expires = AUTH_TIME + 12 * IDLE;
            writer
                .as_mut()
                .write(&[
                    lineage,
                    &SECRET.as_slice(),
                    &SUBJECT,
                    &CLIENT,
                    &SCOPE,
                    &AUDIENCE,
                    &AUTH_TIME,
                    &AUTH_TIME,
                    &expires,
                    &IDLE,
                    &head.as_slice(),
                    &0_i64,
                    &AUTH_TIME,
                    &USES.as_slice(),
                    &RING.as_slice(),
                    &IP_PREFIX,
                ])
                .await?;
        }
        writer.finish().await?;
        client.batch_execute("VACUUM ANALYZE bare_sessions").await?;
        Ok(())
    }

    pub(super) async fn settings(&self) -> Result<BTreeMap<String, String>> {
        let client = self.pool.get().await?;
        let mut settings = BTreeMap::new();
        for name in ["server_version", "synchronous_commit", "fsync"] {
            let value = client.query_one(&format!("SHOW {name}"), &[]).await?;
            settings.insert(name.to_owned(), value.get(0));
        }
        Ok(settings)
    }

    pub(super) async fn advance(&self, held: Held, next: [u8; 8], load: bool) -> Result<bool> {
        let client = self.pool.get().await?;
        let Held { lineage, head } = held;
        if load {
            let select = client.prepare_cached(SELECT).await?;
            let loaded = client.query_one(&select, &[&lineage]).await?;
            if loaded.try_get::<_, &[u8]>("head_id")? != head {
                return Ok(false);
            }
        }
        let update = client.prepare_cached(UPDATE).await?;
        let (uses, ring) = (USES.as_slice(), RING.as_slice());
        let (head, next) = (head.as_slice(), next.as_slice());
        let changed = client
            .execute(&update, &[&lineage, &head, &next, &AUTH_TIME, &uses, &ring])
            .await?;
        Ok(changed == 1)
    }
}
