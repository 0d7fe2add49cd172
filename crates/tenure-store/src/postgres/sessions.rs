//! Sessions and cuts in SQL.

use std::collections::HashMap;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Cut, Device, EndCause, Grant, Head, KeyHash, Revocation, Row, RowSecret, Step, TokenId,
};
use tenure_core::scope::Scope;
use tokio_postgres::Row as Columns;
use uuid::Uuid;

use super::codec::{
    Text, bytes, cut, number, ring, ring_to_sql, seconds, seconds_to_sql, text, text_or_null, time,
    time_or_null, to_sql, uses, uses_to_sql, value, word, written,
};
use super::pool::{Connection, Params, Pool};
use crate::{Judge, Loaded, StoreError, Transition, Written};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.lineage, s.secret, s.subject, s.client, s.scope, s.audience, s.auth_time, \
             s.created_at, s.expires_absolute, s.idle, s.head_id, s.head_generation, s.head_since, \
             s.head_uses, s.ring, s.history_unknown_until, s.revoked_at, s.revoked_cause, \
             s.device_label, s.device_ip_prefix, s.device_user_agent, s.dpop_jkt",
            $rest
        )
    };
}
const AFTER_COLUMNS: usize = 22;

const LOAD: &str = select!(
    ", c.before, c.cause FROM sessions s LEFT JOIN cuts c \
     ON c.subject = s.subject AND c.before > s.spared_until WHERE s.lineage = $1"
);

const LOAD_ALL: &str = select!(
    ", c.before, c.cause FROM sessions s LEFT JOIN cuts c \
     ON c.subject = s.subject AND c.before > s.spared_until WHERE s.lineage = ANY($1)"
);

/// Sessions after a lineage, each with its cut.
pub(super) const PAGE: &str = select!(
    ", c.before, c.cause FROM sessions s LEFT JOIN cuts c \
     ON c.subject = s.subject AND c.before > s.spared_until \
     WHERE s.lineage > $1 ORDER BY s.lineage LIMIT $2"
);

/// Those of a slice, after $2 until $4, that a transaction wrote which is not older than $1.
pub(super) const CHANGED: &str = select!(
    ", c.before, c.cause FROM sessions s LEFT JOIN cuts c \
     ON c.subject = s.subject AND c.before > s.spared_until \
     WHERE age(s.xmin) <= age($1::text::xid) AND s.lineage > $2 AND s.lineage <= $4 \
     ORDER BY s.lineage LIMIT $3"
);

const LOAD_TO_WRITE: &str = select!(
    ", c.before, c.cause FROM sessions s LEFT JOIN cuts c \
     ON c.subject = s.subject AND c.before > s.spared_until WHERE s.lineage = $1 \
     FOR NO KEY UPDATE OF s"
);

pub(super) async fn load(
    sql: &Connection,
    lineage: LineageId,
) -> Result<Option<Loaded>, StoreError> {
    read(sql, LOAD, lineage).await
}

async fn read(
    sql: &Connection,
    query: &'static str,
    lineage: LineageId,
) -> Result<Option<Loaded>, StoreError> {
    let found = sql.row(query, &[&lineage.0]).await?;
    found.as_ref().map(loaded).transpose()
}

/// Those of the sessions that are there; a row that does not read back harms no other.
pub(super) async fn load_all(
    sql: &Connection,
    lineages: &[Uuid],
) -> Result<HashMap<LineageId, Result<Loaded, StoreError>>, StoreError> {
    let found = sql.rows(LOAD_ALL, &[&lineages]).await?;
    let named = |columns| Ok((LineageId(value(columns, 0)?), loaded(columns)));
    found.iter().map(named).collect()
}

pub(super) fn loaded(columns: &Columns) -> Result<Loaded, StoreError> {
    Ok(Loaded {
        row: session(columns)?,
        cut: cut(columns, AFTER_COLUMNS)?,
    })
}

pub(super) async fn of_subject(
    sql: &Connection,
    subject: &Subject,
) -> Result<Vec<Row>, StoreError> {
    let query =
        select!(" FROM sessions s WHERE s.subject = $1 ORDER BY s.created_at DESC, s.lineage DESC");
    let rows = sql.rows(query, &[&Text(subject.as_str())]).await?;
    rows.iter().map(session).collect()
}

