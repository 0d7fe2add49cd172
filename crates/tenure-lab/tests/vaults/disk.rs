//! Full and read-only disks, and power cuts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tenure_client::{Change, Found, Granted, Lease, Millis, Record, Secret, Vault, VaultFault};
use tenure_core::session::{Expiry, Need};
use tenure_lab::disk::FaultyDisk;
use tenure_lab::skip;

use crate::kinds::{KINDS, vault};
use crate::suite::changes::{sign_in, sign_in_at, token};
use crate::suite::{Verdict, ensure};

/// A disk and the directory it is mounted on, or `None` and a skip that is counted.
fn disk(seed: u64) -> Option<(FaultyDisk, TempDir)> {
    let directory = TempDir::new().unwrap();
    let disk = FaultyDisk::mount_or_skip(directory.path(), seed).unwrap();
    if disk.is_none() {
        skip("vaults: no FUSE").unwrap();
    }
    disk.map(|disk| (disk, directory))
}

fn held(vault: &dyn Vault) -> String {
    match vault.load() {
        Ok(Found::Record(record)) => token(&record),
        Ok(other) => format!("{other:?}"),
        Err(fault) => format!("{fault:?}"),
    }
}

/// Fails, says why, and leaves the record before; goes on when the trouble is over.
fn endures(kind: &str, disk: &FaultyDisk, trouble: impl Fn(&FaultyDisk), why: &str) {
    let home = disk.path().join(kind);
    fs::create_dir(&home).unwrap();
    let vault = vault(kind, &home);
    for turn in 1..=3 {
        vault.update(&sign_in(turn)).unwrap();
    }
    trouble(disk);
    for turn in 4..=6 {
        let fault = vault.update(&sign_in(turn)).unwrap_err();
        let told = matches!(&fault, VaultFault::Unavailable(text) if text.contains(why));
        assert!(told, "{kind}: {fault:?}");
        assert_eq!(held(vault.as_ref()), "r3", "{kind}");
    }
    disk.healthy();
    assert_eq!(held(vault.as_ref()), "r3", "{kind}");
    vault.update(&sign_in(7)).unwrap();
    assert_eq!(held(vault.as_ref()), "r7", "{kind}");
    disk.power_cut_losing_all();
    assert_eq!(held(vault.as_ref()), "r7", "{kind}");
}

#[test]
fn a_full_disk_costs_no_record() {
    for kind in KINDS {
        let Some((disk, _directory)) = disk(1) else {
            return;
        };
        endures(kind, &disk, FaultyDisk::full, "No space left");
    }
}

#[test]
fn a_read_only_disk_costs_no_record() {
    for kind in KINDS {
        let Some((disk, _directory)) = disk(2) else {
            return;
        };
        endures(kind, &disk, FaultyDisk::read_only, "Read-only file system");
    }
}

/// As on most file systems: what overwrites in place needs no room. This disk counts bytes where
/// others count blocks, so the slots get some room at first, by a session with longer tokens.
#[test]
fn refreshes_go_on_while_a_disk_is_full() {
    let Some((disk, _directory)) = disk(3) else {
        return;
    };
    for kind in ["file", "encrypted"] {
        let home = disk.path().join(kind);
        fs::create_dir(&home).unwrap();
        let vault = vault(kind, &home);
        let long = "x".repeat(500);
        let issuer = "https://id.example.com";
        vault.update(&sign_in_at(issuer, &long)).unwrap();
        refresh(vault.as_ref(), &long, "0");
        disk.full_for_growth();
        for turn in 0..9 {
            let (now, next) = (turn.to_string(), (turn + 1).to_string());
            refresh(vault.as_ref(), &now, &next);
        }
        assert_eq!(held(vault.as_ref()), "r9", "{kind}");
        disk.healthy();
    }
}

fn refresh(vault: &dyn Vault, now: &str, next: &str) {
    let begin = Change::Begin {
        need: Need {
            left: Millis(60_000),
            stale: Secret::new(format!("a{now}")),
            refused: false,
        },
        key: Secret::new("A".repeat(22)),
        wall: Millis(0),
    };
    vault.update(&begin).unwrap();
    let granted = Granted {
        access_token: Secret::new(format!("a{next}")),
        refresh_token: Some(Secret::new(format!("r{next}"))),
        expires_in: None,
    };
    let keep = Change::Keep {
        presented: Secret::new(format!("r{now}")),
        granted,
        expiry: Expiry::new(Millis(0), Millis(900_000), None, Millis(0)),
    };
    vault.update(&keep).unwrap();
}

