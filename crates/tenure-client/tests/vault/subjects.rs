//! The vaults, ready to be tested.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tenure_client::{ChunkedVault, EncryptedFileVault, FileVault, Vault};

use crate::kinds::DirectoryStore;
use crate::memory::{MemoryStore, Mood};
use crate::suite::{Blobs, Storage, Subject, Write};

/// [`FileVault`].
pub(crate) struct Files {
    directory: TempDir,
}

/// [`EncryptedFileVault`] with its key in memory.
pub(crate) struct Encrypted {
    files: Files,
    pub(crate) keys: MemoryStore,
}

/// [`ChunkedVault`] over memory or over files.
pub(crate) struct Chunked<S> {
    directory: TempDir,
    pub(crate) store: S,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn profile(&self) -> PathBuf {
        self.directory.path().join("profile")
    }

    fn slot(&self) -> PathBuf {
        self.profile().join("slot-a")
    }
}

impl Subject for Files {
    fn open(&self) -> Box<dyn Vault> {
        Box::new(FileVault::new(self.profile()))
    }

    fn blobs(&self) -> Blobs {
        files(&self.profile())
    }

    fn put(&self, name: &str, bytes: Option<&[u8]>) {
        put_file(&self.profile().join(name), bytes);
    }

    fn writes_since(&self, before: &Blobs) -> Vec<Write> {
        differences(before, &self.blobs())
    }

    fn make_empty(&self) {
        fs::create_dir_all(self.profile()).unwrap();
        fs::write(self.slot(), b"").unwrap();
    }

    /// A directory cannot be read as a slot.
    fn break_down(&self, broken: bool) {
        let aside = self.profile().join("aside");
        if broken {
            fs::rename(self.slot(), &aside).unwrap();
            fs::create_dir(self.slot()).unwrap();
        } else {
            fs::remove_dir(self.slot()).unwrap();
            fs::rename(&aside, self.slot()).unwrap();
        }
    }
}

impl Encrypted {
    pub(crate) fn new() -> Self {
        Self {
            files: Files::new(),
            keys: MemoryStore::new(64),
        }
    }

    pub(crate) fn profile(&self) -> PathBuf {
        self.files.profile()
    }
}

impl Subject for Encrypted {
    fn open(&self) -> Box<dyn Vault> {
        let keys = self.keys.clone();
        Box::new(EncryptedFileVault::new(self.profile(), keys, "test"))
    }

    fn blobs(&self) -> Blobs {
        self.files.blobs()
    }

    fn put(&self, name: &str, bytes: Option<&[u8]>) {
        self.files.put(name, bytes);
    }

    fn writes_since(&self, before: &Blobs) -> Vec<Write> {
        self.files.writes_since(before)
    }

    fn make_empty(&self) {
        self.files.make_empty();
    }

    fn break_down(&self, broken: bool) {
        let mood = if broken { Mood::Gone } else { Mood::Fine };
        self.keys.mood(mood);
    }
}

impl Storage for Encrypted {
    fn lock_up(&self, locked: bool) {
        let mood = if locked { Mood::Locked } else { Mood::Fine };
        self.keys.mood(mood);
    }
}

/// The marker beside the locks.
const MARKER: &str = "session-exists";

impl Chunked<MemoryStore> {
    /// With room for so many bytes in each value.
    pub(crate) fn over_memory(limit: usize) -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            store: MemoryStore::new(limit),
        }
    }
}

impl Chunked<DirectoryStore> {
    pub(crate) fn over_files(limit: usize) -> Self {
        let directory = TempDir::new().unwrap();
        let store = DirectoryStore::new(directory.path().join("store"), limit);
        Self { directory, store }
    }
}

impl<S> Chunked<S> {
    pub(crate) fn profile(&self) -> PathBuf {
        self.directory.path().join("profile")
    }

    pub(crate) fn marker(&self) -> PathBuf {
        self.profile().join(MARKER)
    }

    fn mark(&self) {
        fs::create_dir_all(self.profile()).unwrap();
        fs::write(self.marker(), b"").unwrap();
    }
}

impl Subject for Chunked<MemoryStore> {
    fn open(&self) -> Box<dyn Vault> {
        Box::new(ChunkedVault::new(
            self.store.clone(),
            "test",
            self.profile(),
        ))
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
        self.mark();
    }

    fn break_down(&self, broken: bool) {
        let mood = if broken { Mood::Gone } else { Mood::Fine };
        self.store.mood(mood);
    }
}

impl Storage for Chunked<MemoryStore> {
    fn lock_up(&self, locked: bool) {
        let mood = if locked { Mood::Locked } else { Mood::Fine };
        self.store.mood(mood);
    }
}

impl Subject for Chunked<DirectoryStore> {
    fn open(&self) -> Box<dyn Vault> {
        Box::new(ChunkedVault::new(
            self.store.clone(),
            "test",
            self.profile(),
        ))
    }

    fn blobs(&self) -> Blobs {
        files(&self.store.directory)
    }

    fn put(&self, name: &str, bytes: Option<&[u8]>) {
        put_file(&self.store.directory.join(name), bytes);
    }

    /// The store keeps no log; the order does not matter to the vault, so any will do.
    fn writes_since(&self, before: &Blobs) -> Vec<Write> {
        differences(before, &self.blobs())
    }

    fn make_empty(&self) {
        self.mark();
    }

    /// A directory cannot be read as a value.
    fn break_down(&self, broken: bool) {
        let manifest = self.store.directory.join("test.slot-a");
        if broken {
            fs::rename(&manifest, self.profile().join("aside")).unwrap();
            fs::create_dir(&manifest).unwrap();
        } else {
            fs::remove_dir(&manifest).unwrap();
            fs::rename(self.profile().join("aside"), &manifest).unwrap();
        }
    }
}

fn files(directory: &Path) -> Blobs {
    let Ok(entries) = fs::read_dir(directory) else {
        return Blobs::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let record = names.filter(|name| !name.to_lowercase().ends_with(".lock") && name != MARKER);
    record
        .map(|name| (name.clone(), fs::read(directory.join(name)).unwrap()))
        .collect()
}

fn put_file(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => fs::write(path, bytes).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

fn differences(before: &Blobs, after: &Blobs) -> Vec<Write> {
    let removed = before.keys().filter(|name| !after.contains_key(*name));
    let written = after
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(bytes));
    let written = written.map(|(name, bytes)| (name, Some(bytes.clone())));
    let all = written.chain(removed.map(|name| (name, None)));
    all.map(|(name, bytes)| Write {
        name: name.clone(),
        bytes,
    })
    .collect()
}
