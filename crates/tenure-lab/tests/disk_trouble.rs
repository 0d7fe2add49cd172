//! A full and a read-only disk under the embedded store: said as such, nothing lost, and over
//! without a restart.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::sync::Arc;

use tempfile::TempDir;
use tenure_core::lineage::Row;
use tenure_core::secret::Secret;
use tenure_lab::disk::FaultyDisk;
use tenure_store::conformance::presenter::Presenter;
use tenure_store::conformance::{START, lineage, logout, row_of, session};
use tenure_store::{Revoked, Sqlite, SqliteOptions, Store, StoreError};

/// A store on a faulty disk, with two sessions that have refreshed once.
struct Service {
    store: Arc<dyn Store>,
    server: Presenter,
    tokens: [Secret; 2],
    disk: FaultyDisk,
    _dir: TempDir,
}

impl Service {
    async fn start() -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let disk = FaultyDisk::mount_or_skip(dir.path(), 1).unwrap()?;
        let options = SqliteOptions::new(disk.path().join("data"));
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&options).unwrap());
        let server = Presenter::new(&store);
        let mut tokens = Vec::new();
        for n in 0..2 {
            let row = session(n);
            store.create(&row).await.unwrap();
            let first = server.first_token(&row);
            tokens.push(server.present(&first, 2, START).await.unwrap().token());
        }
        Some(Self {
            store,
            server,
            tokens: tokens.try_into().unwrap(),
            disk,
            _dir: dir,
        })
    }

    /// Each write fails in the way of `is`, again and again, and reads go on.
    async fn refuses_writes(&self, is: impl Fn(&StoreError) -> bool) {
        for _ in 0..3 {
            let [token, _] = &self.tokens;
            let refused = [
                self.store.create(&session(5)).await.unwrap_err(),
                self.store.revoke(lineage(1), logout()).await.unwrap_err(),
                self.server.present(token, 3, START).await.unwrap_err(),
                self.store.check().await.unwrap_err(),
            ];
            assert!(refused.iter().all(&is), "{refused:?}");
            assert!(self.store.load(lineage(0)).await.unwrap().is_some());
        }
        assert!(self.store.counters().failed_commits >= 12);
    }

    /// Everything from before is there, and what was refused can be done now.
    async fn goes_on(&self) {
        assert_eq!(self.store.check().await, Ok(()));
        for (n, token) in (0..).zip(&self.tokens) {
            let next = self.server.present(token, 3, START).await.unwrap().token();
            self.server.present(&next, 4, START).await.unwrap().token();
            assert_eq!(row_of(&self.store, lineage(n)).await.head.generation, 2);
        }
        self.store.create(&session(6)).await.unwrap();
        assert_eq!(
            self.store.revoke(lineage(6), logout()).await,
            Ok(Revoked::Now)
        );
    }

    /// What was acknowledged is on the disk, not in this process.
    async fn survives_a_power_cut(self) {
        let rows: Vec<Row> = [
            row_of(&self.store, lineage(0)).await,
            row_of(&self.store, lineage(1)).await,
            row_of(&self.store, lineage(6)).await,
        ]
        .into();
        self.disk.power_cut_losing_all();
        drop((self.store, self.server));
        let options = SqliteOptions::new(self.disk.path().join("data"));
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&options).unwrap());
        for row in rows {
            assert_eq!(row_of(&store, row.lineage).await, row);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_gotten_over() {
    let Some(service) = Service::start().await else {
        return;
    };
    service.disk.full();
    service
        .refuses_writes(|error| matches!(error, StoreError::Full(_)))
        .await;
    service.disk.healthy();
    service.goes_on().await;
    service.survives_a_power_cut().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_no_growth_is_said_and_gotten_over() {
    let Some(service) = Service::start().await else {
        return;
    };
    service.disk.full_for_growth();
    service
        .refuses_writes(|error| matches!(error, StoreError::Full(_)))
        .await;
    service.disk.healthy();
    service.goes_on().await;
    service.survives_a_power_cut().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_is_said_and_gotten_over() {
    let Some(service) = Service::start().await else {
        return;
    };
    service.disk.read_only();
    service
        .refuses_writes(|error| matches!(error, StoreError::ReadOnly(_)))
        .await;
    service.disk.healthy();
    service.goes_on().await;
    service.survives_a_power_cut().await;
}

/// The log on another disk that is full: nobody can sign in or out, and everybody stays signed in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_go_on_while_the_log_takes_nothing() {
    let dir = TempDir::new().unwrap();
    let Some(disk) = FaultyDisk::mount_or_skip(dir.path(), 1).unwrap() else {
        return;
    };
    let home = TempDir::new().unwrap();
    let mut options = SqliteOptions::new(home.path());
    options.journal = Some(disk.path().join("ends"));
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&options).unwrap());
    let server = Presenter::new(&store);
    store.create(&session(0)).await.unwrap();
    let mut token = server.first_token(&session(0));

    disk.full();
    for fresh in 10..15 {
        let row = session(1);
        let (created, refreshed) =
            tokio::join!(store.create(&row), server.present(&token, fresh, START));
        assert!(matches!(created, Err(StoreError::Full(_))), "{created:?}");
        token = refreshed.unwrap().token();
        assert!(matches!(store.check().await, Err(StoreError::Full(_))));
        let revoked = store.revoke(lineage(0), logout()).await;
        assert!(matches!(revoked, Err(StoreError::Full(_))), "{revoked:?}");
        assert_eq!(row_of(&store, lineage(0)).await.revoked, None);
    }
    disk.healthy();
    assert_eq!(store.check().await, Ok(()));
    assert_eq!(store.revoke(lineage(0), logout()).await, Ok(Revoked::Now));
    store.create(&session(1)).await.unwrap();
}
