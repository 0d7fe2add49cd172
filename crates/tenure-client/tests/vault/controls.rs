//! Vaults with one thing wrong fail the cases that are about it.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Barrier, Mutex};

use tempfile::TempDir;
use tenure_client::{Change, Found, KeyValue as _, Lease, MemoryVault, Record, Vault, VaultFault};

use crate::chunked::cut_short;
use crate::memory::MemoryStore;
use crate::suite::answers::a_newer_format_is_refused_and_left_as_it_is;
use crate::suite::damage::{
    a_torn_write_is_mended_by_the_next, a_write_torn_at_any_byte_leaves_an_intact_record,
    any_flipped_bit_leaves_an_intact_record,
};
use crate::suite::writers::{TURNS, two_writers_lose_no_update};
use crate::suite::{Blobs, Subject, Write};

/// A record in one file, without a checksum.
#[derive(Clone, Debug)]
struct OneSlot(PathBuf);

impl Vault for OneSlot {
    fn load(&self) -> Result<Found, VaultFault> {
        let Ok(bytes) = fs::read(&self.0) else {
            return Ok(Found::Missing);
        };
        let record = serde_json::from_slice(&bytes);
        Ok(record.map_or(Found::Damaged, |record| Found::Record(Box::new(record))))
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        let mut record = match self.load()? {
            Found::Record(record) => *record,
            _ => Record::default(),
        };
        change.apply(&mut record);
        fs::write(&self.0, serde_json::to_vec(&record).unwrap()).unwrap();
        Ok(record)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        Ok(Lease::new(()))
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        self.lock().map(Some)
    }
}

struct OneSlotSubject(TempDir);

impl OneSlotSubject {
    fn file(&self) -> PathBuf {
        self.0.path().join("slot")
    }
}

impl Subject for OneSlotSubject {
    fn open(&self) -> Box<dyn Vault> {
        Box::new(OneSlot(self.file()))
    }

    fn blobs(&self) -> Blobs {
        let bytes = fs::read(self.file()).ok();
        bytes
            .map(|bytes| ("slot".into(), bytes))
            .into_iter()
            .collect()
    }

    fn put(&self, _name: &str, bytes: Option<&[u8]>) {
        fs::write(self.file(), bytes.unwrap()).unwrap();
    }

    fn writes_since(&self, _before: &Blobs) -> Vec<Write> {
        let bytes = fs::read(self.file()).ok();
        let name = "slot".into();
        vec![Write { name, bytes }]
    }

    fn make_empty(&self) {
        unreachable!("not about this")
    }

    fn break_down(&self, _broken: bool) {
        unreachable!("not about this")
    }
}

/// Chunks under the name of their generation, and one manifest that says which generation counts:
/// sound, if only the manifest were written last.
#[derive(Clone, Debug)]
struct OneManifest {
    store: MemoryStore,
    manifest_first: bool,
}

const CHUNK: usize = 100;

impl OneManifest {
    fn generation(&self) -> Result<Option<u8>, VaultFault> {
        let manifest = self.store.read("manifest")?;
        Ok(manifest.and_then(|bytes| bytes.first().copied()))
    }
}

impl Vault for OneManifest {
    fn load(&self) -> Result<Found, VaultFault> {
        let Some(generation) = self.generation()? else {
            return Ok(Found::Missing);
        };
        let mut json = Vec::new();
        for number in 0.. {
            let Some(chunk) = self.store.read(&format!("{generation}.{number}"))? else {
                break;
            };
            json.extend_from_slice(&chunk);
        }
        let record = serde_json::from_slice(&json);
        Ok(record.map_or(Found::Damaged, |record| Found::Record(Box::new(record))))
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        let mut record = match self.load()? {
            Found::Record(record) => *record,
            _ => Record::default(),
        };
        change.apply(&mut record);
        let next = self.generation()?.unwrap_or(0) + 1;
        if self.manifest_first {
            self.store.write("manifest", &[next])?;
        }
        let json = serde_json::to_vec(&record).unwrap();
        for (number, chunk) in json.chunks(CHUNK).enumerate() {
            self.store.write(&format!("{next}.{number}"), chunk)?;
        }
        if !self.manifest_first {
            self.store.write("manifest", &[next])?;
        }
        Ok(record)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        Ok(Lease::new(()))
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        self.lock().map(Some)
    }
}

