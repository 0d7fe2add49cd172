//! What stands between a server and its database, and beside it.

use std::collections::BTreeMap;
use std::process::Command;

use tenure_core::secret::Secret;
use tenure_lab::postgres::{Options, Postgres as Server};
use tenure_store::conformance::{START, lineage, logout, session};
use tenure_store::{OpenError, Postgres, PostgresOptions, Store as _, StoreError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::refusals::said;
use super::{POOL, open, server};

/// Passes everything on but the settings of a connection, as PgBouncer does with
/// `ignore_startup_parameters = options`; answers its port.
async fn pooler(to: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut database = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            tokio::spawn(async move {
                let startup = without_options(&mut client).await;
                database.write_all(&startup).await.unwrap();
                let _ended = copy_bidirectional(&mut client, &mut database).await;
            });
        }
    });
    port
}

/// The first message: its length, the version, names and values.
async fn without_options(client: &mut TcpStream) -> Vec<u8> {
    let length = client.read_u32().await.unwrap() as usize;
    let mut message = vec![0; length - 4];
    client.read_exact(&mut message).await.unwrap();
    let (version, named) = message.split_at(4);
    let texts: Vec<&[u8]> = named.split(|byte| *byte == 0).collect();
    let mut kept = version.to_vec();
    let pair = |pair: &[&'_ [u8]]| match pair {
        [name, value] if !name.is_empty() && *name != b"options" => {
            Some((name.to_vec(), value.to_vec()))
        }
        _ => None,
    };
    let pairs: BTreeMap<_, _> = texts.chunks(2).filter_map(pair).collect();
    for (name, value) in pairs {
        kept.extend([name.as_slice(), b"\0", &value, b"\0"].concat());
    }
    kept.push(0);
    let length = u32::try_from(kept.len() + 4).unwrap();
    [length.to_be_bytes().as_slice(), &kept].concat()
}

#[tokio::test]
async fn a_pooler_that_drops_the_settings_of_connections_is_refused() {
    let Some(server) = server() else { return };
    let database = server.fresh_database().await.unwrap();
    drop(open(server, &database).await.unwrap());
    let port = pooler(server.port()).await;
    let url = server.url(&database);
    let through = url.replace(&format!(":{}/", server.port()), &format!(":{port}/"));
    assert_ne!(url, through);
    let options = PostgresOptions::new(Secret::new(through));
    let line = said(Postgres::open(&options).await);
    assert!(line.contains("statement_timeout is 0 and not 5s"), "{line}");
    assert!(line.contains("PgBouncer"), "{line}");
}

#[tokio::test]
async fn the_database_notices_that_the_machine_of_a_server_is_gone() {
    let Some(server) = server() else { return };
    let database = server.fresh_database().await.unwrap();
    let store = open(server, &database).await.unwrap();
    store.check().await.unwrap();
    // Another connection cannot see these settings of a backend, so a function tells of its own.
    let told = "CREATE TABLE told (setting text); GRANT ALL ON told TO PUBLIC; \
        CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        INSERT INTO told VALUES (current_setting('tcp_keepalives_idle') || ' ' || \
        current_setting('tcp_keepalives_count') || ' ' || current_setting('tcp_user_timeout')); \
        RETURN NULL; END $$; \
        CREATE TRIGGER tell AFTER INSERT ON sessions EXECUTE FUNCTION tell(); SELECT 1";
    server.value(&database, told).await.unwrap();
    store.create(&session(1)).await.unwrap();
    let settings = server.value(&database, "SELECT setting FROM told").await;
    assert_eq!(settings.unwrap(), "10 3 20000");
}

/// A database, and the databases of two logs.
struct Logs {
    server: &'static Server,
    database: String,
    two: [String; 2],
}

impl Logs {
    async fn new() -> Option<Self> {
        let server = server()?;
        let mut fresh = Vec::new();
        for _ in 0..3 {
            fresh.push(server.fresh_database().await.unwrap());
        }
        let [database, one, other] = fresh.try_into().unwrap();
        Some(Self {
            server,
            database,
            two: [one, other],
        })
    }

    fn first(&self) -> &str {
        let [first, _] = &self.two;
        first
    }

    async fn open(&self, log: Option<usize>) -> Result<Postgres, OpenError> {
        let url = |name: &str| Secret::new(self.server.url(name));
        Postgres::open(&PostgresOptions {
            pool: POOL,
            log: log.and_then(|log| self.two.get(log)).map(|log| url(log)),
            ..PostgresOptions::new(url(&self.database))
        })
        .await
    }
}

