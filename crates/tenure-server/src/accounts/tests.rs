use tenure_core::id::Subject;
use tenure_core::lineage::EndCause;
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_store::{AuditQuery, Memory, Store as _};

use super::{
    AccountError, Credential, NewUser, Passwords, add_demo_user, add_user, check_email, disable,
    enable, set_password, user_by_email,
};
use crate::password::Match;

const NOW: Timestamp = Timestamp(1_800_000_000);

fn new(email: &str, credential: Credential) -> NewUser {
    NewUser {
        email: email.to_owned(),
        credential,
        subject: None,
    }
}

fn with_password(email: &str, password: &str) -> NewUser {
    new(email, Credential::Password(Secret::new(password)))
}

#[test]
fn an_address_that_cannot_receive_mail_is_refused_and_the_reason_named() {
    let reason = |email: &str| check_email(email).unwrap_err().to_string();
    assert_eq!(reason("ana"), "the e-mail address has no @");
    assert_eq!(
        reason("@example.com"),
        "the e-mail address has nothing before the @"
    );
    assert_eq!(reason("ana@"), "the e-mail address has nothing after the @");
    assert_eq!(
        reason("a na@example.com"),
        "the e-mail address has a space or control character in it"
    );
    assert_eq!(
        reason("ana@example.com\r\nBcc: x@y.z"),
        "the e-mail address has a space or control character in it"
    );
    assert_eq!(
        reason("ana@.example..com"),
        "the e-mail address is not valid (RFC 5321)"
    );
    assert_eq!(
        reason(&format!("{}@example.com", "a".repeat(250))),
        "the e-mail address is longer than 254 bytes"
    );
    for good in [
        "ana@example.com",
        "ana+tenure@example.co.uk",
        "o'neil@localhost",
    ] {
        assert_eq!(check_email(good), Ok(()), "{good}");
    }
}

#[tokio::test]
async fn an_account_is_added_once_whatever_the_case_of_its_address() {
    let (store, passwords) = (Memory::new(), Passwords::new(1));
    let added = add_user(
        &store,
        &passwords,
        with_password("Ana@example.com", "correct horse"),
        NOW,
    );
    let added = added.await.unwrap();
    let found = user_by_email(&store, "ana@EXAMPLE.com").await.unwrap();
    assert_eq!(found, added);
    assert!(!format!("{found:?}").contains("correct horse"));
    let again = add_user(
        &store,
        &passwords,
        with_password("ANA@example.com", "another one"),
        NOW,
    );
    assert_eq!(again.await, Err(AccountError::Taken));
    assert_eq!(
        user_by_email(&store, "bob@example.com").await,
        Err(AccountError::Missing)
    );
}

#[tokio::test]
async fn weak_passwords_odd_subjects_and_unknown_hashes_are_refused() {
    let (store, passwords) = (Memory::new(), Passwords::new(1));
    let refused = async |new| add_user(&store, &passwords, new, NOW).await.unwrap_err();
    assert_eq!(
        refused(with_password("a@b.c", "short")).await,
        AccountError::Password
    );
    let long = "x".repeat(1025);
    assert_eq!(
        refused(with_password("a@b.c", &long)).await,
        AccountError::Password
    );
    let md5 = new(
        "a@b.c",
        Credential::Hash("5f4dcc3b5aa765d61d8327deb882cf99".to_owned()),
    );
    assert!(matches!(refused(md5).await, AccountError::Hash(_)));
    for odd in ["", "two words", "ümlaut"] {
        let user = NewUser {
            subject: Some(Subject::new(odd)),
            ..new("a@b.c", Credential::Mail)
        };
        assert_eq!(refused(user).await, AccountError::Subject, "{odd:?}");
    }
}

#[tokio::test]
async fn the_demo_account_has_its_password_and_is_added_once() {
    let (store, passwords) = (Memory::new(), Passwords::new(1));
    add_demo_user(&store, NOW).await.unwrap();
    add_demo_user(&store, NOW).await.unwrap();
    let demo = user_by_email(&store, "demo@example.com").await.unwrap();
    let password = Secret::new("demo-password");
    let matched = passwords.verify(&password, demo.password.as_deref()).await;
    assert_eq!(matched, Ok(Match::Yes));
}

#[tokio::test]
async fn a_new_password_and_a_disabled_account_leave_their_reasons_in_the_trail() {
    let (store, passwords) = (Memory::new(), Passwords::new(1));
    let ana = add_user(
        &store,
        &passwords,
        new("ana@example.com", Credential::Mail),
        NOW,
    );
    let ana = ana.await.unwrap().subject;
    set_password(
        &store,
        &passwords,
        &ana,
        &Secret::new("a new password"),
        NOW,
    )
    .await
    .unwrap();
    disable(&store, &ana, NOW).await.unwrap();
    assert!(
        user_by_email(&store, "ana@example.com")
            .await
            .unwrap()
            .disabled
    );
    enable(&store, &ana, NOW).await.unwrap();
    assert!(
        !user_by_email(&store, "ana@example.com")
            .await
            .unwrap()
            .disabled
    );
    let query = AuditQuery {
        subject: Some(ana),
        ..AuditQuery::default()
    };
    let events = store.audit(&query).await.unwrap();
    let told = |name: &str, reason: &str| {
        events.iter().any(|event| {
            event.event == name
                && event
                    .reason
                    .as_deref()
                    .unwrap_or_default()
                    .starts_with(reason)
        })
    };
    assert!(told("password_changed", ""));
    assert!(told(
        "sessions_ended",
        EndCause::CredentialsChanged.as_str()
    ));
    assert!(told("sessions_ended", EndCause::AccountDisabled.as_str()));
    assert!(told("account_enabled", ""));
}

#[tokio::test]
async fn who_has_no_account_cannot_be_changed() {
    let (store, passwords) = (Memory::new(), Passwords::new(1));
    let nobody = Subject::new("nobody");
    let missing = Err(AccountError::Missing);
    let password = Secret::new("a new password");
    assert_eq!(
        set_password(&store, &passwords, &nobody, &password, NOW).await,
        missing
    );
    assert_eq!(disable(&store, &nobody, NOW).await, missing);
    assert_eq!(
        enable(&store, &nobody, NOW).await,
        Err(AccountError::Missing)
    );
}
