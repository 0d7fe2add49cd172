//! Sessions of another store, a page of them in one statement.

use std::collections::{BTreeMap, HashMap};

use tenure_core::id::LineageId;
use tenure_core::lineage::{Revocation, Row};
use uuid::Uuid;

use super::super::codec::{Text, ring_to_sql, seconds_to_sql, to_sql, uses_to_sql, value};
use super::super::log::Log;
use super::super::pool::{Params, Transaction};
use crate::transfer::gather;
use crate::{Entry, Loaded, Shard, StoreError};

/// Each once: of two records of one session, what both know.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<LineageId, Loaded>);

/// A session goes on from the further of the two, ends where either of them has ended, and is spared
/// from the cut that stands here where none concerns it there.
const UPSERT: &str = "INSERT INTO sessions (lineage, secret, subject, client, scope, audience, \
    auth_time, created_at, expires_absolute, idle, head_id, head_generation, head_since, \
    head_uses, ring, history_unknown_until, revoked_at, revoked_cause, device_label, \
    device_ip_prefix, device_user_agent, dpop_jkt, spared_until) \
    SELECT n.lineage, n.secret, n.subject, n.client, n.scope, n.audience, n.auth_time, \
    n.created_at, n.expires_absolute, n.idle, n.head_id, n.head_generation, n.head_since, \
    n.head_uses, n.ring, n.history_unknown_until, n.revoked_at, n.revoked_cause, n.device_label, \
    n.device_ip_prefix, n.device_user_agent, n.dpop_jkt, \
    CASE WHEN n.is_cut THEN 0 ELSE coalesce(c.before, 0) END \
    FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], \
    $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bytea[], $12::bigint[], \
    $13::bigint[], $14::bytea[], $15::bytea[], $16::bigint[], $17::bigint[], $18::text[], \
    $19::text[], $20::text[], $21::text[], $22::text[], $23::boolean[]) \
    AS n (lineage, secret, subject, client, scope, audience, auth_time, created_at, \
    expires_absolute, idle, head_id, head_generation, head_since, head_uses, ring, \
    history_unknown_until, revoked_at, revoked_cause, device_label, device_ip_prefix, \
    device_user_agent, dpop_jkt, is_cut) LEFT JOIN cuts c ON c.subject = n.subject \
    ON CONFLICT (lineage) DO UPDATE SET \
    (head_id, head_generation, head_since, head_uses, ring, history_unknown_until) = \
    (SELECT f.* FROM (SELECT excluded.head_id, excluded.head_generation, excluded.head_since, \
        excluded.head_uses, excluded.ring, excluded.history_unknown_until \
        WHERE (excluded.head_generation, length(excluded.head_uses)) \
        > (sessions.head_generation, length(sessions.head_uses)) \
        UNION ALL SELECT sessions.head_id, sessions.head_generation, sessions.head_since, \
        sessions.head_uses, sessions.ring, sessions.history_unknown_until \
        WHERE (excluded.head_generation, length(excluded.head_uses)) \
        <= (sessions.head_generation, length(sessions.head_uses))) f), \
    revoked_at = coalesce(sessions.revoked_at, excluded.revoked_at), \
    revoked_cause = coalesce(sessions.revoked_cause, excluded.revoked_cause), \
    spared_until = greatest(sessions.spared_until, excluded.spared_until) \
    WHERE (excluded.head_generation, length(excluded.head_uses)) \
    > (sessions.head_generation, length(sessions.head_uses)) \
    OR (sessions.revoked_at IS NULL AND excluded.revoked_at IS NOT NULL) \
    OR excluded.spared_until > sessions.spared_until";

impl Sessions {
    pub(super) fn add(&mut self, loaded: &Loaded) {
        gather(&mut self.0, loaded);
    }

