//! Columns to values and back.

use std::time::Duration;

use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Result, Row as Columns};
use tenure_core::lineage::{Cut, EndCause, KeyHash, Retired, TokenId};
use tenure_core::time::Timestamp;

/// SQLite's integers are signed; a time beyond them is as good as never.
pub(super) fn to_sql(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

pub(super) fn seconds_to_sql(duration: Duration) -> i64 {
    to_sql(Timestamp(duration.as_secs()))
}

pub(super) fn time(columns: &Columns<'_>, at: usize) -> Result<Timestamp> {
    unsigned(columns.get(at)?, at).map(Timestamp)
}

pub(super) fn time_or_null(columns: &Columns<'_>, at: usize) -> Result<Option<Timestamp>> {
    let value: Option<i64> = columns.get(at)?;
    value
        .map(|value| unsigned(value, at).map(Timestamp))
        .transpose()
}

pub(super) fn seconds(columns: &Columns<'_>, at: usize) -> Result<Duration> {
    unsigned(columns.get(at)?, at).map(Duration::from_secs)
}

fn unsigned(value: i64, at: usize) -> Result<u64> {
    u64::try_from(value).map_err(|_| bad(at, Type::Integer, FromSqlError::OutOfRange(value)))
}

/// A column that holds one of a few words.
pub(super) fn word<T>(
    columns: &Columns<'_>,
    at: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T> {
    let text = columns
        .get_ref(at)?
        .as_str()
        .map_err(|why| bad(at, Type::Text, why))?;
    parse(text).ok_or_else(|| bad(at, Type::Text, FromSqlError::Other("unknown word".into())))
}

pub(super) fn cut(columns: &Columns<'_>, at: usize) -> Result<Option<Cut>> {
    let Some(before) = time_or_null(columns, at)? else {
        return Ok(None);
    };
    let cause = word(columns, at + 1, EndCause::parse)?;
    Ok(Some(Cut { before, cause }))
}

pub(super) fn uses_to_blob(uses: &[KeyHash]) -> Vec<u8> {
    uses.iter().flat_map(|hash| hash.to_be_bytes()).collect()
}

pub(super) fn uses(columns: &Columns<'_>, at: usize) -> Result<Vec<KeyHash>> {
    let (hashes, rest) = blob(columns, at)?.as_chunks::<4>();
    whole(rest, at)?;
    Ok(hashes.iter().copied().map(KeyHash::from_be_bytes).collect())
}

/// Sixteen bytes per entry: id, then the time.
pub(super) fn ring_to_blob(ring: &[Retired]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(ring.len() * 16);
    for entry in ring {
        blob.extend_from_slice(&entry.id.0);
        blob.extend_from_slice(&entry.at.0.to_be_bytes());
    }
    blob
}

pub(super) fn ring(columns: &Columns<'_>, at: usize) -> Result<Vec<Retired>> {
    let (words, rest) = blob(columns, at)?.as_chunks::<8>();
    whole(rest, at)?;
    let (entries, odd) = words.as_chunks::<2>();
    whole(odd.as_flattened(), at)?;
    let entry = |[id, since]: &[[u8; 8]; 2]| Retired {
        id: TokenId(*id),
        at: Timestamp(u64::from_be_bytes(*since)),
    };
    Ok(entries.iter().map(entry).collect())
}

fn blob<'a>(columns: &'a Columns<'_>, at: usize) -> Result<&'a [u8]> {
    columns
        .get_ref(at)?
        .as_blob()
        .map_err(|why| bad(at, Type::Blob, why))
}

fn whole(rest: &[u8], at: usize) -> Result<()> {
    if rest.is_empty() {
        return Ok(());
    }
    let why = FromSqlError::Other("a torn list".into());
    Err(bad(at, Type::Blob, why))
}

fn bad(at: usize, kind: Type, why: FromSqlError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, kind, why.into())
}
