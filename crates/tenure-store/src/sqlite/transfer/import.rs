//! Records of another store, taken over in the writer's transaction.

use rusqlite::{Connection, OptionalExtension as _, Params, params};
use tenure_core::id::Subject;
use tenure_core::lineage::Cut;

use super::super::codec::{seconds_to_sql, to_sql};
use super::super::writer::Group;
use super::super::{audit, devices, keys, meta};
use super::session;
use crate::record::folded;
use crate::transfer::{merged_device, missing, span};
use crate::{
    AuditEvent, Consent, Decision, Device, Entry, KeyRecord, Record, StoreError, Ticket, User,
};

/// Answers how many changed anything.
pub(in super::super) fn import(
    group: &mut Group<'_>,
    records: &[Record],
) -> Result<u64, StoreError> {
    let mut count = 0;
    let mut noticed = false;
    let mut events = Vec::new();
    for record in records {
        let sql = group.sql;
        let (changes, is_noticed) = match record {
            Record::Key(key) => (import_key(sql, key)?, true),
            Record::User(user) => (import_user(sql, user)?, true),
            Record::Consent(consent) => (import_consent(sql, consent)?, false),
            Record::Cut(subject, cut) => (import_cut(group, subject, *cut)?, true),
            Record::Session(loaded) => (session::import(group, loaded)?, false),
            Record::Ticket(ticket) => (import_ticket(sql, ticket)?, false),
            Record::Device(device) => (import_device(sql, device)?, false),
            Record::Audit(event) => {
                events.push(event);
                continue;
            }
        };
        count += u64::from(changes);
        noticed |= changes && is_noticed;
    }
    if noticed {
        meta::bump_version(group.sql)?;
    }
    Ok(count + import_events(group, &events)?)
}

/// Runs an upsert whose condition leaves alone what is the same already.
fn upsert(sql: &Connection, statement: &str, values: impl Params) -> Result<bool, StoreError> {
    Ok(sql.prepare_cached(statement)?.execute(values)? > 0)
}

fn import_key(sql: &Connection, key: &KeyRecord) -> Result<bool, StoreError> {
    let here = keys::list(sql, key.of)?;
    if here
        .iter()
        .any(|here| here.id == key.id && here.state >= key.state)
    {
        return Ok(false);
    }
    upsert(
        sql,
        "INSERT INTO keys (id, of, algorithm, state, since, sealed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE \
         SET state = excluded.state, since = excluded.since, sealed = excluded.sealed",
        params![
            key.id,
            key.of.as_str(),
            key.algorithm,
            key.state.as_str(),
            to_sql(key.since),
            key.sealed,
        ],
    )
}

fn import_user(sql: &Connection, user: &User) -> Result<bool, StoreError> {
    upsert(
        sql,
        "INSERT INTO users (subject, email, email_folded, password, disabled, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (subject) DO UPDATE \
         SET email = excluded.email, email_folded = excluded.email_folded, \
         password = excluded.password, disabled = excluded.disabled, \
         created_at = excluded.created_at \
         WHERE (email, password, disabled, created_at) IS NOT \
         (excluded.email, excluded.password, excluded.disabled, excluded.created_at)",
        params![
            user.subject.as_str(),
            user.email,
            folded(&user.email),
            user.password,
            user.disabled,
            to_sql(user.created_at),
        ],
    )
}

fn import_consent(sql: &Connection, consent: &Consent) -> Result<bool, StoreError> {
    upsert(
        sql,
        "INSERT INTO consents (subject, client, scope, at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO UPDATE SET scope = excluded.scope, at = excluded.at \
         WHERE excluded.at >= at AND (scope, at) IS NOT (excluded.scope, excluded.at)",
        params![
            consent.subject.as_str(),
            consent.client.as_str(),
            consent.scope.to_string(),
            to_sql(consent.at),
        ],
    )
}

fn import_cut(group: &mut Group<'_>, subject: &Subject, cut: Cut) -> Result<bool, StoreError> {
    let changed = upsert(
        group.sql,
        "INSERT INTO cuts (subject, before, cause) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET before = excluded.before, cause = excluded.cause \
         WHERE excluded.before >= before \
         AND (before, cause) IS NOT (excluded.before, excluded.cause)",
        params![subject.as_str(), to_sql(cut.before), cut.cause.as_str()],
    )?;
    if changed {
        group.log(Entry::Cut {
            subject: subject.clone(),
            cut,
            keep: None,
        });
    }
    Ok(changed)
}

fn import_ticket(sql: &Connection, ticket: &Ticket) -> Result<bool, StoreError> {
    upsert(
        sql,
        "INSERT INTO tickets (kind, hash, subject, expires_at, used_at, payload) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT DO UPDATE SET subject = excluded.subject, \
         expires_at = excluded.expires_at, used_at = excluded.used_at, payload = excluded.payload \
         WHERE used_at IS NULL AND (subject, expires_at, used_at, payload) IS NOT \
         (excluded.subject, excluded.expires_at, excluded.used_at, excluded.payload)",
        params![
            ticket.kind.as_str(),
            ticket.hash,
            ticket.subject.as_ref().map(Subject::as_str),
            to_sql(ticket.expires_at),
            ticket.used_at.map(to_sql),
            ticket.payload,
        ],
    )
}

fn import_device(sql: &Connection, device: &Device) -> Result<bool, StoreError> {
    let mut query = sql.prepare_cached(devices::BY_CODE)?;
    let here = query.query_row([device.code], devices::device).optional()?;
    let device = match &here {
        Some(here) => &merged_device(here, device),
        None => device,
    };
    if here.as_ref() == Some(device) {
        return Ok(false);
    }
    let decision = device.decision.as_ref().map(Decision::columns);
    let (decision, subject, auth_time) = decision
        .map_or((None, None, None), |(word, subject, at)| {
            (Some(word), subject, at)
        });
    let used = device.used.as_ref();
    upsert(
        sql,
        "INSERT INTO devices (code, user_code, client, payload, expires_at, interval, polled_at, \
         decision, subject, auth_time, used_at, used_key) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
         ON CONFLICT (code) DO UPDATE SET interval = excluded.interval, \
         polled_at = excluded.polled_at, decision = excluded.decision, \
         subject = excluded.subject, auth_time = excluded.auth_time, \
         used_at = excluded.used_at, used_key = excluded.used_key",
        params![
            device.code,
            device.user_code,
            device.client.as_str(),
            device.payload,
            to_sql(device.expires_at),
            seconds_to_sql(device.interval),
            device.polled_at.map(to_sql),
            decision,
            subject,
            auth_time.map(to_sql),
            used.map(|used| to_sql(used.at)),
            used.and_then(|used| used.key),
        ],
    )
}

fn import_events(group: &Group<'_>, events: &[&AuditEvent]) -> Result<u64, StoreError> {
    let Some((first, last)) = span(events) else {
        return Ok(0);
    };
    let mut query = group.sql.prepare_cached(audit::BETWEEN)?;
    let here = query.query_map((to_sql(first), to_sql(last)), audit::event)?;
    let missing = missing(here.collect::<Result<_, _>>()?, events);
    audit::record(group, &missing)?;
    Ok(missing.len() as u64)
}
