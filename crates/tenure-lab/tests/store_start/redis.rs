//! What Redis can be that no service is run on.

use tenure_lab::process::Port;
use tenure_lab::redis::{Engine, Options, Redis};

use crate::bench::Bench;
use crate::running::Running;

#[tokio::test]
async fn a_server_that_is_not_there_or_lets_nobody_in_is_named_without_the_password() {
    let port = Port::reserve().unwrap().address().port();
    let url = format!("redis://:canary-password@127.0.0.1:{port}");
    let place = format!("redis://127.0.0.1:{port}");
    Bench::store(&url).is_refused_with(&[&place]).await;

    let server = Redis::shared(Engine::Redis7).unwrap();
    let url = format!("redis://:canary-password@{}", server.address());
    Bench::store(&url)
        .is_refused_with(&[&server.address(), "password"])
        .await;
}

#[tokio::test]
async fn a_policy_that_evicts_sessions_is_refused() {
    let options = Options {
        eviction: "allkeys-lru",
        ..Options::default()
    };
    let server = Redis::start(Engine::Redis7, options).unwrap();
    let bench = Bench::store(&server.url());
    bench.is_refused_with(&["allkeys-lru", "noeviction"]).await;
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = Redis::start(Engine::Redis7, Options::default()).unwrap();
    let replica = primary.replica().unwrap();
    Bench::store(&replica.url())
        .is_refused_with(&["replica"])
        .await;
}

#[tokio::test]
async fn a_second_process_on_redis_and_sqlite_is_refused_wherever_its_data_are() {
    let server = Redis::start(Engine::Redis7, Options::default()).unwrap();
    let bench = Bench::store(&server.url());
    let running = Running::start(&bench).unwrap();
    bench
        .is_refused_with(&[
            "another process serves Redis with the SQLite store",
            "store.sql",
        ])
        .await;
    let elsewhere = Bench::store(&server.url());
    elsewhere.is_refused_with(&[&server.address()]).await;
    drop(running);
    elsewhere.is_refused_with(&[&server.address()]).await;
    Running::start(&bench).unwrap();
}