    /// Answers how many changed anything.
    pub(super) async fn import(
        &self,
        transaction: &Transaction,
        log: &Log,
    ) -> Result<u64, StoreError> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let entries = if log.is_separate() {
            self.entries(transaction).await?
        } else {
            Vec::new()
        };
        let changed = self.upsert(transaction).await?;
        log.append(transaction, &entries).await?;
        Ok(changed)
    }

    async fn upsert(&self, transaction: &Transaction) -> Result<u64, StoreError> {
        let rows: Vec<Columns> = self
            .0
            .values()
            .map(|loaded| Columns::of(&loaded.row))
            .collect();
        let row = || self.0.values().map(|loaded| &loaded.row);
        let params: Params<'_> = &[
            &list(row(), |row| row.lineage.0),
            &list(row(), |row| row.secret.0.as_slice()),
            &list(row(), |row| Text(row.grant.subject.as_str())),
            &list(row(), |row| Text(row.grant.client.as_str())),
            &list(rows.iter(), |columns| Text(&columns.scope)),
            &list(rows.iter(), |columns| columns.audience.as_str()),
            &list(row(), |row| to_sql(row.grant.auth_time)),
            &list(row(), |row| to_sql(row.created_at)),
            &list(row(), |row| to_sql(row.expires_absolute)),
            &list(row(), |row| seconds_to_sql(row.idle)),
            &list(row(), |row| row.head.id.0.as_slice()),
            &list(row(), |row| i64::from(row.head.generation)),
            &list(row(), |row| to_sql(row.head.since)),
            &list(rows.iter(), |columns| columns.uses.as_slice()),
            &list(rows.iter(), |columns| columns.ring.as_slice()),
            &list(row(), |row| row.history_unknown_until.map(to_sql)),
            &list(row(), |row| row.revoked.map(|end| to_sql(end.at))),
            &list(row(), |row| row.revoked.map(|end| end.cause.as_str())),
            &list(row(), |row| row.device.label.as_deref().map(Text)),
            &list(row(), |row| row.device.ip_prefix.as_deref().map(Text)),
            &list(row(), |row| row.device.user_agent.as_deref().map(Text)),
            &list(row(), |row| row.dpop_jkt.as_deref().map(Text)),
            &list(self.0.values(), |loaded| loaded.cut.is_some()),
        ];
        transaction.change(UPSERT, params).await
    }

    /// What the import is for a separate log: sessions begin and end here.
    async fn entries(&self, transaction: &Transaction) -> Result<Vec<(Shard, Entry)>, StoreError> {
        let query = "SELECT lineage, revoked_at IS NOT NULL FROM sessions \
            WHERE lineage = ANY($1) ORDER BY lineage FOR NO KEY UPDATE";
        let lineages: Vec<Uuid> = self.0.keys().map(|lineage| lineage.0).collect();
        let rows = transaction.rows(query, &[&lineages]).await?;
        let mut here: HashMap<Uuid, bool> = HashMap::with_capacity(rows.len());
        for columns in &rows {
            here.insert(value(columns, 0)?, value(columns, 1)?);
        }
        let mut entries = Vec::new();
        for Loaded { row, .. } in self.0.values() {
            let (lineage, shard) = (row.lineage, Shard::of(row.lineage));
            let has_ended = here.get(&lineage.0).copied();
            if has_ended.is_none() {
                entries.push((shard, Entry::created(row)));
            }
            if let (Some(why), false) = (row.revoked, has_ended.unwrap_or_default()) {
                entries.push((shard, ended(lineage, why)));
            }
        }
        Ok(entries)
    }
}

fn ended(lineage: LineageId, why: Revocation) -> Entry {
    Entry::Revoked { lineage, why }
}

fn list<T, C>(all: impl Iterator<Item = T>, column: impl Fn(T) -> C) -> Vec<C> {
    all.map(column).collect()
}

/// Columns that are made, not lent.
struct Columns {
    scope: String,
    audience: String,
    uses: Vec<u8>,
    ring: Vec<u8>,
}

impl Columns {
    fn of(row: &Row) -> Self {
        Self {
            scope: row.grant.scope.to_string(),
            audience: serde_json::Value::from(row.grant.audience.clone()).to_string(),
            uses: uses_to_sql(&row.head.uses),
            ring: ring_to_sql(&row.ring),
        }
    }
}
