use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tenure_core::outcome::Granted;
use tenure_core::secret::Secret;
use tenure_core::session::{Change, Expiry, Found, Millis, Provider, Tokens};

use super::FileVault;
use crate::Vault as _;

/// The cases that every vault passes are in `tests/vault`; here is what only files can get wrong.
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

fn is_signed_in(vault: &FileVault) -> bool {
    matches!(vault.load(), Ok(Found::Record(record)) if record.tokens.is_some())
}

#[test]
fn looking_for_a_session_leaves_no_trace() {
    let directory = TempDir::new().expect("a directory");
    let vault = FileVault::new(directory.path().join("profile"));
    assert_eq!(vault.load(), Ok(Found::Missing));
    assert!(!vault.directory().exists());
}

#[test]
fn a_copy_without_its_locks_is_read() {
    let (_directory, vault) = written();
    fs::remove_file(vault.directory().join("write.lock")).expect("removed");
    assert!(is_signed_in(&vault));
    assert!(
        vault.directory().join("write.lock").exists(),
        "under a lock"
    );
}

#[test]
fn a_vault_without_one_of_its_slots_has_the_other_record() {
    for slot in ["slot-a", "slot-b"] {
        let (_directory, vault) = written();
        fs::remove_file(vault.directory().join(slot)).expect("removed");
        assert!(is_signed_in(&vault), "without {slot}");
    }
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
