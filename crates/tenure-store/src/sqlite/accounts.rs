//! Accounts and consents in SQL.

use rusqlite::{Connection, OptionalExtension as _, Row as Columns, params};
use tenure_core::id::Subject;
use tenure_core::scope::Scope;

use super::codec::{time, to_sql, word};
use super::meta;
use super::writer::Group;
use crate::record::folded;
use crate::{Consent, StoreError, User, Written};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT subject, email, password, disabled, created_at FROM users ",
            $rest
        )
    };
}

pub(super) fn add(group: &Group<'_>, user: &User) -> Result<Written, StoreError> {
    let mut insert = group.sql.prepare_cached(
        "INSERT INTO users (subject, email, email_folded, password, disabled, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    let added = insert.execute(params![
        user.subject.as_str(),
        user.email,
        folded(&user.email),
        user.password,
        user.disabled,
        to_sql(user.created_at),
    ])?;
    noticed(group, added)
}

pub(super) fn by_email(sql: &Connection, email: &str) -> Result<Option<User>, StoreError> {
    let mut query = sql.prepare_cached(select!("WHERE email_folded = ?1"))?;
    Ok(query.query_row([folded(email)], user).optional()?)
}

pub(super) fn by_subject(sql: &Connection, subject: &str) -> Result<Option<User>, StoreError> {
    let mut query = sql.prepare_cached(select!("WHERE subject = ?1"))?;
    Ok(query.query_row([subject], user).optional()?)
}

pub(super) fn list(
    sql: &Connection,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    let mut query = sql.prepare_cached(select!(
        "WHERE ?1 IS NULL OR email_folded > ?1 ORDER BY email_folded LIMIT ?2"
    ))?;
    let users = query.query_map((after.map(folded), limit), user)?;
    Ok(users.collect::<Result<_, _>>()?)
}

pub(super) fn user(columns: &Columns<'_>) -> rusqlite::Result<User> {
    Ok(User {
        subject: Subject::new(columns.get::<_, String>(0)?),
        email: columns.get(1)?,
        password: columns.get(2)?,
        disabled: columns.get(3)?,
        created_at: time(columns, 4)?,
    })
}

pub(super) fn set_password(
    group: &Group<'_>,
    subject: &str,
    expected: Option<&str>,
    hash: &str,
) -> Result<Written, StoreError> {
    let mut update = group.sql.prepare_cached(
        "UPDATE users SET password = ?3 WHERE subject = ?1 AND (?2 IS NULL OR password = ?2)",
    )?;
    let changed = update.execute((subject, expected, hash))?;
    noticed(group, changed)
}

pub(super) fn set_disabled(
    group: &Group<'_>,
    subject: &str,
    disabled: bool,
) -> Result<Written, StoreError> {
    let mut update = group
        .sql
        .prepare_cached("UPDATE users SET disabled = ?2 WHERE subject = ?1")?;
    let changed = update.execute((subject, disabled))?;
    noticed(group, changed)
}

fn noticed(group: &Group<'_>, changed: usize) -> Result<Written, StoreError> {
    if changed > 0 {
        meta::bump_version(group.sql)?;
    }
    Ok(Written::if_any(changed))
}

pub(super) fn consent(
    sql: &Connection,
    subject: &str,
    client: &str,
) -> Result<Option<Scope>, StoreError> {
    let mut query =
        sql.prepare_cached("SELECT scope FROM consents WHERE subject = ?1 AND client = ?2")?;
    let scope = |columns: &Columns<'_>| word(columns, 0, |text| Some(Scope::parse(text)));
    Ok(query.query_row((subject, client), scope).optional()?)
}

pub(super) fn set_consent(group: &Group<'_>, consent: &Consent) -> Result<(), StoreError> {
    let mut upsert = group.sql.prepare_cached(
        "INSERT INTO consents (subject, client, scope, at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO UPDATE SET scope = excluded.scope, at = excluded.at",
    )?;
    upsert.execute((
        consent.subject.as_str(),
        consent.client.as_str(),
        consent.scope.to_string(),
        to_sql(consent.at),
    ))?;
    Ok(())
}
