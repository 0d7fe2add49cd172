//! Device authorizations in SQL.

use rusqlite::{Connection, OptionalExtension as _, Row as Columns, params};
use tenure_core::id::{ClientId, Subject};
use tenure_core::time::Timestamp;

use super::codec::{seconds, seconds_to_sql, time, time_or_null, to_sql};
use super::writer::Group;
use crate::device::KEEP_EXPIRED;
use crate::{Decision, Device, Polled, StoreError, TicketHash, Used, Written};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT code, user_code, client, payload, expires_at, interval, polled_at, decision, \
             subject, auth_time, used_at, used_key FROM devices ",
            $rest
        )
    };
}

/// A page after a code.
pub(super) const PAGE: &str = select!("WHERE code > ?1 ORDER BY code LIMIT ?2");

/// One by its code.
pub(super) const BY_CODE: &str = select!("WHERE code = ?1");

pub(super) fn add(group: &Group<'_>, device: &Device) -> Result<Written, StoreError> {
    let mut insert = group.sql.prepare_cached(
        "INSERT INTO devices (code, user_code, client, payload, expires_at, interval) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    let added = insert.execute(params![
        device.code,
        device.user_code,
        device.client.as_str(),
        device.payload,
        to_sql(device.expires_at),
        seconds_to_sql(device.interval),
    ])?;
    Ok(Written::if_any(added))
}

pub(super) fn find(
    sql: &Connection,
    user_code: TicketHash,
    now: Timestamp,
) -> Result<Option<Device>, StoreError> {
    let mut query = sql.prepare_cached(select!("WHERE user_code = ?1 AND expires_at >= ?2"))?;
    Ok(query
        .query_row((user_code, to_sql(now)), device)
        .optional()?)
}

pub(super) fn device(columns: &Columns<'_>) -> rusqlite::Result<Device> {
    let subject: Option<String> = columns.get(8)?;
    let denied = columns
        .get::<_, Option<String>>(7)?
        .map(|_| Decision::Denied);
    let decision = match (subject, time_or_null(columns, 9)?) {
        (Some(subject), Some(auth_time)) => Some(Decision::Allowed {
            subject: Subject::new(subject),
            auth_time,
        }),
        _ => denied,
    };
    let key = columns.get(11)?;
    Ok(Device {
        code: columns.get(0)?,
        user_code: columns.get(1)?,
        client: ClientId::new(columns.get::<_, String>(2)?),
        payload: columns.get(3)?,
        expires_at: time(columns, 4)?,
        interval: seconds(columns, 5)?,
        polled_at: time_or_null(columns, 6)?,
        decision,
        used: time_or_null(columns, 10)?.map(|at| Used { at, key }),
    })
}

pub(super) fn decide(
    group: &Group<'_>,
    user_code: TicketHash,
    decision: &Decision,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let (word, subject, auth_time) = decision.columns();
    let mut update = group.sql.prepare_cached(
        "UPDATE devices SET decision = ?3, subject = ?4, auth_time = ?5 \
         WHERE user_code = ?1 AND expires_at >= ?2 AND decision IS NULL",
    )?;
    let changed = update.execute(params![
        user_code,
        to_sql(now),
        word,
        subject,
        auth_time.map(to_sql)
    ])?;
    Ok(Written::if_any(changed))
}

/// Reads, asks the rule and writes in the one transaction that writes at a time.
pub(super) fn poll(
    group: &Group<'_>,
    code: TicketHash,
    client: &ClientId,
    key: Option<TicketHash>,
    now: Timestamp,
) -> Result<Polled, StoreError> {
    let mut query = group
        .sql
        .prepare_cached(select!("WHERE code = ?1 AND client = ?2"))?;
    let found = query
        .query_row((code, client.as_str()), device)
        .optional()?;
    let Some(before) = found else {
        return Ok(Polled::Missing);
    };
    let mut after = before.clone();
    let polled = after.poll(key, now);
    if after != before {
        write(group, &after)?;
    }
    Ok(polled)
}

fn write(group: &Group<'_>, device: &Device) -> Result<(), StoreError> {
    let mut update = group.sql.prepare_cached(
        "UPDATE devices SET interval = ?2, polled_at = ?3, used_at = ?4, used_key = ?5 \
         WHERE code = ?1",
    )?;
    let used = device.used.as_ref();
    update.execute(params![
        device.code,
        seconds_to_sql(device.interval),
        device.polled_at.map(to_sql),
        used.map(|used| to_sql(used.at)),
        used.and_then(|used| used.key),
    ])?;
    Ok(())
}

pub(super) fn remove(group: &Group<'_>, code: TicketHash) -> Result<(), StoreError> {
    group
        .sql
        .prepare_cached("DELETE FROM devices WHERE code = ?1")?
        .execute([code])?;
    Ok(())
}

pub(super) fn remove_of(group: &Group<'_>, subject: &str) -> Result<(), StoreError> {
    group
        .sql
        .prepare_cached("DELETE FROM devices WHERE subject = ?1")?
        .execute([subject])?;
    Ok(())
}

/// Deletes up to `limit` that expired a while ago.
pub(super) fn sweep(group: &Group<'_>, now: Timestamp, limit: u64) -> Result<u64, StoreError> {
    let mut delete = group.sql.prepare_cached(
        "DELETE FROM devices WHERE code IN \
         (SELECT code FROM devices WHERE expires_at < ?1 LIMIT ?2)",
    )?;
    let long_ago = to_sql(now.minus(KEEP_EXPIRED));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(delete.execute((long_ago, limit))? as u64)
}
