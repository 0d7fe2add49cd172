//! Accounts and consents in SQL.

use tenure_core::id::{ClientId, Subject};
use tenure_core::scope::Scope;
use tokio_postgres::Row as Columns;

use super::codec::{Text, text, text_or_null, time, to_sql, value, written};
use super::meta::noticed;
use super::pool::{Connection, Params};
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

pub(super) async fn add(sql: &Connection, user: &User) -> Result<Written, StoreError> {
    let insert = noticed!(
        "INSERT INTO users (subject, email, email_folded, password, disabled, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1"
    );
    let params: Params<'_> = &[
        &Text(user.subject.as_str()),
        &Text(&user.email),
        &Text(&folded(&user.email)),
        &user.password.as_deref().map(Text),
        &user.disabled,
        &to_sql(user.created_at),
    ];
    changed(sql, insert, params).await
}

pub(super) async fn by_email(sql: &Connection, email: &str) -> Result<Option<User>, StoreError> {
    let query = select!("WHERE email_folded = $1");
    let found = sql.row(query, &[&Text(&folded(email))]).await?;
    found.as_ref().map(user).transpose()
}

pub(super) async fn by_subject(
    sql: &Connection,
    subject: &Subject,
) -> Result<Option<User>, StoreError> {
    let query = select!("WHERE subject = $1");
    let found = sql.row(query, &[&Text(subject.as_str())]).await?;
    found.as_ref().map(user).transpose()
}

pub(super) async fn list(
    sql: &Connection,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    let limit = i64::from(limit);
    let users = if let Some(after) = after.map(folded) {
        let query = select!("WHERE email_folded > $1 ORDER BY email_folded LIMIT $2");
        sql.rows(query, &[&Text(&after), &limit]).await?
    } else {
        let query = select!("ORDER BY email_folded LIMIT $1");
        sql.rows(query, &[&limit]).await?
    };
    users.iter().map(user).collect()
}

pub(super) fn user(columns: &Columns) -> Result<User, StoreError> {
    Ok(User {
        subject: Subject::new(text(columns, 0)?),
        email: text(columns, 1)?,
        password: text_or_null(columns, 2)?,
        disabled: value(columns, 3)?,
        created_at: time(columns, 4)?,
    })
}

pub(super) async fn set_password(
    sql: &Connection,
    subject: &Subject,
    expected: Option<&str>,
    hash: &str,
) -> Result<Written, StoreError> {
    let update = noticed!(
        "UPDATE users SET password = $3 \
         WHERE subject = $1 AND ($2::text IS NULL OR password = $2) RETURNING 1"
    );
    let (subject, expected) = (Text(subject.as_str()), expected.map(Text));
    changed(sql, update, &[&subject, &expected, &Text(hash)]).await
}

pub(super) async fn set_disabled(
    sql: &Connection,
    subject: &Subject,
    disabled: bool,
) -> Result<Written, StoreError> {
    let update = noticed!("UPDATE users SET disabled = $2 WHERE subject = $1 RETURNING 1");
    changed(sql, update, &[&Text(subject.as_str()), &disabled]).await
}

/// Carries out a statement of [`noticed!`].
pub(super) async fn changed(
    sql: &Connection,
    change: &'static str,
    params: Params<'_>,
) -> Result<Written, StoreError> {
    let none = || StoreError::Damaged("the database did not count".to_owned());
    let count = sql.row(change, params).await?.ok_or_else(none)?;
    Ok(written(value::<i64>(&count, 0)?.cast_unsigned()))
}

pub(super) async fn consent(
    sql: &Connection,
    subject: &Subject,
    client: &ClientId,
) -> Result<Option<Scope>, StoreError> {
    let query = "SELECT scope FROM consents WHERE subject = $1 AND client = $2";
    let (subject, client) = (Text(subject.as_str()), Text(client.as_str()));
    let found = sql.row(query, &[&subject, &client]).await?;
    let scope = |columns: &Columns| text(columns, 0).map(|text| Scope::parse(&text));
    found.as_ref().map(scope).transpose()
}

pub(super) async fn set_consent(sql: &Connection, consent: &Consent) -> Result<(), StoreError> {
    let upsert = "INSERT INTO consents (subject, client, scope, at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (subject, client) DO UPDATE SET scope = excluded.scope, at = excluded.at";
    let params: Params<'_> = &[
        &Text(consent.subject.as_str()),
        &Text(consent.client.as_str()),
        &Text(&consent.scope.to_string()),
        &to_sql(consent.at),
    ];
    sql.change(upsert, params).await.map(drop)
}
