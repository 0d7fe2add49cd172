//! A backup of the embedded store, taken under load, and what it is good for.

use std::os::unix::fs::PermissionsExt as _;

use tenure_lab::crowd::{self, User};
use tenure_store::{Sqlite, SqliteOptions, Store};

use crate::site::{Busy, Place, Site, assert_all_well, seed};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_restores_without_a_sign_out() {
    let mut site = Site::new().await;
    let place = Place::sqlite("data");
    let mut server = site.serve(&place);
    seed(&site.path("data"), 2000).await;
    let users = crowd::sign_in(&site.first_party(), 9).await.unwrap();
    let (leaving, users) = users.split_last().unwrap();
    let busy = Busy::begin(users.to_vec(), &site.app());
    let file = site.path("backup.db");
    let words = ["backup", "--to", file.to_str().unwrap()];
    let mut backup = site
        .tenure(&place, &words)
        .ready_when("bytes")
        .start()
        .unwrap();
    assert!(backup.wait().unwrap().success());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = site
        .tenure(&place, &words)
        .ready_when("exists; name a new file");
    assert_eq!(again.start().unwrap().wait().unwrap().code(), Some(2));

    // After the backup: others go on, one comes, one leaves.
    let newcomer = User::sign_in(&site.first_party()).await.unwrap();
    site.first_party().logout(&leaving.token).await.unwrap();
    let newcomer = crowd::refresh(&site.app(), vec![newcomer], 3).await.0;
    server.kill9().unwrap();
    for name in ["tenure.db-wal", "tenure.db-shm"] {
        std::fs::remove_file(site.path("data").join(name)).unwrap();
    }
    std::fs::copy(&file, site.path("data").join("tenure.db")).unwrap();
    server.restart().unwrap();

    let (users, tally) = busy.end().await;
    assert_all_well(&tally);
    let all = users.into_iter().chain(newcomer).collect();
    let (_, tally) = crowd::refresh(&site.app(), all, 3).await;
    println!("restored under load: {tally}");
    assert_all_well(&tally);
    let refusal = site.app().refresh(&leaving.token).await.refused().unwrap();
    assert_eq!(refusal.tenure_reason.as_deref(), Some("logged_out"));
}

#[tokio::test]
async fn a_backup_is_a_whole_database_and_never_replaces_a_file() {
    let home = tempfile::TempDir::new().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("backup.db"));
    seed(&data, 100).await;
    let options = SqliteOptions::new(&data);
    let bytes = Sqlite::back_up(&options, &file).unwrap();
    assert_eq!(bytes, std::fs::metadata(&file).unwrap().len());
    let refused = Sqlite::back_up(&options, &file).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);

    let restored = home.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(&file, restored.join("tenure.db")).unwrap();
    let store = Sqlite::open(&SqliteOptions::new(&restored)).unwrap();
    let sessions = store.count(tenure_store::Part::Sessions).await;
    assert_eq!(sessions, Ok(Some(100)));

    // Nothing is left of an attempt that failed.
    let none = SqliteOptions::new(home.path().join("nowhere"));
    let other = home.path().join("other.db");
    assert!(Sqlite::back_up(&none, &other).is_err());
    assert!(!other.exists());
}
