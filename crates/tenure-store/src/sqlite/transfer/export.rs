//! Pages of records, in the order of their keys, which no write changes.

use rusqlite::{Connection, Params, Row as Columns};
use serde::Serialize;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::scope::Scope;

use super::super::codec::{cut, time, word};
use super::super::{accounts, audit, devices, keys, sessions, tickets};
use crate::transfer::{after, cursor};
use crate::{
    Consent, Cursor, KeyUse, Page, Part, Record, StoreError, Ticket, TicketHash, TicketKind,
};

pub(in super::super) fn page(
    sql: &Connection,
    part: Part,
    from: Option<&Cursor>,
    limit: u32,
) -> Result<Page, StoreError> {
    match part {
        Part::Users | Part::Consents | Part::Cuts => of_accounts(sql, part, from, limit),
        Part::Tickets | Part::Devices => in_flight(sql, part, from, limit),
        Part::Sessions => {
            let from = after::<LineageId>(from)?.map(|last| last.0.into_bytes().to_vec());
            let place = (from.unwrap_or_default(), limit);
            read(sql, sessions::PAGE, place, limit, |columns| {
                let loaded = sessions::loaded(columns)?;
                let lineage = loaded.row.lineage;
                Ok((lineage, Record::Session(Box::new(loaded))))
            })
        }
        Part::Audit => {
            let from = after::<i64>(from)?.unwrap_or_default();
            read(sql, audit::PAGE, (from, limit), limit, |columns| {
                let position: i64 = columns.get(audit::POSITION)?;
                Ok((position, Record::Audit(audit::event(columns)?)))
            })
        }
        Part::Keys => {
            let query = "SELECT id, algorithm, state, since, sealed, of, position FROM keys \
                         WHERE position > ?1 ORDER BY position LIMIT ?2";
            let from = after::<i64>(from)?.unwrap_or_default();
            read(sql, query, (from, limit), limit, key)
        }
    }
}

fn of_accounts(
    sql: &Connection,
    part: Part,
    from: Option<&Cursor>,
    limit: u32,
) -> Result<Page, StoreError> {
    match part {
        Part::Users => {
            let query = "SELECT subject, email, password, disabled, created_at FROM users \
                         WHERE subject > ?1 ORDER BY subject LIMIT ?2";
            let from = after::<String>(from)?.unwrap_or_default();
            read(sql, query, (from, limit), limit, |columns| {
                let user = accounts::user(columns)?;
                Ok((user.subject.clone(), Record::User(user)))
            })
        }
        Part::Consents => {
            let query = "SELECT subject, client, scope, at FROM consents \
                         WHERE (subject, client) > (?1, ?2) ORDER BY subject, client LIMIT ?3";
            let (subject, client) = after::<(String, String)>(from)?.unwrap_or_default();
            read(sql, query, (subject, client, limit), limit, consent)
        }
        _ => {
            let query = "SELECT subject, before, cause FROM cuts \
                         WHERE subject > ?1 ORDER BY subject LIMIT ?2";
            let from = after::<String>(from)?.unwrap_or_default();
            read(sql, query, (from, limit), limit, the_cut)
        }
    }
}

fn in_flight(
    sql: &Connection,
    part: Part,
    from: Option<&Cursor>,
    limit: u32,
) -> Result<Page, StoreError> {
    if part == Part::Tickets {
        let query = "SELECT subject, expires_at, used_at, payload, kind, hash FROM tickets \
                         WHERE (kind, hash) > (?1, ?2) ORDER BY kind, hash LIMIT ?3";
        let from = after::<(String, TicketHash)>(from)?;
        let (kind, hash) = from.map_or((String::new(), Vec::new()), |(kind, hash)| {
            (kind, hash.to_vec())
        });
        read(sql, query, (kind, hash, limit), limit, ticket)
    } else {
        let from = after::<TicketHash>(from)?.map(|last| last.to_vec());
        let place = (from.unwrap_or_default(), limit);
        read(sql, devices::PAGE, place, limit, |columns| {
            let device = devices::device(columns)?;
            Ok((device.code, Record::Device(device)))
        })
    }
}

pub(in super::super) fn count(sql: &Connection, part: Part) -> Result<u64, StoreError> {
    // Each table has the name of its part.
    let query = format!("SELECT count(*) FROM {}", part.as_str());
    let count: i64 = sql.query_row(&query, (), |columns| columns.get(0))?;
    Ok(count.cast_unsigned())
}

fn read<K: Serialize>(
    sql: &Connection,
    query: &str,
    place: impl Params,
    limit: u32,
    record: impl FnMut(&Columns<'_>) -> rusqlite::Result<(K, Record)>,
) -> Result<Page, StoreError> {
    let mut query = sql.prepare_cached(query)?;
    let mut page = Page::default();
    let mut last = None;
    for found in query.query_map(place, record)? {
        let (key, record) = found?;
        page.records.push(record);
        last = Some(key);
    }
    if page.records.len() as u64 == u64::from(limit) {
        page.next = last.as_ref().map(cursor).transpose()?;
    }
    Ok(page)
}

fn key(columns: &Columns<'_>) -> rusqlite::Result<(i64, Record)> {
    let of = word(columns, 5, KeyUse::parse)?;
    Ok((columns.get(6)?, Record::Key(keys::key(of, columns)?)))
}

fn consent(columns: &Columns<'_>) -> rusqlite::Result<((Subject, ClientId), Record)> {
    let consent = Consent {
        subject: Subject::new(columns.get::<_, String>(0)?),
        client: ClientId::new(columns.get::<_, String>(1)?),
        scope: word(columns, 2, |text| Some(Scope::parse(text)))?,
        at: time(columns, 3)?,
    };
    let place = (consent.subject.clone(), consent.client.clone());
    Ok((place, Record::Consent(consent)))
}

fn the_cut(columns: &Columns<'_>) -> rusqlite::Result<(Subject, Record)> {
    let subject = Subject::new(columns.get::<_, String>(0)?);
    let cut = cut(columns, 1)?.ok_or(rusqlite::Error::InvalidQuery)?;
    Ok((subject.clone(), Record::Cut(subject, cut)))
}

fn ticket(columns: &Columns<'_>) -> rusqlite::Result<((&'static str, TicketHash), Record)> {
    let kind = word(columns, 4, TicketKind::parse)?;
    let ticket: Ticket = tickets::ticket(kind, columns.get(5)?, columns)?;
    Ok(((kind.as_str(), ticket.hash), Record::Ticket(ticket)))
}
