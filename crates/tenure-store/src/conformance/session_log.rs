//! What every session log promises to a store that keeps its sessions elsewhere.
//!
//! The tests of a log are one line, in which the expression opens an empty one:
//! `session_log_conformance!(LogFixture::new(log, other, apart, home))`.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{EndCause, Revocation, Row};

use super::races::at_once;
use super::{ABSOLUTE, START, cut, lineage, logout, session, session_of};
use crate::{Entry, Position, SessionLog, Shard, cut_entries, deletion_entries};

const SECOND: Duration = Duration::from_secs(1);

/// An empty log and what it lives in.
#[derive(Debug)]
pub struct LogFixture {
    log: Arc<dyn SessionLog>,
    other: Arc<dyn SessionLog>,
    apart: Arc<dyn SessionLog>,
    /// Dropped after the case, such as a temporary directory.
    _home: Box<dyn Any>,
}

impl LogFixture {
    /// A log opened twice, as by two processes, and another log.
    pub fn new(
        log: impl SessionLog + 'static,
        other: impl SessionLog + 'static,
        apart: impl SessionLog + 'static,
        home: impl Any,
    ) -> Self {
        Self {
            log: Arc::new(log),
            other: Arc::new(other),
            apart: Arc::new(apart),
            _home: Box::new(home),
        }
    }
}

/// Makes one test of each case; `$open` is evaluated in each and answers a [`LogFixture`].
#[macro_export]
macro_rules! session_log_conformance {
    ($open:expr) => {
        $crate::session_log_conformance! { $open;
            an_id_is_that_of_one_log,
            positions_of_a_shard_begin_at_one_and_go_up_by_one,
            entries_read_back_as_they_were_appended,
            a_page_begins_after_a_position_and_ends_at_its_limit,
            appends_of_many_at_once_leave_no_gap,
            a_reader_sees_no_entry_before_those_in_front_of_it,
            sessions_are_found_by_their_subject_until_they_are_deleted,
            sessions_are_listed_page_by_page,
            a_deletion_removes_what_it_makes_useless,
            the_first_end_of_a_session_counts,
            the_later_cut_of_a_subject_stands,
            of_the_cuts_of_a_subject_the_last_stays,
            entries_go_after_the_absolute_limit_of_their_session,
        }
    };
    ($open:expr; $($case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                let fixture = $open;
                $crate::conformance::session_log::$case(&fixture).await;
            }
        )*
    };
}

fn created(row: &Row) -> (Shard, Entry) {
    (Shard::of(row.lineage), Entry::created(row))
}

fn revoked(n: u64, why: Revocation) -> (Shard, Entry) {
    let lineage = lineage(n);
    (Shard::of(lineage), Entry::Revoked { lineage, why })
}

fn deleted(n: u64) -> (Shard, Entry) {
    deletion_entries(&[(lineage(n), START + ABSOLUTE)]).remove(0)
}

fn before(shard: Shard) -> Position {
    Position { shard, at: 0 }
}

async fn append(log: &Arc<dyn SessionLog>, entries: &[(Shard, Entry)]) -> Vec<Position> {
    log.append(entries).await.unwrap()
}

async fn all(log: &Arc<dyn SessionLog>, shard: Shard) -> Vec<(Position, Entry)> {
    log.after(before(shard), 100_000).await.unwrap()
}

async fn places(log: &Arc<dyn SessionLog>, shard: Shard) -> Vec<u64> {
    let entries = all(log, shard).await;
    entries.iter().map(|(position, _)| position.at).collect()
}

async fn listed(log: &Arc<dyn SessionLog>, subject: &str) -> Vec<LineageId> {
    log.sessions_of(&Subject::new(subject)).await.unwrap()
}

/// Whoever opens it; and no other has it.
pub async fn an_id_is_that_of_one_log(fixture: &LogFixture) {
    let LogFixture {
        log, other, apart, ..
    } = fixture;
    let id = log.id().await.unwrap();
    assert_eq!(other.id().await, Ok(id.clone()));
    assert_ne!(apart.id().await, Ok(id));
}

