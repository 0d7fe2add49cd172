//! The power goes under the embedded store: nothing acknowledged is lost, and the control without
//! syncs loses some.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and a failure is found by what went before"
)]

#[path = "../../tenure-store/tests/support/mod.rs"]
mod store;

use std::path::Path;

use fastrand::Rng;
use store::{Hammer, check, hammer};
use tempfile::TempDir;
use tenure_lab::disk::FaultyDisk;

const CUTS: usize = 15;
const CUTS_FULL: usize = 100;

fn cuts() -> usize {
    let full = std::env::var_os("TENURE_FULL").is_some();
    if full { CUTS_FULL } else { CUTS }
}

/// The mounted disk and the directory under it, or `None` after a printed SKIP.
fn disk(seed: u64) -> Option<(FaultyDisk, TempDir)> {
    let dir = TempDir::new().unwrap();
    let disk = FaultyDisk::mount_or_skip(dir.path(), seed).unwrap()?;
    Some((disk, dir))
}

/// Hammers until the power goes, again and again on one disk.
fn survives(seed: u64, hammer_options: impl Fn(&Path) -> Vec<String>) {
    let Some((disk, _dir)) = disk(seed) else {
        return;
    };
    let program = hammer();
    let (data, mut rng, mut said) = (disk.path().join("data"), Rng::with_seed(seed), Vec::new());
    let options = hammer_options(disk.path());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    for cut in 1..=cuts() {
        let hammer = Hammer::start(&program, &data, rng.u64(..), &options);
        let after = match rng.u8(0..10) {
            // While the store is being made or opened.
            0..5 => rng.usize(1..30),
            5..9 => rng.usize(30..400),
            // Over a checkpoint.
            _ => rng.usize(3000..5000),
        };
        said.extend(hammer.kill_after(after));
        disk.power_cut();
        let report = check(&program, &data, &options, &said).unwrap();
        assert_eq!(report.losses(), 0, "cut {cut}: {report:?}");
        println!("cut {cut}: {report:?}");
        // What the check itself wrote is cut short as well, now and then.
        if rng.bool() {
            disk.power_cut();
        }
    }
    assert!(
        said.len() > 10 * cuts(),
        "only {} acknowledgements",
        said.len()
    );
}

#[test]
fn no_acknowledged_create_or_revoke_is_lost() {
    survives(20_261_121, |_| Vec::new());
}

#[test]
fn none_is_lost_with_the_log_in_a_directory_of_its_own() {
    survives(7, |disk| {
        let log = disk.join("log");
        std::fs::create_dir_all(&log).unwrap();
        std::fs::File::open(disk).unwrap().sync_all().unwrap();
        vec!["--log".to_owned(), log.join("ends").display().to_string()]
    });
}

#[test]
fn the_control_without_syncs_loses_some() {
    let Some((disk, _dir)) = disk(3) else {
        return;
    };
    let program = hammer();
    let (mut acknowledged, mut lost, mut broken) = (0, 0, 0);
    for cut in 0..6 {
        let data = disk.path().join(format!("data-{cut}"));
        let options = ["--dangerous-synchronous-off"];
        let said = Hammer::start(&program, &data, cut, &options).kill_after(200);
        disk.power_cut();
        acknowledged += said.len();
        match check(&program, &data, &options, &said) {
            Ok(report) => lost += report.losses(),
            Err(why) => {
                println!("{why}");
                broken += 1;
            }
        }
    }
    println!(
        "without syncs: lost {lost} sessions of {acknowledged} lines, {broken} of 6 stores broken"
    );
    assert!(lost + broken > 3, "the disk kept what nobody synced");
    assert!(lost > 0, "nothing but broken stores");
}
