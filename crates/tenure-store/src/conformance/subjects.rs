//! All sessions of one user.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::Revocation;
use tenure_core::time::Timestamp;

use super::{START, create_all, cut, lineage, row_of, session, session_of};
use crate::Store;

const NOW: Timestamp = Timestamp(START.0 + 100);

fn user() -> Subject {
    Subject::new("user-1")
}

async fn listed(store: &Arc<dyn Store>, subject: &str) -> Vec<LineageId> {
    let rows = store.sessions_of(&Subject::new(subject)).await.unwrap();
    rows.iter().map(|row| row.lineage).collect()
}

/// Ended ones too, others' not.
pub async fn sessions_are_listed_newest_first(store: &Arc<dyn Store>) {
    let mut rows = [session(1), session(2), session(3), session_of("user-2", 4)];
    rows[0].created_at = START + Duration::from_secs(10);
    create_all(store, &rows).await;
    store.revoke(lineage(2), super::logout()).await.unwrap();
    assert_eq!(
        listed(store, "user-1").await,
        [lineage(1), lineage(3), lineage(2)]
    );
    assert_eq!(
        store.sessions_of(&Subject::new("user-2")).await.unwrap(),
        rows[3..]
    );
    assert_eq!(listed(store, "user-3").await, []);
}

/// And answers which ones it ended.
pub async fn ending_a_subject_ends_all_its_sessions(store: &Arc<dyn Store>) {
    let others = session_of("user-2", 3);
    create_all(store, &[session(1), session(2), others.clone(), session(4)]).await;
    store.revoke(lineage(4), super::logout()).await.unwrap();
    let mut ended = store.revoke_subject(&user(), cut(NOW), None).await.unwrap();
    ended.sort();
    assert_eq!(ended, [lineage(1), lineage(2)]);
    let end = Revocation {
        at: NOW,
        cause: cut(NOW).cause,
    };
    for ended in [lineage(1), lineage(2)] {
        assert_eq!(row_of(store, ended).await.revoked, Some(end));
        assert_eq!(store.logged_end(ended).await, Ok(Some(end)));
    }
    assert_eq!(
        row_of(store, lineage(4)).await.revoked,
        Some(super::logout())
    );
    assert_eq!(row_of(store, others.lineage).await, others);
}

/// A user who signs out everywhere else stays signed in here.
pub async fn ending_a_subject_spares_the_kept_session(store: &Arc<dyn Store>) {
    create_all(store, &[session(1), session(2)]).await;
    let ended = store
        .revoke_subject(&user(), cut(NOW), Some(lineage(1)))
        .await;
    assert_eq!(ended, Ok(vec![lineage(2)]));
    let kept = store.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!((kept.row.revoked, kept.cut), (None, None));
}

/// Such as one that a sign-in from before the cut brings about.
pub async fn a_cut_is_seen_by_a_session_created_after_it(store: &Arc<dyn Store>) {
    store.revoke_subject(&user(), cut(NOW), None).await.unwrap();
    create_all(store, &[session(1), session_of("user-2", 2)]).await;
    let seen = |loaded: Option<crate::Loaded>| loaded.unwrap().cut;
    assert_eq!(seen(store.load(lineage(1)).await.unwrap()), Some(cut(NOW)));
    assert_eq!(seen(store.load(lineage(2)).await.unwrap()), None);
}

/// Sparing is for one cut, not for ever.
pub async fn a_kept_session_is_not_spared_from_a_later_cut(store: &Arc<dyn Store>) {
    create_all(store, &[session(1), session(2)]).await;
    store
        .revoke_subject(&user(), cut(NOW), Some(lineage(1)))
        .await
        .unwrap();
    let later = cut(NOW + Duration::from_secs(1));
    store
        .revoke_subject(&user(), later, Some(lineage(2)))
        .await
        .unwrap();
    let loaded = store.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!(loaded.cut, Some(later));
    assert!(loaded.row.revoked.is_some());
}

/// A server whose clock is behind does not undo a cut.
pub async fn an_earlier_cut_does_not_replace_a_later_one(store: &Arc<dyn Store>) {
    store.revoke_subject(&user(), cut(NOW), None).await.unwrap();
    store
        .revoke_subject(&user(), cut(START), None)
        .await
        .unwrap();
    create_all(store, &[session(1)]).await;
    let loaded = store.load(lineage(1)).await.unwrap().unwrap();
    assert_eq!(loaded.cut, Some(cut(NOW)));
}

/// Naming somebody else's session spares nothing.
pub async fn a_session_of_another_subject_is_not_kept(store: &Arc<dyn Store>) {
    create_all(store, &[session(1), session_of("user-2", 2)]).await;
    store
        .revoke_subject(&Subject::new("user-2"), cut(START), None)
        .await
        .unwrap();
    let ended = store
        .revoke_subject(&user(), cut(NOW), Some(lineage(2)))
        .await;
    assert_eq!(ended, Ok(vec![lineage(1)]));
    let theirs = store.load(lineage(2)).await.unwrap().unwrap();
    assert_eq!(theirs.cut, Some(cut(START)));
}
