//! Three servers over one Redis and one PostgreSQL.

use std::collections::BTreeSet;

use tenure_lab::actor::TokenAnswer;
use tenure_lab::crowd::User;
use tenure_lab::deployment::{CLIENT, LATE_WINDOW};
use tenure_lab::postgres;
use tenure_lab::redis::{Engine, Redis};
use tenure_lab::servers::Servers;
use tokio::task::JoinSet;

use crate::bench::engines;
use crate::crowd::Crowd;

const AT_ONCE: usize = 64;

/// Three servers, with tables of their own and a Redis of their own; or none after a counted skip.
async fn three(engine: Engine) -> Option<(Servers, Redis)> {
    let postgres = postgres::shared().unwrap()?;
    let database = postgres.fresh_database().await.unwrap();
    let redis = Redis::start(engine, tenure_lab::redis::Options::default()).unwrap();
    let store = [
        ("TENURE_STORE_URL", &*redis.url()),
        ("TENURE_STORE_SQL", &*postgres.url(&database)),
    ];
    Some((Servers::start(3, &store).await.unwrap(), redis))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_presentations_at_three_servers_one_branch_is_left() {
    for engine in engines(Engine::Valkey8) {
        let Some((servers, _redis)) = three(engine).await else {
            return;
        };
        let mut crowd = Crowd::at(&servers, 1).await;
        assert!(crowd.signed_out(1).await.is_empty());
        let shared = crowd.here[0].token.clone();
        let presentations: JoinSet<_> = (0..AT_ONCE)
            .map(|_| {
                let (app, token) = (crowd.app.clone(), shared.clone());
                async move { app.refresh(&token).await.granted() }
            })
            .collect();
        let answers = presentations.join_all().await;
        let tokens: BTreeSet<String> = answers
            .into_iter()
            .map(|answer| answer.unwrap().refresh().unwrap().to_owned())
            .collect();
        assert_eq!(tokens.len(), AT_ONCE, "each answer is another successor");

        let mut tokens = tokens.into_iter();
        crowd.here[0].token = tokens.next().unwrap();
        crowd
            .goes_on(&format!("{engine:?}, 64 presentations"))
            .await;
        // The control: whoever took another of the 64 is on another branch, which ends the session.
        servers.advance_clock(LATE_WINDOW + 1).await.unwrap();
        let sibling = crowd.app.refresh(&tokens.next().unwrap()).await;
        let refused = sibling.refused().unwrap();
        assert_eq!(refused.tenure_reason.as_deref(), Some("theft_detected"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_each_server_in_turn_costs_nobody_a_session() {
    for engine in engines(Engine::Redis7) {
        let Some((mut servers, _redis)) = three(engine).await else {
            return;
        };
        let mut crowd = Crowd::at(&servers, 8).await;
        crowd
            .busy(async |progress| {
                for server in &mut servers.each {
                    progress.more(60).await;
                    server.kill9().unwrap();
                    progress.more(20).await;
                    server.restart().unwrap();
                }
                progress.more(20).await;
            })
            .await;
        crowd
            .goes_on(&format!("{engine:?}, three servers killed in turn"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_at_one_server_is_final_at_the_others_at_once() {
    for engine in engines(Engine::Valkey8) {
        let Some((servers, _redis)) = three(engine).await else {
            return;
        };
        let app = |index: usize| {
            let url = servers.each[index].url();
            let app = tenure_lab::actor::OAuthClient::new(&url, CLIENT).unwrap();
            (
                app,
                tenure_lab::actor::FirstParty::new(url, CLIENT).unwrap(),
            )
        };
        let apps = [app(0), app(1), app(2)];
        for round in 0..9 {
            let [here, there, third] = [round, round + 1, round + 2].map(|at| &apps[at % 3]);
            let mut user = User::sign_in(&here.1).await.unwrap();
            // Every server has seen it alive.
            for (app, _) in &apps {
                assert_eq!(user.refresh(app).await.refreshed, 1);
            }
            there.1.logout(&user.token).await.unwrap();
            for (app, _) in [third, here] {
                match app.refresh(&user.token).await {
                    TokenAnswer::Refused(refusal) => {
                        assert_eq!(refusal.tenure_reason.as_deref(), Some("logged_out"));
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        println!("{engine:?}: 9 sign-outs, each final at two other servers with the next request");
    }
}
