//! Tickets in SQL.

use tenure_core::id::Subject;
use tenure_core::time::Timestamp;
use tokio_postgres::Row as Columns;

use super::codec::{Text, text, text_or_null, time, time_or_null, to_sql};
use super::pool::{Connection, Params};
use crate::{StoreError, Taken, Ticket, TicketHash, TicketKind};

pub(super) async fn add(sql: &Connection, ticket: &Ticket) -> Result<(), StoreError> {
    let insert = "INSERT INTO tickets (kind, hash, subject, expires_at, used_at, payload) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    let params: Params<'_> = &[
        &ticket.kind.as_str(),
        &ticket.hash.as_slice(),
        &ticket.subject.as_ref().map(Subject::as_str).map(Text),
        &to_sql(ticket.expires_at),
        &ticket.used_at.map(to_sql),
        &Text(&ticket.payload),
    ];
    sql.change(insert, params).await.map(drop)
}

pub(super) async fn find(
    sql: &Connection,
    kind: TicketKind,
    hash: TicketHash,
    now: Timestamp,
) -> Result<Option<Ticket>, StoreError> {
    let query = "SELECT subject, expires_at, used_at, payload FROM tickets \
        WHERE kind = $1 AND hash = $2 AND expires_at >= $3";
    let found = sql
        .row(query, &[&kind.as_str(), &hash.as_slice(), &to_sql(now)])
        .await?;
    found
        .map(|columns| ticket(kind, hash, &columns))
        .transpose()
}

pub(super) fn ticket(
    kind: TicketKind,
    hash: TicketHash,
    columns: &Columns,
) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        kind,
        hash,
        subject: text_or_null(columns, 0)?.map(Subject::new),
        expires_at: time(columns, 1)?,
        used_at: time_or_null(columns, 2)?,
        payload: text(columns, 3)?,
    })
}

pub(super) async fn take(
    sql: &Connection,
    kind: TicketKind,
    hash: TicketHash,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let update = "UPDATE tickets SET used_at = $3 \
        WHERE kind = $1 AND hash = $2 AND used_at IS NULL AND expires_at >= $3 \
        RETURNING subject, expires_at, used_at, payload";
    let taken = sql
        .row(update, &[&kind.as_str(), &hash.as_slice(), &to_sql(now)])
        .await?;
    if let Some(columns) = taken {
        return ticket(kind, hash, &columns).map(Taken::Now);
    }
    let before = find(sql, kind, hash, now).await?;
    Ok(before.map_or(Taken::Missing, Taken::Before))
}

pub(super) async fn remove(
    sql: &Connection,
    kind: TicketKind,
    hash: TicketHash,
) -> Result<(), StoreError> {
    let delete = "DELETE FROM tickets WHERE kind = $1 AND hash = $2";
    sql.change(delete, &[&kind.as_str(), &hash.as_slice()])
        .await
        .map(drop)
}

/// Deletes every ticket of a subject, and every device authorization that they allowed.
pub(super) async fn remove_of(sql: &Connection, subject: &Subject) -> Result<(), StoreError> {
    let delete = "WITH devices_of AS (DELETE FROM devices WHERE subject = $1) \
        DELETE FROM tickets WHERE subject = $1";
    sql.change(delete, &[&Text(subject.as_str())])
        .await
        .map(drop)
}
