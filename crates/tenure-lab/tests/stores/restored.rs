//! Yesterday's database comes back beside today's session log: who was signed out stays out, who
//! signed in since, or refreshed since, stays in. The control has no log.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::Subject;
use tenure_core::lineage::EndCause;
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_lab::postgres::{self, Postgres as Server};
use tenure_store::conformance::presenter::{Heard, Presenter};
use tenure_store::conformance::{
    ABSOLUTE, IDLE, START, create_all, cut, lineage, logout, row_of, session, session_of,
};
use tenure_store::{
    Place, Postgres, PostgresOptions, Purged, RestoreReport, Revoked, Sqlite, SqliteOptions, Store,
    restore_check,
};

const HOUR: Duration = Duration::from_hours(1);
const TODAY: Timestamp = Timestamp(START.0 + 24 * 3600);

/// Who holds what when the database falls back.
struct Holders {
    /// Refreshed every hour since the backup.
    active: Secret,
    /// Signed out since.
    signed_out: Secret,
    /// Changed the password since; signed in again after that.
    changed: Secret,
    /// The session that the change of password spared.
    spared: Secret,
    /// Signed in since, and refreshed.
    newcomer: Secret,
    /// Signed in since, never refreshed.
    quiet: Secret,
    /// Signed in since, and out.
    visitor: Secret,
}

/// The sessions of yesterday, before the backup.
async fn yesterday(store: &Arc<dyn Store>) {
    let changed = [session_of("changer", 3), session_of("changer", 4)];
    create_all(store, &[session_of("active", 1), session_of("leaver", 2)]).await;
    create_all(store, &changed).await;
    create_all(store, &[session_of("sleeper", 8)]).await;
}

/// Everything since the backup.
async fn a_day(store: &Arc<dyn Store>) -> Holders {
    let server = Presenter::new(store);
    let first = |n| server.first_token(&session(n));
    let mut active = first(1);
    for hour in 1..=24 {
        active = refreshed(&server, &active, START + HOUR * hour).await;
    }
    let signed_out = refreshed(&server, &first(2), START + HOUR).await;
    assert_eq!(store.revoke(lineage(2), logout()).await, Ok(Revoked::Now));
    let (user, at) = (Subject::new("changer"), cut(START + HOUR));
    let ended = store.revoke_subject(&user, at, Some(lineage(4))).await;
    assert_eq!(ended, Ok(vec![lineage(3)]));
    let since = [
        session_of("new", 5),
        session_of("quiet", 6),
        session_of("visitor", 7),
    ];
    create_all(store, &since).await;
    let mut newcomer = first(5);
    for hour in 2..6 {
        newcomer = refreshed(&server, &newcomer, START + HOUR * hour).await;
    }
    store.revoke(lineage(7), logout()).await.unwrap();
    Holders {
        active,
        signed_out,
        changed: first(3),
        spared: first(4),
        newcomer,
        quiet: first(6),
        visitor: first(7),
    }
}

async fn refreshed(server: &Presenter, token: &Secret, now: Timestamp) -> Secret {
    server.present(token, now.0, now).await.unwrap().token()
}

/// Nobody who held a living session is signed out, and nobody else comes back.
async fn nothing_is_lost(store: &Arc<dyn Store>, holders: &Holders) {
    let server = Presenter::new(store);
    let now = TODAY;
    for token in [
        &holders.active,
        &holders.spared,
        &holders.newcomer,
        &holders.quiet,
    ] {
        let mut token = token.clone();
        for fresh in 0..3 {
            token = server
                .present(&token, 7000 + fresh, now)
                .await
                .unwrap()
                .token();
        }
    }
    let ends = [
        (&holders.signed_out, EndCause::LoggedOut),
        (&holders.changed, EndCause::CredentialsChanged),
        (&holders.visitor, EndCause::LoggedOut),
    ];
    for (token, cause) in ends {
        let heard = server.present(token, 8000, now).await;
        assert_eq!(heard, Ok(Heard::Ended(cause)));
    }
    assert_eq!(store.logged_end(lineage(7)).await, Ok(Some(logout())));
    assert_eq!(row_of(store, lineage(8)).await, session_of("sleeper", 8));
    // Those who are ahead of their row get one idle period to come back.
    let late = TODAY + ABSOLUTE;
    assert_eq!(store.purge(late, 100).await, Ok(Purged::default()));
    let later = late + IDLE + Duration::from_secs(1);
    assert!(store.purge(later, 100).await.unwrap().sessions > 0);
}

