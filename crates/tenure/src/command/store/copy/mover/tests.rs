use std::sync::Arc;
use std::time::Duration;

use tenure_core::keyset::KeyState;
use tenure_core::lineage::{EndCause, Revocation};
use tenure_store::conformance::{START, lineage, session};
use tenure_store::{KeyRecord, KeyUse, Memory, Part, Store};

use super::{Compared, Mover};
use crate::command::store::copy::progress::Progress;

const DAY: Duration = Duration::from_hours(24);

/// A source in which session 1 lives.
async fn source() -> Arc<dyn Store> {
    let source = Memory::new();
    source.create(&session(1)).await.unwrap();
    Arc::new(source)
}

/// A copy that gets no further than the sessions.
async fn half(from: &Arc<dyn Store>) -> Arc<dyn Store> {
    let to: Arc<dyn Store> = Arc::new(Memory::new());
    let mut mover = Mover::new(Arc::clone(from), Arc::clone(&to));
    mover.first(&Progress::new()).await.unwrap();
    assert!(to.load(lineage(1)).await.unwrap().is_some());
    to
}

/// The session ends, and its record goes a day later.
async fn end_and_sweep(source: &Arc<dyn Store>) {
    let end = Revocation {
        at: START,
        cause: EndCause::LoggedOut,
    };
    source.revoke(lineage(1), end).await.unwrap();
    source.purge(START + DAY + DAY, 10).await.unwrap();
    assert_eq!(source.load(lineage(1)).await, Ok(None));
}

async fn compared(from: &Arc<dyn Store>, to: &Arc<dyn Store>) -> Compared {
    let mut mover = Mover::new(Arc::clone(from), Arc::clone(to));
    let progress = Progress::new();
    mover.first(&progress).await.unwrap();
    let now = START + DAY + DAY;
    mover.compare(Part::Sessions, now, &progress).await.unwrap()
}

#[tokio::test]
async fn a_session_that_the_source_has_ended_and_deleted_since_half_a_copy_ends_in_the_target() {
    let from = source().await;
    let to = half(&from).await;
    end_and_sweep(&from).await;
    let found = compared(&from, &to).await;
    assert_eq!((found.differing, found.swept), (0, 1));
    let there = to.load(lineage(1)).await.unwrap().unwrap();
    assert!(there.row.revoked.is_some(), "{there:?}");
}

/// The control: the same, where a server may have begun the session on the target.
#[tokio::test]
async fn a_session_that_may_have_begun_in_the_target_is_a_difference_and_stays() {
    let from = source().await;
    let to = half(&from).await;
    end_and_sweep(&from).await;
    let key = KeyRecord {
        id: "k".to_owned(),
        of: KeyUse::Sign,
        algorithm: "ES256".to_owned(),
        state: KeyState::Active,
        since: START,
        sealed: vec![1],
    };
    to.add_key(&key).await.unwrap();
    let found = compared(&from, &to).await;
    assert_eq!((found.differing, found.swept), (1, 0));
    let there = to.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!(there.row.revoked, None);
}

#[tokio::test]
async fn what_the_last_pass_sends_is_read_back() {
    let from = source().await;
    let to: Arc<dyn Store> = Arc::new(Memory::new());
    let found = compared(&from, &to).await;
    assert_eq!((found.source, found.target, found.differing), (1, 1, 0));

    let mut mover = Mover::new(from, to);
    mover.learn(Part::Sessions).await.unwrap();
    mover.from.create(&session(2)).await.unwrap();
    let compared = mover.compare(Part::Sessions, START, &Progress::new()).await;
    let found = compared.unwrap();
    assert_eq!((found.source, found.target, found.differing), (2, 2, 0));
}
