//! A session of another store.

use rusqlite::{Connection, OptionalExtension as _, params};
use tenure_core::id::LineageId;
use tenure_core::lineage::{Cut, Row};
use tenure_core::time::Timestamp;

use super::super::codec::{cut, ring_to_blob, time, to_sql, uses_to_blob};
use super::super::sessions;
use super::super::writer::Group;
use crate::transfer::merged;
use crate::{Entry, Loaded, StoreError};

/// Takes it over as far as it is further than the one here; its begin, its end and
/// that a cut spared it go to the revocation log as if they had happened here.
pub(super) fn import(group: &mut Group<'_>, loaded: &Loaded) -> Result<bool, StoreError> {
    let sql = group.sql;
    let row = &loaded.row;
    let spared_from = match loaded.cut {
        Some(_) => None,
        None => cut_here(sql, row.grant.subject.as_str())?,
    };
    let spared_until = spared_from.map_or(Timestamp(0), |cut| cut.before);
    let here = find(sql, row.lineage)?;
    let (after, spared_until) = match &here {
        None => (row.clone(), spared_until),
        Some((here, spared)) => (merged(here, row), spared_until.max(*spared)),
    };
    let spared_before = here.as_ref().map_or(Timestamp(0), |(_, spared)| *spared);
    let ended_before = here
        .as_ref()
        .is_some_and(|(here, _)| here.revoked.is_some());
    match here {
        Some(here) if here == (after.clone(), spared_until) => return Ok(false),
        Some(_) => {}
        None => {
            sessions::insert(sql, &after)?;
            group.log(Entry::created(&after));
        }
    }
    write(sql, &after, spared_until)?;
    if let Some(cut) = spared_from.filter(|cut| cut.before > spared_before) {
        group.log(Entry::Cut {
            subject: after.grant.subject.clone(),
            cut,
            keep: Some(after.lineage),
        });
    }
    if let (Some(why), false) = (after.revoked, ended_before) {
        let lineage = after.lineage;
        group.log(Entry::Revoked { lineage, why });
    }
    Ok(true)
}

fn cut_here(sql: &Connection, subject: &str) -> Result<Option<Cut>, StoreError> {
    let mut query = sql.prepare_cached("SELECT before, cause FROM cuts WHERE subject = ?1")?;
    let found = query.query_row([subject], |columns| cut(columns, 0));
    Ok(found.optional()?.flatten())
}

fn find(sql: &Connection, lineage: LineageId) -> Result<Option<(Row, Timestamp)>, StoreError> {
    let mut query = sql.prepare_cached(sessions::ONE_SPARED)?;
    let found = query.query_row([lineage.0.as_bytes()], |columns| {
        Ok((
            sessions::session(columns)?,
            time(columns, sessions::AFTER_COLUMNS)?,
        ))
    });
    Ok(found.optional()?)
}

/// All that changes in the life of a session.
fn write(sql: &Connection, row: &Row, spared_until: Timestamp) -> Result<(), StoreError> {
    let mut update = sql.prepare_cached(
        "UPDATE sessions SET head_id = ?2, head_generation = ?3, head_since = ?4, head_uses = ?5, \
         ring = ?6, history_unknown_until = ?7, revoked_at = ?8, revoked_cause = ?9, \
         spared_until = ?10 WHERE lineage = ?1",
    )?;
    update.execute(params![
        row.lineage.0.as_bytes(),
        row.head.id.0,
        row.head.generation,
        to_sql(row.head.since),
        uses_to_blob(&row.head.uses),
        ring_to_blob(&row.ring),
        row.history_unknown_until.map(to_sql),
        row.revoked.map(|end| to_sql(end.at)),
        row.revoked.map(|end| end.cause.as_str()),
        to_sql(spared_until),
    ])?;
    Ok(())
}
