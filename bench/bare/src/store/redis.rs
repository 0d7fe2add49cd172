//! The crate `redis`: one connection for all, one script that compares and sets.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, ensure};
use redis::aio::ConnectionManager;
use redis::{AsyncCommands as _, Client, Script, cmd, pipe};

use super::{AUDIENCE, AUTH_TIME, CLIENT, Held, IDLE, IP_PREFIX, RING, SECRET, SUBJECT, USES};
use crate::jwt::SCOPE;

const ADVANCE: &str = "if redis.call('HGET', KEYS[1], 'head_id') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'head_id', ARGV[2], 'head_since', ARGV[3], 'head_uses', ARGV[4], 'ring', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1";

/// Sessions of one pipeline.
const BATCH: usize = 1000;

pub(crate) struct Redis {
    connection: ConnectionManager,
    advance: Script,
}

impl Redis {
    pub(super) async fn open(url: &str) -> Result<Self> {
        Ok(Self {
            connection: Client::open(url)?.get_connection_manager().await?,
            advance: Script::new(ADVANCE),
        })
    }

    pub(super) async fn fill(&self, sessions: &[Held]) -> Result<()> {
        let mut connection = self.connection.clone();
        for batch in sessions.chunks(BATCH) {
            let mut pipe = pipe();
            for held in batch {
                let write = pipe.cmd("HSET").arg(key(*held));
                write.arg("secret").arg(&SECRET).arg("subject").arg(SUBJECT);
                write.arg("client").arg(CLIENT).arg("scope").arg(SCOPE);
                write
                    .arg("audience")
                    .arg(AUDIENCE)
                    .arg("auth_time")
                    .arg(AUTH_TIME);
                write.arg("created_at").arg(AUTH_TIME).arg("idle").arg(IDLE);
                write.arg("expires_absolute").arg(AUTH_TIME + 12 * IDLE);
                write
                    .arg("head_id")
                    .arg(&held.head)
                    .arg("head_since")
                    .arg(AUTH_TIME);
                write
                    .arg("head_generation")
                    .arg(0)
                    .arg("head_uses")
                    .arg(&USES);
                write
                    .arg("ring")
                    .arg(&RING)
                    .arg("ip_prefix")
                    .arg(IP_PREFIX)
                    .ignore();
            }
            pipe.exec_async(&mut connection).await?;
        }
        Ok(())
    }

    pub(super) async fn settings(&self) -> Result<BTreeMap<String, String>> {
        let mut connection = self.connection.clone();
        let mut settings = BTreeMap::new();
        for name in ["appendonly", "appendfsync"] {
            let found: BTreeMap<String, String> = cmd("CONFIG")
                .arg("GET")
                .arg(name)
                .query_async(&mut connection)
                .await?;
            settings.extend(found);
        }
        Ok(settings)
    }

    pub(super) async fn advance(&self, held: Held, next: [u8; 8], load: bool) -> Result<bool> {
        let mut connection = self.connection.clone();
        let key = key(held);
        if load {
            let row: HashMap<String, Vec<u8>> = connection.hgetall(&key).await?;
            ensure!(row.contains_key("ring"), "no such session");
            if row.get("head_id").is_none_or(|head| *head != held.head) {
                return Ok(false);
            }
        }
        let mut advance = self.advance.key(key);
        advance
            .arg(&held.head)
            .arg(&next)
            .arg(AUTH_TIME)
            .arg(&USES)
            .arg(&RING);
        let until_ms = (AUTH_TIME + 2 * IDLE) * 1000;
        let written: u8 = advance.arg(until_ms).invoke_async(&mut connection).await?;
        Ok(written == 1)
    }
}

fn key(held: Held) -> String {
    format!("bare:{}", held.lineage.simple())
}
