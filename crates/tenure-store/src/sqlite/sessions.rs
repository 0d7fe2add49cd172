//! Sessions and cuts in SQL.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, OptionalExtension as _, Row as Columns, named_params, params};
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Cut, Device, EndCause, Grant, Head, KeyHash, Revocation, Row, RowSecret, Step, TokenId,
};
use tenure_core::scope::Scope;
use uuid::Uuid;

use super::codec::{
    cut, ring, ring_to_blob, seconds, seconds_to_sql, time, time_or_null, to_sql, uses,
    uses_to_blob, word,
};
use super::meta;
use super::writer::Group;
use crate::{Entry, Judge, Loaded, Revoked, StoreError, Transition, Written};

macro_rules! columns {
    () => {
        "s.lineage, s.secret, s.subject, s.client, s.scope, s.audience, s.auth_time, \
         s.created_at, s.expires_absolute, s.idle, s.head_id, s.head_generation, s.head_since, \
         s.head_uses, s.ring, s.history_unknown_until, s.revoked_at, s.revoked_cause, \
         s.device_label, s.device_ip_prefix, s.device_user_agent, s.dpop_jkt"
    };
}
pub(super) const AFTER_COLUMNS: usize = 22;

/// Sessions after a lineage, each with its cut.
pub(super) const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    ", c.before, c.cause FROM sessions s LEFT JOIN cuts c \
     ON c.subject = s.subject AND c.before > s.spared_until \
     WHERE s.lineage > ?1 ORDER BY s.lineage LIMIT ?2"
);

/// A session, and up to which cut it is spared.
pub(super) const ONE_SPARED: &str = concat!(
    "SELECT ",
    columns!(),
    ", s.spared_until FROM sessions s WHERE s.lineage = ?1"
);

pub(super) fn load(reader: &Connection, lineage: LineageId) -> Result<Option<Loaded>, StoreError> {
    let mut query = reader.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", c.before, c.cause FROM sessions s LEFT JOIN cuts c \
         ON c.subject = s.subject AND c.before > s.spared_until WHERE s.lineage = ?1"
    ))?;
    let found = query.query_row([lineage.0.as_bytes()], loaded);
    Ok(found.optional()?)
}

pub(super) fn loaded(columns: &Columns<'_>) -> rusqlite::Result<Loaded> {
    Ok(Loaded {
        row: session(columns)?,
        cut: cut(columns, AFTER_COLUMNS)?,
    })
}

pub(super) fn of_subject(reader: &Connection, subject: &str) -> Result<Vec<Row>, StoreError> {
    let mut query = reader.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM sessions s WHERE s.subject = ?1 ORDER BY s.created_at DESC, s.lineage DESC"
    ))?;
    let rows = query.query_map([subject], session)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn session(columns: &Columns<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        lineage: LineageId(Uuid::from_bytes(columns.get(0)?)),
        secret: RowSecret(columns.get(1)?),
        grant: grant(columns)?,
        created_at: time(columns, 7)?,
        expires_absolute: time(columns, 8)?,
        idle: seconds(columns, 9)?,
        head: Head {
            id: TokenId(columns.get(10)?),
            generation: columns.get(11)?,
            since: time(columns, 12)?,
            uses: uses(columns, 13)?,
        },
        ring: ring(columns, 14)?,
        history_unknown_until: time_or_null(columns, 15)?,
        revoked: revocation(columns, 16)?,
        device: Device {
            label: columns.get(18)?,
            ip_prefix: columns.get(19)?,
            user_agent: columns.get(20)?,
        },
        dpop_jkt: columns.get(21)?,
    })
}

fn grant(columns: &Columns<'_>) -> rusqlite::Result<Grant> {
    Ok(Grant {
        subject: Subject::new(columns.get::<_, String>(2)?),
        client: ClientId::new(columns.get::<_, String>(3)?),
        scope: word(columns, 4, |text| Some(Scope::parse(text)))?,
        audience: word(columns, 5, |text| serde_json::from_str(text).ok())?,
        auth_time: time(columns, 6)?,
    })
}

fn revocation(columns: &Columns<'_>, at: usize) -> rusqlite::Result<Option<Revocation>> {
    let Some(when) = time_or_null(columns, at)? else {
        return Ok(None);
    };
    let cause = word(columns, at + 1, EndCause::parse)?;
    Ok(Some(Revocation { at: when, cause }))
}