fn session(columns: &Columns) -> Result<Row, StoreError> {
    Ok(Row {
        lineage: LineageId(value(columns, 0)?),
        secret: RowSecret(bytes(columns, 1)?),
        grant: grant(columns)?,
        created_at: time(columns, 7)?,
        expires_absolute: time(columns, 8)?,
        idle: seconds(columns, 9)?,
        head: Head {
            id: TokenId(bytes(columns, 10)?),
            generation: number(columns, 11)?,
            since: time(columns, 12)?,
            uses: uses(columns, 13)?,
        },
        ring: ring(columns, 14)?,
        history_unknown_until: time_or_null(columns, 15)?,
        revoked: revocation(columns, 16)?,
        device: Device {
            label: text_or_null(columns, 18)?,
            ip_prefix: text_or_null(columns, 19)?,
            user_agent: text_or_null(columns, 20)?,
        },
        dpop_jkt: text_or_null(columns, 21)?,
    })
}

fn grant(columns: &Columns) -> Result<Grant, StoreError> {
    Ok(Grant {
        subject: Subject::new(text(columns, 2)?),
        client: ClientId::new(text(columns, 3)?),
        scope: Scope::parse(&text(columns, 4)?),
        audience: word(columns, 5, |text| serde_json::from_str(text).ok())?,
        auth_time: time(columns, 6)?,
    })
}

fn revocation(columns: &Columns, at: usize) -> Result<Option<Revocation>, StoreError> {
    let Some(when) = time_or_null(columns, at)? else {
        return Ok(None);
    };
    let cause = word(columns, at + 1, EndCause::parse)?;
    Ok(Some(Revocation { at: when, cause }))
}

macro_rules! insert {
    ($rest:literal) => {
        concat!(
            "INSERT INTO sessions (lineage, secret, subject, client, scope, audience, auth_time, \
             created_at, expires_absolute, idle, head_id, head_generation, head_since, head_uses, \
             ring, history_unknown_until, revoked_at, revoked_cause, device_label, \
             device_ip_prefix, device_user_agent, dpop_jkt) VALUES ($1, $2, $3, $4, $5, $6, $7, \
             $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
            $rest
        )
    };
}

pub(super) async fn create(sql: &Connection, row: &Row) -> Result<(), StoreError> {
    insert(sql, insert!(""), row).await.map(drop)
}

/// Adds a session unless it is there; whether it was missing.
pub(super) async fn insert_missing(sql: &Connection, row: &Row) -> Result<bool, StoreError> {
    let added = insert(sql, insert!(" ON CONFLICT DO NOTHING"), row).await?;
    Ok(added > 0)
}

async fn insert(sql: &Connection, insert: &'static str, row: &Row) -> Result<u64, StoreError> {
    let (grant, head, device) = (&row.grant, &row.head, &row.device);
    let params: Params<'_> = &[
        &row.lineage.0,
        &row.secret.0.as_slice(),
        &Text(grant.subject.as_str()),
        &Text(grant.client.as_str()),
        &Text(&grant.scope.to_string()),
        &serde_json::Value::from(grant.audience.clone()).to_string(),
        &to_sql(grant.auth_time),
        &to_sql(row.created_at),
        &to_sql(row.expires_absolute),
        &seconds_to_sql(row.idle),
        &head.id.0.as_slice(),
        &i64::from(head.generation),
        &to_sql(head.since),
        &uses_to_sql(&head.uses),
        &ring_to_sql(&row.ring),
        &row.history_unknown_until.map(to_sql),
        &row.revoked.map(|end| to_sql(end.at)),
        &row.revoked.map(|end| end.cause.as_str()),
        &device.label.as_deref().map(Text),
        &device.ip_prefix.as_deref().map(Text),
        &device.user_agent.as_deref().map(Text),
        &row.dpop_jkt.as_deref().map(Text),
    ];
    sql.change(insert, params).await
}

/// Reads, judges and writes where that still fits what was read: two statements on one connection.
/// Where somebody came between them it starts over with the row locked, and nobody can.
pub(super) async fn present(
    pool: &Pool,
    lineage: LineageId,
    judge: &Judge,
) -> Result<Written, StoreError> {
    {
        let sql = pool.lend().await?;
        let Some(wanted) = judge(load(&sql, lineage).await?) else {
            return Ok(Written::Now);
        };
        if write(&sql, lineage, &wanted).await? == Written::Now {
            return Ok(Written::Now);
        }
    }
    let transaction = pool.begin().await?;
    let written = match judge(read(&transaction, LOAD_TO_WRITE, lineage).await?) {
        Some(wanted) => write(&transaction, lineage, &wanted).await?,
        None => Written::Now,
    };
    transaction.commit().await?;
    Ok(written)
}

async fn write(
    sql: &Connection,
    lineage: LineageId,
    wanted: &Transition,
) -> Result<Written, StoreError> {
    match wanted {
        Transition::Advance(step) => advance(sql, lineage, step).await,
        Transition::NoteUse { head, hash } => note_use(sql, lineage, *head, *hash).await,
    }
}