/// Shard by shard, and where there are none there is no head.
pub async fn positions_of_a_shard_begin_at_one_and_go_up_by_one(fixture: &LogFixture) {
    let log = &fixture.log;
    assert_eq!(log.heads().await, Ok(Vec::new()));
    let (one, two) = (Shard::of(lineage(1)), Shard::of(lineage(2)));
    assert_ne!(one, two);
    let written = append(log, &[created(&session(2)), created(&session(1))]).await;
    assert_eq!(
        written,
        [
            Position { shard: two, at: 1 },
            Position { shard: one, at: 1 }
        ]
    );
    let ends = [revoked(1, logout()), revoked(1, logout())];
    let written = append(log, &ends).await;
    assert_eq!(written.iter().map(|end| end.at).collect::<Vec<_>>(), [2, 3]);
    let mut heads = fixture.other.heads().await.unwrap();
    heads.sort();
    let mut expected = [
        Position { shard: one, at: 3 },
        Position { shard: two, at: 1 },
    ];
    expected.sort();
    assert_eq!(heads, expected);
}

/// Every kind, with what a session consists of.
pub async fn entries_read_back_as_they_were_appended(fixture: &LogFixture) {
    let mut row = session_of("user \u{e9}\u{0}\\ 1", 1);
    row.device.label = Some("Ana's \"phone\"".to_owned());
    row.dpop_jkt = Some("thumbprint".to_owned());
    let mut entries = vec![created(&row), revoked(1, logout())];
    entries.extend(cut_entries(&row.grant.subject, cut(START), None, &[]));
    entries.extend(deletion_entries(&[
        (lineage(2), START),
        (lineage(3), START),
    ]));
    let written = append(&fixture.log, &entries).await;
    for (position, (shard, entry)) in written.into_iter().zip(entries) {
        assert_eq!(position.shard, shard);
        let found = all(&fixture.other, shard).await;
        assert!(found.contains(&(position, entry)), "{found:?}");
    }
}

/// Oldest first.
pub async fn a_page_begins_after_a_position_and_ends_at_its_limit(fixture: &LogFixture) {
    let log = &fixture.log;
    let shard = Shard::of(lineage(1));
    for second in 0..5 {
        let at = START + SECOND * second;
        let why = Revocation { at, ..logout() };
        append(log, &[revoked(1, why)]).await;
    }
    let page = log.after(Position { shard, at: 1 }, 3).await.unwrap();
    let found: Vec<u64> = page.iter().map(|(position, _)| position.at).collect();
    assert_eq!(found, [2, 3, 4]);
    assert_eq!(
        log.after(Position { shard, at: 5 }, 3).await,
        Ok(Vec::new())
    );
    let elsewhere = Shard((shard.0 + 1) % Shard::COUNT);
    assert_eq!(log.after(before(elsewhere), 3).await, Ok(Vec::new()));
}

/// Sixty-four appenders, half of them in another process, in a few shards, one and three at a time.
pub async fn appends_of_many_at_once_leave_no_gap(fixture: &LogFixture) {
    let written = at_once(0..64, |number| {
        let log = if number % 2 == 0 {
            Arc::clone(&fixture.log)
        } else {
            Arc::clone(&fixture.other)
        };
        async move {
            let mut written = Vec::new();
            for round in 0..4 {
                // In another order for each, so that a log that takes shards as they come hangs.
                let sessions = (0..=number % 3).map(|more| (number + round * more) % 4);
                let entries: Vec<_> = sessions.map(|n| revoked(n, marked(number))).collect();
                let positions = log.append(&entries).await.unwrap();
                written.extend(
                    positions
                        .into_iter()
                        .zip(entries.into_iter().map(|(_, entry)| entry)),
                );
            }
            written
        }
    })
    .await;
    let mut shards: BTreeMap<Shard, BTreeMap<u64, Entry>> = BTreeMap::new();
    for (position, entry) in written.into_iter().flatten() {
        let given_twice = shards
            .entry(position.shard)
            .or_default()
            .insert(position.at, entry);
        assert_eq!(given_twice, None, "{position:?}");
    }
    let heads: BTreeMap<Shard, u64> = fixture
        .log
        .heads()
        .await
        .unwrap()
        .into_iter()
        .map(|head| (head.shard, head.at))
        .collect();
    for (shard, entries) in shards {
        let count = entries.len() as u64;
        assert_eq!(heads[&shard], count);
        let found = all(&fixture.other, shard).await;
        let found: BTreeMap<u64, Entry> = found
            .into_iter()
            .map(|(place, entry)| (place.at, entry))
            .collect();
        assert!(found.keys().copied().eq(1..=count));
        assert_eq!(found, entries);
    }
}

