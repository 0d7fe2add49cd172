//! What only a sealed file can get wrong.

use std::fs;

use tenure_client::{Change, FileVault, Found, Vault as _, VaultFault};
use tenure_core::secret::sha256;

use crate::memory::Mood;
use crate::subjects::Encrypted;
use crate::suite::Subject;
use crate::suite::changes::sign_in;

/// `r2` in the second slot, `r3` in the first.
fn written() -> Encrypted {
    let subject = Encrypted::new();
    for turn in 1..=3 {
        subject.open().update(&sign_in(turn)).unwrap();
    }
    subject
}

#[test]
fn the_files_say_nothing() {
    let subject = written();
    let key = subject.keys.values().into_values().next().unwrap();
    for (name, bytes) in subject.blobs() {
        for secret in [&b"refresh_token"[..], b"example.com", b"\"r3\"", &key] {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{name} shows {}", String::from_utf8_lossy(secret));
        }
    }
}

#[test]
fn one_slot_cannot_be_passed_off_as_the_other() {
    let subject = written();
    let intact = subject.blobs();
    subject.put("slot-a", Some(&intact["slot-b"]));
    assert_eq!(
        subject.held(),
        "r2",
        "the copy of the older one counts for nothing"
    );
    subject.put("slot-b", Some(&intact["slot-a"]));
    assert_eq!(subject.held(), "Damaged", "both are in the wrong place");
    subject.reset(&intact);
    assert_eq!(subject.held(), "r3");
}

#[test]
fn an_older_slot_cannot_be_made_the_newer_one() {
    let subject = written();
    let older = &subject.blobs()["slot-b"];
    let mut fields = older[..20].to_vec();
    fields[15] = 9;
    let content = &older[52..];
    let sum = sha256(&[&fields[..], content].concat());
    let forged = [&fields[..], &sum, content].concat();
    subject.put("slot-b", Some(&forged));
    assert_eq!(subject.held(), "r3");
    fs::remove_file(subject.profile().join("slot-a")).unwrap();
    assert_eq!(subject.held(), "Damaged");
}

#[test]
fn a_lost_key_is_damage_until_the_next_sign_in_makes_a_new_one() {
    let subject = written();
    let before = subject.blobs();
    for name in subject.keys.values().keys() {
        subject.keys.put(name, None);
    }
    assert_eq!(subject.held(), "Damaged");
    subject.open().update(&Change::SignOut).unwrap();
    assert_eq!(subject.blobs(), before, "there is nothing to sign out of");
    assert!(subject.keys.values().is_empty());

    subject.open().update(&sign_in(4)).unwrap();
    assert_eq!(subject.held(), "r4");
    subject.open().update(&sign_in(5)).unwrap();
    assert_eq!(subject.held(), "r5");
    assert_eq!(subject.keys.values().len(), 1);
}

#[test]
fn another_key_is_damage_and_so_is_one_of_the_wrong_length() {
    for wrong in [&[7; 32][..], &[7; 31], &[]] {
        let subject = written();
        for name in subject.keys.values().keys() {
            subject.keys.put(name, Some(wrong));
        }
        assert_eq!(subject.held(), "Damaged");
    }
}

#[test]
fn a_keystore_out_of_reach_is_neither_damaged_nor_locked() {
    let subject = written();
    subject.keys.mood(Mood::Gone);
    let fault = subject.open().load().unwrap_err();
    assert!(matches!(fault, VaultFault::Unavailable(_)), "{fault:?}");
}

#[test]
fn where_nothing_was_stored_the_keystore_is_not_asked() {
    let subject = Encrypted::new();
    subject.keys.mood(Mood::Gone);
    assert_eq!(subject.open().load(), Ok(Found::Missing));
}

#[test]
fn a_sign_in_that_cannot_be_stored_leaves_no_key_behind() {
    let subject = Encrypted::new();
    fs::create_dir_all(subject.profile()).unwrap();
    let nowhere = subject.profile().join("no/such/file");
    std::os::unix::fs::symlink(nowhere, subject.profile().join("slot-a")).unwrap();
    let fault = subject.open().update(&sign_in(1)).unwrap_err();
    assert!(matches!(fault, VaultFault::Unavailable(_)), "{fault:?}");
    assert!(subject.keys.values().is_empty());
}

#[test]
fn a_plain_vault_refuses_a_sealed_directory_and_the_other_way_round() {
    let sealed = written();
    let fault = FileVault::new(sealed.profile()).load().unwrap_err();
    assert!(matches!(fault, VaultFault::Unavailable(why) if why.contains("another kind")));

    let subject = Encrypted::new();
    FileVault::new(subject.profile())
        .update(&sign_in(1))
        .unwrap();
    let before = subject.blobs();
    assert!(subject.open().load().is_err());
    assert!(subject.open().update(&sign_in(2)).is_err());
    assert_eq!(subject.blobs(), before);
}
