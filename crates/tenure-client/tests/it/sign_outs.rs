//! Signing out, online, offline and in the middle of a refresh.

use tenure_client::{Change, Reason, SignedOut, State, Vault as _};

use crate::bench::{Bench, failure};
use crate::service::Plan;

#[tokio::test]
async fn sign_out_clears_the_vault_and_tells_the_service() {
    let (bench, session) = Bench::signed_in().await;
    assert_eq!(session.sign_out().await, Ok(SignedOut::Revoked));
    assert_eq!(bench.service.books().revoked, ["refresh-1"]);
    assert_eq!(bench.record().tokens, None);
    assert!(bench.record().outbox.is_empty());
    let reason = Reason::Ended(tenure_client::EndCause::LoggedOut);
    assert_eq!(session.state(), State::SignedOut { reason });
    failure(&session).await;
    assert_eq!(session.sign_out().await, Ok(SignedOut::Nothing));
}

#[tokio::test]
async fn offline_the_revocation_is_kept_and_sent_later() {
    let (bench, session) = Bench::signed_in().await;
    bench
        .service
        .plan([Plan::Instead(503, "Retry-After: 1", "")]);
    assert_eq!(session.sign_out().await, Ok(SignedOut::Pending));
    assert_eq!(bench.record().tokens, None);
    assert_eq!(bench.record().outbox.len(), 1);
    drop(session);

    let session = bench.open().await;
    session.settled().await;
    assert_eq!(bench.service.books().revoked, ["refresh-1"]);
    assert!(bench.record().outbox.is_empty());
}

#[tokio::test]
async fn a_crash_after_the_first_write_leaves_a_revocation_to_send() {
    let (bench, session) = Bench::signed_in().await;
    drop(session);
    bench.vault().update(&Change::SignOut).expect("stored");
    let session = bench.open().await;
    assert!(matches!(session.state(), State::SignedOut { .. }));
    session.settled().await;
    assert_eq!(bench.service.books().revoked, ["refresh-1"]);
}

#[tokio::test]
async fn what_a_refresh_brings_after_sign_out_is_revoked_too() {
    let (bench, session) = Bench::expired().await;
    bench.service.plan([Plan::Hold(Box::new(Plan::Obey))]);
    let asking = tokio::spawn({
        let session = session.clone();
        async move { session.access_token().await }
    });
    bench.service.refreshes(1).await;
    let signing_out = tokio::spawn({
        let session = session.clone();
        async move { session.sign_out().await }
    });
    let told = asking.await.expect("no panic");
    assert!(told.is_err(), "the caller does not wait for the answer");
    assert_eq!(bench.record().tokens, None);
    bench.service.release();
    let signed_out = signing_out.await.expect("no panic");
    assert_eq!(signed_out, Ok(SignedOut::Revoked));
    session.settled().await;
    let mut revoked = bench.service.books().revoked.clone();
    revoked.sort();
    assert_eq!(revoked, ["refresh-1", "refresh-2"]);
    assert_eq!(bench.record().tokens, None);
}
