//! Records of another store, each part of them in one statement.

use std::collections::{BTreeMap, HashSet};

use tenure_core::id::{ClientId, Subject};
use tenure_core::lineage::Cut;

use super::super::codec::{Text, seconds_to_sql, to_sql};
use super::super::log::Log;
use super::super::pool::{Connection, Params, Transaction};
use super::super::{audit, meta};
use super::sessions;
use crate::record::folded;
use crate::transfer::{missing, span};
use crate::{AuditEvent, Consent, Decision, Device, KeyRecord, Record, StoreError, Ticket, User};

/// Records by their keys: a statement must not meet one twice, and takes its locks in their order.
#[derive(Default)]
struct Parts<'a> {
    keys: Vec<&'a KeyRecord>,
    users: BTreeMap<&'a Subject, &'a User>,
    consents: BTreeMap<(&'a Subject, &'a ClientId), &'a Consent>,
    cuts: BTreeMap<&'a Subject, Cut>,
    sessions: sessions::Sessions,
    tickets: BTreeMap<(&'static str, &'a [u8]), &'a Ticket>,
    devices: BTreeMap<&'a [u8], &'a Device>,
    audit: Vec<&'a AuditEvent>,
}

/// Answers how many changed anything.
pub(in super::super) async fn import(
    transaction: &Transaction,
    log: &Log,
    records: &[Record],
) -> Result<u64, StoreError> {
    let mut parts = Parts::default();
    for record in records {
        parts.add(record);
    }
    let noticed = import_users(transaction, &parts).await?
        + import_cuts(transaction, &parts).await?
        + import_keys(transaction, &parts).await?;
    let rest = import_consents(transaction, &parts).await?
        + import_tickets(transaction, &parts).await?
        + import_devices(transaction, &parts).await?
        + import_events(transaction, &parts.audit).await?
        + parts.sessions.import(transaction, log).await?;
    // Last: everybody who changes an account waits for this row.
    if noticed > 0 {
        meta::bump(transaction).await?;
    }
    Ok(noticed + rest)
}

impl<'a> Parts<'a> {
    fn add(&mut self, record: &'a Record) {
        match record {
            Record::Key(key) => self.keys.push(key),
            Record::User(user) => drop(self.users.insert(&user.subject, user)),
            Record::Consent(given) => {
                self.consents.insert((&given.subject, &given.client), given);
            }
            Record::Cut(subject, cut) => drop(self.cuts.insert(subject, *cut)),
            Record::Session(loaded) => self.sessions.add(loaded),
            Record::Ticket(ticket) => {
                let place = (ticket.kind.as_str(), ticket.hash.as_slice());
                self.tickets.insert(place, ticket);
            }
            Record::Device(device) => {
                self.devices.insert(device.code.as_slice(), device);
            }
            Record::Audit(event) => self.audit.push(event),
        }
    }
}

/// One at a time: there are few, and their order is that of their positions.
async fn import_keys(sql: &Connection, parts: &Parts<'_>) -> Result<u64, StoreError> {
    let upsert = "INSERT INTO keys (id, of, algorithm, state, since, sealed) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE \
        SET state = excluded.state, since = excluded.since, sealed = excluded.sealed \
        WHERE array_position(ARRAY['next', 'active', 'retiring', 'retired'], excluded.state) \
        > array_position(ARRAY['next', 'active', 'retiring', 'retired'], keys.state)";
    let mut changed = 0;
    for key in &parts.keys {
        let params: Params<'_> = &[
            &Text(&key.id),
            &key.of.as_str(),
            &Text(&key.algorithm),
            &key.state.as_str(),
            &to_sql(key.since),
            &key.sealed,
        ];
        changed += sql.change(upsert, params).await?;
    }
    Ok(changed)
}

