//! Two processes write to one vault.
//!
//! The test runs itself again as the other processes: with orders in its environment it obeys them.

use std::process::{Command, Stdio};

use tenure_client::Found;

use crate::kinds::{KINDS, vault};
use crate::suite::changes::tokens;
use crate::suite::writers::{write_turns, written_tokens};

#[test]
fn two_processes_lose_no_update() {
    let name = "processes::two_processes_lose_no_update";
    if let Ok(order) = std::env::var("TENURE_TEST_ORDER") {
        let (kind, writer) = order.split_once(' ').unwrap();
        let directory = std::env::var("TENURE_TEST_VAULT").unwrap();
        write_turns(vault(kind, directory.as_ref()).as_ref(), writer).unwrap();
        return;
    }
    for kind in KINDS {
        let directory = tempfile::tempdir().unwrap();
        let start = |writer| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name])
                .env("TENURE_TEST_ORDER", format!("{kind} {writer}"))
                .env("TENURE_TEST_VAULT", directory.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        let mut processes = [start("x"), start("y")];
        for process in &mut processes {
            assert!(process.wait().unwrap().success(), "{kind}");
        }
        let Ok(Found::Record(record)) = vault(kind, directory.path()).load() else {
            panic!("{kind}: no record");
        };
        assert_eq!(tokens(&record), written_tokens(&["x", "y"]), "{kind}");
    }
}
