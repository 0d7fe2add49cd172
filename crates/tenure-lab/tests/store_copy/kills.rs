//! A copy that is killed goes on where it is started again.

use tenure_lab::postgres;
use tenure_lab::process::Server;

use crate::site::{Place, Site, Target, seed};

const SEEDED: u64 = 9000;

fn finished(copy: &Server) -> Vec<String> {
    let lines = copy.output().lines();
    let numbers = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.first() == Some(&"sessions") && words.len() == 4
    };
    let row = lines.iter().find(|line| numbers(line));
    let row = row.unwrap_or_else(|| panic!("no table in {}", copy.output()));
    row.split_whitespace().skip(1).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_at_any_moment_completes_when_it_is_run_again() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let mut site = Site::new().await;
    let place = Place::sqlite("old");
    // Makes the keys.
    site.serve(&place).terminate().unwrap();
    seed(&site.path("old"), SEEDED).await;
    let target = Target::variable("NEW_STORE", server.url(&database));
    for at_least in [1, 4000, SEEDED] {
        let mut copy = site.copy(&place, &target, "copying ");
        loop {
            let count = "SELECT count(*) FROM sessions";
            let count: u64 = server
                .value(&database, count)
                .await
                .unwrap()
                .parse()
                .unwrap();
            if count >= at_least {
                break;
            }
        }
        copy.kill9().unwrap();
        let keys = server
            .value(&database, "SELECT count(*) FROM keys")
            .await
            .unwrap();
        assert_eq!(keys, "0", "nobody can serve a store that is not complete");
    }
    let mut once = target.clone();
    once.words.push("--once".to_owned());
    let mut copy = site.copy(&place, &once, "done: ");
    assert!(copy.wait().unwrap().success());
    assert_eq!(
        finished(&copy),
        [SEEDED.to_string(), SEEDED.to_string(), "0".to_owned()]
    );
    let again = site.tenure(&place, &["copy", "--once", "--to", "env:NEW_STORE"]);
    let again = again.env("NEW_STORE", server.url(&database));
    let refused = again
        .ready_when("a copy to it was completed")
        .start()
        .unwrap()
        .wait();
    assert_eq!(refused.unwrap().code(), Some(2));
}
