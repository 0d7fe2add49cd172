//! Servers that are no primary, or are none any more.

use crate::{DATABASE, Pair, assert_nobody_is_signed_out, ready, refreshed, servers, signed_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_pointed_at_a_replica_does_not_start() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let right = servers(&pair.primary.url(DATABASE), &[]).await;
    pair.primary.caught_up(&pair.replica).await.unwrap();
    let mut serve = right.tenure(&["serve", "--listen", "127.0.0.1:0"]).unwrap();
    serve.env("TENURE_STORE_URL", pair.replica.url(DATABASE));
    let refused = serve.output().await.unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("the server is a read-only replica"), "{said}");
    assert!(said.contains("name the primary"), "{said}");
    assert!(!said.contains(pair.replica.password()), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_becomes_a_replica_is_read_no_more() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    // They know the old primary only.
    let servers = servers(&pair.primary.url(DATABASE), &[]).await;
    let users = signed_in(&servers, 5).await;
    let (users, _) = refreshed(&servers, users, 2).await;
    pair.primary.stop().unwrap();
    pair.replica.promote().await.unwrap();
    pair.primary.follow(&pair.replica, "was-primary").unwrap();

    let app = servers.app().unwrap();
    for user in &users {
        let refusal = app.refresh(&user.token).await.refused().unwrap();
        assert_eq!(refusal.status, 503, "{refusal:?}");
        assert!(refusal.retry_after.is_some(), "{refusal:?}");
    }
    let api = servers.api().unwrap();
    assert!(api.introspect(&users[0].token).await.is_err());
    let (status, said) = ready(&servers).await;
    assert_eq!(status, 503, "{said}");
    let error = said["store"]["error"].as_str().unwrap();
    assert!(error.contains("replica"), "{error}");

    // The way back, as an operator would go it.
    pair.primary.promote().await.unwrap();
    let (_, tally) = refreshed(&servers, users, 2).await;
    assert_nobody_is_signed_out(&tally);
    assert_eq!(tally.refreshed, 10, "{tally:?}");
    println!("a primary that was a replica for a while: {tally}");
}
