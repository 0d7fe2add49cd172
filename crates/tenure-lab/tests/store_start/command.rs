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
    assert_eq!(early.code, 1, "{early:?}");
    assert!(early.stderr.contains("is behind this program"), "{early:?}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.value(&database, tables).await.unwrap(), "0");

    let first = bench.run(&["store", "migrate"]).await;
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stdout.contains("schema 0 -> "), "{first:?}");
    let again = bench.run(&["store", "migrate"]).await;
    assert_eq!(again.code, 0, "{again:?}");
    assert!(
        again
            .stdout
            .lines()
            .all(|line| line.contains("nothing to do")),
        "{again:?}"
    );

    let check = bench.run(&["store", "check"]).await;
    assert_eq!(check.code, 0, "{check:?}");
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
        assert_eq!(ended.code, 2, "{command:?}: {ended:?}");
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
    assert!(said.contains("store settings  "), "{said}");
    assert!(said.contains("store_degraded"), "{said}");

    let token = token(&first).await;
    assert_eq!(second.refresh(&token).await.status(), 200);
    let (status, ready) = second.ready().await;
    assert_eq!((status, &ready["store"]["kind"]), (200, &"postgres".into()));
    assert_eq!(ready["store"]["revoke_durability"], "primary-only");
    assert_eq!(ready["store"]["warnings"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn restore_check_says_what_a_restored_store_has_forgotten_and_serving_brings_it_back() {
    let bench = Bench::new();
    let data = bench.directory.path().join("data");
    let backup = bench.directory.path().join("backup.db");
    let mut running = Running::start(&bench).unwrap();
    let ended = token(&running).await;
    let to = ["store", "backup", "--to", backup.to_str().unwrap()];
    assert_eq!(bench.run(&to).await.code, 0);
    let lasting = token(&running).await;
    let form = [("client_id", CLIENT), ("token", &ended)];
    let url = format!("{}/oauth2/revoke", running.server.url());
    assert_eq!(
        http().post(url).form(&form).send().await.unwrap().status(),
        200
    );
    running.server.terminate().unwrap();

    for file in ["tenure.db-wal", "tenure.db-shm"] {
        let _gone = std::fs::remove_file(data.join(file));
    }
    std::fs::copy(&backup, data.join("tenure.db")).unwrap();
    let check = bench.run(&["store", "restore-check"]).await;
    assert_eq!(check.code, 0, "{check:?}");
    let fact = |name: &str| {
        let mut lines = check.stdout.lines();
        let line = lines.find_map(|line| line.strip_prefix(name));
        line.map(str::trim).map(str::to_owned)
    };
    assert_eq!(fact("sign-ins missing").as_deref(), Some("1"), "{check:?}");
    assert_eq!(fact("sign-outs missing").as_deref(), Some("1"), "{check:?}");
    assert!(
        check.stdout.contains("tenure serve carries this out"),
        "{check:?}"
    );

    let log = std::fs::read(data.join("revocations.log")).unwrap();
    std::fs::remove_file(data.join("revocations.log")).unwrap();
    let lost = bench.run(&["store", "restore-check"]).await;
    assert_eq!(lost.code, 1, "{lost:?}");
    assert!(
        lost.stderr.contains("error: there is no session log"),
        "{lost:?}"
    );
    std::fs::write(data.join("revocations.log"), log).unwrap();

    let running = Running::start(&bench).unwrap();
    assert_eq!(running.refresh(&lasting).await.status(), 200);
    assert_eq!(running.refresh(&ended).await.status(), 400);
    let check = bench.run(&["store", "restore-check"]).await;
    assert_eq!(check.code, 0, "{check:?}");
    assert!(
        check.stdout.contains("the store has everything"),
        "{check:?}"
    );
}

async fn token(running: &Running<'_>) -> String {
    let tokens: Value = login(running).await.json().await.unwrap();
    tokens["refresh_token"].as_str().unwrap().to_owned()
}
