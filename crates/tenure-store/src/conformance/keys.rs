//! Keys, and the version that changes with them.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::Subject;
use tenure_core::keyset::KeyState;

use super::races::at_once;
use super::{START, create_all, cut, lineage, logout, session};
use crate::{KeyRecord, KeyUse, Store, User, Written};

fn key(id: &str, state: KeyState) -> KeyRecord {
    KeyRecord {
        id: id.to_owned(),
        of: KeyUse::Sign,
        algorithm: "ES256".to_owned(),
        state,
        since: START,
        sealed: vec![0, 1, 254, 255],
    }
}

/// Whatever their states become.
pub async fn keys_are_listed_oldest_first_and_by_use(store: &Arc<dyn Store>) {
    let mac = KeyRecord {
        of: KeyUse::Mac,
        algorithm: "HS256".to_owned(),
        ..key("mac", KeyState::Active)
    };
    let (z, a) = (key("z", KeyState::Active), key("a", KeyState::Next));
    for key in [&z, &mac, &a] {
        assert_eq!(store.add_key(key).await, Ok(Written::Now));
    }
    let later = START + Duration::from_secs(9);
    store
        .move_key("z", KeyState::Active, KeyState::Retiring, later)
        .await
        .unwrap();
    let moved = KeyRecord {
        state: KeyState::Retiring,
        since: later,
        ..z
    };
    assert_eq!(store.keys(KeyUse::Sign).await, Ok(vec![moved, a]));
    assert_eq!(store.keys(KeyUse::Mac).await, Ok(vec![mac]));
}

/// The others then take its key.
pub async fn of_two_servers_that_add_a_key_one_wins(store: &Arc<dyn Store>) {
    let answers = at_once(0..64, |number| {
        let (store, key) = (
            Arc::clone(store),
            key(&format!("key-{number}"), KeyState::Active),
        );
        async move { store.add_key(&key).await.unwrap() }
    })
    .await;
    let won = answers
        .iter()
        .filter(|written| **written == Written::Now)
        .count();
    assert_eq!(won, 1);
    assert_eq!(store.keys(KeyUse::Sign).await.unwrap().len(), 1);
    assert_eq!(
        store.add_key(&key("next", KeyState::Next)).await,
        Ok(Written::Now)
    );
    assert_eq!(
        store.add_key(&key("next", KeyState::Retiring)).await,
        Ok(Written::Lost)
    );
}

/// Each algorithm has a set of its own.
pub async fn keys_of_other_algorithms_do_not_contend(store: &Arc<dyn Store>) {
    let other = KeyRecord {
        algorithm: "EdDSA".to_owned(),
        ..key("two", KeyState::Active)
    };
    assert_eq!(
        store.add_key(&key("one", KeyState::Active)).await,
        Ok(Written::Now)
    );
    assert_eq!(store.add_key(&other).await, Ok(Written::Now));
}

/// Of two servers that rotate, one does.
pub async fn a_key_moves_only_from_the_state_it_is_in(store: &Arc<dyn Store>) {
    store.add_key(&key("one", KeyState::Next)).await.unwrap();
    let later = START + Duration::from_secs(9);
    let shift = || store.move_key("one", KeyState::Next, KeyState::Active, later);
    assert_eq!(shift().await, Ok(Written::Now));
    assert_eq!(shift().await, Ok(Written::Lost));
    let unknown = store
        .move_key("two", KeyState::Next, KeyState::Active, later)
        .await;
    assert_eq!(unknown, Ok(Written::Lost));
    let moved = KeyRecord {
        since: later,
        ..key("one", KeyState::Active)
    };
    assert_eq!(store.keys(KeyUse::Sign).await, Ok(vec![moved]));
}

/// Its id stays, to tell its tokens from those of a missing key.
pub async fn a_retired_key_forgets_its_material(store: &Arc<dyn Store>) {
    store
        .add_key(&key("one", KeyState::Retiring))
        .await
        .unwrap();
    store
        .move_key("one", KeyState::Retiring, KeyState::Retired, START)
        .await
        .unwrap();
    let retired = KeyRecord {
        sealed: Vec::new(),
        ..key("one", KeyState::Retired)
    };
    assert_eq!(store.keys(KeyUse::Sign).await, Ok(vec![retired]));
}

/// A server that polls it reads again only when there is something to read.
pub async fn the_version_changes_with_keys_accounts_and_cuts_only(store: &Arc<dyn Store>) {
    let user = User {
        subject: Subject::new("user-1"),
        email: "ana@example.com".to_owned(),
        password: None,
        disabled: false,
        created_at: START,
    };
    let mut last = store.version().await.unwrap();
    let mut changes = Vec::new();
    let mut note = |version: u64| changes.push(version != std::mem::replace(&mut last, version));
    let version = || async { store.version().await.unwrap() };

    store.add_key(&key("one", KeyState::Next)).await.unwrap();
    note(version().await);
    store
        .move_key("one", KeyState::Next, KeyState::Active, START)
        .await
        .unwrap();
    note(version().await);
    store.add_user(&user).await.unwrap();
    note(version().await);
    store.set_password(&user.subject, None, "x").await.unwrap();
    note(version().await);
    store.set_disabled(&user.subject, true).await.unwrap();
    note(version().await);
    store
        .revoke_subject(&user.subject, cut(START), None)
        .await
        .unwrap();
    note(version().await);
    assert_eq!(changes, [true; 6]);

    store.add_key(&key("two", KeyState::Active)).await.unwrap();
    store
        .move_key("two", KeyState::Active, KeyState::Retired, START)
        .await
        .unwrap();
    store.add_user(&user).await.unwrap();
    create_all(store, &[session(1)]).await;
    store.revoke(lineage(1), logout()).await.unwrap();
    store.check().await.unwrap();
    assert_eq!(version().await, last);
}