/// The control: what such a fall back costs without a log.
async fn sign_outs_and_sign_ins_are_lost(store: &Arc<dyn Store>, holders: &Holders) {
    let server = Presenter::new(store);
    refreshed(&server, &holders.active, TODAY).await;
    for token in [&holders.signed_out, &holders.changed] {
        refreshed(&server, token, TODAY).await;
    }
    for token in [&holders.newcomer, &holders.quiet, &holders.visitor] {
        let heard = server.present(token, 8000, TODAY).await;
        assert_eq!(heard, Ok(Heard::Unknown));
    }
}

fn what_is_missing(report: &RestoreReport) {
    let expected = RestoreReport {
        database: report.database.clone(),
        log: report.log.clone(),
        log_continues: true,
        entries: report.entries,
        sessions_missing: 3,
        ends_missing: 2,
        cuts_missing: 1,
        database_newest: Some(START),
        log_newest: Some(START + HOUR),
        ..RestoreReport::default()
    };
    assert_eq!(*report, expected);
    assert!(report.log.is_some());
    assert!(report.entries >= 7);
    assert_eq!(report.seconds_behind(), 3600);
    assert!(!report.is_complete());
}

mod sqlite {
    use super::*;

    fn open(options: &SqliteOptions) -> Arc<dyn Store> {
        Arc::new(Sqlite::open(options).unwrap())
    }

    /// A day passes between a copy of the file and its return.
    async fn fallen_back(options: &SqliteOptions) -> Holders {
        let store = open(options);
        yesterday(&store).await;
        drop(store);
        let (database, backup) = (options.dir.join("tenure.db"), options.dir.join("backup"));
        std::fs::copy(&database, &backup).unwrap();
        let store = open(options);
        let holders = a_day(&store).await;
        drop(store);
        std::fs::copy(&backup, &database).unwrap();
        holders
    }

    #[tokio::test]
    async fn a_day_old_copy_learns_the_day_from_the_log() {
        let home = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(home.path());
        let holders = fallen_back(&options).await;
        let place = Place::Sqlite(options.clone());
        let copy = std::fs::read(home.path().join("tenure.db")).unwrap();
        what_is_missing(&restore_check(&place).await.unwrap());
        assert_eq!(std::fs::read(home.path().join("tenure.db")).unwrap(), copy);
        let store = open(&options);
        assert!(restore_check(&place).await.unwrap().is_complete());
        nothing_is_lost(&store, &holders).await;
    }

    #[tokio::test]
    async fn without_the_log_a_day_old_copy_revives_the_signed_out_and_loses_the_newcomers() {
        let home = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(home.path());
        let holders = fallen_back(&options).await;
        std::fs::remove_file(home.path().join("revocations.log")).unwrap();
        let report = restore_check(&Place::Sqlite(options.clone()))
            .await
            .unwrap();
        assert_eq!((report.log.as_deref(), report.log_continues), (None, false));
        sign_outs_and_sign_ins_are_lost(&open(&options), &holders).await;
    }

    #[tokio::test]
    async fn a_check_of_a_file_that_is_not_there_says_so() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::Sqlite(SqliteOptions::new(home.path().join("elsewhere")));
        let said = restore_check(&place).await.unwrap_err().to_string();
        assert!(said.contains("there is no such file"), "{said}");
        assert!(!home.path().join("elsewhere").exists());
    }
}