#[test]
fn a_sign_in_on_a_full_disk_leaves_a_vault_that_is_not_damaged() {
    for kind in KINDS {
        let Some((disk, _directory)) = disk(4) else {
            return;
        };
        let vault = vault(kind, disk.path());
        disk.full();
        let fault = vault.update(&sign_in(1)).unwrap_err();
        assert!(
            matches!(fault, VaultFault::Unavailable(_)),
            "{kind}: {fault:?}"
        );
        assert_eq!(held(vault.as_ref()), "Missing", "{kind}");
        disk.healthy();
        vault.update(&sign_in(1)).unwrap();
        assert_eq!(held(vault.as_ref()), "r1", "{kind}");
    }
}

fn cuts() -> usize {
    let full = std::env::var_os("TENURE_FULL").is_some();
    if full { 300 } else { 25 }
}

/// Writes until the power goes, again and again: what was acknowledged last is found, or what was
/// being written.
fn survives_power_cuts(open: &dyn Fn(&Path) -> Box<dyn Vault>, disk: &FaultyDisk) -> Verdict {
    let mut rng = Rng::with_seed(20_261_121);
    let mut turn = 0;
    for cut in 1..=cuts() {
        let (told, acknowledged) = mpsc::channel();
        let vault = open(disk.path());
        let first = turn + 1;
        let last = thread::scope(|scope| {
            scope.spawn(move || {
                for turn in first.. {
                    if vault.update(&sign_in(turn)).is_err() || told.send(turn).is_err() {
                        return;
                    }
                }
            });
            let mut last = turn;
            for _ in 0..rng.usize(1..6) {
                last = acknowledged.recv().unwrap_or(last);
            }
            // From here on nothing is acknowledged, so the cut leaves what the disk has now.
            disk.read_only();
            disk.power_cut();
            acknowledged.iter().last().unwrap_or(last)
        });
        disk.healthy();
        let held = held(open(disk.path()).as_ref());
        turn = last + 1;
        let kept = [format!("r{last}"), format!("r{turn}")].contains(&held);
        ensure!(kept, "cut {cut}: r{last} was acknowledged, held is {held}");
    }
    Ok(())
}

#[test]
fn no_acknowledged_record_is_lost_to_a_power_cut() {
    for kind in KINDS {
        let Some((disk, _directory)) = disk(5) else {
            return;
        };
        survives_power_cuts(&|home| vault(kind, home), &disk).unwrap();
    }
}

/// Two slots and no sync.
#[derive(Debug)]
struct Careless(PathBuf);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Slot {
    generation: u64,
    record: Record,
}

impl Careless {
    fn slots(&self) -> [Option<Slot>; 2] {
        ["a", "b"].map(|name| {
            let bytes = fs::read(self.0.join(name)).ok()?;
            serde_json::from_slice(&bytes).ok()
        })
    }
}

impl Vault for Careless {
    fn load(&self) -> Result<Found, VaultFault> {
        let slots = self.slots().into_iter().flatten();
        let newest = slots.max_by_key(|slot| slot.generation);
        Ok(newest.map_or(Found::Missing, |slot| Found::Record(Box::new(slot.record))))
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        let slots = self.slots().into_iter().flatten();
        let mut slot = slots.max_by_key(|slot| slot.generation).unwrap_or_default();
        change.apply(&mut slot.record);
        slot.generation += 1;
        let name = if slot.generation % 2 == 0 { "a" } else { "b" };
        let json = serde_json::to_vec(&slot).unwrap();
        let written = fs::write(self.0.join(name), json);
        written.map_err(|error| VaultFault::Unavailable(error.to_string()))?;
        Ok(slot.record)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        Ok(Lease::new(()))
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        self.lock().map(Some)
    }
}

#[test]
fn control_a_vault_that_does_not_sync_loses_records_to_a_power_cut() {
    let Some((disk, _directory)) = disk(5) else {
        return;
    };
    let careless = |home: &Path| Box::new(Careless(home.to_owned())) as Box<dyn Vault>;
    let why = survives_power_cuts(&careless, &disk).unwrap_err();
    assert!(why.contains("was acknowledged"), "{why}");
}