#[tokio::test]
async fn servers_with_different_session_logs_do_not_write_at_once() {
    let Some(logs) = Logs::new().await else {
        return;
    };
    for (first, others) in [(None, [Some(0), Some(1)]), (Some(0), [None, Some(1)])] {
        let store = logs.open(first).await.unwrap();
        store.check().await.unwrap();
        for other in others {
            let line = said(logs.open(other).await);
            assert!(line.contains("the same store.revocation_log"), "{line}");
            assert!(line.contains("stop all of them"), "{line}");
        }
        drop(logs.open(first).await.unwrap());
        store
            .create(&session(u64::from(first.is_some())))
            .await
            .unwrap();
    }
    // All are stopped: whichever comes first says which.
    for next in [Some(1), None, Some(0)] {
        logs.open(next).await.unwrap().check().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_whose_log_is_no_longer_the_log_of_the_database_gets_no_connection() {
    let Some(logs) = Logs::new().await else {
        return;
    };
    let old = logs.open(Some(0)).await.unwrap();
    old.create(&session(1)).await.unwrap();
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND usename = 'tenure'";
    logs.server.value(&logs.database, cut).await.unwrap();
    let new = logs.open(Some(1)).await.unwrap();
    new.check().await.unwrap();
    let mut refused = None;
    for _ in 0..POOL {
        refused = old.revoke(lineage(1), logout()).await.err();
        if refused
            .as_ref()
            .is_some_and(|why| why.to_string().contains("revocation_log"))
        {
            break;
        }
    }
    let refused = refused.unwrap();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(refused.to_string().contains("revocation_log"), "{refused}");
    assert_eq!(
        new.load(lineage(1)).await.unwrap().unwrap().row.revoked,
        None
    );
}

#[tokio::test]
async fn a_log_that_takes_no_write_is_not_ready() {
    let Some(logs) = Logs::new().await else {
        return;
    };
    let store = logs.open(Some(0)).await.unwrap();
    store.check().await.unwrap();
    let read_only = "REVOKE ALL ON log_meta FROM tenure; ALTER TABLE log_meta OWNER TO postgres; \
        GRANT SELECT ON log_meta TO tenure; SELECT 1";
    logs.server.value(logs.first(), read_only).await.unwrap();
    let error = store.check().await.unwrap_err();
    assert!(error.to_string().contains("log_meta"), "{error}");
}

#[tokio::test]
async fn the_session_log_forgets_what_nobody_needs() {
    let Some(logs) = Logs::new().await else {
        return;
    };
    let store = logs.open(Some(0)).await.unwrap();
    store.create(&session(1)).await.unwrap();
    store.revoke(lineage(1), logout()).await.unwrap();
    let end = START + std::time::Duration::from_hours(100_000);
    for _ in 0..2 {
        store.purge(end, 100).await.unwrap();
    }
    let left = "SELECT count(*) FROM session_log";
    assert_eq!(logs.server.value(logs.first(), left).await.unwrap(), "0");
}

/// Copies or puts back the files of a server that does not run.
fn copy(from: &str, to: &str) {
    let mut copy = Command::new("cp");
    assert!(copy.args(["-a", from, to]).status().unwrap().success());
}

/// The same server with the same timeline and tables: only its write-ahead log ends earlier.
#[tokio::test]
async fn files_that_were_put_back_under_a_running_store_learn_from_the_log() {
    let Some(shared) = server() else { return };
    let mut server = Server::start(&Options::default()).unwrap();
    let database = server.fresh_database().await.unwrap();
    let log = shared.fresh_database().await.unwrap();
    let options = PostgresOptions {
        pool: POOL,
        log: Some(Secret::new(shared.url(&log))),
        ..PostgresOptions::new(Secret::new(server.url(&database)))
    };
    let store = Postgres::open(&options).await.unwrap();
    store.create(&session(1)).await.unwrap();
    let data = server
        .value(&database, "SHOW data_directory")
        .await
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let backup = home.path().join("data").display().to_string();
    server.stop().unwrap();
    copy(&data, &backup);
    server.restart().unwrap();
    // Connections that were lent before are found to be closed, one by one.
    let mut trouble = 0;
    while store.check().await.is_err() {
        trouble += 1;
        assert!(trouble < 20, "the store does not come back");
    }
    while store.revoke(lineage(1), logout()).await.is_err() {}
    store.check().await.unwrap();
    server.stop().unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    server.restart().unwrap();
    let mut trouble = 0;
    let loaded = loop {
        if let Ok(loaded) = store.load(lineage(1)).await {
            break loaded.unwrap();
        }
        trouble += 1;
        assert!(trouble < 20, "the store does not come back");
    };
    assert_eq!(loaded.row.revoked, Some(logout()));
}