pub(super) fn create(group: &mut Group<'_>, row: &Row) -> Result<(), StoreError> {
    insert(group.sql, row)?;
    group.log(Entry::created(row));
    Ok(())
}

/// Adds the row; the log is the caller's business.
pub(super) fn insert(sql: &Connection, row: &Row) -> Result<(), StoreError> {
    let mut insert = sql.prepare_cached(
        "INSERT INTO sessions (lineage, secret, subject, client, scope, audience, auth_time, \
         created_at, expires_absolute, idle, head_id, head_generation, head_since, head_uses, ring, \
         history_unknown_until, revoked_at, revoked_cause, device_label, device_ip_prefix, \
         device_user_agent, dpop_jkt) VALUES (:lineage, :secret, :subject, :client, :scope, \
         :audience, :auth_time, :created_at, :expires_absolute, :idle, :head_id, :head_generation, \
         :head_since, :head_uses, :ring, :history_unknown_until, :revoked_at, :revoked_cause, \
         :device_label, :device_ip_prefix, :device_user_agent, :dpop_jkt)",
    )?;
    let audience = serde_json::Value::from(row.grant.audience.clone()).to_string();
    insert.execute(named_params! {
        ":lineage": row.lineage.0.as_bytes(),
        ":secret": row.secret.0,
        ":subject": row.grant.subject.as_str(),
        ":client": row.grant.client.as_str(),
        ":scope": row.grant.scope.to_string(),
        ":audience": audience,
        ":auth_time": to_sql(row.grant.auth_time),
        ":created_at": to_sql(row.created_at),
        ":expires_absolute": to_sql(row.expires_absolute),
        ":idle": seconds_to_sql(row.idle),
        ":head_id": row.head.id.0,
        ":head_generation": row.head.generation,
        ":head_since": to_sql(row.head.since),
        ":head_uses": uses_to_blob(&row.head.uses),
        ":ring": ring_to_blob(&row.ring),
        ":history_unknown_until": row.history_unknown_until.map(to_sql),
        ":revoked_at": row.revoked.map(|end| to_sql(end.at)),
        ":revoked_cause": row.revoked.map(|end| end.cause.as_str()),
        ":device_label": row.device.label,
        ":device_ip_prefix": row.device.ip_prefix,
        ":device_user_agent": row.device.user_agent,
        ":dpop_jkt": row.dpop_jkt,
    })?;
    Ok(())
}

/// The whole presentation inside the writer's transaction: its pages are in memory, where a
/// reader's are made void by every commit, and nobody comes between reading and writing.
///
/// `None` where the judge panicked, which must not take the one writer with it.
pub(super) fn present(
    group: &Group<'_>,
    lineage: LineageId,
    judge: &Judge,
) -> Result<Option<Written>, StoreError> {
    let loaded = load(group.sql, lineage)?;
    let Ok(wanted) = catch_unwind(AssertUnwindSafe(|| judge(loaded))) else {
        return Ok(None);
    };
    let written = match wanted {
        None => Written::Now,
        Some(Transition::Advance(step)) => advance(group, lineage, &step)?,
        Some(Transition::NoteUse { head, hash }) => note_use(group, lineage, head, hash)?,
    };
    Ok(Some(written))
}

pub(super) fn advance(
    group: &Group<'_>,
    lineage: LineageId,
    step: &Step,
) -> Result<Written, StoreError> {
    let mut update = group.sql.prepare_cached(
        "UPDATE sessions SET head_id = ?3, head_generation = ?4, head_since = ?5, \
         head_uses = ?6, ring = ?7, history_unknown_until = ?8 \
         WHERE lineage = ?1 AND head_id = ?2 AND revoked_at IS NULL",
    )?;
    let head = &step.head;
    let changed = update.execute(params![
        lineage.0.as_bytes(),
        step.expected.0,
        head.id.0,
        head.generation,
        to_sql(head.since),
        uses_to_blob(&head.uses),
        ring_to_blob(&step.ring),
        step.history_unknown_until.map(to_sql),
    ])?;
    Ok(Written::if_any(changed))
}

