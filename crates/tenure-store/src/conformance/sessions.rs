//! One session, one call after the other.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::lineage::{EndCause, Head, KeyHash, Retired, Revocation, Row, Step, TokenId};

use super::{START, create_all, lineage, logout, row_of, session};
use crate::{Judge, Loaded, Revoked, Store, StoreError, Transition, Written};

/// The step from the row's head to a head with this id.
pub(super) fn step(row: &Row, id: u64) -> Step {
    let mut ring = row.ring.clone();
    ring.push(Retired {
        id: row.head.id,
        at: row.head.since,
    });
    Step {
        expected: row.head.id,
        head: Head {
            id: TokenId(id.to_be_bytes()),
            generation: row.head.generation + 1,
            since: row.head.since + Duration::from_mins(15),
            uses: Vec::new(),
        },
        ring,
        history_unknown_until: None,
        successor: row.first_token(),
        parallel_use: false,
    }
}

/// The whole row, and no cut.
pub async fn a_session_reads_back_as_it_was_created(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let loaded = store.load(row.lineage).await.unwrap();
    assert_eq!(loaded, Some(Loaded { row, cut: None }));
}

/// A second session under one key would merge two users' devices.
pub async fn a_lineage_is_created_once(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let again = store.create(&super::session_of("user-2", 1)).await;
    assert!(matches!(again, Err(StoreError::Damaged(_))), "{again:?}");
    assert_eq!(row_of(store, row.lineage).await, row);
}

/// Neither a row nor an error.
pub async fn an_unknown_lineage_has_no_row(store: &Arc<dyn Store>) {
    assert_eq!(store.load(lineage(1)).await, Ok(None));
    assert_eq!(
        store.revoke(lineage(1), logout()).await,
        Ok(Revoked::Missing)
    );
    assert_eq!(store.logged_end(lineage(1)).await, Ok(None));
}

/// All that a step says.
pub async fn an_advance_writes_head_ring_and_mark(store: &Arc<dyn Store>) {
    let mut row = session(1);
    store.create(&row).await.unwrap();
    let mut step = step(&row, 2);
    step.head.uses = vec![KeyHash::of(b"a"), KeyHash::of(b"b")];
    step.history_unknown_until = Some(START + Duration::from_mins(1));
    assert_eq!(store.advance(row.lineage, &step).await, Ok(Written::Now));
    row.head = step.head;
    row.ring = step.ring;
    row.history_unknown_until = step.history_unknown_until;
    assert_eq!(row_of(store, row.lineage).await, row);
}

/// Secret, grant, limits and device stay what they were, also over a full ring.
pub async fn an_advance_changes_nothing_else(store: &Arc<dyn Store>) {
    let created = super::records::full_row();
    let mut row = created.clone();
    row.revoked = None;
    row.head.generation = 7;
    store.create(&row).await.unwrap();
    for id in 100..140 {
        let mut step = step(&row, id);
        if step.ring.len() > tenure_core::lineage::RING {
            step.ring.remove(0);
        }
        assert_eq!(store.advance(row.lineage, &step).await, Ok(Written::Now));
        row = row_of(store, row.lineage).await;
        assert_eq!((&row.head, &row.ring), (&step.head, &step.ring));
    }
    assert_eq!(row.ring.len(), tenure_core::lineage::RING);
    row.head = created.head.clone();
    row.ring.clone_from(&created.ring);
    row.history_unknown_until = created.history_unknown_until;
    row.revoked = created.revoked;
    assert_eq!(row, created);
}

/// The condition of the write.
pub async fn an_advance_from_another_head_is_lost(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let first = step(&row, 2);
    assert_eq!(store.advance(row.lineage, &first).await, Ok(Written::Now));
    let late = step(&row, 3);
    assert_eq!(store.advance(row.lineage, &late).await, Ok(Written::Lost));
    assert_eq!(row_of(store, row.lineage).await.head, first.head);
}

/// The other half of the condition.
pub async fn an_advance_of_an_ended_session_is_lost(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    store.revoke(row.lineage, logout()).await.unwrap();
    assert_eq!(
        store.advance(row.lineage, &step(&row, 2)).await,
        Ok(Written::Lost)
    );
    assert_eq!(row_of(store, row.lineage).await.head, row.head);
}

/// It makes no row.
pub async fn an_advance_of_an_unknown_session_is_lost(store: &Arc<dyn Store>) {
    let row = session(1);
    assert_eq!(
        store.advance(row.lineage, &step(&row, 2)).await,
        Ok(Written::Lost)
    );
    assert_eq!(store.load(row.lineage).await, Ok(None));
}

/// In the order of the presentations.
pub async fn a_use_is_noted_in_the_head(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let uses: Vec<KeyHash> = [&b"a"[..], b"b", b"c"].map(KeyHash::of).to_vec();
    for hash in &uses {
        let noted = store.note_use(row.lineage, row.head.id, *hash).await;
        assert_eq!(noted, Ok(Written::Now));
    }
    assert_eq!(row_of(store, row.lineage).await.head.uses, uses);
}

