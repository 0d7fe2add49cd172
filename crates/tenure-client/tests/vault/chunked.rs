//! What only a vault over small values can get wrong.

use std::fs;

use tenure_client::{Change, ChunkedVault, Found, Vault as _, VaultFault};

use crate::memory::{MemoryStore, Mood};
use crate::subjects::{Chunked, Encrypted, Files};
use crate::suite::changes::{discovered, outcome, sign_in, sign_in_at, token};
use crate::suite::{Blobs, Subject, Verdict, ensure};

/// Each prefix of the writes of an update, with the next write torn before each of its first
/// `longest` bytes: the vault itself is stopped there, on top of none, one, two and three records.
pub(crate) fn cut_short(subject: &dyn Subject, store: &MemoryStore, longest: usize) -> Verdict {
    for turn in 1..=4 {
        let before = (subject.blobs(), subject.held());
        let cuts = (0..)
            .map_while(|after| {
                cut_write(subject, store, turn, &before, (after, longest)).transpose()
            })
            .collect::<Result<Vec<()>, String>>()?;
        ensure!(cuts.len() > 1, "record {turn} is one write");
        subject.reset(&before.0);
        outcome(subject.open().update(&sign_in(turn)))?;
        ensure!(subject.held() == format!("r{turn}"), "{}", subject.held());
    }
    Ok(())
}

/// `None` where the update has no such write.
fn cut_write(
    subject: &dyn Subject,
    store: &MemoryStore,
    turn: usize,
    (blobs, held): &(Blobs, String),
    (after, longest): (usize, usize),
) -> Result<Option<()>, String> {
    for bytes in 0..longest {
        subject.reset(blobs);
        store.mood(Mood::Failing { after, bytes });
        let answer = subject.open().update(&sign_in(turn));
        store.mood(Mood::Fine);
        let now = subject.held();
        if answer.is_ok() {
            ensure!(now == format!("r{turn}"), "stored, but held is {now}");
            return Ok(None);
        }
        // An error after the last byte of the manifest: stored, but not told so.
        let stored = now == format!("r{turn}");
        let nothing = match now.as_str() {
            "Missing" | "Empty" => turn == 1,
            "Damaged" => turn == 1 && bytes > 0,
            _ => false,
        };
        ensure!(
            now == *held || stored || nothing,
            "record {turn}, write {after}, byte {bytes}: {now}"
        );
    }
    Ok(Some(()))
}

#[test]
fn an_update_cut_short_at_any_write_and_byte_leaves_the_record_before() {
    let subject = Chunked::over_memory(100);
    cut_short(&subject, &subject.store, 100).unwrap();
}

#[test]
fn a_sealed_file_whose_key_cannot_be_stored_leaves_nothing_behind() {
    let subject = Encrypted::new();
    for bytes in 0..=32 {
        subject.keys.mood(Mood::Failing { after: 0, bytes });
        assert!(subject.open().update(&sign_in(1)).is_err());
        subject.keys.mood(Mood::Fine);
        assert_eq!(subject.held(), "Missing");
    }
    subject.open().update(&sign_in(1)).unwrap();
    assert_eq!(subject.held(), "r1");
}

#[test]
fn a_shorter_record_leaves_no_chunk_of_a_longer_one() {
    let subject = Chunked::over_memory(100);
    let long = "https://id.example.com/".to_owned() + &"x".repeat(500);
    for name in ["old1", "old2"] {
        let change = sign_in_at(&long, name);
        subject.open().update(&change).unwrap();
    }
    let many = subject.store.values().len();
    // Revoking what waits in the outbox makes it short again.
    for _ in 0..2 {
        for name in ["old1", "old2"] {
            let token = tenure_client::Secret::new(format!("r{name}"));
            let revoked = Change::Revoked(token);
            subject.open().update(&revoked).unwrap();
        }
        subject.open().update(&sign_in(7)).unwrap();
    }
    let values = subject.store.values();
    assert!(values.len() < many, "{} of {many} values", values.len());
    let slot = |place: &str| -> Vec<u8> {
        let mine = values.iter().filter(|(name, _)| name.contains(place));
        mine.filter(|(name, _)| !name.ends_with(place))
            .flat_map(|(_, bytes)| bytes.clone())
            .collect()
    };
    for place in ["slot-a", "slot-b"] {
        let length =
            u32::from_be_bytes(values[&format!("test.{place}")][16..20].try_into().unwrap());
        assert_eq!(slot(place).len(), length as usize, "{place} has leftovers");
    }
}

