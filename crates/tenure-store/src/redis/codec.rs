//! A session as the fields of a hash.
//!
//! | field | what | written by |
//! |---|---|---|
//! | `p` | where the log tells of its beginning | create |
//! | `b` | that line of the log: all that never changes | create |
//! | `h` | head: id 8, generation 4, since 8, uses 4 each | create, advance, note |
//! | `r` | ring: history unknown until 8, then id 8 and moment 8 each | create, advance |
//! | `e` | its end: where the log tells of it, when, why | create, revoke |
//! | `c` | the cut of its subject: before when, why | create, revoke, spare |
//! | `s` | cuts up to this moment spare it | create, spare |

use std::time::Duration;

use redis::Value;
use tenure_core::lineage::{Cut, EndCause, Head, KeyHash, Retired, Revocation, Row, TokenId};
use tenure_core::time::Timestamp;

use super::error::damaged;
use crate::{Entry, Loaded, StoreError};

/// What a load asks for, in this order.
pub(super) const FIELDS: [&str; 6] = ["b", "h", "r", "e", "c", "s"];

/// A head is this long with no uses.
const HEAD: usize = 20;

/// The length of a head that takes no more uses.
pub(super) const FULL_HEAD: usize = HEAD + Head::USES * size_of::<KeyHash>();

/// Stands for no mark: a moment that never comes.
const NO_MARK: u64 = u64::MAX;

/// A key outlives what it is kept for by this much: nothing goes early because a clock is wrong or
/// a backup is a day old.
pub(super) const GRACE: Duration = Duration::from_hours(24);

/// Redis counts in milliseconds and refuses what overflows: a hundred years are as good as never.
const LONGEST: Duration = Duration::from_hours(24 * 36525);

/// Seconds that a key lives after a write at `since`: until no presentation can need the row, which
/// twice the idle limit is, because a presentation of the head extends it by one without a write.
/// Counted from the write rather than as a moment, so that the clock of Redis does not matter.
pub(super) fn seconds_to_live(absolute: Timestamp, idle: Duration, since: Timestamp) -> u64 {
    let rest = absolute.since(since);
    let idle = idle.saturating_mul(2);
    rest.min(idle).saturating_add(GRACE).min(LONGEST).as_secs()
}

/// Seconds that an ended session is kept, so that its holder can be told why.
pub(super) fn seconds_after_end() -> u64 {
    (crate::record::KEEP_ENDED + GRACE).as_secs()
}

/// The fields that never change, as the log tells of them.
pub(super) fn body(entry: &Entry) -> Result<String, StoreError> {
    serde_json::to_string(entry).map_err(|why| StoreError::Damaged(why.to_string()))
}

pub(super) fn head(head: &Head) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FULL_HEAD);
    bytes.extend_from_slice(&head.id.0);
    bytes.extend_from_slice(&head.generation.to_be_bytes());
    bytes.extend_from_slice(&head.since.0.to_be_bytes());
    for hash in &head.uses {
        bytes.extend_from_slice(&hash.to_be_bytes());
    }
    bytes
}

pub(super) fn ring(mark: Option<Timestamp>, ring: &[Retired]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + ring.len() * 16);
    bytes.extend_from_slice(&mark.map_or(NO_MARK, |until| until.0).to_be_bytes());
    for entry in ring {
        bytes.extend_from_slice(&entry.id.0);
        bytes.extend_from_slice(&entry.at.0.to_be_bytes());
    }
    bytes
}

pub(super) fn cut(cut: Cut) -> String {
    format!("{} {}", cut.before.0, cut.cause)
}

pub(super) fn end(position: u64, why: Revocation) -> String {
    format!("{position} {} {}", why.at.0, why.cause)
}

