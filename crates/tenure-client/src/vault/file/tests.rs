use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tenure_core::lineage::EndCause;
use tenure_core::outcome::Granted;
use tenure_core::secret::Secret;
use tenure_core::session::{Change, Expiry, Found, Millis, Provider, Record, Tokens};

use super::FileVault;
use crate::Vault as _;

const SLOTS: [&str; 2] = ["slot-a", "slot-b"];

/// A vault that was written three times: `r1` in the first slot, `r2` in the second, `r3` in the
/// first again.
fn written() -> (TempDir, FileVault) {
    let directory = TempDir::new().expect("a directory");
    let vault = FileVault::new(directory.path().join("profile"));
    for turn in 1..=3 {
        vault.update(&sign_in(turn)).expect("stored");
    }
    (directory, vault)
}

fn sign_in(turn: u32) -> Change {
    let granted = Granted {
        access_token: Secret::new(format!("a{turn}")),
        refresh_token: Some(Secret::new(format!("r{turn}"))),
        expires_in: None,
    };
    let expiry = Expiry::new(Millis(0), Millis(900_000), None, Millis(0));
    Change::SignIn {
        tokens: Tokens::new(granted, expiry).expect("has both"),
        provider: Provider {
            issuer: "https://id.example.com".into(),
            client_id: "app".into(),
            authorization_endpoint: None,
            token_endpoint: "https://id.example.com/token".into(),
            revocation_endpoint: None,
            names_issuer: false,
            retire_on_use: true,
            fetched: Millis(0),
        },
    }
}

fn held(vault: &FileVault) -> String {
    match vault.load().expect("readable") {
        Found::Record(record) => token(&record),
        other => format!("{other:?}"),
    }
}

fn token(record: &Record) -> String {
    let tokens = record.tokens.as_ref().expect("signed in");
    tokens.refresh_token.expose().to_owned()
}

fn slot(vault: &FileVault, place: usize) -> std::path::PathBuf {
    vault.directory().join(SLOTS[place])
}

#[test]
fn the_last_of_several_records_is_found() {
    let (_directory, vault) = written();
    assert_eq!(held(&vault), "r3");
}

#[test]
fn a_write_torn_at_any_byte_leaves_the_record_before_it() {
    let (_directory, vault) = written();
    let newest = fs::read(slot(&vault, 0)).expect("readable");
    for length in 0..newest.len() {
        fs::write(slot(&vault, 0), &newest[..length]).expect("written");
        assert_eq!(held(&vault), "r2", "cut at {length}");
    }
    for length in 0..newest.len() {
        let older = [&newest[..length], &vec![0; newest.len() - length][..]].concat();
        fs::write(slot(&vault, 0), &older).expect("written");
        assert_eq!(held(&vault), "r2", "zeroes from {length}");
    }
    fs::write(slot(&vault, 0), [&newest[..], b"\0"].concat()).expect("written");
    assert_eq!(held(&vault), "r2", "a byte too many");
    fs::write(slot(&vault, 0), &newest).expect("written");
    assert_eq!(held(&vault), "r3", "control: whole, it is the newest");
}

#[test]
fn any_flipped_bit_leaves_the_other_record() {
    for (place, other) in [(0, "r2"), (1, "r3")] {
        let (_directory, vault) = written();
        let intact = fs::read(slot(&vault, place)).expect("readable");
        for bit in 0..intact.len() * 8 {
            let mut bytes = intact.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(slot(&vault, place), &bytes).expect("written");
            assert_eq!(held(&vault), other, "slot {place}, bit {bit}");
        }
    }
}

#[test]
fn after_a_torn_write_the_torn_slot_is_written_next() {
    let (_directory, vault) = written();
    fs::write(slot(&vault, 0), b"TNRVLT1\n and then the power went").expect("written");
    vault.update(&sign_in(4)).expect("stored");
    assert_eq!(held(&vault), "r4");
    fs::write(slot(&vault, 0), b"").expect("written");
    assert_eq!(held(&vault), "r2", "the second slot was never touched");
}

#[test]
fn missing_empty_damaged_and_unreadable_are_different_answers() {
    let directory = TempDir::new().expect("a directory");
    let vault = FileVault::new(directory.path().join("profile"));
    assert_eq!(vault.load(), Ok(Found::Missing));
    assert!(
        !vault.directory().exists(),
        "looking for a session leaves no trace"
    );

    vault.update(&Change::SignOut).expect("nothing to do");
    assert_eq!(vault.load(), Ok(Found::Missing), "nothing was stored yet");
    fs::write(slot(&vault, 0), b"").expect("written");
    assert_eq!(vault.load(), Ok(Found::Empty));
    fs::write(slot(&vault, 0), b"not a slot").expect("written");
    assert_eq!(vault.load(), Ok(Found::Damaged));

    fs::remove_file(slot(&vault, 0)).expect("removed");
    fs::create_dir(slot(&vault, 0)).expect("made");
    assert!(
        vault.load().is_err(),
        "a directory cannot be read as a slot"
    );
}

#[test]
fn a_damaged_vault_takes_a_new_sign_in() {
    let (_directory, vault) = written();
    for place in [0, 1] {
        fs::write(slot(&vault, place), b"not a slot").expect("written");
    }
    let end = Change::End {
        presented: Secret::new("r3"),
        cause: EndCause::Unknown,
    };
    vault.update(&end).expect("nothing to do");
    assert_eq!(vault.load(), Ok(Found::Damaged), "it was left as it is");
    vault.update(&sign_in(4)).expect("stored");
    assert_eq!(held(&vault), "r4");
}

#[test]
fn a_change_without_effect_writes_nothing() {
    let (_directory, vault) = written();
    let before = [0, 1].map(|place| fs::read(slot(&vault, place)).expect("readable"));
    let record = vault
        .update(&Change::Revoked(Secret::new("unknown")))
        .expect("readable");
    assert_eq!(token(&record), "r3");
    let after = [0, 1].map(|place| fs::read(slot(&vault, place)).expect("readable"));
    assert_eq!(before, after);
}

#[test]
fn the_refresh_lock_is_exclusive_until_it_is_dropped() {
    let (_directory, vault) = written();
    let other = FileVault::new(vault.directory());
    let lease = vault.lock().expect("taken");
    assert!(other.try_lock().expect("answered").is_none());
    drop(lease);
    assert!(other.try_lock().expect("answered").is_some());
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let (_directory, vault) = written();
    drop(vault.lock().expect("taken"));
    assert_eq!(mode(vault.directory()), 0o700);
    for entry in fs::read_dir(vault.directory()).expect("readable") {
        assert_eq!(mode(&entry.expect("an entry").path()), 0o600);
    }

    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(vault.directory(), open).expect("changed");
    vault.update(&sign_in(4)).expect("stored");
    assert_eq!(mode(vault.directory()), 0o700, "made private again");
}