mod postgresql {
    use super::*;

    const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

    /// A store whose session log is in a database of its own.
    struct Case {
        server: &'static Server,
        options: PostgresOptions,
        database: String,
        log: String,
    }

    impl Case {
        /// `None` is a counted skip.
        async fn new() -> Option<Self> {
            let server = postgres::shared().unwrap()?;
            let database = server.fresh_database().await.unwrap();
            let log = server.fresh_database().await.unwrap();
            let url = |name: &str| Secret::new(server.url(name));
            let options = PostgresOptions {
                log: Some(url(&log)),
                pool: 4,
                ..PostgresOptions::new(url(&database))
            };
            Some(Self {
                server,
                options,
                database,
                log,
            })
        }

        async fn open(&self) -> Arc<dyn Store> {
            Arc::new(Postgres::open(&self.options).await.unwrap())
        }

        async fn check(&self) -> RestoreReport {
            let place = Place::Postgres(self.options.clone());
            restore_check(&place).await.unwrap()
        }

        fn run(&self, program: &str, arguments: &[&str]) {
            let output = Command::new(format!("{PROGRAMS}/{program}"))
                .args(["-h", "127.0.0.1", "-U", "tenure"])
                .args(["-p", &self.server.port().to_string()])
                .args(arguments)
                .env("PGPASSWORD", self.server.password())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program}: {said}");
        }

        fn dump(&self, to: &str) {
            self.run("pg_dump", &["-Fc", "-f", to, &self.database]);
        }

        /// The same name on the same server: only its tables are other ones.
        async fn restore(&self, from: &str) {
            let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
            self.server.rows("postgres", &drop).await.unwrap();
            self.server.create_database(&self.database).await.unwrap();
            self.run("pg_restore", &["-d", &self.database, from]);
        }

        /// A day passes between a dump and its restoration.
        async fn fallen_back(&self) -> Holders {
            let store = self.open().await;
            yesterday(&store).await;
            let home = tempfile::tempdir().unwrap();
            let dump = home.path().join("dump").display().to_string();
            self.dump(&dump);
            let holders = a_day(&store).await;
            drop(store);
            self.restore(&dump).await;
            holders
        }

        async fn sql(&self, database: &str, sql: &str) -> Vec<Vec<Option<String>>> {
            self.server.rows(database, sql).await.unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_day_old_dump_learns_the_day_from_the_log() {
        let Some(case) = Case::new().await else {
            return;
        };
        let holders = case.fallen_back().await;
        what_is_missing(&case.check().await);
        // It has written nothing.
        what_is_missing(&case.check().await);
        // Several servers start at once.
        let (one, other) = tokio::join!(case.open(), case.open());
        assert!(case.check().await.is_complete());
        nothing_is_lost(&one, &holders).await;
        drop(other);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_a_log_of_its_own_a_day_old_dump_revives_and_loses() {
        let Some(mut case) = Case::new().await else {
            return;
        };
        case.options.log = None;
        let holders = case.fallen_back().await;
        assert_eq!(case.check().await.log, None);
        let store = case.open().await;
        assert_eq!(store.describe().revoke_durability, "primary-only");
        sign_outs_and_sign_ins_are_lost(&store, &holders).await;
    }

    /// It restarts nothing: the pool finds out with its next connection.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_that_runs_on_over_a_restore_learns_the_day_first() {
        let Some(case) = Case::new().await else {
            return;
        };
        let store = case.open().await;
        yesterday(&store).await;
        let home = tempfile::tempdir().unwrap();
        let dump = home.path().join("dump").display().to_string();
        case.dump(&dump);
        let holders = a_day(&store).await;
        case.restore(&dump).await;
        // Connections that were lent before the restore are found to be closed, one by one.
        let mut trouble = 0;
        while store.load(lineage(2)).await.is_err()
            || store.sessions_of(&Subject::new("x")).await.is_err()
        {
            trouble += 1;
            assert!(trouble < 20, "the store does not come back");
        }
        nothing_is_lost(&store, &holders).await;
    }

    /// The next writer of the shard, or the next start, makes good what a lost commit left.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_entry_whose_commit_failed_is_carried_out_by_the_next_of_its_shard() {
        let Some(case) = Case::new().await else {
            return;
        };
        let store = case.open().await;
        let (first, second) = (
            session(1),
            session(1 + u64::from(tenure_store::Shard::COUNT)),
        );
        let fail = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql \
             AS $$ BEGIN RAISE 'no commit'; END $$; \
             CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON sessions \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()";
        case.sql(&case.database, fail).await;
        store.create(&first).await.unwrap_err();
        assert_eq!(store.load(first.lineage).await, Ok(None));
        case.sql(&case.database, "DROP TRIGGER fail ON sessions")
            .await;
        assert_eq!(case.check().await.sessions_missing, 1);
        store.create(&second).await.unwrap();
        assert_eq!(row_of(&store, first.lineage).await, first);
        assert_eq!(row_of(&store, second.lineage).await, second);
        assert!(case.check().await.is_complete());
    }

