//! Tickets in SQL.

use rusqlite::{Connection, OptionalExtension as _, Row as Columns, params};
use tenure_core::id::Subject;
use tenure_core::time::Timestamp;

use super::codec::{time, time_or_null, to_sql};
use super::writer::Group;
use crate::{StoreError, Taken, Ticket, TicketHash, TicketKind};

pub(super) fn add(group: &Group<'_>, ticket: &Ticket) -> Result<(), StoreError> {
    let mut insert = group.sql.prepare_cached(
        "INSERT INTO tickets (kind, hash, subject, expires_at, used_at, payload) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute(params![
        ticket.kind.as_str(),
        ticket.hash,
        ticket.subject.as_ref().map(Subject::as_str),
        to_sql(ticket.expires_at),
        ticket.used_at.map(to_sql),
        ticket.payload,
    ])?;
    Ok(())
}

pub(super) fn find(
    sql: &Connection,
    kind: TicketKind,
    hash: TicketHash,
    now: Timestamp,
) -> Result<Option<Ticket>, StoreError> {
    let mut query = sql.prepare_cached(
        "SELECT subject, expires_at, used_at, payload FROM tickets \
         WHERE kind = ?1 AND hash = ?2 AND expires_at >= ?3",
    )?;
    let place = (kind.as_str(), hash, to_sql(now));
    let found = query.query_row(place, |columns| ticket(kind, hash, columns));
    Ok(found.optional()?)
}

pub(super) fn ticket(
    kind: TicketKind,
    hash: TicketHash,
    columns: &Columns<'_>,
) -> rusqlite::Result<Ticket> {
    Ok(Ticket {
        kind,
        hash,
        subject: columns.get::<_, Option<String>>(0)?.map(Subject::new),
        expires_at: time(columns, 1)?,
        used_at: time_or_null(columns, 2)?,
        payload: columns.get(3)?,
    })
}

pub(super) fn take(
    group: &Group<'_>,
    kind: TicketKind,
    hash: TicketHash,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let mut update = group.sql.prepare_cached(
        "UPDATE tickets SET used_at = ?3 \
         WHERE kind = ?1 AND hash = ?2 AND used_at IS NULL AND expires_at >= ?3 \
         RETURNING subject, expires_at, used_at, payload",
    )?;
    let place = (kind.as_str(), hash, to_sql(now));
    let taken = update.query_row(place, |columns| ticket(kind, hash, columns));
    if let Some(taken) = taken.optional()? {
        return Ok(Taken::Now(taken));
    }
    Ok(find(group.sql, kind, hash, now)?.map_or(Taken::Missing, Taken::Before))
}

pub(super) fn remove(
    group: &Group<'_>,
    kind: TicketKind,
    hash: TicketHash,
) -> Result<(), StoreError> {
    let mut delete = group
        .sql
        .prepare_cached("DELETE FROM tickets WHERE kind = ?1 AND hash = ?2")?;
    delete.execute((kind.as_str(), hash))?;
    Ok(())
}

pub(super) fn remove_of(group: &Group<'_>, subject: &str) -> Result<(), StoreError> {
    group
        .sql
        .prepare_cached("DELETE FROM tickets WHERE subject = ?1")?
        .execute([subject])?;
    Ok(())
}

/// Deletes up to `limit` expired tickets.
pub(super) fn sweep(group: &Group<'_>, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let mut delete = group.sql.prepare_cached(
        "DELETE FROM tickets WHERE (kind, hash) IN \
         (SELECT kind, hash FROM tickets WHERE expires_at < ?1 LIMIT ?2)",
    )?;
    Ok(delete.execute((to_sql(now), limit))? as u64)
}
