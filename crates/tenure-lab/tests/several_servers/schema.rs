//! A newer program has migrated the database while this one runs, and goes back.

use tenure_lab::crowd::{self, User};
use tenure_lab::deployment::LATE_WINDOW;

use crate::{Service, start};

const USERS: usize = 6;
const REFRESHES: usize = 10;

/// What the next program would do: a column that this one does not know, and the next schema.
const NEXT: &str = "BEGIN; \
    ALTER TABLE sessions ADD COLUMN colour text NOT NULL DEFAULT 'none'; \
    CREATE TABLE colours (name text PRIMARY KEY); \
    UPDATE meta SET value = value + 1 WHERE name = 'schema'; COMMIT";

const BACK: &str = "BEGIN; ALTER TABLE sessions DROP COLUMN colour; DROP TABLE colours; \
    UPDATE meta SET value = value - 1 WHERE name = 'schema'; COMMIT";

const NEEDS_NEXT: &str = "UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'schema') \
    WHERE name = 'min_reader'";

/// Everybody refreshes once, and one more signs in.
async fn goes_on(service: &Service, users: Vec<User>) -> Vec<User> {
    let app = service.servers.app().unwrap();
    let (mut users, tally) = crowd::refresh(&app, users, 3).await;
    assert_eq!(tally.refreshed, 3 * users.len(), "{tally:?}");
    assert!(
        tally.signed_out.is_empty() && tally.wrong.is_empty(),
        "{tally:?}"
    );
    let at = service.servers.first_party().unwrap();
    users.push(User::sign_in(&at).await.unwrap());
    users
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_of_the_schema_and_the_way_back_sign_nobody_out() {
    let Some(mut service) = start().await else {
        return;
    };
    let at = service.servers.first_party().unwrap();
    let mut users = crowd::sign_in(&at, USERS).await.unwrap();
    for (what, change) in [("the next schema", NEXT), ("the way back", BACK)] {
        // While they refresh, not between.
        let app = service.servers.app().unwrap();
        let load = tokio::spawn(async move { crowd::refresh(&app, users, REFRESHES).await });
        service.run(change).await;
        let (after, tally) = load.await.unwrap();
        println!("{what} under load: {tally}");
        assert_eq!(tally.refreshed, REFRESHES * after.len(), "{tally:?}");
        assert!(
            tally.signed_out.is_empty() && tally.wrong.is_empty(),
            "{tally:?}"
        );
        // An older program that starts only now goes on too.
        for server in &mut service.servers.each {
            server.restart().unwrap();
        }
        users = goes_on(&service, after).await;
        // A lineage remembers sixteen retired tokens; whoever refreshes faster is told to wait.
        service
            .servers
            .advance_clock(LATE_WINDOW + 1)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_too_old_for_the_schema_says_so_and_does_not_start() {
    let Some(service) = start().await else { return };
    service.run(NEXT).await;
    service.run(NEEDS_NEXT).await;
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let refused = service.servers.tenure(&serve).unwrap().output().await;
    let refused = refused.unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let schema = service
        .value("SELECT value FROM meta WHERE name = 'schema'")
        .await;
    let why = format!("needs a program of schema {schema} or newer");
    assert!(said.contains(&why), "{said}");
    assert!(!said.contains(service.postgres.password()), "{said}");
}
