//! The audit trail in SQL.

use rusqlite::{Connection, Row as Columns, params};
use tenure_core::id::{ClientId, Subject};
use tenure_core::time::Timestamp;

use super::codec::{time, to_sql};
use super::writer::Group;
use crate::{AuditEvent, AuditQuery, StoreError};

pub(super) fn record(group: &Group<'_>, events: &[AuditEvent]) -> Result<(), StoreError> {
    let mut insert = group.sql.prepare_cached(
        "INSERT INTO audit (at, event, subject, client, sid, reason, ip_prefix, request_id) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for event in events {
        insert.execute(params![
            to_sql(event.at),
            event.event,
            event.subject.as_ref().map(Subject::as_str),
            event.client.as_ref().map(ClientId::as_str),
            event.sid,
            event.reason,
            event.ip_prefix,
            event.request_id,
        ])?;
    }
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT at, event, subject, client, sid, reason, ip_prefix, request_id FROM audit ",
            "WHERE at >= ?1 ",
            $rest,
            " ORDER BY at DESC, position DESC LIMIT ?2"
        )
    };
}

/// A page after a position, oldest first; the position stands behind the event.
pub(super) const PAGE: &str = "SELECT at, event, subject, client, sid, reason, ip_prefix, \
     request_id, position FROM audit WHERE position > ?1 ORDER BY position LIMIT ?2";
pub(super) const POSITION: usize = 8;

/// The events of some seconds.
pub(super) const BETWEEN: &str = "SELECT at, event, subject, client, sid, reason, ip_prefix, \
     request_id FROM audit WHERE at BETWEEN ?1 AND ?2";

pub(super) fn query(sql: &Connection, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
    let since = to_sql(query.since.unwrap_or(Timestamp(0)));
    let limit = query.effective_limit();
    let events: Result<Vec<AuditEvent>, rusqlite::Error> = match &query.subject {
        Some(subject) => sql
            .prepare_cached(select!("AND subject = ?3"))?
            .query_map((since, limit, subject.as_str()), event)?
            .collect(),
        None => sql
            .prepare_cached(select!(""))?
            .query_map((since, limit), event)?
            .collect(),
    };
    Ok(events?)
}

pub(super) fn event(columns: &Columns<'_>) -> rusqlite::Result<AuditEvent> {
    Ok(AuditEvent {
        at: time(columns, 0)?,
        event: columns.get(1)?,
        subject: columns.get::<_, Option<String>>(2)?.map(Subject::new),
        client: columns.get::<_, Option<String>>(3)?.map(ClientId::new),
        sid: columns.get(4)?,
        reason: columns.get(5)?,
        ip_prefix: columns.get(6)?,
        request_id: columns.get(7)?,
    })
}