pub(super) async fn advance(
    sql: &Connection,
    lineage: LineageId,
    step: &Step,
) -> Result<Written, StoreError> {
    let update = "UPDATE sessions SET head_id = $3, head_generation = $4, head_since = $5, \
        head_uses = $6, ring = $7, history_unknown_until = $8 \
        WHERE lineage = $1 AND head_id = $2 AND revoked_at IS NULL";
    let head = &step.head;
    let params: Params<'_> = &[
        &lineage.0,
        &step.expected.0.as_slice(),
        &head.id.0.as_slice(),
        &i64::from(head.generation),
        &to_sql(head.since),
        &uses_to_sql(&head.uses),
        &ring_to_sql(&step.ring),
        &step.history_unknown_until.map(to_sql),
    ];
    let changed = sql.change(update, params).await?;
    Ok(written(changed))
}

pub(super) async fn note_use(
    sql: &Connection,
    lineage: LineageId,
    head: TokenId,
    hash: KeyHash,
) -> Result<Written, StoreError> {
    // Four hashes of four bytes: a fifth finds no room, and none is noted twice.
    let update = "UPDATE sessions SET head_uses = head_uses || $3 \
        WHERE lineage = $1 AND head_id = $2 AND revoked_at IS NULL AND length(head_uses) < 16 \
        AND substr(head_uses, 1, 4) <> $3 AND substr(head_uses, 5, 4) <> $3 \
        AND substr(head_uses, 9, 4) <> $3";
    let (head, hash) = (head.0, hash.to_be_bytes());
    let changed = sql
        .change(update, &[&lineage.0, &head.as_slice(), &hash.as_slice()])
        .await?;
    Ok(written(changed))
}

/// Ends a session that has not ended; false where it has, or is not there.
pub(super) async fn end(
    sql: &Connection,
    lineage: LineageId,
    why: Revocation,
) -> Result<bool, StoreError> {
    let update = "UPDATE sessions SET revoked_at = $2, revoked_cause = $3 \
        WHERE lineage = $1 AND revoked_at IS NULL";
    let (at, cause) = (to_sql(why.at), why.cause.as_str());
    let changed = sql.change(update, &[&lineage.0, &at, &cause]).await?;
    Ok(changed > 0)
}

/// How the session ended, by its row or by what the log told of a row that is not here.
pub(super) async fn row_end(
    sql: &Connection,
    lineage: LineageId,
) -> Result<Option<Revocation>, StoreError> {
    let query = "SELECT revoked_at, revoked_cause FROM sessions WHERE lineage = $1 \
        AND revoked_at IS NOT NULL UNION ALL SELECT at, cause FROM lost_ends WHERE lineage = $1 \
        LIMIT 1";
    let found = sql.row(query, &[&lineage.0]).await?;
    found.map_or(Ok(None), |columns| revocation(&columns, 0))
}

/// Ends all sessions of a subject but one; in a transaction that has set the cut, which makes two of
/// them that concern one subject take turns.
pub(super) async fn end_all(
    sql: &Connection,
    subject: &Subject,
    why: Cut,
    keep: Option<LineageId>,
) -> Result<Vec<LineageId>, StoreError> {
    let update = "UPDATE sessions SET revoked_at = $2, revoked_cause = $3 \
        WHERE subject = $1 AND revoked_at IS NULL AND lineage IS DISTINCT FROM $4 \
        RETURNING lineage";
    let (at, cause) = (to_sql(why.before), why.cause.as_str());
    let keep = keep.map(|lineage| lineage.0);
    let ended = sql
        .rows(update, &[&Text(subject.as_str()), &at, &cause, &keep])
        .await?;
    let lineage = |columns: &Columns| value(columns, 0).map(LineageId);
    ended.iter().map(lineage).collect()
}

/// Sets the cut unless a later one stands, and spares `keep` from it.
pub(super) async fn set_cut(
    sql: &Connection,
    subject: &Subject,
    cut: Cut,
    keep: Option<LineageId>,
) -> Result<(), StoreError> {
    let upsert = "INSERT INTO cuts (subject, before, cause) VALUES ($1, $2, $3) \
        ON CONFLICT (subject) DO UPDATE SET before = excluded.before, cause = excluded.cause \
        WHERE excluded.before >= cuts.before";
    let (subject, before) = (Text(subject.as_str()), to_sql(cut.before));
    sql.change(upsert, &[&subject, &before, &cut.cause.as_str()])
        .await?;
    if let Some(keep) = keep {
        let spare = "UPDATE sessions SET spared_until = greatest(spared_until, $3) \
            WHERE lineage = $1 AND subject = $2";
        sql.change(spare, &[&keep.0, &subject, &before]).await?;
    }
    Ok(())
}
