//! docs/guides/operations.md, command by command.

use std::process::Command;

use tenure_lab::postgres;
use tenure_lab::process::tenure_binary;
use tenure_store::{Sqlite, SqliteOptions};

const GUIDE: &str = include_str!("../../../../docs/guides/operations.md");

/// The contents of the blocks that are marked as shell.
fn blocks() -> Vec<&'static str> {
    let parts = GUIDE.split("```sh\n").skip(1);
    parts
        .map(|part| part.split_once("```").unwrap().0)
        .collect()
}

/// Blocks about PostgreSQL are run on the store that the ones before them have made.
#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_guide_works() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let new = server.url(&server.fresh_database().await.unwrap());
    let restored = server.url(&server.fresh_database().await.unwrap());
    let home = tempfile::TempDir::new().unwrap();
    let (data, backup) = (home.path().join("data"), home.path().join("backup"));
    std::fs::create_dir(&backup).unwrap();
    drop(Sqlite::open(&SqliteOptions::new(&data)).unwrap());
    let blocks = blocks();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    let (about_postgres, others): (Vec<&str>, Vec<&str>) =
        blocks.into_iter().partition(|block| block.contains("pg_"));
    let here = |block: &str| {
        let block = block.replace("/srv/backup", backup.to_str().unwrap());
        block.replace("postgres://tenure@db.example.com/tenure", "$REAL_NEW_STORE")
    };
    let marked = |block: &&str| format!("echo 'block:'\n{}\n", here(block));
    let script: String = others
        .iter()
        .map(marked)
        .chain(["export TENURE_STORE_URL=$REAL_NEW_STORE\n".to_owned()])
        .chain(about_postgres.iter().map(marked))
        .collect();
    let binary = tenure_binary().unwrap();
    let path = std::env::var("PATH").unwrap();
    let ended = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env(
            "PATH",
            format!("{}:{path}", binary.parent().unwrap().display()),
        )
        .env("TENURE_DATA", &data)
        .env("TENURE_ISSUER", "https://auth.example.com")
        .env(
            "TENURE_MASTER_SECRET",
            "the master secret of the guide, long enough for it",
        )
        .env("REAL_NEW_STORE", &new)
        .env("RESTORED_STORE_URL", &restored)
        .output()
        .unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ended.status.success(), "{script}\n{said}");
    for wanted in ["PART", "sqlite", "postgres", "primary-only", "tenure.db"] {
        assert!(said.contains(wanted), "no {wanted} in {said}");
    }
    assert!(!said.contains(server.password()));
}
