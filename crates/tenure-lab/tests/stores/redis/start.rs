//! What is refused at the start, in one line that says what helps.

use std::time::Duration;

use tenure_core::secret::Secret;
use tenure_lab::redis::{Engine, Options, Redis as Server};
use tenure_store::conformance::{lineage, logout, session};
use tenure_store::{OpenError, RedisOptions, Revoked, Store as _, Wait};

use super::{Side, is_here, options, shared_cluster};

async fn refused(options: &RedisOptions) -> String {
    let refused = Side::new().open(options).await.unwrap_err();
    assert!(matches!(refused, OpenError::Refused { .. }), "{refused}");
    let line = refused.to_string();
    assert!(!line.contains('\n') && !line.contains("s3cret"), "{line}");
    line
}

#[track_caller]
fn assert_says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{line:?} does not say {part:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_does_not_know_the_user_is_refused() {
    let Some(engine) = is_here(Engine::Redis7) else {
        return;
    };
    let server = Server::shared(engine).unwrap();
    let address = server.address();
    let mut nobody = Server::start(engine, Options::default()).unwrap();
    nobody.kill9().unwrap();
    for (url, said) in [
        (format!("redis://{}", nobody.address()), "no server answers"),
        (
            format!("redis://{address}"),
            "does not take the user or password",
        ),
        (
            format!("redis://:s3cret@{address}"),
            "does not take the user or password",
        ),
        (
            format!("redis://x:s3cret@{address}"),
            "does not take the user or password",
        ),
        (
            format!("redis+sentinel://:s3cret@{}/m", nobody.address()),
            "no Sentinel leads to a master",
        ),
        (
            format!("redis+cluster://:s3cret@{}", nobody.address()),
            "no server answers",
        ),
    ] {
        let line = refused(&options(&url)).await;
        assert_says(&line, &[said, address.split(':').next().unwrap()]);
    }
}

#[tokio::test]
async fn a_server_of_another_kind_is_refused() {
    let (Some(redis), Some(valkey)) = (is_here(Engine::Redis7), is_here(Engine::Valkey8)) else {
        return;
    };
    let (server, cluster) = (Server::shared(redis).unwrap(), shared_cluster(valkey));
    let node = cluster.primaries()[0].url();
    assert_says(
        &refused(&options(&node)).await,
        &["a node of a Redis Cluster", "redis+cluster://"],
    );
    let alone = format!(
        "redis+cluster://:{}@{}",
        server.password(),
        server.address()
    );
    assert_says(
        &refused(&options(&alone)).await,
        &["no node of a Redis Cluster"],
    );
    let replica = server.replica().unwrap();
    assert_says(
        &refused(&options(&replica.url())).await,
        &["it is a replica", "name the primary"],
    );
}

#[tokio::test]
async fn a_server_that_would_throw_sessions_away_is_refused() {
    let Some(engine) = is_here(Engine::Redis7) else {
        return;
    };
    let evicting = Options {
        eviction: "allkeys-lru",
        ..Options::default()
    };
    let server = Server::start(engine, evicting).unwrap();
    let line = refused(&options(&server.url())).await;
    assert_says(
        &line,
        &[
            "maxmemory-policy is allkeys-lru",
            "set maxmemory-policy noeviction",
        ],
    );

    server
        .command::<String>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        .unwrap();
    let side = Side::new();
    let store = side.open(&options(&server.url())).await.unwrap();
    server
        .command::<String>(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"])
        .unwrap();
    let trouble = store.check().await.unwrap_err().to_string();
    assert_says(&trouble, &["volatile-ttl"]);
}

#[tokio::test]
async fn a_user_without_the_rights_is_told_which_it_needs() {
    let Some(engine) = is_here(Engine::Redis7) else {
        return;
    };
    let server = Server::start(engine, Options::default()).unwrap();
    let url = format!("redis://app:s3cret@{}", server.address());
    let allow = |rights: &[&str]| {
        let words = [&["ACL", "SETUSER", "app", "reset", "on", ">s3cret"], rights].concat();
        server.command::<String>(&words).unwrap();
    };
    for rights in [
        &["~*", "+get"][..],
        &["~*", "+@read", "+info", "+client", "+evalsha", "+eval"],
        &["~other:*", "+@all"],
    ] {
        allow(rights);
        assert_says(
            &refused(&options(&url)).await,
            &["lacks a right", "ACL SETUSER"],
        );
    }
    // What the line says is enough, and no setting is told.
    allow(&[
        "~{tenure:*",
        "~tenure:*",
        "+@read",
        "+@write",
        "+@scripting",
        "+@connection",
        "+info",
        "+time",
    ]);
    let side = Side::new();
    let store = side
        .open(&RedisOptions::new(Secret::new(url)))
        .await
        .unwrap();
    let facts = store.describe().facts;
    assert!(
        facts.contains(&("appendfsync", "unknown".to_owned())),
        "{facts:?}"
    );
    assert!(facts.contains(&("maxmemory-policy", "noeviction".to_owned())));
}

#[tokio::test]
async fn another_sql_side_is_refused() {
    let Some(engine) = is_here(Engine::Redis7) else {
        return;
    };
    let server = Server::shared(engine).unwrap();
    let options = options(&server.url());
    let side = Side::new();
    drop(side.open(&options).await.unwrap());
    assert_says(
        &refused(&options).await,
        &["belong to another SQL store", "another prefix"],
    );
    side.open(&options).await.unwrap();

    let key = format!("{}:served-by", options.prefix);
    server.command::<String>(&["SET", &key, "2 any"]).unwrap();
    assert_says(
        &refused(&options).await,
        &["a newer program", "upgrade tenure"],
    );
}

#[tokio::test]
async fn waiting_for_a_file_needs_a_server_that_can() {
    let (Some(redis), Some(valkey)) = (is_here(Engine::Redis7), is_here(Engine::Valkey8)) else {
        return;
    };
    let local = |url: String| RedisOptions {
        wait: Wait {
            local: true,
            ..Wait::default()
        },
        ..options(&url)
    };
    let server = Server::shared(redis).unwrap();
    assert_says(
        &refused(&local(server.url())).await,
        &["WAITAOF", "redis 7.0"],
    );
    let server = Server::shared(valkey).unwrap();
    let side = Side::new();
    let store = side.open(&local(server.url())).await.unwrap();
    let facts = store.describe().facts;
    assert!(
        facts.contains(&("wait", "WAITAOF 1 0".to_owned())),
        "{facts:?}"
    );
}

#[tokio::test]
async fn what_no_replica_confirms_is_not_acknowledged() {
    let Some(engine) = is_here(Engine::Redis7) else {
        return;
    };
    let server = Server::start(engine, Options::default()).unwrap();
    let one_replica = |seconds: f32| RedisOptions {
        wait: Wait {
            replicas: 1,
            timeout: Duration::from_secs_f32(seconds),
            ..Wait::default()
        },
        ..RedisOptions::new(Secret::new(server.url()))
    };
    let side = Side::new();
    let store = side.open(&one_replica(0.1)).await.unwrap();
    let trouble = store.create(&session(1)).await.unwrap_err();
    assert_says(&trouble.to_string(), &["only 0 of 1 replicas"]);
    // The log has it all the same.
    assert!(store.load(lineage(1)).await.unwrap().is_some());

    let _replica = server.replica().unwrap();
    // A replica begins to confirm a second after it has everything.
    let store = side.open(&one_replica(30.0)).await.unwrap();
    store.create(&session(2)).await.unwrap();
    assert_eq!(store.revoke(lineage(2), logout()).await, Ok(Revoked::Now));
}

#[tokio::test]
async fn a_prefix_that_would_move_keys_is_refused() {
    for prefix in ["", "a{b", "a}", "a b", &"x".repeat(65)] {
        let options = RedisOptions {
            prefix: prefix.to_owned(),
            ..options("redis://127.0.0.1:1")
        };
        assert_says(&refused(&options).await, &["the prefix", "letters"]);
    }
}
