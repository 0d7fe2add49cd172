//! A session outlives the program, and answers that never came.

use tenure_client::{Error, Reason, State};

use crate::bench::{Bench, failure, token};
use crate::service::Plan;

#[tokio::test]
async fn a_session_outlives_the_program() {
    let (bench, session) = Bench::signed_in().await;
    assert_eq!(token(&session).await, "access-1");
    drop(session);

    let session = bench.open().await;
    assert!(matches!(session.state(), State::Active { .. }));
    assert_eq!(token(&session).await, "access-1");
    assert!(bench.service.books().refreshes.is_empty());

    bench.clock.pass(900);
    drop(session);
    let session = bench.open().await;
    assert_eq!(token(&session).await, "access-2");
    assert_eq!(bench.kept(), "refresh-2");
}

#[tokio::test]
async fn after_a_lost_answer_the_same_key_brings_the_same_successor() {
    let (bench, session) = Bench::expired().await;
    bench.service.plan([Plan::Lose, Plan::Lose]);
    assert!(matches!(failure(&session).await, Error::Transient { .. }));
    drop(session);
    let session = bench.open().await;
    assert!(matches!(failure(&session).await, Error::Transient { .. }));
    bench.clock.pass(60);
    assert_eq!(token(&session).await, "access-4");
    assert_eq!(bench.kept(), "refresh-2", "the successor that was lost");

    let refreshes = bench.service.refreshes(3).await;
    let [first, second, third] = &refreshes[..] else {
        panic!("three attempts: {refreshes:?}");
    };
    assert_eq!(first.key.len(), 22);
    assert_eq!((first, first), (second, third));
    assert!(!bench.service.books().theft);
}

#[tokio::test]
async fn each_attempt_has_a_key_of_its_own_which_the_next_one_claims() {
    let (bench, session) = Bench::expired().await;
    for _ in 0..3 {
        token(&session).await;
        bench.clock.pass(900);
    }
    let refreshes = bench.service.refreshes(3).await;
    let hash = |key: &str| tenure_core::lineage::KeyHash::of(key.as_bytes()).to_string();
    assert_eq!(refreshes[0].claims, None);
    assert_eq!(refreshes[1].claims, Some(hash(&refreshes[0].key)));
    assert_eq!(refreshes[2].claims, Some(hash(&refreshes[1].key)));
    assert_ne!(refreshes[0].key, refreshes[1].key);
}

#[tokio::test]
async fn an_ended_session_stays_ended_and_says_why() {
    let (bench, session) = Bench::expired().await;
    let body = r#"{"error":"invalid_grant","tenure_reason":"revoked_by_admin"}"#;
    bench.service.plan([Plan::Instead(400, "X: y", body)]);
    let ended = failure(&session).await;
    let Error::SignInRequired { reason } = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(reason.to_string(), "revoked_by_admin");
    assert_eq!(bench.record().tokens, None);
    let session = bench.open().await;
    assert_eq!(session.state(), State::SignedOut { reason });
}

#[tokio::test]
async fn without_a_session_a_sign_in_is_required() {
    let bench = Bench::new().await;
    let session = bench.open().await;
    let reason = Reason::NeverSignedIn;
    assert_eq!(session.state(), State::SignedOut { reason });
    assert_eq!(failure(&session).await, Error::SignInRequired { reason });
    assert!(!bench.vault().directory().exists());
}

#[tokio::test]
async fn somebody_else_s_vault_is_left_alone() {
    let (bench, session) = Bench::signed_in().await;
    drop(session);
    let other = tenure_client::Config::new(&bench.service.url, "another", bench.vault());
    let opened = tenure_client::Session::open(other.expect("good")).await;
    assert!(matches!(opened, Err(Error::Misconfigured(_))));
    assert_eq!(bench.kept(), "refresh-1");
}

#[tokio::test]
async fn a_vault_knows_whose_session_it_holds() {
    let (bench, _session) = Bench::signed_in().await;
    let saved = tenure_client::Config::saved(bench.vault()).expect("readable");
    assert_eq!(saved.expect("a session").issuer(), bench.service.url);
    let empty = tenure_client::MemoryVault::new();
    assert!(
        tenure_client::Config::saved(empty)
            .expect("readable")
            .is_none()
    );
}
