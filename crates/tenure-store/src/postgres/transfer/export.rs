//! Pages of records, in the order of their keys, which no write changes.

use serde::Serialize;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::scope::Scope;
use tokio_postgres::Row as Columns;
use uuid::Uuid;

use super::super::codec::{Text, bytes, cut, text, time, value, word};
use super::super::pool::{Connection, Params};
use super::super::{accounts, audit, devices, keys, sessions, tickets};
use crate::transfer::{after, cursor};
use crate::{Consent, Cursor, KeyUse, Page, Part, Record, StoreError, TicketHash, TicketKind};

pub(in super::super) async fn page(
    sql: &Connection,
    part: Part,
    from: Option<&Cursor>,
    limit: u32,
) -> Result<Page, StoreError> {
    let limit = i64::from(limit);
    match part {
        Part::Users | Part::Consents | Part::Cuts => of_accounts(sql, part, from, limit).await,
        Part::Tickets | Part::Devices => in_flight(sql, part, from, limit).await,
        Part::Sessions => {
            let from = after::<LineageId>(from)?.map_or(Uuid::nil(), |last| last.0);
            read(sql, sessions::PAGE, &[&from, &limit], limit, |columns| {
                let loaded = sessions::loaded(columns)?;
                Ok((loaded.row.lineage, Record::Session(Box::new(loaded))))
            })
            .await
        }
        Part::Audit => {
            let from = after::<i64>(from)?.unwrap_or_default();
            read(sql, audit::PAGE, &[&from, &limit], limit, |columns| {
                let position: i64 = value(columns, audit::POSITION)?;
                Ok((position, Record::Audit(audit::event(columns)?)))
            })
            .await
        }
        Part::Keys => {
            let query = "SELECT id, algorithm, state, since, sealed, of, position FROM keys \
                WHERE position > $1 ORDER BY position LIMIT $2";
            let from = after::<i64>(from)?.unwrap_or_default();
            read(sql, query, &[&from, &limit], limit, key).await
        }
    }
}

async fn of_accounts(
    sql: &Connection,
    part: Part,
    from: Option<&Cursor>,
    limit: i64,
) -> Result<Page, StoreError> {
    match part {
        Part::Users => {
            let query = "SELECT subject, email, password, disabled, created_at FROM users \
                WHERE subject > $1 ORDER BY subject LIMIT $2";
            let from = after::<String>(from)?.unwrap_or_default();
            read(sql, query, &[&Text(&from), &limit], limit, |columns| {
                let user = accounts::user(columns)?;
                Ok((user.subject.clone(), Record::User(user)))
            })
            .await
        }
        Part::Consents => {
            let query = "SELECT subject, client, scope, at FROM consents \
                WHERE (subject, client) > ($1, $2) ORDER BY subject, client LIMIT $3";
            let (subject, client) = after::<(String, String)>(from)?.unwrap_or_default();
            let place: Params<'_> = &[&Text(&subject), &Text(&client), &limit];
            read(sql, query, place, limit, consent).await
        }
        _ => {
            let query = "SELECT subject, before, cause FROM cuts \
                WHERE subject > $1 ORDER BY subject LIMIT $2";
            let from = after::<String>(from)?.unwrap_or_default();
            read(sql, query, &[&Text(&from), &limit], limit, the_cut).await
        }
    }
}

async fn in_flight(
    sql: &Connection,
    part: Part,
    from: Option<&Cursor>,
    limit: i64,
) -> Result<Page, StoreError> {
    if part == Part::Tickets {
        let query = "SELECT subject, expires_at, used_at, payload, kind, hash FROM tickets \
                WHERE (kind, hash) > ($1, $2) ORDER BY kind, hash LIMIT $3";
        let from = after::<(String, TicketHash)>(from)?;
        let (kind, hash) = from.map_or((String::new(), Vec::new()), |(kind, hash)| {
            (kind, hash.to_vec())
        });
        read(sql, query, &[&kind, &hash, &limit], limit, ticket).await
    } else {
        let from = after::<TicketHash>(from)?.map_or(Vec::new(), |last| last.to_vec());
        read(sql, devices::PAGE, &[&from, &limit], limit, |columns| {
            let device = devices::device(columns)?;
            Ok((device.code, Record::Device(device)))
        })
        .await
    }
}

pub(in super::super) async fn count(sql: &Connection, part: Part) -> Result<u64, StoreError> {
    // Each table has the name of its part.
    let row = sql
        .once(&format!("SELECT count(*) FROM {}", part.as_str()))
        .await?;
    Ok(value::<i64>(&row, 0)?.cast_unsigned())
}

async fn read<K: Serialize>(
    sql: &Connection,
    query: &'static str,
    place: Params<'_>,
    limit: i64,
    record: impl Fn(&Columns) -> Result<(K, Record), StoreError>,
) -> Result<Page, StoreError> {
    let rows = sql.rows(query, place).await?;
    let mut page = Page::default();
    let mut last = None;
    for columns in &rows {
        let (key, record) = record(columns)?;
        page.records.push(record);
        last = Some(key);
    }
    if i64::try_from(rows.len()) == Ok(limit) {
        page.next = last.as_ref().map(cursor).transpose()?;
    }
    Ok(page)
}

fn consent(columns: &Columns) -> Result<((Subject, ClientId), Record), StoreError> {
    let consent = Consent {
        subject: Subject::new(text(columns, 0)?),
        client: ClientId::new(text(columns, 1)?),
        scope: Scope::parse(&text(columns, 2)?),
        at: time(columns, 3)?,
    };
    let place = (consent.subject.clone(), consent.client.clone());
    Ok((place, Record::Consent(consent)))
}

fn the_cut(columns: &Columns) -> Result<(Subject, Record), StoreError> {
    let subject = Subject::new(text(columns, 0)?);
    let none = || StoreError::Damaged("a cut without a date".to_owned());
    let cut = cut(columns, 1)?.ok_or_else(none)?;
    Ok((subject.clone(), Record::Cut(subject, cut)))
}

fn ticket(columns: &Columns) -> Result<((&'static str, TicketHash), Record), StoreError> {
    let kind = word(columns, 4, TicketKind::parse)?;
    let ticket = tickets::ticket(kind, bytes(columns, 5)?, columns)?;
    Ok(((kind.as_str(), ticket.hash), Record::Ticket(ticket)))
}

fn key(columns: &Columns) -> Result<(i64, Record), StoreError> {
    let of = word(columns, 5, KeyUse::parse)?;
    Ok((value(columns, 6)?, Record::Key(keys::key(of, columns)?)))
}