/// Reads what a load answered; `None` where there is no session.
pub(super) fn loaded(fields: &[Value]) -> Result<Option<Loaded>, StoreError> {
    let [body, head, ring, end, cut, spared] = fields else {
        return Err(damaged("a session has other fields than were asked for"));
    };
    let Some(body) = bytes(body) else {
        return Ok(None);
    };
    let mut row = born(body).ok_or_else(|| damaged("the beginning of a session"))?;
    let ring = bytes(ring).and_then(read_ring);
    let (Some(head), Some((mark, ring))) = (bytes(head).and_then(read_head), ring) else {
        return Err(damaged("the head of a session"));
    };
    row.head = head;
    row.ring = ring;
    row.history_unknown_until = mark;
    row.revoked = match bytes(end) {
        Some(end) => Some(read_end(end)?.1),
        None => None,
    };
    let spared = spared_until(spared);
    let cut = match bytes(cut) {
        Some(cut) => Some(read_cut(cut).ok_or_else(|| damaged("the cut of a session"))?),
        None => None,
    };
    let cut = cut.filter(|cut| cut.before > spared);
    Ok(Some(Loaded { row, cut }))
}

/// The line of the log that tells of the beginning, and up to when cuts spare the session.
pub(super) fn beginning(fields: &[Value]) -> Option<(Entry, Timestamp)> {
    let [body, .., spared] = fields else {
        return None;
    };
    let entry = serde_json::from_slice(bytes(body)?).ok()?;
    Some((entry, spared_until(spared)))
}

fn spared_until(spared: &Value) -> Timestamp {
    bytes(spared).and_then(number).unwrap_or(Timestamp(0))
}

fn born(body: &[u8]) -> Option<Row> {
    match serde_json::from_slice(body).ok()? {
        Entry::Created {
            lineage,
            at,
            begun: Some(begun),
        } => Some(begun.row(lineage, at)),
        _ => None,
    }
}

fn read_head(bytes: &[u8]) -> Option<Head> {
    let (id, rest) = bytes.split_first_chunk()?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (since, rest) = rest.split_first_chunk()?;
    let (uses, torn) = rest.as_chunks();
    torn.is_empty().then(|| Head {
        id: TokenId(*id),
        generation: u32::from_be_bytes(*generation),
        since: Timestamp(u64::from_be_bytes(*since)),
        uses: uses.iter().copied().map(KeyHash::from_be_bytes).collect(),
    })
}

fn read_ring(bytes: &[u8]) -> Option<(Option<Timestamp>, Vec<Retired>)> {
    let (mark, rest) = bytes.split_first_chunk()?;
    let (words, torn) = rest.as_chunks::<8>();
    let (entries, odd) = words.as_chunks::<2>();
    let entry = |[id, at]: &[[u8; 8]; 2]| Retired {
        id: TokenId(*id),
        at: Timestamp(u64::from_be_bytes(*at)),
    };
    let mark = Some(u64::from_be_bytes(*mark)).filter(|mark| *mark != NO_MARK);
    let whole = torn.is_empty() && odd.is_empty();
    whole.then(|| (mark.map(Timestamp), entries.iter().map(entry).collect()))
}

/// Where the log tells of the end, and the end.
pub(super) fn read_end(end: &[u8]) -> Result<(u64, Revocation), StoreError> {
    let read = || {
        let mut words = std::str::from_utf8(end).ok()?.split(' ');
        let position = words.next()?.parse().ok()?;
        let at = Timestamp(words.next()?.parse().ok()?);
        let cause = EndCause::parse(words.next()?)?;
        Some((position, Revocation { at, cause }))
    };
    read().ok_or_else(|| damaged("the end of a session"))
}

fn read_cut(cut: &[u8]) -> Option<Cut> {
    let (before, cause) = std::str::from_utf8(cut).ok()?.split_once(' ')?;
    Some(Cut {
        before: Timestamp(before.parse().ok()?),
        cause: EndCause::parse(cause)?,
    })
}

fn number(text: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(text).ok()?.parse().ok().map(Timestamp)
}

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}
