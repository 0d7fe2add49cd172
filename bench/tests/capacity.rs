//! The page that says what a deployment needs, and the script that computes it.
#![expect(clippy::unwrap_used, reason = "what does not start must fail its test")]

use std::process::{Command, Output};

fn script(argument: Option<&str>) -> Output {
    let mut command = Command::new("python3");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/capacity.py");
    command.arg(script).args(argument).output().unwrap()
}

#[test]
fn the_capacity_page_holds_the_tables_that_the_script_computes() {
    let checked = script(Some("check"));
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
}

#[test]
fn a_million_devices_that_refresh_sixteen_times_a_day_are_185_refreshes_per_second() {
    let tables = script(None);
    let tables = String::from_utf8_lossy(&tables.stdout);
    assert!(tables.contains("| 1 million | 185 | 556 |"), "{tables}");
}
