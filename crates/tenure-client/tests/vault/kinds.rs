//! The vaults that several processes, and a disk that fails, can be given.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tenure_client::{
    ChunkedVault, EncryptedFileVault, FileVault, KeyValue, Vault, VaultFault, Zeroizing,
};

/// What [`vault`] can open.
pub(crate) const KINDS: [&str; 3] = ["file", "encrypted", "chunked"];

/// The vault of this kind below `directory`.
pub(crate) fn vault(kind: &str, directory: &Path) -> Box<dyn Vault> {
    let profile = directory.join("profile");
    let store = |limit| DirectoryStore::new(directory.join("store"), limit);
    match kind {
        "file" => Box::new(FileVault::new(profile)),
        "encrypted" => Box::new(EncryptedFileVault::new(profile, store(64), "test")),
        "chunked" => Box::new(ChunkedVault::new(store(256), "test", profile)),
        other => panic!("no vault {other}"),
    }
}

/// A file for each value: what an app might write, for several processes.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryStore {
    pub(crate) directory: PathBuf,
    pub(crate) limit: usize,
}

impl DirectoryStore {
    pub(crate) fn new(directory: impl Into<PathBuf>, limit: usize) -> Self {
        Self {
            directory: directory.into(),
            limit,
        }
    }

    fn attempt<T>(
        &self,
        work: impl FnOnce() -> std::io::Result<T>,
    ) -> Result<Option<T>, VaultFault> {
        match work() {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let directory = self.directory.display();
                Err(VaultFault::Unavailable(format!("{directory}: {error}")))
            }
        }
    }
}

impl KeyValue for DirectoryStore {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        let bytes = self.attempt(|| fs::read(self.directory.join(name)))?;
        Ok(bytes.map(Zeroizing::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), VaultFault> {
        assert!(value.len() <= self.limit, "{name}: {} bytes", value.len());
        self.attempt(|| {
            fs::create_dir_all(&self.directory)?;
            let mut file = File::create(self.directory.join(name))?;
            file.write_all(value)?;
            file.sync_all()?;
            File::open(&self.directory)?.sync_all()?;
            File::open(self.directory.join(".."))?.sync_all()
        })?;
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), VaultFault> {
        self.attempt(|| fs::remove_file(self.directory.join(name)))?;
        Ok(())
    }

    fn limit(&self) -> usize {
        self.limit
    }
}