    /// A log that came back older: its positions are not given out twice.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_that_fell_back_goes_on_after_what_the_database_has() {
        let Some(case) = Case::new().await else {
            return;
        };
        let store = case.open().await;
        create_all(&store, &[session(1)]).await;
        store.revoke(lineage(1), logout()).await.unwrap();
        let forget = "DELETE FROM session_log; UPDATE log_heads SET position = 0";
        case.sql(&case.log, forget).await;
        assert!(!case.check().await.log_continues);
        let second = session(1 + u64::from(tenure_store::Shard::COUNT));
        store.create(&second).await.unwrap();
        let heads = "SELECT max(position) FROM log_heads";
        assert_eq!(case.sql(&case.log, heads).await[0][0].as_deref(), Some("3"));
        case.sql(&case.log, forget).await;
        drop(store);
        let store = case.open().await;
        assert_eq!(case.sql(&case.log, heads).await[0][0].as_deref(), Some("3"));
        assert_eq!(row_of(&store, lineage(1)).await.revoked, Some(logout()));
    }

    /// Where Redis keeps the sessions, a replay makes no rows here, only sign-outs of accounts.
    #[tokio::test(flavor = "multi_thread")]
    async fn of_sessions_that_are_elsewhere_only_cuts_are_carried_out() {
        use tenure_store::{Entry, SessionLog as _, Shard, cut_entries};
        let Some(case) = Case::new().await else {
            return;
        };
        let log = Postgres::open(&case.options).await.unwrap();
        let entry = |n| (Shard::of(lineage(n)), Entry::created(&session(n)));
        log.append(&[entry(1)]).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let dump = home.path().join("dump").display().to_string();
        case.dump(&dump);
        let user = Subject::new("user-1");
        let at = cut(START + HOUR);
        log.set_cut(&user, at).await.unwrap();
        let mut entries = cut_entries(&user, at, None, &[lineage(1)]);
        entries.push(entry(2));
        log.append(&entries).await.unwrap();
        drop(log);
        case.restore(&dump).await;
        let log = Postgres::open(&case.options).await.unwrap();
        assert_eq!(log.cut_of(&user).await, Ok(Some(at)));
        assert_eq!(log.load(lineage(2)).await, Ok(None));
        assert_eq!(
            log.end_of(lineage(1)).await.unwrap().map(|end| end.at),
            Some(at.before)
        );
        // Once the sessions are here, the log is theirs.
        log.create(&session(9)).await.unwrap();
        assert!(case.check().await.is_complete());
        drop(log);
        case.restore(&dump).await;
        let store = case.open().await;
        assert_eq!(row_of(&store, lineage(9)).await, session(9));
    }
}