async fn import_users(sql: &Connection, parts: &Parts<'_>) -> Result<u64, StoreError> {
    if parts.users.is_empty() {
        return Ok(0);
    }
    let upsert = "INSERT INTO users (subject, email, email_folded, password, disabled, created_at) \
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], \
        $6::bigint[]) ON CONFLICT (subject) DO UPDATE SET email = excluded.email, \
        email_folded = excluded.email_folded, password = excluded.password, \
        disabled = excluded.disabled, created_at = excluded.created_at \
        WHERE (users.email, users.password, users.disabled, users.created_at) IS DISTINCT FROM \
        (excluded.email, excluded.password, excluded.disabled, excluded.created_at)";
    let users = || parts.users.values();
    let folded: Vec<String> = users().map(|user| folded(&user.email)).collect();
    let params: Params<'_> = &[
        &texts(users().map(|user| user.subject.as_str())),
        &texts(users().map(|user| user.email.as_str())),
        &texts(folded.iter().map(String::as_str)),
        &users()
            .map(|user| user.password.as_deref().map(Text))
            .collect::<Vec<_>>(),
        &users().map(|user| user.disabled).collect::<Vec<_>>(),
        &users()
            .map(|user| to_sql(user.created_at))
            .collect::<Vec<_>>(),
    ];
    sql.change(upsert, params).await
}

fn texts<'a>(all: impl Iterator<Item = &'a str>) -> Vec<Text<'a>> {
    all.map(Text).collect()
}

async fn import_consents(sql: &Connection, parts: &Parts<'_>) -> Result<u64, StoreError> {
    if parts.consents.is_empty() {
        return Ok(0);
    }
    let upsert = "INSERT INTO consents (subject, client, scope, at) \
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) \
        ON CONFLICT (subject, client) DO UPDATE SET scope = excluded.scope, at = excluded.at \
        WHERE excluded.at >= consents.at \
        AND (excluded.scope, excluded.at) IS DISTINCT FROM (consents.scope, consents.at)";
    let consents = || parts.consents.values();
    let scopes: Vec<String> = consents().map(|given| given.scope.to_string()).collect();
    let params: Params<'_> = &[
        &texts(consents().map(|given| given.subject.as_str())),
        &texts(consents().map(|given| given.client.as_str())),
        &texts(scopes.iter().map(String::as_str)),
        &consents().map(|given| to_sql(given.at)).collect::<Vec<_>>(),
    ];
    sql.change(upsert, params).await
}

async fn import_cuts(sql: &Connection, parts: &Parts<'_>) -> Result<u64, StoreError> {
    if parts.cuts.is_empty() {
        return Ok(0);
    }
    let upsert = "INSERT INTO cuts (subject, before, cause) \
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[]) \
        ON CONFLICT (subject) DO UPDATE SET before = excluded.before, cause = excluded.cause \
        WHERE excluded.before >= cuts.before \
        AND (excluded.before, excluded.cause) IS DISTINCT FROM (cuts.before, cuts.cause)";
    let params: Params<'_> = &[
        &texts(parts.cuts.keys().map(|subject| subject.as_str())),
        &parts
            .cuts
            .values()
            .map(|cut| to_sql(cut.before))
            .collect::<Vec<_>>(),
        &parts
            .cuts
            .values()
            .map(|cut| cut.cause.as_str())
            .collect::<Vec<_>>(),
    ];
    sql.change(upsert, params).await
}

