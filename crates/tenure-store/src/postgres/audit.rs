//! The audit trail in SQL.

use tenure_core::id::{ClientId, Subject};
use tenure_core::time::Timestamp;
use tokio_postgres::Row as Columns;

use super::codec::{Text, text, text_or_null, time, to_sql};
use super::pool::{Connection, Params};
use crate::{AuditEvent, AuditQuery, StoreError};

/// A page after a position, oldest first; the position stands behind the event.
pub(super) const PAGE: &str = "SELECT at, event, subject, client, sid, reason, ip_prefix, \
    request_id, position FROM audit WHERE position > $1 ORDER BY position LIMIT $2";
pub(super) const POSITION: usize = 8;

/// The events of some seconds.
pub(super) const BETWEEN: &str = "SELECT at, event, subject, client, sid, reason, ip_prefix, \
    request_id FROM audit WHERE at BETWEEN $1 AND $2";

/// All events in one statement.
pub(super) async fn record(sql: &Connection, events: &[AuditEvent]) -> Result<(), StoreError> {
    let insert = "INSERT INTO audit (at, event, subject, client, sid, reason, ip_prefix, \
        request_id) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], \
        $5::text[], $6::text[], $7::text[], $8::text[])";
    let at: Vec<i64> = events.iter().map(|event| to_sql(event.at)).collect();
    let name: Vec<Text<'_>> = events.iter().map(|event| Text(&event.event)).collect();
    let params: Params<'_> = &[
        &at,
        &name,
        &column(events, |event| event.subject.as_ref().map(Subject::as_str)),
        &column(events, |event| event.client.as_ref().map(ClientId::as_str)),
        &column(events, |event| event.sid.as_deref()),
        &column(events, |event| event.reason.as_deref()),
        &column(events, |event| event.ip_prefix.as_deref()),
        &column(events, |event| event.request_id.as_deref()),
    ];
    sql.change(insert, params).await.map(drop)
}

fn column<'a>(
    events: &'a [AuditEvent],
    field: impl Fn(&'a AuditEvent) -> Option<&'a str>,
) -> Vec<Option<Text<'a>>> {
    events.iter().map(|event| field(event).map(Text)).collect()
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT at, event, subject, client, sid, reason, ip_prefix, request_id FROM audit ",
            "WHERE at >= $1 ",
            $rest,
            " ORDER BY at DESC, position DESC LIMIT $2"
        )
    };
}

pub(super) async fn query(
    sql: &Connection,
    query: &AuditQuery,
) -> Result<Vec<AuditEvent>, StoreError> {
    let since = to_sql(query.since.unwrap_or(Timestamp(0)));
    let limit = i64::from(query.effective_limit());
    let events = match &query.subject {
        Some(subject) => {
            let of = Text(subject.as_str());
            sql.rows(select!("AND subject = $3"), &[&since, &limit, &of])
                .await?
        }
        None => sql.rows(select!(""), &[&since, &limit]).await?,
    };
    events.iter().map(event).collect()
}

pub(super) fn event(columns: &Columns) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        at: time(columns, 0)?,
        event: text(columns, 1)?,
        subject: text_or_null(columns, 2)?.map(Subject::new),
        client: text_or_null(columns, 3)?.map(ClientId::new),
        sid: text_or_null(columns, 4)?,
        reason: text_or_null(columns, 5)?,
        ip_prefix: text_or_null(columns, 6)?,
        request_id: text_or_null(columns, 7)?,
    })
}
