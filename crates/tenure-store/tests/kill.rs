//! SIGKILL at any moment: what was acknowledged can be continued.
//!
//! This proves that no state in the middle of a write is harmful, not that writes are durable: the
//! kernel keeps what a killed process wrote. The power cuts are in `tenure-lab`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod support;

use fastrand::Rng;
use support::{Hammer, check, hammer};

const KILLS: usize = 20;
const KILLS_FULL: usize = 200;

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let program = hammer();
    let dir = tempfile::tempdir().unwrap();
    let seed = std::env::var("TENURE_SEED").map_or(20_261_121, |seed| seed.parse().unwrap());
    println!("TENURE_SEED={seed}");
    let full = std::env::var_os("TENURE_FULL").is_some();
    let mut rng = Rng::with_seed(seed);
    let mut said = Vec::new();
    for kill in 1..=if full { KILLS_FULL } else { KILLS } {
        let hammer = Hammer::start(&program, dir.path(), rng.u64(..), &[]);
        // The first acknowledgements come while the store is being made.
        let after = if rng.bool() {
            rng.usize(1..30)
        } else {
            rng.usize(1..600)
        };
        said.extend(hammer.kill_after(after));
        let report = check(&program, dir.path(), &[], &said).unwrap();
        assert_eq!(report.losses(), 0, "kill {kill}: {report:?}");
        println!("kill {kill}: {report:?}");
    }
}

#[test]
fn the_check_notices_what_is_missing() {
    let program = hammer();
    let dir = tempfile::tempdir().unwrap();
    let said = Hammer::start(&program, dir.path(), 1, &[]).kill_after(600);
    let before = check(&program, dir.path(), &[], &said).unwrap();
    assert_eq!(before.losses(), 0, "{before:?}");
    assert!(
        before.created > 30 && before.revoked > 10 && before.refreshed > 100,
        "{before:?}"
    );

    let database = rusqlite::Connection::open(dir.path().join("tenure.db")).unwrap();
    let undo = "UPDATE sessions SET revoked_at = NULL WHERE revoked_at IS NOT NULL";
    database.execute(undo, ()).unwrap();
    let report = check(&program, dir.path(), &[], &said).unwrap();
    assert_eq!(report.lost_revokes, before.revoked);

    database
        .execute(
            "UPDATE sessions SET head_id = x'0102030405060708', head_generation = 99",
            (),
        )
        .unwrap();
    assert!(check(&program, dir.path(), &[], &said).unwrap().stuck > 0);

    database.execute("DELETE FROM sessions", ()).unwrap();
    assert_eq!(
        check(&program, dir.path(), &[], &said)
            .unwrap()
            .lost_creates,
        before.created
    );
}