async fn import_tickets(sql: &Connection, parts: &Parts<'_>) -> Result<u64, StoreError> {
    if parts.tickets.is_empty() {
        return Ok(0);
    }
    let upsert = "INSERT INTO tickets (kind, hash, subject, expires_at, used_at, payload) \
        SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::bigint[], $5::bigint[], \
        $6::text[]) ON CONFLICT (kind, hash) DO UPDATE SET subject = excluded.subject, \
        expires_at = excluded.expires_at, used_at = excluded.used_at, payload = excluded.payload \
        WHERE tickets.used_at IS NULL AND (tickets.subject, tickets.expires_at, tickets.used_at, \
        tickets.payload) IS DISTINCT FROM \
        (excluded.subject, excluded.expires_at, excluded.used_at, excluded.payload)";
    let tickets = || parts.tickets.values();
    let params: Params<'_> = &[
        &tickets()
            .map(|ticket| ticket.kind.as_str())
            .collect::<Vec<_>>(),
        &tickets()
            .map(|ticket| ticket.hash.as_slice())
            .collect::<Vec<_>>(),
        &tickets().map(|ticket| whose(ticket)).collect::<Vec<_>>(),
        &tickets()
            .map(|ticket| to_sql(ticket.expires_at))
            .collect::<Vec<_>>(),
        &tickets()
            .map(|ticket| ticket.used_at.map(to_sql))
            .collect::<Vec<_>>(),
        &texts(tickets().map(|ticket| ticket.payload.as_str())),
    ];
    sql.change(upsert, params).await
}

fn whose(ticket: &Ticket) -> Option<Text<'_>> {
    ticket.subject.as_ref().map(Subject::as_str).map(Text)
}

async fn import_devices(sql: &Connection, parts: &Parts<'_>) -> Result<u64, StoreError> {
    // `greatest` passes over NULL.
    let upsert = "INSERT INTO devices (code, user_code, client, payload, expires_at, \
        interval_seconds, polled_at, decision, subject, auth_time, used_at, used_key) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
        ON CONFLICT (code) DO UPDATE SET \
        interval_seconds = greatest(devices.interval_seconds, excluded.interval_seconds), \
        polled_at = greatest(devices.polled_at, excluded.polled_at), \
        decision = coalesce(devices.decision, excluded.decision), \
        subject = CASE WHEN devices.decision IS NULL THEN excluded.subject ELSE devices.subject END, \
        auth_time = CASE WHEN devices.decision IS NULL THEN excluded.auth_time \
            ELSE devices.auth_time END, \
        used_at = coalesce(devices.used_at, excluded.used_at), \
        used_key = CASE WHEN devices.used_at IS NULL THEN excluded.used_key \
            ELSE devices.used_key END \
        WHERE excluded.interval_seconds > devices.interval_seconds \
        OR greatest(devices.polled_at, excluded.polled_at) IS DISTINCT FROM devices.polled_at \
        OR (devices.decision IS NULL AND excluded.decision IS NOT NULL) \
        OR (devices.used_at IS NULL AND excluded.used_at IS NOT NULL)";
    let mut changed = 0;
    for device in parts.devices.values() {
        let decision = device.decision.as_ref().map(Decision::columns);
        let (decision, subject, auth_time) = decision
            .map_or((None, None, None), |(word, subject, at)| {
                (Some(word), subject, at)
            });
        let used = device.used.as_ref();
        let key = used.and_then(|used| used.key.as_ref());
        let params: Params<'_> = &[
            &device.code.as_slice(),
            &device.user_code.as_slice(),
            &Text(device.client.as_str()),
            &Text(&device.payload),
            &to_sql(device.expires_at),
            &seconds_to_sql(device.interval),
            &device.polled_at.map(to_sql),
            &decision,
            &subject.map(Text),
            &auth_time.map(to_sql),
            &used.map(|used| to_sql(used.at)),
            &key.map(<[u8; 32]>::as_slice),
        ];
        changed += sql.change(upsert, params).await?;
    }
    Ok(changed)
}

async fn import_events(sql: &Connection, events: &[&AuditEvent]) -> Result<u64, StoreError> {
    let Some((first, last)) = span(events) else {
        return Ok(0);
    };
    let here = sql
        .rows(audit::BETWEEN, &[&to_sql(first), &to_sql(last)])
        .await?;
    let here: HashSet<AuditEvent> = here.iter().map(audit::event).collect::<Result<_, _>>()?;
    let missing = missing(here, events);
    if !missing.is_empty() {
        audit::record(sql, &missing).await?;
    }
    Ok(missing.len() as u64)
}
