//! Columns to values and back.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use tenure_core::lineage::{Cut, EndCause, KeyHash, Retired, TokenId};
use tenure_core::time::Timestamp;
use tokio_postgres::Row as Columns;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{StoreError, Written};

/// PostgreSQL's integers are signed; a time beyond them is as good as never.
pub(super) fn to_sql(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

pub(super) fn seconds_to_sql(duration: Duration) -> i64 {
    to_sql(Timestamp(duration.as_secs()))
}

/// Any text: PostgreSQL's takes no NUL, which a request may well hold, so NUL is kept as `\0` and a
/// backslash as `\\`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        escaped(self.0).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['\\', '\0']) {
        return Cow::Owned(text.replace('\\', r"\\").replace('\0', r"\0"));
    }
    Cow::Borrowed(text)
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        plain.push(if after.starts_with('0') { '\0' } else { '\\' });
        rest = after.get(1..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// A column of any type that reads as it is.
pub(super) fn value<'a, T: FromSql<'a>>(columns: &'a Columns, at: usize) -> Result<T, StoreError> {
    columns
        .try_get(at)
        .map_err(|why| bad(columns, at, &why.to_string()))
}

pub(super) fn text(columns: &Columns, at: usize) -> Result<String, StoreError> {
    value(columns, at).map(plain)
}

pub(super) fn text_or_null(columns: &Columns, at: usize) -> Result<Option<String>, StoreError> {
    let text: Option<&str> = value(columns, at)?;
    Ok(text.map(plain))
}

pub(super) fn time(columns: &Columns, at: usize) -> Result<Timestamp, StoreError> {
    unsigned(columns, at, value(columns, at)?).map(Timestamp)
}

pub(super) fn time_or_null(columns: &Columns, at: usize) -> Result<Option<Timestamp>, StoreError> {
    let seconds: Option<i64> = value(columns, at)?;
    seconds
        .map(|seconds| unsigned(columns, at, seconds).map(Timestamp))
        .transpose()
}

pub(super) fn seconds(columns: &Columns, at: usize) -> Result<Duration, StoreError> {
    unsigned(columns, at, value(columns, at)?).map(Duration::from_secs)
}

fn unsigned<T: TryFrom<i64>>(columns: &Columns, at: usize, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| bad(columns, at, "out of range"))
}

/// A number below 2^32.
pub(super) fn number(columns: &Columns, at: usize) -> Result<u32, StoreError> {
    unsigned(columns, at, value(columns, at)?)
}

/// A column of so many bytes.
pub(super) fn bytes<const N: usize>(columns: &Columns, at: usize) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = value(columns, at)?;
    bytes
        .try_into()
        .map_err(|_| bad(columns, at, "of another length"))
}

/// A column that holds one of a few words.
pub(super) fn word<T>(
    columns: &Columns,
    at: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(value(columns, at)?).ok_or_else(|| bad(columns, at, "an unknown word"))
}

pub(super) fn cut(columns: &Columns, at: usize) -> Result<Option<Cut>, StoreError> {
    let Some(before) = time_or_null(columns, at)? else {
        return Ok(None);
    };
    let cause = word(columns, at + 1, EndCause::parse)?;
    Ok(Some(Cut { before, cause }))
}

/// From the number of rows that met the condition.
pub(super) fn written(changed: u64) -> Written {
    Written::if_any(usize::from(changed > 0))
}

pub(super) fn uses_to_sql(uses: &[KeyHash]) -> Vec<u8> {
    uses.iter().flat_map(|hash| hash.to_be_bytes()).collect()
}

pub(super) fn uses(columns: &Columns, at: usize) -> Result<Vec<KeyHash>, StoreError> {
    let (hashes, rest) = value::<&[u8]>(columns, at)?.as_chunks::<4>();
    whole(columns, at, rest)?;
    Ok(hashes.iter().copied().map(KeyHash::from_be_bytes).collect())
}

/// Sixteen bytes per entry: id, then the time.
pub(super) fn ring_to_sql(ring: &[Retired]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ring.len() * 16);
    for entry in ring {
        bytes.extend_from_slice(&entry.id.0);
        bytes.extend_from_slice(&entry.at.0.to_be_bytes());
    }
    bytes
}

pub(super) fn ring(columns: &Columns, at: usize) -> Result<Vec<Retired>, StoreError> {
    let (words, rest) = value::<&[u8]>(columns, at)?.as_chunks::<8>();
    whole(columns, at, rest)?;
    let (entries, odd) = words.as_chunks::<2>();
    whole(columns, at, odd.as_flattened())?;
    let entry = |[id, since]: &[[u8; 8]; 2]| Retired {
        id: TokenId(*id),
        at: Timestamp(u64::from_be_bytes(*since)),
    };
    Ok(entries.iter().map(entry).collect())
}

fn whole(columns: &Columns, at: usize, rest: &[u8]) -> Result<(), StoreError> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(bad(columns, at, "a torn list"))
}

fn bad(columns: &Columns, at: usize, why: &str) -> StoreError {
    let name = columns
        .columns()
        .get(at)
        .map_or("?", |column| column.name());
    StoreError::Damaged(format!("column {name}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::{escaped, plain};

    #[test]
    fn any_text_reads_back() {
        for text in [
            "", "a", "\0", "\\", "\\0", "\\\\0", "a\0b\\c", "0\\", "\\\0\\", "é\\ü\0",
        ] {
            let kept = escaped(text);
            assert!(!kept.contains('\0'));
            assert_eq!(plain(&kept), text);
        }
    }
}
