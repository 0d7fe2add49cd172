//! A database that is gone for ten minutes, when the access tokens end.

use tenure_lab::postgres::Options;

use crate::{DATABASE, assert_nobody_is_signed_out, primary, ready, refreshed, servers, signed_in};

const USERS: usize = 10;
const ACCESS_LIFETIME: u64 = 900;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_minutes_without_a_database_are_waited_for() {
    let Some(mut postgres) = primary(&Options::default()).await else {
        return;
    };
    let servers = servers(&postgres.url(DATABASE), &[]).await;
    let (app, api) = (servers.app().unwrap(), servers.api().unwrap());
    let users = signed_in(&servers, USERS).await;
    let (users, _) = refreshed(&servers, users, 1).await;
    servers.advance_clock(ACCESS_LIFETIME - 60).await.unwrap();
    postgres.kill9().unwrap();

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let keys = format!("{}/oauth2/jwks", servers.issuer());
    let mut waiting = 0;
    for _minute in 0..10 {
        servers.advance_clock(60).await.unwrap();
        for user in &users {
            let refusal = app.refresh(&user.token).await.refused().unwrap();
            assert_eq!(refusal.status, 503, "{refusal:?}");
            assert!(refusal.retry_after.is_some(), "{refusal:?}");
            waiting += 1;
        }
        // Nor is a token said to be inactive that may well be active.
        assert!(api.introspect(&users[0].token).await.is_err());
        // Gateways go on verifying.
        let set = http.get(&keys).send().await.unwrap();
        assert_eq!(set.status().as_u16(), 200);
    }
    assert_eq!(ready(&servers).await.0, 503);

    postgres.restart().unwrap();
    let (users, tally) = refreshed(&servers, users, 1).await;
    println!("ten minutes down: {waiting} answers 503 with Retry-After, then {tally}");
    assert_nobody_is_signed_out(&tally);
    assert_eq!(tally.refreshed, USERS, "{tally:?}");
    for user in users {
        app.userinfo(&user.access_token).await.unwrap().unwrap();
    }
    assert_eq!(ready(&servers).await.0, 200);
}