/// The row does not grow with presentations.
pub async fn a_fifth_use_finds_no_room(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    for n in 0..5u8 {
        let noted = store
            .note_use(row.lineage, row.head.id, KeyHash::of(&[n]))
            .await;
        let room = usize::from(n) < Head::USES;
        assert_eq!(noted, Ok(if room { Written::Now } else { Written::Lost }));
    }
    assert_eq!(row_of(store, row.lineage).await.head.uses.len(), Head::USES);
}

/// Two attempts with one key do not fill the head; a hash that only looks contained does count.
pub async fn a_use_is_noted_once(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let [one, other, straddling] = [[1, 2, 3, 4], [5, 6, 7, 8], [3, 4, 5, 6]];
    for (bytes, expected) in [
        (one, Written::Now),
        (other, Written::Now),
        (one, Written::Lost),
        (other, Written::Lost),
        (straddling, Written::Now),
        (straddling, Written::Lost),
    ] {
        let hash = KeyHash::from_be_bytes(bytes);
        assert_eq!(
            store.note_use(row.lineage, row.head.id, hash).await,
            Ok(expected)
        );
    }
    assert_eq!(row_of(store, row.lineage).await.head.uses.len(), 3);
}

/// Its holder reads the row again.
pub async fn a_use_of_another_head_or_an_ended_session_is_lost(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let (hash, other) = (KeyHash::of(b"a"), TokenId([9; 8]));
    assert_eq!(
        store.note_use(row.lineage, other, hash).await,
        Ok(Written::Lost)
    );
    assert_eq!(
        store.note_use(lineage(2), row.head.id, hash).await,
        Ok(Written::Lost)
    );
    store.revoke(row.lineage, logout()).await.unwrap();
    assert_eq!(
        store.note_use(row.lineage, row.head.id, hash).await,
        Ok(Written::Lost)
    );
    assert_eq!(row_of(store, row.lineage).await.head.uses, []);
}

/// The first cause stays.
pub async fn a_session_ends_once(store: &Arc<dyn Store>) {
    let row = session(1);
    store.create(&row).await.unwrap();
    let theft = Revocation {
        at: START + Duration::from_secs(5),
        cause: EndCause::TheftDetected,
    };
    assert_eq!(store.revoke(row.lineage, logout()).await, Ok(Revoked::Now));
    assert_eq!(
        store.revoke(row.lineage, theft).await,
        Ok(Revoked::Before(logout()))
    );
    assert_eq!(row_of(store, row.lineage).await.revoked, Some(logout()));
}

/// What line 7 of the rule consults.
pub async fn the_log_knows_the_ends_only(store: &Arc<dyn Store>) {
    create_all(store, &[session(1), session(2)]).await;
    store.revoke(lineage(1), logout()).await.unwrap();
    assert_eq!(store.logged_end(lineage(1)).await, Ok(Some(logout())));
    assert_eq!(store.logged_end(lineage(2)).await, Ok(None));
}

/// What is read, judged and written is one presentation.
pub async fn a_judge_sees_the_session_and_gets_what_it_wants_written(store: &Arc<dyn Store>) {
    let row = session(1);
    let wanted = step(&row, 2);
    let (seen, head) = (row.clone(), row.head.id);
    create_all(store, std::slice::from_ref(&row)).await;
    let nothing: Judge = Arc::new(move |loaded| {
        assert_eq!(loaded.unwrap().row, seen);
        None
    });
    assert_eq!(store.present(row.lineage, nothing).await, Ok(Written::Now));
    assert_eq!(row_of(store, row.lineage).await, row);
    let hash = KeyHash::parse("0badcafe").unwrap();
    let note: Judge = Arc::new(move |_| Some(Transition::NoteUse { head, hash }));
    assert_eq!(store.present(row.lineage, note).await, Ok(Written::Now));
    assert_eq!(row_of(store, row.lineage).await.head.uses, [hash]);
    let advance: Judge = Arc::new(move |_| Some(Transition::Advance(wanted.clone())));
    assert_eq!(store.present(row.lineage, advance).await, Ok(Written::Now));
    assert_eq!(
        row_of(store, row.lineage).await.head.id,
        step(&row, 2).head.id
    );
    let unknown: Judge = Arc::new(|loaded| {
        assert_eq!(loaded, None);
        None
    });
    assert_eq!(store.present(lineage(9), unknown).await, Ok(Written::Now));
}

/// One request's bug is not everybody's.
pub async fn a_judge_that_panics_leaves_the_store_usable(store: &Arc<dyn Store>) {
    create_all(store, &[session(1)]).await;
    let (there, bug) = (
        Arc::clone(store),
        Arc::new(|_| panic!("a bug of the judge")),
    );
    let presented = tokio::spawn(async move { there.present(lineage(1), bug).await }).await;
    assert!(!matches!(presented, Ok(Ok(_))), "{presented:?}");
    store.create(&session(2)).await.unwrap();
}