impl Subject for OneManifest {
    fn open(&self) -> Box<dyn Vault> {
        Box::new(self.clone())
    }

    fn blobs(&self) -> Blobs {
        self.store.take_writes();
        self.store.values()
    }

    fn put(&self, name: &str, bytes: Option<&[u8]>) {
        self.store.put(name, bytes);
    }

    fn writes_since(&self, _before: &Blobs) -> Vec<Write> {
        self.store.take_writes()
    }

    fn make_empty(&self) {
        unreachable!("not about this")
    }

    fn break_down(&self, _broken: bool) {
        unreachable!("not about this")
    }
}

/// Reads, waits until the other has read, writes.
#[derive(Clone, Debug)]
struct Unlocked {
    vault: MemoryVault,
    record: Arc<Mutex<Record>>,
    both: Arc<Barrier>,
}

impl Vault for Unlocked {
    fn load(&self) -> Result<Found, VaultFault> {
        let record = self.record.lock().unwrap().clone();
        Ok(Found::Record(Box::new(record)))
    }

    fn update(&self, change: &Change) -> Result<Record, VaultFault> {
        let mut record = self.record.lock().unwrap().clone();
        change.apply(&mut record);
        self.both.wait();
        *self.record.lock().unwrap() = record.clone();
        self.both.wait();
        Ok(record)
    }

    fn lock(&self) -> Result<Lease, VaultFault> {
        self.vault.lock()
    }

    fn try_lock(&self) -> Result<Option<Lease>, VaultFault> {
        self.vault.try_lock()
    }
}

impl Subject for Unlocked {
    fn open(&self) -> Box<dyn Vault> {
        Box::new(self.clone())
    }

    fn blobs(&self) -> Blobs {
        Blobs::new()
    }

    fn put(&self, _name: &str, _bytes: Option<&[u8]>) {
        unreachable!("not about this")
    }

    fn writes_since(&self, _before: &Blobs) -> Vec<Write> {
        unreachable!("not about this")
    }

    fn make_empty(&self) {
        unreachable!("not about this")
    }

    fn break_down(&self, _broken: bool) {
        unreachable!("not about this")
    }
}

fn one_slot() -> OneSlotSubject {
    OneSlotSubject(TempDir::new().unwrap())
}

fn one_manifest(manifest_first: bool) -> OneManifest {
    OneManifest {
        store: MemoryStore::new(CHUNK),
        manifest_first,
    }
}

#[test]
fn one_slot_does_not_survive_a_torn_write() {
    let why = a_write_torn_at_any_byte_leaves_an_intact_record(&one_slot()).unwrap_err();
    assert!(why.ends_with("Damaged"), "{why}");
    let why = a_torn_write_is_mended_by_the_next(&one_slot()).unwrap_err();
    assert!(why.ends_with("Damaged"), "{why}");
}

#[test]
fn a_slot_without_a_checksum_takes_a_flipped_bit_for_the_truth() {
    let why = any_flipped_bit_leaves_an_intact_record(&one_slot()).unwrap_err();
    assert!(why.contains("bit"), "{why}");
}

#[test]
fn a_vault_that_does_not_look_at_the_format_reads_a_newer_one() {
    let why = a_newer_format_is_refused_and_left_as_it_is(&one_slot()).unwrap_err();
    assert_eq!(why, "0 slots");
}

#[test]
fn a_manifest_written_first_does_not_survive_an_update_that_is_cut_short() {
    let sound = one_manifest(false);
    cut_short(&sound, &sound.store, 1).unwrap();
    let unsound = one_manifest(true);
    let why = cut_short(&unsound, &unsound.store, 1).unwrap_err();
    assert!(why.ends_with("write 1, byte 0: Damaged"), "{why}");
}

#[test]
fn writers_without_a_lock_lose_updates() {
    let vault = Unlocked {
        vault: MemoryVault::new(),
        record: Arc::default(),
        both: Arc::new(Barrier::new(2)),
    };
    let why = two_writers_lose_no_update(&vault).unwrap_err();
    assert!(why.starts_with("held"), "{why}");
    assert_eq!(why.matches("\"r").count(), TURNS, "half of them: {why}");
}
