//! The Redis and Valkey servers of the lab do what the tests with Tenure rely on.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use tenure_lab::redis::{Append, Cluster, Engine, Options, Redis, Sentinels};

/// Runs on both engines at once; one that is not here is a counted skip.
fn on_each_engine(test: impl Fn(Engine) + Sync) {
    std::thread::scope(|threads| {
        for engine in engines() {
            let test = &test;
            threads.spawn(move || test(engine));
        }
    });
}

fn engines() -> Vec<Engine> {
    let here = |engine: Engine| engine.or_skip().unwrap();
    Engine::ALL.into_iter().filter_map(here).collect()
}

fn set(redis: &Redis, key: &str) {
    redis.command::<()>(&["SET", key, "1"]).unwrap();
}

#[test]
fn what_was_written_survives_a_kill_unless_the_append_only_file_is_off() {
    on_each_engine(|engine| {
        for (append, kept) in [
            (Append::EverySecond, true),
            (Append::Always, true),
            (Append::Off, false),
        ] {
            let options = Options {
                append,
                ..Options::default()
            };
            let mut redis = Redis::start(engine, options).unwrap();
            set(&redis, "a");
            redis.restart().unwrap();
            assert_eq!(redis.keys("a").unwrap().len(), usize::from(kept));
        }
    });
}

#[test]
fn a_backup_brings_back_what_was_and_a_wipe_nothing() {
    on_each_engine(|engine| {
        let mut redis = Redis::start(engine, Options::default()).unwrap();
        set(&redis, "early");
        let backup = redis.back_up().unwrap();
        set(&redis, "late");
        redis.restore(&backup).unwrap();
        assert_eq!(redis.keys("").unwrap(), ["early"]);
        redis.wipe().unwrap();
        assert!(redis.keys("").unwrap().is_empty());
    });
}

#[test]
fn nobody_gets_in_without_the_password_and_debug_does_not_show_it() {
    let Some(&engine) = engines().first() else {
        return;
    };
    let redis = Redis::shared(engine).unwrap();
    let again = Redis::shared(engine).unwrap();
    assert_eq!(redis.address(), again.address());
    assert!(!format!("{redis:?}").contains(redis.password()));
    let anybody = redis::Client::open(format!("redis://{}/", redis.address())).unwrap();
    let mut connection = anybody.get_connection().unwrap();
    let refused = redis::cmd("GET").arg("a").query::<()>(&mut connection);
    assert_eq!(refused.unwrap_err().code(), Some("NOAUTH"));
}

#[test]
fn a_sentinel_failover_loses_what_a_replica_that_was_held_back_lacks() {
    on_each_engine(|engine| {
        let mut group = Sentinels::start(engine, Options::default(), 2).unwrap();
        set(group.primary(), "before");
        group.primary().wait_for_replicas(2).unwrap();
        group.hold_replicas_back().unwrap();
        set(group.primary(), "after");
        let old = group.primary().address();
        group.fail_over().unwrap();
        assert_ne!(group.primary().address(), old);
        assert_eq!(group.primary().keys("").unwrap(), ["before"]);

        set(group.primary(), "later");
        group.revive().unwrap();
        group.primary().wait_for_replicas(2).unwrap();
        group.fail_over().unwrap();
        assert_eq!(group.primary().keys("").unwrap(), ["before", "later"]);
    });
}

#[test]
fn a_cluster_promotes_the_replica_of_a_killed_primary() {
    on_each_engine(|engine| {
        let mut cluster = Cluster::start(engine, &Options::default(), true).unwrap();
        let key = "key";
        let home = cluster.primary_of(key).unwrap();
        set(&cluster.primaries()[home], key);
        cluster.primaries()[home].wait_for_replicas(1).unwrap();
        let replica = &cluster.replicas()[home];
        replica.hold_back(&cluster.primaries()[home]).unwrap();
        set(&cluster.primaries()[home], &format!("{{{key}}}late"));
        cluster.kill9(home).unwrap();
        cluster.wait_for_promotion(home).unwrap();
        let promoted = &cluster.replicas()[home];
        assert_eq!(promoted.keys("").unwrap(), [key]);
        set(promoted, key);
    });
}

#[test]
fn a_cluster_needs_no_replicas() {
    on_each_engine(|engine| {
        let cluster = Cluster::start(engine, &Options::default(), false).unwrap();
        for key in ["a", "b", "c", "d", "e", "f"] {
            set(&cluster.primaries()[cluster.primary_of(key).unwrap()], key);
        }
    });
}
