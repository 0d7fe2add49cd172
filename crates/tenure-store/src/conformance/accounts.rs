//! Accounts and consents.

use std::sync::Arc;

use tenure_core::id::{ClientId, Subject};
use tenure_core::scope::Scope;

use super::START;
use crate::{Consent, Store, User, Written};

fn account(n: u32, email: &str) -> User {
    User {
        subject: Subject::new(format!("user-{n}")),
        email: email.to_owned(),
        password: Some(format!("$argon2id$hash-{n}")),
        disabled: false,
        created_at: START,
    }
}

async fn added(store: &Arc<dyn Store>, n: u32, email: &str) -> User {
    let user = account(n, email);
    assert_eq!(store.add_user(&user).await, Ok(Written::Now));
    user
}

/// Also beyond ASCII; the address is kept as it was typed.
pub async fn an_account_is_found_by_address_without_regard_to_case(store: &Arc<dyn Store>) {
    let ana = added(store, 1, "Ana@Example.com").await;
    let mut eric = account(2, "Éric@example.com");
    eric.password = None;
    store.add_user(&eric).await.unwrap();
    for (email, user) in [
        ("Ana@Example.com", &ana),
        ("ana@example.COM", &ana),
        ("éRIC@example.com", &eric),
    ] {
        assert_eq!(store.user_by_email(email).await, Ok(Some(user.clone())));
    }
    assert_eq!(store.user(&ana.subject).await, Ok(Some(ana)));
    assert_eq!(store.user_by_email("nobody@example.com").await, Ok(None));
    assert_eq!(store.user(&Subject::new("user-3")).await, Ok(None));
}

/// Whatever its case.
pub async fn an_address_belongs_to_one_account(store: &Arc<dyn Store>) {
    let ana = added(store, 1, "ana@example.com").await;
    let rival = account(2, "ANA@example.com");
    assert_eq!(store.add_user(&rival).await, Ok(Written::Lost));
    assert_eq!(store.user_by_email("ana@example.com").await, Ok(Some(ana)));
    assert_eq!(store.user(&rival.subject).await, Ok(None));
}

/// Under any address.
pub async fn a_subject_belongs_to_one_account(store: &Arc<dyn Store>) {
    let ana = added(store, 1, "ana@example.com").await;
    let rival = account(1, "other@example.com");
    assert_eq!(store.add_user(&rival).await, Ok(Written::Lost));
    assert_eq!(store.user(&ana.subject).await, Ok(Some(ana)));
}

/// In order of address, without regard to case.
pub async fn accounts_are_listed_page_by_page(store: &Arc<dyn Store>) {
    let c = added(store, 1, "C@example.com").await;
    let a = added(store, 2, "a@example.com").await;
    let b = added(store, 3, "B@example.com").await;
    assert_eq!(store.users(None, 2).await, Ok(vec![a.clone(), b.clone()]));
    assert_eq!(store.users(Some(&b.email), 2).await, Ok(vec![c]));
    assert_eq!(store.users(Some("c@EXAMPLE.com"), 2).await, Ok(vec![]));
    assert_eq!(store.users(Some("0"), 1).await, Ok(vec![a]));
}

/// An upgrade of the hash at sign-in does not undo a change of password.
pub async fn a_password_is_replaced_only_where_it_is_the_expected_one(store: &Arc<dyn Store>) {
    let ana = added(store, 1, "ana@example.com").await;
    let mut none = account(2, "mail-only@example.com");
    none.password = None;
    store.add_user(&none).await.unwrap();
    let old = ana.password.as_deref();
    for (subject, expected, new, written) in [
        (&ana.subject, old, "upgraded", Written::Now),
        (&ana.subject, old, "upgraded twice", Written::Lost),
        (&ana.subject, None, "chosen", Written::Now),
        (&none.subject, Some("any"), "chosen", Written::Lost),
        (&none.subject, None, "chosen", Written::Now),
    ] {
        assert_eq!(
            store.set_password(subject, expected, new).await,
            Ok(written),
            "{new}"
        );
    }
    for subject in [&ana.subject, &none.subject] {
        let user = store.user(subject).await.unwrap().unwrap();
        assert_eq!(user.password.as_deref(), Some("chosen"));
    }
}

/// And nothing else of it changes.
pub async fn an_account_is_disabled_and_enabled(store: &Arc<dyn Store>) {
    let mut ana = added(store, 1, "ana@example.com").await;
    for disabled in [true, true, false] {
        assert_eq!(
            store.set_disabled(&ana.subject, disabled).await,
            Ok(Written::Now)
        );
        ana.disabled = disabled;
        assert_eq!(store.user(&ana.subject).await, Ok(Some(ana.clone())));
    }
}

/// It makes none.
pub async fn a_change_of_an_unknown_account_is_lost(store: &Arc<dyn Store>) {
    let nobody = Subject::new("nobody");
    assert_eq!(
        store.set_password(&nobody, None, "x").await,
        Ok(Written::Lost)
    );
    assert_eq!(store.set_disabled(&nobody, true).await, Ok(Written::Lost));
    assert_eq!(store.users(None, 10).await, Ok(vec![]));
}

/// One per user and client.
pub async fn a_consent_replaces_the_one_before(store: &Arc<dyn Store>) {
    let given = |subject: &str, client: &str, scope: &str| Consent {
        subject: Subject::new(subject),
        client: ClientId::new(client),
        scope: Scope::parse(scope),
        at: START,
    };
    for consent in [
        given("user-1", "app", "openid"),
        given("user-1", "other", "email"),
        given("user-1", "app", "openid profile"),
    ] {
        store.set_consent(&consent).await.unwrap();
    }
    let (user, app) = (Subject::new("user-1"), ClientId::new("app"));
    let scope = store.consent(&user, &app).await;
    assert_eq!(scope, Ok(Some(Scope::parse("openid profile"))));
    let scope = store.consent(&user, &ClientId::new("other")).await;
    assert_eq!(scope, Ok(Some(Scope::parse("email"))));
    assert_eq!(store.consent(&Subject::new("user-2"), &app).await, Ok(None));
}