fn marked(number: u64) -> Revocation {
    Revocation {
        at: START + SECOND * u32::try_from(number).unwrap(),
        cause: EndCause::LoggedOut,
    }
}

/// While they are being appended: whoever carries out a shard up to a position misses nothing.
pub async fn a_reader_sees_no_entry_before_those_in_front_of_it(fixture: &LogFixture) {
    const WRITERS: u64 = 16;
    const EACH: u64 = 8;
    let shard = Shard::of(lineage(1));
    at_once(0..WRITERS + 1, |number| {
        let (log, other) = (Arc::clone(&fixture.log), Arc::clone(&fixture.other));
        async move {
            if number > 0 {
                for _ in 0..EACH {
                    append(&log, &[revoked(1, marked(number))]).await;
                }
                return;
            }
            let mut seen = before(shard);
            while seen.at < WRITERS * EACH {
                for (position, _) in other.after(seen, 1000).await.unwrap() {
                    assert_eq!(position.at, seen.at + 1);
                    seen = position;
                }
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
}

/// Ended ones too; and where one is made again, it is found again.
pub async fn sessions_are_found_by_their_subject_until_they_are_deleted(fixture: &LogFixture) {
    let log = &fixture.log;
    let theirs = session_of("user-2", 3);
    append(
        log,
        &[created(&session(1)), created(&session(2)), created(&theirs)],
    )
    .await;
    append(log, &[revoked(2, logout())]).await;
    assert_eq!(listed(log, "user-1").await, [lineage(1), lineage(2)]);
    assert_eq!(listed(log, "user-2").await, [lineage(3)]);
    assert_eq!(listed(log, "user-3").await, []);
    append(log, &[deleted(1)]).await;
    assert_eq!(listed(&fixture.other, "user-1").await, [lineage(2)]);
    append(log, &[created(&session(1))]).await;
    assert_eq!(listed(log, "user-1").await, [lineage(1), lineage(2)]);
}

/// In order of their ids, each once, without the deleted.
pub async fn sessions_are_listed_page_by_page(fixture: &LogFixture) {
    let log = &fixture.log;
    let entries: Vec<_> = (0..50).map(|n| created(&session(n))).collect();
    append(log, &entries).await;
    let gone: Vec<_> = (0..50).step_by(7).map(|n| (lineage(n), START)).collect();
    append(log, &deletion_entries(&gone)).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = log.sessions(after, 10).await.unwrap();
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        after = Some(*last);
        found.extend(page);
    }
    let gone: BTreeSet<LineageId> = gone.into_iter().map(|(lineage, _)| lineage).collect();
    let expected: Vec<LineageId> = (0..50)
        .map(lineage)
        .filter(|id| !gone.contains(id))
        .collect();
    assert_eq!(found, expected);
}

/// Others' entries stay, and so does the deletion itself: an older copy of the rows needs it.
pub async fn a_deletion_removes_what_it_makes_useless(fixture: &LogFixture) {
    let log = &fixture.log;
    append(
        log,
        &[
            created(&session(1)),
            created(&session(2)),
            revoked(1, logout()),
        ],
    )
    .await;
    let written = append(log, &[deleted(1)]).await;
    let shard = Shard::of(lineage(1));
    assert_eq!(all(log, shard).await, [(written[0], deleted(1).1)]);
    assert_eq!(written[0].at, 3);
    assert_eq!(log.end_of(lineage(1)).await, Ok(None));
    assert_eq!(places(log, Shard::of(lineage(2))).await, [1]);
}

/// A logout that came second does not change why it ended.
pub async fn the_first_end_of_a_session_counts(fixture: &LogFixture) {
    let log = &fixture.log;
    let theft = Revocation {
        at: START + SECOND,
        cause: EndCause::TheftDetected,
    };
    append(log, &[created(&session(1)), revoked(1, theft)]).await;
    append(log, &[revoked(1, logout())]).await;
    assert_eq!(fixture.other.end_of(lineage(1)).await, Ok(Some(theft)));
    assert_eq!(log.end_of(lineage(2)).await, Ok(None));
}

/// Seen by everybody at once.
pub async fn the_later_cut_of_a_subject_stands(fixture: &LogFixture) {
    let LogFixture { log, other, .. } = fixture;
    let user = Subject::new("user-1");
    assert_eq!(log.cut_of(&user).await, Ok(None));
    let (early, late) = (cut(START), cut(START + SECOND));
    log.set_cut(&user, late).await.unwrap();
    assert_eq!(other.cut_of(&user).await, Ok(Some(late)));
    other.set_cut(&user, early).await.unwrap();
    assert_eq!(log.cut_of(&user).await, Ok(Some(late)));
    assert_eq!(log.cut_of(&Subject::new("user-2")).await, Ok(None));
}

/// The log of one who changes the password every day does not grow.
pub async fn of_the_cuts_of_a_subject_the_last_stays(fixture: &LogFixture) {
    let log = &fixture.log;
    let (user, theirs) = (Subject::new("user-1"), Subject::new("user-2"));
    append(log, &cut_entries(&theirs, cut(START), None, &[])).await;
    for day in 1..4 {
        let at = cut(START + SECOND * day);
        append(log, &cut_entries(&user, at, None, &[])).await;
    }
    let found = all(log, Shard::of_subject(&user)).await;
    let last = cut_entries(&user, cut(START + SECOND * 3), None, &[])
        .remove(0)
        .1;
    assert_eq!(
        found.len(),
        1 + usize::from(Shard::of_subject(&user) == Shard::of_subject(&theirs))
    );
    assert_eq!(found.last().map(|(_, entry)| entry), Some(&last));
    assert_eq!(places(log, Shard::of_subject(&theirs)).await[0], 1);
}

/// Not a second earlier; and no position is given out twice for it.
pub async fn entries_go_after_the_absolute_limit_of_their_session(fixture: &LogFixture) {
    let log = &fixture.log;
    append(
        log,
        &[
            created(&session(1)),
            created(&session(2)),
            created(&session(3)),
        ],
    )
    .await;
    append(log, &[revoked(1, logout())]).await;
    append(log, &[deleted(3)]).await;
    let limit = START + ABSOLUTE;
    assert_eq!(log.compact(limit, 100).await, Ok(0));
    assert_eq!(log.compact(limit + SECOND, 3).await, Ok(3));
    assert_eq!(log.compact(limit + SECOND, 3).await, Ok(1));
    assert_eq!(log.sessions(None, 10).await, Ok(Vec::new()));
    let late = Revocation {
        at: limit,
        ..logout()
    };
    let written = append(log, &[revoked(1, late)]).await;
    assert_eq!(written[0].at, 3);
    assert_eq!(places(&fixture.other, Shard::of(lineage(1))).await, [3]);
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_case_is_forgotten() {
        let file = include_str!("session_log.rs");
        for case in file.split("\npub async fn ").skip(1) {
            let name = case.split('(').next().unwrap();
            assert!(file.contains(&format!(" {name},")), "{name} is in no list");
        }
    }
}
