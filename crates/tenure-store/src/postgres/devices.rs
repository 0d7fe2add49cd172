//! Device authorizations in SQL.

use tenure_core::id::{ClientId, Subject};
use tenure_core::time::Timestamp;
use tokio_postgres::Row as Columns;

use super::codec::{
    Text, bytes, seconds, seconds_to_sql, text, text_or_null, time, time_or_null, to_sql, value,
    written,
};
use super::pool::{Connection, Params, Pool};
use crate::{Decision, Device, Polled, StoreError, TicketHash, Used, Written};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT code, user_code, client, payload, expires_at, interval_seconds, polled_at, \
             decision, subject, auth_time, used_at, used_key FROM devices ",
            $rest
        )
    };
}

/// A page after a code.
pub(super) const PAGE: &str = select!("WHERE code > $1 ORDER BY code LIMIT $2");

pub(super) async fn add(sql: &Connection, device: &Device) -> Result<Written, StoreError> {
    let insert = "INSERT INTO devices (code, user_code, client, payload, expires_at, \
        interval_seconds) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let params: Params<'_> = &[
        &device.code.as_slice(),
        &device.user_code.as_slice(),
        &Text(device.client.as_str()),
        &Text(&device.payload),
        &to_sql(device.expires_at),
        &seconds_to_sql(device.interval),
    ];
    let added = sql.change(insert, params).await?;
    Ok(written(added))
}

pub(super) async fn find(
    sql: &Connection,
    user_code: TicketHash,
    now: Timestamp,
) -> Result<Option<Device>, StoreError> {
    let query = select!("WHERE user_code = $1 AND expires_at >= $2");
    let found = sql
        .row(query, &[&user_code.as_slice(), &to_sql(now)])
        .await?;
    found.as_ref().map(device).transpose()
}

pub(super) fn device(columns: &Columns) -> Result<Device, StoreError> {
    let subject = text_or_null(columns, 8)?;
    let denied = value::<Option<&str>>(columns, 7)?.map(|_| Decision::Denied);
    let decision = match (subject, time_or_null(columns, 9)?) {
        (Some(subject), Some(auth_time)) => Some(Decision::Allowed {
            subject: Subject::new(subject),
            auth_time,
        }),
        _ => denied,
    };
    let key = value::<Option<&[u8]>>(columns, 11)?
        .map(|_| bytes(columns, 11))
        .transpose()?;
    Ok(Device {
        code: bytes(columns, 0)?,
        user_code: bytes(columns, 1)?,
        client: ClientId::new(text(columns, 2)?),
        payload: text(columns, 3)?,
        expires_at: time(columns, 4)?,
        interval: seconds(columns, 5)?,
        polled_at: time_or_null(columns, 6)?,
        decision,
        used: time_or_null(columns, 10)?.map(|at| Used { at, key }),
    })
}

pub(super) async fn decide(
    sql: &Connection,
    user_code: TicketHash,
    decision: &Decision,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let (word, subject, auth_time) = decision.columns();
    let update = "UPDATE devices SET decision = $3, subject = $4, auth_time = $5 \
        WHERE user_code = $1 AND expires_at >= $2 AND decision IS NULL";
    let params: Params<'_> = &[
        &user_code.as_slice(),
        &to_sql(now),
        &word,
        &subject.map(Text),
        &auth_time.map(to_sql),
    ];
    let changed = sql.change(update, params).await?;
    Ok(written(changed))
}

/// Reads, asks the rule and writes while the row is locked.
pub(super) async fn poll(
    pool: &Pool,
    code: TicketHash,
    client: &ClientId,
    key: Option<TicketHash>,
    now: Timestamp,
) -> Result<Polled, StoreError> {
    let transaction = pool.begin().await?;
    let query = select!("WHERE code = $1 AND client = $2 FOR NO KEY UPDATE");
    let found = transaction
        .row(query, &[&code.as_slice(), &Text(client.as_str())])
        .await?;
    let polled = match found.as_ref().map(device).transpose()? {
        None => Polled::Missing,
        Some(before) => {
            let mut after = before.clone();
            let polled = after.poll(key, now);
            if after != before {
                write(&transaction, &after).await?;
            }
            polled
        }
    };
    transaction.commit().await?;
    Ok(polled)
}

async fn write(sql: &Connection, device: &Device) -> Result<(), StoreError> {
    let update = "UPDATE devices SET interval_seconds = $2, polled_at = $3, used_at = $4, \
        used_key = $5 WHERE code = $1";
    let used = device.used.as_ref();
    let key = used.and_then(|used| used.key.as_ref());
    let params: Params<'_> = &[
        &device.code.as_slice(),
        &seconds_to_sql(device.interval),
        &device.polled_at.map(to_sql),
        &used.map(|used| to_sql(used.at)),
        &key.map(<[u8; 32]>::as_slice),
    ];
    sql.change(update, params).await.map(drop)
}

pub(super) async fn remove(sql: &Connection, code: TicketHash) -> Result<(), StoreError> {
    let delete = "DELETE FROM devices WHERE code = $1";
    sql.change(delete, &[&code.as_slice()]).await.map(drop)
}