pub(super) fn note_use(
    group: &Group<'_>,
    lineage: LineageId,
    head: TokenId,
    hash: KeyHash,
) -> Result<Written, StoreError> {
    let mut update = group.sql.prepare_cached(
        "UPDATE sessions SET head_uses = CAST(head_uses || ?3 AS BLOB) \
         WHERE lineage = ?1 AND head_id = ?2 AND revoked_at IS NULL AND length(head_uses) < ?4 \
         AND substr(head_uses, 1, 4) IS NOT ?3 AND substr(head_uses, 5, 4) IS NOT ?3 \
         AND substr(head_uses, 9, 4) IS NOT ?3",
    )?;
    let room = (Head::USES * size_of::<KeyHash>()).cast_signed();
    let changed = update.execute(params![
        lineage.0.as_bytes(),
        head.0,
        hash.to_be_bytes(),
        room
    ])?;
    Ok(Written::if_any(changed))
}

pub(super) fn revoke(
    group: &mut Group<'_>,
    lineage: LineageId,
    why: Revocation,
) -> Result<Revoked, StoreError> {
    if end(group.sql, lineage, why)? {
        group.log(Entry::Revoked { lineage, why });
        return Ok(Revoked::Now);
    }
    Ok(match row_end(group.sql, lineage)? {
        Some(before) => Revoked::Before(before),
        None => Revoked::Missing,
    })
}

/// Ends a session that has not ended; false where it has, or is not there.
pub(super) fn end(
    sql: &Connection,
    lineage: LineageId,
    why: Revocation,
) -> Result<bool, StoreError> {
    let mut update = sql.prepare_cached(
        "UPDATE sessions SET revoked_at = ?2, revoked_cause = ?3 \
         WHERE lineage = ?1 AND revoked_at IS NULL",
    )?;
    let why = (lineage.0.as_bytes(), to_sql(why.at), why.cause.as_str());
    Ok(update.execute(why)? > 0)
}

/// How the session ended, by its row or by what the log told of a row that is not here.
pub(super) fn row_end(
    sql: &Connection,
    lineage: LineageId,
) -> Result<Option<Revocation>, StoreError> {
    let mut query = sql.prepare_cached(
        "SELECT revoked_at, revoked_cause FROM sessions WHERE lineage = ?1 \
         UNION ALL SELECT at, cause FROM lost_ends WHERE lineage = ?1",
    )?;
    let ends = query.query_map([lineage.0.as_bytes()], |columns| revocation(columns, 0))?;
    let ends: Vec<Option<Revocation>> = ends.collect::<Result<_, _>>()?;
    Ok(ends.into_iter().flatten().next())
}

pub(super) fn revoke_subject(
    group: &mut Group<'_>,
    subject: &Subject,
    at: Cut,
    keep: Option<LineageId>,
) -> Result<Vec<LineageId>, StoreError> {
    set_cut(group.sql, subject, at, keep)?;
    let mut update = group.sql.prepare_cached(
        "UPDATE sessions SET revoked_at = ?2, revoked_cause = ?3 \
         WHERE subject = ?1 AND revoked_at IS NULL AND lineage IS NOT ?4 RETURNING lineage",
    )?;
    let keep_bytes = keep.map(|lineage| lineage.0.into_bytes());
    let why = params![
        subject.as_str(),
        to_sql(at.before),
        at.cause.as_str(),
        keep_bytes
    ];
    let ended = update.query_map(why, |columns| columns.get(0).map(Uuid::from_bytes))?;
    let ended: Vec<LineageId> = ended
        .map(|id| id.map(LineageId))
        .collect::<Result<_, _>>()?;
    group.log(Entry::Cut {
        subject: subject.clone(),
        cut: at,
        keep,
    });
    let why = Revocation {
        at: at.before,
        cause: at.cause,
    };
    for lineage in &ended {
        let lineage = *lineage;
        group.log(Entry::Revoked { lineage, why });
    }
    Ok(ended)
}

/// Sets the cut unless a later one stands, and spares `keep` from it.
pub(super) fn set_cut(
    sql: &Connection,
    subject: &Subject,
    cut: Cut,
    keep: Option<LineageId>,
) -> Result<(), StoreError> {
    let subject = subject.as_str();
    sql.prepare_cached(
        "INSERT INTO cuts (subject, before, cause) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET before = excluded.before, cause = excluded.cause \
         WHERE excluded.before >= cuts.before",
    )?
    .execute((subject, to_sql(cut.before), cut.cause.as_str()))?;
    if let Some(keep) = keep {
        sql.prepare_cached(
            "UPDATE sessions SET spared_until = max(spared_until, ?3) \
             WHERE lineage = ?1 AND subject = ?2",
        )?
        .execute((keep.0.as_bytes(), subject, to_sql(cut.before)))?;
    }
    meta::bump_version(sql)
}
