//! `tenure store check` and `migrate`, and several servers in `--dev` on one database.

use serde_json::Value;
use tenure_lab::deployment::CLIENT;
use tenure_lab::postgres;
use tenure_lab::process::Port;

use crate::bench::{Bench, http};
use crate::running::{Running, login};

#[tokio::test]
async fn check_changes_nothing_migrate_can_be_repeated_and_check_says_what_is_promised() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let bench = Bench::store(&server.url(&database));
    let early = bench.run(&["store", "check"]).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.stderr.contains("is behind this program"), "{early:?}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.value(&database, tables).await.unwrap(), "0");

    let first = bench.run(&["store", "migrate"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stdout.contains("schema 0 -> "), "{first:?}");
    let again = bench.run(&["store", "migrate"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(
        again
            .stdout
            .lines()
            .all(|line| line.contains("nothing to do")),
        "{again:?}"
    );

    let check = bench.run(&["store", "check"]).await;
    assert_eq!(check.code, Some(0), "{check:?}");
    let place = format!("postgres://tenure@127.0.0.1:{}/{database}", server.port());
    for wanted in [
        "postgres",
        &place,
        "primary-only",
        "write test",
        "synchronous_commit",
    ] {
        assert!(check.stdout.contains(wanted), "{wanted} in {check:?}");
    }
    assert!(
        check
            .stderr
            .contains("warning: revocations are primary-only"),
        "{check:?}"
    );
}

#[tokio::test]
async fn a_store_that_does_not_open_is_exit_2_for_every_command() {
    let port = Port::reserve().unwrap().address().port();
    let bench = Bench::store(&format!("postgres://u:canary-password@127.0.0.1:{port}/t"));
    for command in [
        &["store", "check"][..],
        &["store", "migrate"],
        &["user", "list"],
        &["keys", "list"],
    ] {
        let ended = bench.run(command).await;
        assert_eq!(ended.code, Some(2), "{command:?}: {ended:?}");
    }
}

#[tokio::test]
async fn servers_in_dev_share_a_database_and_one_master_secret() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let bench = Bench::store(&server.url(&database)).with("TENURE_ISSUER", "http://127.0.0.1:1");
    let first = Running::start_in(&bench, "first").unwrap();
    let second = Running::start_in(&bench, "second").unwrap();
    let said = first.server.output().lines().join("\n");
    // This one runs with fsync = off.
    let place = format!(
        "postgres, NOT durable, postgres://tenure@127.0.0.1:{}",
        server.port()
    );
    assert!(said.contains(&place), "{said}");
    assert!(said.contains("store_degraded"), "{said}");

    let tokens: Value = login(&first).await.json().await.unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let url = format!("{}/oauth2/token", second.server.url());
    let answer = http().post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (status, ready) = second.ready().await;
    assert_eq!((status, &ready["store"]["kind"]), (200, &"postgres".into()));
    assert_eq!(ready["store"]["revoke_durability"], "primary-only");
    assert_eq!(ready["store"]["warnings"].as_array().unwrap().len(), 2);
}