#[test]
fn leftovers_that_cannot_be_removed_do_not_fail_an_update_and_go_with_a_later_one() {
    let (subject, place) = (Chunked::over_memory(100), "test.slot-a.");
    for turn in 1..=2 {
        subject.open().update(&sign_in(turn)).unwrap();
    }
    let before = subject.blobs();
    subject.open().update(&sign_in(3)).unwrap();
    let after = subject.store.take_writes().len();
    subject.reset(&before);
    for number in after..after + 6 {
        let name = format!("{place}{}", number - 1);
        subject.store.put(&name, Some(b"old"));
    }

    subject.store.mood(Mood::Failing { after, bytes: 0 });
    subject.open().update(&sign_in(3)).unwrap();
    subject.store.mood(Mood::Fine);
    assert_eq!(subject.held(), "r3");
    let leftovers = |blobs: Blobs| blobs.into_values().filter(|bytes| bytes == b"old").count();
    assert_eq!(leftovers(subject.blobs()), 6);

    for turn in 4..=5 {
        subject.open().update(&sign_in(turn)).unwrap();
    }
    let writes = subject.store.take_writes().into_iter();
    let removed = writes.filter(|write| write.bytes.is_none());
    let numbers: Vec<usize> = removed
        .map(|write| write.name.replace(place, "").parse().unwrap())
        .collect();
    assert!(numbers.len() > 1, "{numbers:?}");
    assert!(
        numbers.is_sorted_by(|one, next| one > next),
        "a gap would hide the rest"
    );
    assert_eq!(leftovers(subject.blobs()), 0);
}

#[test]
fn a_store_that_lost_its_values_is_damaged_and_not_empty() {
    let subject = Chunked::over_memory(100);
    subject.open().update(&sign_in(1)).unwrap();
    for name in subject.blobs().keys() {
        subject.put(name, None);
    }
    assert_eq!(subject.held(), "Damaged");
    subject.open().update(&sign_in(2)).unwrap();
    assert_eq!(subject.held(), "r2");
}

#[test]
fn without_its_marker_a_store_is_not_asked() {
    let subject = Chunked::over_memory(100);
    subject.open().update(&sign_in(1)).unwrap();
    fs::remove_file(subject.marker()).unwrap();
    subject.store.mood(Mood::Gone);
    assert_eq!(subject.held(), "Missing");
}

#[test]
fn the_marker_holds_no_secret() {
    let subject = Chunked::over_memory(100);
    subject.open().update(&sign_in(1)).unwrap();
    let marker = fs::read_to_string(subject.marker()).unwrap();
    assert_eq!(marker, "A session is stored.\n");
    subject.open().update(&Change::SignOut).unwrap();
    let marker = fs::read_to_string(subject.marker()).unwrap();
    assert_eq!(marker, "A session was stored.\n");
}

/// The marker is taken back first: it claims less than there is, and the next write puts it right.
#[test]
fn a_sign_out_that_cannot_be_stored_leaves_the_session_and_damages_nothing() {
    let subject = Chunked::over_memory(100);
    subject.open().update(&discovered()).unwrap();
    subject.open().update(&sign_in(1)).unwrap();
    let failing = Mood::Failing { after: 0, bytes: 0 };
    subject.store.mood(failing);
    subject.open().update(&Change::SignOut).unwrap_err();
    subject.store.mood(Mood::Fine);
    assert_eq!(subject.held(), "r1");
    subject.open().update(&discovered()).unwrap();
    let marker = fs::read_to_string(subject.marker()).unwrap();
    assert_eq!(marker, "A session is stored.\n");
}

/// Metadata alone are no loss.
#[test]
fn a_store_that_lost_a_record_without_a_session_is_empty() {
    let subject = Chunked::over_memory(100);
    subject.open().update(&discovered()).unwrap();
    subject.reset(&Blobs::new());
    assert_eq!(subject.held(), "Empty");
}

#[test]
fn control_without_its_mark_a_lost_first_sign_in_reads_as_a_sign_out() {
    let subject = Files::new();
    subject.open().update(&discovered()).unwrap();
    subject.open().update(&sign_in(1)).unwrap();
    subject.put("slot-b", None);
    assert_eq!(subject.held(), "Damaged");
    fs::remove_file(subject.profile().join("session-exists")).unwrap();
    assert_eq!(subject.held(), "signed out");
}

#[test]
fn values_too_small_for_a_manifest_are_refused_before_anything_is_written() {
    let subject = Chunked::over_memory(51);
    let fault = subject.open().update(&sign_in(1)).unwrap_err();
    assert!(matches!(fault, VaultFault::Unavailable(why) if why.contains("51 bytes")));
    assert!(subject.blobs().is_empty());
    let subject = Chunked::over_memory(52);
    subject.open().update(&sign_in(1)).unwrap();
    assert_eq!(subject.held(), "r1");
}

#[test]
fn two_vaults_share_a_store_under_two_names() {
    let (store, directory) = (MemoryStore::new(100), tempfile::tempdir().unwrap());
    let open = |name| ChunkedVault::new(store.clone(), name, directory.path().join(name));
    open("one").update(&sign_in(1)).unwrap();
    open("two").update(&sign_in(2)).unwrap();
    let held = |name| match open(name).load() {
        Ok(Found::Record(record)) => token(&record),
        other => format!("{other:?}"),
    };
    assert_eq!((held("one"), held("two")), ("r1".into(), "r2".into()));
}
